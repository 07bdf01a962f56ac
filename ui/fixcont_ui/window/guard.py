"""A small process beside the debuggee that keeps what the debuggee prints, and cleans the terminal up if the debuggee dies.

It is run as a script, with nothing but the standard library, and knows the debuggee by file descriptors only:

- what the debuggee writes to the terminal comes out of a pseudo-terminal. While the window shows it is put into a file, of which the window
  shows the end; when the window closes, it is written to the terminal. While there is no window, it goes there at once: processes that
  the debuggee has started while there was one still have the pseudo-terminal as their output.
- if the debuggee ends while the window shows, whatever ended it, the terminal gets its modes back, and then what was kept.

It is nobody's child and in a session of its own, so that neither the debuggee's `wait` nor signals of the terminal meet it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from typing import Any

OPEN = b"O"
CLOSE = b"C"
NUDGE = b"d"

#: Behind what was written before the window closes: all that comes before it is to be shown before the program goes on.
END_MARK = b"\x00fixcont window end\x00"

#: Leaves the second screen; no mouse, no bracketed paste, cursor shown, plain keys and colours.
RESTORE = b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?1l\x1b>\x1b[0m\x1b[?25h\x1b[?1049l"

_PIECE = 65536
_LOOK_AFTER = 0.5  # seconds between looks whether the debuggee lives, where it cannot be waited for


class Guard:
    """What the process does.

    Args:
        control: a socket to the window.
        master: the other side of what the debuggee writes to.
        terminal: the real terminal.
        spool: the file for what is written while the window shows.
        pid: the debuggee.
    """

    def __init__(self, control: int, master: int, terminal: int, spool: int, pid: int) -> None:
        self.control, self.master, self.terminal, self.spool, self.pid = control, master, terminal, spool, pid
        self.is_showing = False
        self.modes: list[Any] | None = None
        self.spooled = 0
        self.marks = 0  # that have come before the window said that it closes
        self.life = _life_of(pid)

    def run(self) -> None:
        """Serve until the debuggee and all that may write are gone."""
        os.set_blocking(self.control, False)
        is_alive = has_output = True
        while is_alive or has_output:
            watched = [self.master] if has_output else []
            if is_alive:
                watched += [self.control, *([self.life] if self.life >= 0 else [])]
            ready, _, _ = select.select(watched, [], [], None if self.life >= 0 or not is_alive else _LOOK_AFTER)
            if self.master in ready:
                has_output = self._take()
            if is_alive and self.control in ready:
                is_alive = self._obey()
            if is_alive and (self.life in ready or (self.life < 0 and not _exists(self.pid))):
                is_alive = False
            if not is_alive and self.is_showing:
                self._clean_up()

    def _take(self) -> bool:
        """Take in a piece of what was written. Returns whether more may come."""
        data = _read(self.master)
        if data is None:
            return False
        self.marks += data.count(END_MARK)
        self._put(data.replace(END_MARK, b""))
        return True

    def _put(self, data: bytes) -> None:
        if not data:
            return
        if not self.is_showing:
            _write(self.terminal, data)
            return
        try:
            self.spooled += os.pwrite(self.spool, data, self.spooled)
        except OSError:
            return  # the disk is full: what cannot be kept is lost
        try:
            os.write(self.control, NUDGE)
        except OSError:
            pass  # it has enough of them

    def _obey(self) -> bool:
        """Do what the window says. Returns whether the debuggee is there."""
        try:
            told = os.read(self.control, 1)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if told == OPEN:
            self.modes = _modes(self.terminal)
            self.is_showing = True
        elif told == CLOSE:
            self._take_to_end_mark()
            self._flush()
        if told:
            self._answer(told)
        return bool(told)

    def _answer(self, told: bytes) -> None:
        os.set_blocking(self.control, True)
        try:
            os.write(self.control, told)
        except OSError:
            pass
        os.set_blocking(self.control, False)

    def _take_to_end_mark(self) -> None:
        if self.marks:
            self.marks -= 1
            return
        data = b""
        while END_MARK not in data:
            if not select.select([self.master], [], [], 2.0)[0]:
                break
            piece = _read(self.master)
            if piece is None:
                break
            data += piece
        before, _, behind = data.partition(END_MARK)
        self._put(before)
        self._put(behind)

    def _flush(self) -> None:
        """Write what was kept to the terminal, and keep nothing from now on."""
        offset = 0
        while offset < self.spooled:
            data = os.pread(self.spool, _PIECE, offset)
            if not data:
                break
            _write(self.terminal, data)
            offset += len(data)
        self.spooled = 0
        self.is_showing = False

    def _clean_up(self) -> None:
        """Give the terminal back, as the one who should have done so is gone."""
        _write(self.terminal, RESTORE)
        if self.modes is not None:
            try:
                termios.tcsetattr(self.terminal, termios.TCSANOW, self.modes)
            except (OSError, termios.error):
                pass
        while select.select([self.master], [], [], 0)[0] and self._take():
            pass
        self._flush()


def _life_of(pid: int) -> int:
    """Give a descriptor that becomes readable when a process ends, -1 where there is no such thing."""
    try:
        return os.pidfd_open(pid)  # type: ignore[attr-defined, unused-ignore]
    except (AttributeError, OSError):
        return -1


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _modes(terminal: int) -> list[Any] | None:
    try:
        return termios.tcgetattr(terminal)
    except (OSError, termios.error):
        return None


def _read(descriptor: int) -> bytes | None:
    """Read a piece, None where there will be no more."""
    try:
        return os.read(descriptor, _PIECE) or None
    except OSError:  # nobody has the other side any more
        return None


def _write(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # the debuggee has made the terminal so
            select.select([], [descriptor], [])
        except OSError:
            return  # the terminal is gone


def main() -> None:
    """Run as a process of nobody."""
    if os.fork():
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGTTOU, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    Guard(*map(int, sys.argv[1:])).run()
    os._exit(0)


if __name__ == "__main__":
    main()
