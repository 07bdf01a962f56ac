"""Open the user's editor at a line, and wait until it ends."""

from __future__ import annotations

import ast
import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

#: Looked for in this order where neither $VISUAL nor $EDITOR is set.
_USUAL: Final = ("editor", "sensible-editor", "nano", "vi")

_PLUS_LINE: Final = frozenset(
    "vi vim nvim view gvim ex elvis nvi vile emacs emacsclient xemacs mg jmacs nano pico rnano micro joe jed jstar ne "
    "kak mcedit gedit gnome-text-editor editor sensible-editor".split()
)
_COLON_LINE: Final = frozenset(["hx", "helix", "zed", "zeditor", "subl", "sublime_text", "lapce"])
_GOTO: Final = frozenset(["code", "code-insiders", "codium", "vscodium", "code-oss", "cursor", "windsurf"])
_LINE_OPTION: Final = {"kate": "--line", "pycharm": "--line", "idea": "--line", "charm": "--line", "mate": "--line"}

#: The option without which these return at once. Editors not named here wait, or cannot.
_WAIT: Final = {
    "subl": ("-w", "--wait"),
    "sublime_text": ("-w", "--wait"),
    "zed": ("--wait", "-w"),
    "zeditor": ("--wait", "-w"),
    "lapce": ("--wait", "-w"),
    "gvim": ("--nofork", "-f"),
    "gedit": ("--wait", "-w"),
    "kate": ("--block", "-b"),
    "mate": ("--wait", "-w"),
    "pycharm": ("--wait",),
    "charm": ("--wait",),
    "idea": ("--wait",),
    **dict.fromkeys(_GOTO, ("--wait", "-w")),
}


class EditorFailed(Exception):
    """The editor could not be started, or ended as failed. The message is one sentence for people."""


def find_editor(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Give the user's editor as the words of a command: $VISUAL, $EDITOR, or the first of the usual ones that is installed.

    Raises:
        EditorFailed: there is none, or the variable cannot be read as a command.
    """
    for variable in ("VISUAL", "EDITOR"):
        value = environment.get(variable, "").strip()
        if value:
            return _words(variable, value)
    for name in _USUAL:
        if shutil.which(name, path=environment.get("PATH")):
            return [name]
    raise EditorFailed("no editor found: set $VISUAL or $EDITOR")


def is_set(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user has named an editor."""
    return any(environment.get(variable, "").strip() for variable in ("VISUAL", "EDITOR"))


def command_at_line(editor: list[str], path: str, line: int) -> list[str]:
    """Give the command that opens `path` at `line` (from 1), in the manner of this editor; where it is not known, just the file."""
    name = _name(editor[0])
    waiting = _WAIT.get(name, ())
    if waiting and not set(waiting) & set(editor[1:]):
        editor = [*editor, waiting[0]]
    if name in _GOTO:
        return [*editor, "--goto", f"{path}:{line}"]
    if name in _COLON_LINE:
        return [*editor, f"{path}:{line}"]
    if name in _LINE_OPTION:
        return [*editor, _LINE_OPTION[name], str(line), path]
    if name in _PLUS_LINE:
        return [*editor, f"+{line}", path]
    return [*editor, path]


def edit(path: str, line: int, environment: Mapping[str, str] = os.environ) -> None:
    """Open the user's editor on `path` at `line` and wait until it ends.

    Ctrl-C meanwhile is the editor's. The editor gets the terminal even where the program's own streams lead elsewhere.

    Raises:
        EditorFailed: it cannot be found or started, or its exit status is not 0. The file may have been saved all the same.
    """
    command = command_at_line(find_editor(environment), path, line)
    with ExitStack() as stack:
        stack.enter_context(_deaf_to_interrupts())
        stdin, stdout = _terminal_streams(stack)
        try:
            status = subprocess.run(command, check=False, stdin=stdin, stdout=stdout).returncode
        except FileNotFoundError:
            raise EditorFailed(f"the editor {command[0]!r} was not found") from None
        except (OSError, ValueError) as error:
            raise EditorFailed(f"the editor {command[0]!r} could not be started: {error}") from None
    if status < 0:
        raise EditorFailed(f"the editor {command[0]!r} was ended by signal {-status}")
    if status:
        raise EditorFailed(f"the editor {command[0]!r} ended with status {status}")


def line_to_edit(path: str, qualname: str, fallback: int) -> int:
    """Give the line on which the function `qualname` begins in the file as it is now, or where the file's syntax error is.

    Looks at the file because a frame may run an older text, whose numbers no longer fit. Gives `fallback` where the
    function is not found.
    """
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except SyntaxError as error:
        return error.lineno or fallback
    except (OSError, ValueError, RecursionError, MemoryError):
        return fallback
    wanted = [part for part in qualname.split(".") if part != "<locals>"]
    node: ast.AST = tree
    for name in wanted:
        found = _definitions(node, name)
        if not found:
            return fallback
        # Of several definitions with one name (overloads, `if` branches) the nearest to where the frame's function began is meant.
        node = min(found, key=lambda candidate: abs(candidate.lineno - fallback))
    return fallback if isinstance(node, ast.Module) else node.lineno  # type: ignore[attr-defined]


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _definitions(scope: ast.AST, name: str) -> list[_Definition]:
    """Give the definitions of `name` that belong to `scope` itself, not to a function or class inside of it."""
    found: list[_Definition] = []
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        if isinstance(node, _Definition):
            if node.name == name:
                found.append(node)
        elif isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            pending.extend(ast.iter_child_nodes(node))
    return found


def _words(variable: str, value: str) -> list[str]:
    """Split the value of an editor variable as a shell would. A program whose path has spaces counts as one word."""
    if os.path.isfile(value):
        return [value]
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise EditorFailed(f"${variable} cannot be read as a command ({error}): {value}") from None
    if not words:
        raise EditorFailed(f"${variable} names no program: {value}")
    return [os.path.expanduser(words[0]), *words[1:]]


def _name(program: str) -> str:
    """Give the editor's bare name: without folder, ending and version, so that "vim.basic" and "emacs-29.1" are known too."""
    name = os.path.basename(program).lower()
    if name in _PLUS_LINE or name in _GOTO or name in _COLON_LINE or name in _LINE_OPTION:
        return name
    stem = name.split(".")[0]
    return stem.rstrip("0123456789").rstrip("-") or stem


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let Ctrl-C do nothing here, as it goes to the editor too; with the default, waiting would be given up and the editor killed."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    # A function, not SIG_IGN: that would be inherited by the editor.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _terminal_streams(stack: ExitStack) -> tuple[int | None, int | None]:
    """Choose the editor's input and output: the program's own where they are a terminal (None), else the controlling terminal.

    Never other input of the program: the editor would eat the commands that are still to be read from it.
    """
    stdin = stdout = None
    if not _is_terminal(0):
        stdin = _open_terminal(stack, os.O_RDONLY)
        stdin = subprocess.DEVNULL if stdin is None else stdin
    if not _is_terminal(1):
        stdout = _open_terminal(stack, os.O_WRONLY)
    return stdin, stdout


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _open_terminal(stack: ExitStack, flags: int) -> int | None:
    try:
        descriptor = os.open("/dev/tty", flags)
    except OSError:
        return None
    stack.callback(os.close, descriptor)
    return descriptor
