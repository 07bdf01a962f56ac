;;; tour.el --- A user of dap-mode at work, without a screen  -*- lexical-binding: t -*-

;; The environment says in which program. What the user sees is written to standard error, for the test to judge.

(require 'python)
(require 'dap-mode)

(defvar tour-program (getenv "FIXCONT_TOUR_PROGRAM"))
(defvar tour-stops 0)
(defvar tour-is-over nil)

(defun tour-note (form &rest values)
  (princ (concat (apply #'format form values) "\n") #'external-debugging-output))

(defun tour-wait (what condition)
  (let ((end (+ (float-time) (string-to-number (or (getenv "FIXCONT_TEST_DEADLINE") "30")))))
    (while (not (funcall condition))
      (when (> (float-time) end) (error "It did not happen: %s" what))
      (accept-process-output nil 0.05))))

(defun tour-frame () (dap--debug-session-active-frame (dap--cur-session)))

(defun tour-stopped ()
  "Wait for the next stop, and note where the user sees it."
  (let ((stops (cl-incf tour-shown)))
    (tour-wait "a stop" (lambda () (and (>= tour-stops stops) (tour-frame))))
    (tour-note "stopped in %s at line %s, point at line %s of %s" (gethash "name" (tour-frame)) (gethash "line" (tour-frame))
               (with-current-buffer (find-buffer-visiting tour-program) (line-number-at-pos))
               (file-name-nondirectory tour-program))))
(defvar tour-shown 0)

(add-hook 'dap-stopped-hook (lambda (_) (cl-incf tour-stops)))
(add-hook 'dap-terminated-hook (lambda (_) (setq tour-is-over t)))

(find-file tour-program)
(dap-debug (copy-sequence (cdr (assoc "fixcont: file" dap-debug-template-configurations))))
(tour-stopped)
(with-current-buffer (find-buffer-visiting tour-program)
  (goto-char (point-min))
  (search-forward "total / count")
  (insert " if count else 0.0")
  (save-buffer))
(dap-restart-frame (dap--cur-session) (gethash "id" (tour-frame)))
(tour-stopped)
(dap-continue (dap--cur-session) (dap--debug-session-thread-id (dap--cur-session)))
(tour-wait "the end" (lambda () tour-is-over))
(tour-note "%s" (with-current-buffer "*fixcont: file out*" (buffer-string)))
