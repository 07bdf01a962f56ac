"""The commands for breakpoints: pdb's words, messages and numbers."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any, Final, NoReturn

from fixcont.errors import Refused
from fixcont.stepping.breakpoints import Breakpoint
from fixcont_ui.commands import AppliesTo, Argument, Command, NotDone
from fixcont_ui.console import Console


def described(found: Breakpoint) -> str:
    return f"breakpoint {found.number} at {found.filename}:{found.line}"


def table(breakpoints: list[Breakpoint]) -> list[str]:
    """Write all breakpoints as pdb does."""
    lines = ["Num Type         Disp Enb   Where"]
    for each in breakpoints:
        kept = "del " if each.is_temporary else "keep"
        enabled = "yes" if each.is_enabled else "no "
        lines.append(f"{each.number:<4}breakpoint   {kept} {enabled}   at {each.filename}:{each.line}")
        if each.condition:
            lines.append(f"\tstop only if {each.condition}")
        if each.ignore:
            lines.append(f"\tignore next {each.ignore} hits")
        if each.hits:
            lines.append(f"\tbreakpoint already hit {each.hits} time{'s' if each.hits > 1 else ''}")
        if each.note:
            lines.append(f"\t{each.note}")
    return lines


def _break(console: Console, argument: str) -> None:
    _set_or_list(console, argument, temporary=False)


def _tbreak(console: Console, argument: str) -> None:
    _set_or_list(console, argument, temporary=True)


def _set_or_list(console: Console, argument: str, *, temporary: bool) -> None:
    if not argument:
        found = console.stepping.breakpoints.all()
        for line in table(found) if found else ():
            console.say(line)
        return
    where, comma, condition = argument.partition(",")
    condition = condition.strip()
    if comma and not condition:
        _complain(console, f"Invalid condition {condition!r}")
    made = _set(console, where.strip(), condition, temporary)
    console.say(f"Breakpoint {made.number} at {made.filename}:{made.line}")


def _set(console: Console, where: str, condition: str, temporary: bool) -> Breakpoint:
    stepping = console.stepping
    name, colon, place = where.rpartition(":")
    place = place.strip()
    filename = console.place[0].co_filename
    if colon:
        path = console.find_file(name.strip())
        if path is None:
            _complain(console, f"{name.strip()!r} not found from sys.path")
        filename = path
    if place.isdecimal():
        line = int(place)
        complaint = _line_complaint(console.lines_of(filename), line)
        if complaint:
            _complain(console, complaint)
        return _refusing(console, lambda: stepping.add(filename, line, condition=condition, temporary=temporary))
    if colon and not place.replace(".", "").isidentifier():
        _complain(console, f"Bad lineno: {place}")
    code = None if colon else _code_of(console.look_up(place))
    if code is not None:
        return _refusing(
            console,
            lambda: stepping.add_function(
                code.co_filename, code.co_qualname, code.co_firstlineno, condition=condition, temporary=temporary
            ),
        )
    return _set_by_name(console, where, _candidates(console, filename, place), condition, temporary)


def _set_by_name(console: Console, where: str, names: list[tuple[str, str]], condition: str, temporary: bool) -> Breakpoint:
    for path, name in names:
        try:
            return console.stepping.add_function(path, name, condition=condition, temporary=temporary)
        except Refused as refused:
            if refused.refusal.code not in ("no-function", "file-unreadable"):
                console.refuse(refused.refusal)
                raise NotDone from None
    console.complain(f"The specified object {where!r} is not a function or was not found along sys.path.")
    raise NotDone


def _candidates(console: Console, filename: str, name: str) -> list[tuple[str, str]]:
    """Return the files and qualified names that a name may mean which no object of the program has."""
    found = [(filename, name)]
    module, _, rest = name.partition(".")
    if rest:
        path = console.find_file(module)
        if path is not None:
            found.append((path, rest))
    return found


def _code_of(value: Any) -> CodeType | None:
    for name in ("__func__", "__wrapped__"):
        value = (
            getattr(value, name, value) if name == "__func__" or type(value).__name__ == "functools._lru_cache_wrapper" else value
        )
    code = getattr(value, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _line_complaint(lines: list[str], line: int) -> str:
    """Say why pdb would not set a breakpoint on a line, "" where it would."""
    if not 1 <= line <= len(lines):
        return "End of file"
    text = lines[line - 1].strip()
    return "Blank or comment" if not text or text[0] == "#" or text[:3] in ('"""', "'''") else ""


def _clear(console: Console, argument: str) -> None:
    breakpoints = console.stepping.breakpoints
    if not argument:
        if console.ask("Clear all breaks? ").strip().lower() in ("y", "yes"):
            _tell_deleted(console, [each.number for each in breakpoints.all()])
        return
    if ":" in argument:
        filename, _, line = argument.rpartition(":")
        if not line.strip().isdecimal():
            _complain(console, f"Invalid line number ({line.strip()})")
        path = console.find_file(filename.strip()) or filename.strip()
        found = [each.number for each in breakpoints.all() if (each.filename, each.line) == (path, int(line))]
        if not found:
            _complain(console, f"There are no breakpoints at {path}:{line.strip()}")
        _tell_deleted(console, found)
        return
    for word in argument.split():
        found_one = _numbered(console, word)
        if found_one is not None:
            _tell_deleted(console, [found_one.number])


def _tell_deleted(console: Console, numbers: list[int]) -> None:
    for each in console.stepping.breakpoints.remove(numbers):
        console.say(f"Deleted {described(each)}")


def _enable(console: Console, argument: str) -> None:
    _switch(console, argument, "Enabled", enabled=True)


