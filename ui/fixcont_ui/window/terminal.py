"""The terminal while the window has it: what the program prints is kept apart, and given back when the window closes.

That is done below Python, at the file descriptors, so that it also holds for C code and for processes that the program starts.
See `guard.py` for who keeps it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import socket
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from typing import Final

from fixcont_ui.window import guard

_PATIENCE: Final = 5.0  # seconds for the guard to answer
_STANDARD: Final = (1, 2)


class NoGuard(Exception):
    """The process that keeps what is printed could not be started. The message is one sentence for people."""


class KeptOutput:
    """What the program prints while windows show. One serves all windows of a process that are on one terminal.

    Args:
        terminal: a descriptor of the terminal, which is duplicated.

    Raises:
        NoGuard: the process that keeps it could not be started.
    """

    def __init__(self, terminal: int) -> None:
        self._pid = os.getpid()
        self._redirected: list[int] = []
        with contextlib.ExitStack() as stack:
            self.terminal = _owned(stack, os.dup(terminal))
            self._spool = _owned(stack, _spool_file())
            try:
                master, self._slave = pty.openpty()
            except OSError as error:
                raise NoGuard(f"there is no pseudo-terminal: {error.strerror}") from None
            stack.callback(os.close, self._slave)
            stack.callback(os.close, master)
            _make_plain(self._slave)
            ours, theirs = socket.socketpair()
            stack.callback(ours.close)
            stack.callback(theirs.close)
            self._control = ours
            _start([theirs.fileno(), master, self.terminal, self._spool], self._pid)
            stack.pop_all()
        theirs.close()
        os.close(master)  # the guard's now: whoever writes must find nobody there once the guard is gone

    @property
    def is_ours(self) -> bool:
        """Whether this process made it: a forked child has it too, and must make its own."""
        return self._pid == os.getpid()

    @property
    def is_alive(self) -> bool:
        """Whether the guard lives."""
        return self.take_nudges()

    @property
    def control(self) -> int:
        """Becomes readable when something was printed, or the guard has died."""
        return self._control.fileno()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what is printed to the terminal in this block; at its end that comes out there, before the block is left.

        Raises:
            NoGuard: the guard is gone.
        """
        _flush_streams()
        redirected = [number for number in _STANDARD if _is_terminal(number)]
        self._tell(guard.OPEN)
        saved = [(number, os.dup(number), os.get_inheritable(number)) for number in redirected]
        self._redirected = redirected
        try:
            self.resize()
            for number, _, inheritable in saved:
                os.dup2(self._slave, number, inheritable)
            yield
        finally:
            _flush_streams()
            for number, before, inheritable in saved:
                os.dup2(before, number, inheritable)
                os.close(before)
            with contextlib.suppress(NoGuard):
                self._tell(guard.CLOSE)

    @contextlib.contextmanager
    def released(self) -> Iterator[None]:
        """Within `kept`: let the program have the terminal itself in this block."""
        _flush_streams()
        for number in self._redirected:
            os.dup2(self.terminal, number)
        try:
            yield
        finally:
            _flush_streams()
            for number in self._redirected:
                os.dup2(self._slave, number)

    def wait_for_key(self) -> None:
        """Wait until a key is pressed, the terminal being in its usual modes."""
        modes = termios.tcgetattr(self.terminal)
        raw = list(modes)
        raw[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(self.terminal, termios.TCSANOW, raw)
        try:
            os.read(self.terminal, 1024)
        finally:
            termios.tcsetattr(self.terminal, termios.TCSANOW, modes)

    def resize(self) -> None:
        """Let what the program asks about the size of its terminal be the size of the real one."""
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(self.terminal, termios.TIOCGWINSZ, b"\0" * 8)
            fcntl.ioctl(self._slave, termios.TIOCSWINSZ, size)

    def take_nudges(self) -> bool:
        """Take note that something was printed. Returns whether the guard is alive."""
        try:
            return bool(self._control.recv(4096, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def printed(self, offset: int, limit: int) -> tuple[bytes, int]:
        """Give what was printed behind `offset` since the window opened, of more than `limit` bytes the last; and the offset of its end."""
        size = os.fstat(self._spool).st_size
        begin = max(offset, size - limit)
        data = os.pread(self._spool, limit, begin) if size > begin else b""
        return data, begin + len(data)

    def _tell(self, what: bytes) -> None:
        """Say something to the guard and wait until it is done."""
        if what == guard.OPEN:
            os.ftruncate(self._spool, 0)
        try:
            self._control.send(what)
            if what == guard.CLOSE:
                os.write(self._slave, guard.END_MARK)
            while True:
                if not select.select([self._control], [], [], _PATIENCE)[0]:
                    raise NoGuard("the process that keeps what is printed does not answer")
                answer = self._control.recv(1)
                if answer == what:
                    return
                if not answer:
                    raise NoGuard("the process that keeps what is printed has died")
        except OSError as error:
            raise NoGuard(f"the process that keeps what is printed has died: {error.strerror}") from None


def _start(descriptors: list[int], pid: int) -> None:
    arguments = [*map(str, descriptors), str(pid)]
    try:
        subprocess.run(
            [sys.executable, "-I", "-S", guard.__file__, *arguments],
            check=True,
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=_PATIENCE,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NoGuard(f"the process that keeps what is printed could not be started: {error}") from None


def _owned(stack: contextlib.ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor


def _spool_file() -> int:
    descriptor, name = tempfile.mkstemp(prefix="fixcont-")
    os.unlink(name)
    return descriptor


def _make_plain(slave: int) -> None:
    """Let bytes go through the pseudo-terminal as they are: the real one does to them what is to be done."""
    modes = termios.tcgetattr(slave)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
    termios.tcsetattr(slave, termios.TCSANOW, modes)


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(Exception):
            if stream is not None and stream.fileno() in _STANDARD:
                stream.flush()