def _disable(console: Console, argument: str) -> None:
    _switch(console, argument, "Disabled", enabled=False)


def _switch(console: Console, argument: str, told: str, *, enabled: bool) -> None:
    for word in argument.split():
        found = _numbered(console, word)
        if found is not None:
            number = found.number
            changed = _refusing(console, lambda: console.stepping.breakpoints.change(number, enabled=enabled))  # noqa: B023 - called at once
            console.say(f"{told} {described(changed)}")


def _condition(console: Console, argument: str) -> None:
    word, _, condition = argument.partition(" ")
    found = _numbered(console, word)
    if found is None:
        raise NotDone
    condition = condition.strip()
    _refusing(console, lambda: console.stepping.breakpoints.change(found.number, condition=condition))
    if condition:
        console.say(f"New condition set for breakpoint {found.number}.")
    else:
        console.say(f"Breakpoint {found.number} is now unconditional.")


def _ignore(console: Console, argument: str) -> None:
    word, _, count = argument.partition(" ")
    found = _numbered(console, word)
    if found is None:
        raise NotDone
    count = count.strip() or "0"
    if not count.lstrip("-").isdecimal():
        _complain(console, f"Invalid argument: {argument}")
    times = int(count)
    console.stepping.breakpoints.change(found.number, ignore=times)
    if times > 0:
        crossings = "1 crossing" if times == 1 else f"{times} crossings"
        console.say(f"Will ignore next {crossings} of breakpoint {found.number}.")
    else:
        console.say(f"Will stop next time breakpoint {found.number} is reached.")


def _commands(console: Console, argument: str) -> None:
    word = argument or str(console.stepping.breakpoints.last_number)
    found = _numbered(console, word, "cannot set commands: ")
    if found is not None:
        console.define_commands(found.number)


def _numbered(console: Console, word: str, before: str = "") -> Breakpoint | None:
    """Give the breakpoint that is meant, or complain as pdb does."""
    breakpoints = console.stepping.breakpoints
    if not word:
        console.complain(f"{before}Breakpoint number expected")
    elif not word.isdecimal():
        console.complain(f"{before}Non-numeric breakpoint number {word}")
    elif not 1 <= int(word) <= breakpoints.last_number:
        console.complain(f"{before}Breakpoint number {int(word)} out of range")
    else:
        found = breakpoints.get(int(word))
        if found is None:
            console.complain(f"{before}Breakpoint {int(word)} already deleted")
        return found
    return None


def _refusing(console: Console, do: Callable[[], Breakpoint]) -> Breakpoint:
    """Do something; show why it is refused."""
    try:
        return do()
    except Refused as refused:
        console.refuse(refused.refusal)
        raise NotDone from None


def _complain(console: Console, text: str) -> NoReturn:
    console.complain(text)
    raise NotDone


BREAKPOINT_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "break",
        ("b",),
        "b(reak) [([file:]line | function) [, condition]]",
        "set a breakpoint, or list them",
        "Set a breakpoint on a line of the selected frame's file, or of another file that need not be loaded yet; or on the first\n"
        "line of a function. With a condition it stops only where that is true. Without an argument, list all breakpoints.\n"
        'Lines are those that "list" shows. After an edit a breakpoint is where its statement is; one whose statement is\n'
        "gone is disabled, and that is told.",
        Argument.ANY,
        AppliesTo.STOP,
        _break,
        goes_on=False,
    ),
    Command(
        "tbreak",
        (),
        "tbreak [([file:]line | function) [, condition]]",
        "set a breakpoint that stops once",
        'As "break"; the breakpoint is deleted when it stops for the first time.',
        Argument.ANY,
        AppliesTo.STOP,
        _tbreak,
        goes_on=False,
    ),
    Command(
        "clear",
        ("cl",),
        "cl(ear) [file:line | number ...]",
        "delete breakpoints",
        "Delete the breakpoints with these numbers, or those on a line. Without an argument, all, when you say so.",
        Argument.ANY,
        AppliesTo.STOP,
        _clear,
        goes_on=False,
    ),
    Command(
        "enable",
        (),
        "enable number ...",
        "let breakpoints stop again",
        "Let the breakpoints with these numbers stop again.",
        Argument.ANY,
        AppliesTo.STOP,
        _enable,
        goes_on=False,
    ),
    Command(
        "disable",
        (),
        "disable number ...",
        "keep breakpoints, but do not stop at them",
        'Keep the breakpoints with these numbers, but do not stop at them until "enable".',
        Argument.ANY,
        AppliesTo.STOP,
        _disable,
        goes_on=False,
    ),
    Command(
        "condition",
        (),
        "condition number [condition]",
        "let a breakpoint stop only where an expression is true",
        "Let a breakpoint stop only where the condition is true in the frame; one that raises counts as true. Without a\n"
        "condition it stops always.",
        Argument.ANY,
        AppliesTo.STOP,
        _condition,
        goes_on=False,
    ),
    Command(
        "ignore",
        (),
        "ignore number [count]",
        "pass a breakpoint by some times",
        "Pass a breakpoint by so many times, counted where its condition is true. Without a count it stops the next time.",
        Argument.ANY,
        AppliesTo.STOP,
        _ignore,
        goes_on=False,
    ),
    Command(
        "commands",
        (),
        "commands [number]",
        "give commands that are run whenever a breakpoint stops",
        'Give the commands on the lines that follow, up to "end". Without a number, for the breakpoint set last. No commands\n'
        'take away those that it had. "silent" among them leaves out the lines that a stop is shown by. A command that goes on,\n'
        '"continue" for one, ends them.',
        Argument.ANY,
        AppliesTo.STOP,
        _commands,
        goes_on=False,
    ),
)
