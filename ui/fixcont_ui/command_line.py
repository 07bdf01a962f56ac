"""The command `fixcont`: read the options, run the program under a session, and end as the program ends.

The options are read by hand: `argparse` takes longer to import than the rest of the start, and cannot leave what follows
the program's name to the program.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fixcont.session import Session
    from fixcont.stopping.stop import FrontEnd

USAGE: Final = """\
usage: fixcont [option] ... SCRIPT [arg] ...
       fixcont [option] ... -m MODULE [arg] ...
       fixcont --open FILE [--window | --listen [HOST:]PORT | --json]"""

HELP: Final = f"""\
{USAGE}

Run a program as python would. When an exception comes that nobody will handle, stop before anything unwinds, at a
prompt where the failing function can be fixed and restarted.

  SCRIPT [arg] ...      run a file, or a folder or zip file with a __main__ module; what follows is for the program
  -m MODULE [arg] ...   run a module; what follows is for the program
  -c COMMAND            give this command at the first stop, as in ~/.pdbrc and .pdbrc; may be repeated
  --stop WHEN           when to stop at an exception:
                          unhandled  nobody will handle it; handlers in libraries that catch everything
                                     do not count (the default)
                          uncaught   nobody at all will handle it
                          raised     it leaves the function that raised it
                          never      do not stop
  --catch EXC           stop at exceptions of this type even if they are handled; may be repeated
  --ignore EXC          never stop at exceptions of this type; may be repeated
  --scope FILES         whose exceptions count: "project" (the default: no libraries), "everything", or a pattern of
                        file names; may be repeated
  --migrate WHEN        when __fixcont_migrate__ is called for the instances of an edited class:
                          now     when the edit is installed; it is taken back if one of them fails (the default)
                          lazily  when an attribute of the instance is first used
  --stop-at-entry       stop at the first line of the program
  --listen [HOST:]PORT  let IDEs connect to the program, by the Debug Adapter Protocol; stops are held until one has. On another
                        address than this machine's own a token is made, told, and required
  --wait-for-client     with --listen: do not start the program before a client has connected and set its breakpoints
  --window              show stops in a window over the whole terminal, instead of at the prompt
  --patch-file FILE     write what was repaired to FILE at the end of the program, as one unified diff for "patch -p1";
                        else it is shown
  --save-stop FILE      do not ask: save the stop to FILE, and let the exception go on
  --save-limit NAME=NUMBER
                        with --save-stop: save more or less than the usual: depth, count, items, text, size, seconds,
                        repr_seconds or frames; may be repeated
  --redact WORD         with --save-stop: leave out the value of what has WORD in its name, besides "password" and the like;
                        may be repeated
  --save-environment    with --save-stop: save the environment variables too
  --save-pickles        with --save-stop: save objects as pickles too
  --open FILE           show a saved stop, at the prompt, in the window, or to IDEs that connect; no program is run
  --json                with --open: print what it holds as JSON
  --root FOLDER         with --open: look for the program's present files below FOLDER; may be repeated
  --unpickle            with --open: load the pickles in it. They can run anything: only for files that you trust
  --max-size BYTES      with --open: read larger files than the usual, which are 64 MB unpacked
  --version             show the version
  -h, --help            show this text
"""

MIGRATES: Final = ("now", "lazily")
#: Options without a value, and with one that is taken as it is -> the attribute of `Options`.
_SWITCHES: Final = {
    "--stop-at-entry": "stop_at_entry",
    "--window": "window",
    "--wait-for-client": "waits_for_client",
    "--save-environment": "save_environment",
    "--save-pickles": "save_pickles",
    "--json": "as_json",
    "--unpickle": "unpickles",
}
_TEXTS: Final = {
    "--patch-file": "patch_file",
    "--listen": "listen",
    "--connect": "connect",
    "--save-stop": "save_stop",
    "--open": "opens",
    "--max-size": "max_size",
}
STOPS: Final = ("unhandled", "uncaught", "raised", "never")


class UsageError(Exception):
    """The command line makes no sense. The message is one sentence for people."""


class _Shown(Exception):
    """Only a text was asked for."""


class Options:
    """What the command line asks for.

    Attributes:
        target: the script or the module; "" where none is named.
        is_module: whether `target` is a module.
        arguments: what follows the target.
        patch_file: where the diff goes; None where it is shown.
        window: whether stops are shown in the window.
        listen: where to listen for clients of the debug adapter; "" for nowhere.
        waits_for_client: whether the program waits for one.
        connect: where the adapter is that has started this process; "" where none has.
        save_stop: where stops are saved, nobody being asked; "" where they are shown.
        save_limits, redact, save_environment, save_pickles: what is saved.
        opens: the saved stop that is shown, no program being run; "" for none.
        roots: where its program's files are looked for.
        as_json, unpickles, max_size: how it is.
    """

    def __init__(
        self,
        target: str = "",
        is_module: bool = False,
        arguments: Sequence[str] = (),
        commands: Sequence[str] = (),
        stop: str = "unhandled",
        catch: Sequence[str] = (),
        ignore: Sequence[str] = (),
        scope: Sequence[str] = (),
        stop_at_entry: bool = False,
        migrate: str = "now",
        patch_file: str | None = None,
        window: bool = False,
        listen: str = "",
        waits_for_client: bool = False,
        connect: str = "",
        save_stop: str = "",
        save_limits: Sequence[str] = (),
        redact: Sequence[str] = (),
        save_environment: bool = False,
        save_pickles: bool = False,
        opens: str = "",
        as_json: bool = False,
        unpickles: bool = False,
        max_size: str = "",
        roots: Sequence[str] = (),
    ) -> None:
        self.target = target
        self.is_module = is_module
        self.arguments = list(arguments)
        self.commands = list(commands)
        self.stop = stop
        self.catch = list(catch)
        self.ignore = list(ignore)
        self.scope = list(scope)
        self.stop_at_entry = stop_at_entry
        self.migrate = migrate
        self.patch_file = patch_file
        self.window = window
        self.listen = listen
        self.waits_for_client = waits_for_client
        self.connect = connect
        self.save_stop = save_stop
        self.save_limits = list(save_limits)
        self.redact = list(redact)
        self.save_environment = save_environment
        self.save_pickles = save_pickles
        self.opens = opens
        self.as_json = as_json
        self.unpickles = unpickles
        self.max_size = max_size
        self.roots = list(roots)

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is Options else NotImplemented

    def __repr__(self) -> str:
        return f"Options({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program that the command line names (`sys.argv` unless given). Returns the exit status.

    The program's own `SystemExit`, and a `KeyboardInterrupt` that was shown already, come out of here.
    """
    try:
        options = read_options(sys.argv[1:] if argv is None else list(argv))
        return _run(options)
    except UsageError as error:
        _write(f"{USAGE}\nfixcont: error: {error}\n", sys.stderr.write)
        return 2
    except _Shown as shown:
        _write(str(shown), sys.stdout.write)
        return 0


def read_options(words: list[str]) -> Options:
    """Read a command line, without the name of the command.

    Reading ends at the script or the module: all that follows is the program's, whatever it looks like.

    Raises:
        UsageError: an option is unknown or lacks its value, or there is no program.
    """
    options = Options()
    rest = list(words)
    while rest and not options.target:
        word = rest.pop(0)
        if word == "--" and rest:
            options.target = rest.pop(0)
        elif word.startswith("--"):
            _read_long(options, word, rest)
        elif word.startswith("-") and word != "-":
            _read_short(options, word, rest)
        else:
            options.target = word
    _check_saving(options)
    if not options.target and not options.opens:
        raise UsageError("no program: name a script, or a module with -m")
    if options.waits_for_client and not options.listen:
        raise UsageError("option --wait-for-client needs --listen")
    if options.listen and options.window:
        raise UsageError("options --listen and --window exclude each other: stops are shown in one place")
    options.arguments = rest
    return options


def _check_saving(options: Options) -> None:
    """See that the options for saved stops fit together."""
    if options.opens and (options.target or options.save_stop):
        raise UsageError("option --open shows a saved stop, and runs no program")
    if options.as_json and (options.listen or options.window):
        raise UsageError("option --json prints the stop, so it excludes --listen and --window")
    if options.waits_for_client and options.opens:
        raise UsageError("option --wait-for-client has no program that waits: a saved stop is there for each client")
    if options.max_size and not options.max_size.isdecimal():
        raise UsageError(f"option --max-size wants a number of bytes, not {options.max_size!r}")
    if (options.as_json or options.unpickles or options.max_size or options.roots) and not options.opens:
        raise UsageError("options --json, --root, --unpickle and --max-size need --open")
    missing = next((each for each in options.roots if not os.path.isdir(os.path.expanduser(each))), None)
    if missing is not None:
        raise UsageError(f"option --root: there is no folder {missing}")
    if (options.save_limits or options.redact or options.save_environment or options.save_pickles) and not options.save_stop:
        raise UsageError("options --save-limit, --redact, --save-environment and --save-pickles need --save-stop")
    if options.save_stop and (options.listen or options.connect or options.window or options.stop_at_entry):
        raise UsageError("option --save-stop asks nobody, so it excludes --listen, --window and --stop-at-entry")


def _read_long(options: Options, word: str, rest: list[str]) -> None:
    name, equals, value = word.partition("=")
    if name in ("--help", "--version") or name in _SWITCHES:
        if equals:
            raise UsageError(f"option {name} takes no value")
        if name not in _SWITCHES:
            raise _Shown(HELP if name == "--help" else _version())
        setattr(options, _SWITCHES[name], True)
        return
    lists = {
        "--catch": options.catch,
        "--ignore": options.ignore,
        "--scope": options.scope,
        "--redact": options.redact,
        "--save-limit": options.save_limits,
        "--root": options.roots,
    }
    if name not in ("--stop", "--migrate") and name not in lists and name not in _TEXTS:
        raise UsageError(f"unknown option {name}")
    if not equals:
        value = _value(name, rest)
    if not value and name != "--stop":
        raise UsageError(f"option {name} needs a value")
    if name in lists:
        lists[name].append(value)
    elif name == "--migrate":
        if value not in MIGRATES:
            raise UsageError(f"option --migrate wants one of {', '.join(MIGRATES)}, not {value!r}")
        options.migrate = value
    elif name in _TEXTS:
        setattr(options, _TEXTS[name], value)
    elif value in STOPS:
        options.stop = value
    else:
        raise UsageError(f"option --stop wants one of {', '.join(STOPS)}, not {value!r}")


def _read_short(options: Options, word: str, rest: list[str]) -> None:
    name, value = word[:2], word[2:]
    if name == "-h" and not value:
        raise _Shown(HELP)
    if name not in ("-c", "-m"):
        raise UsageError(f"unknown option {word}")
    value = value or _value(name, rest)
    if name == "-c":
        options.commands.append(value)
    else:
        options.target, options.is_module = value, True


def _value(name: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"option {name} needs a value")
    return rest.pop(0)


def _run(options: Options) -> int:
    from fixcont.errors import Refused
    from fixcont.loading.runner import run_module, run_script

    try:
        if options.opens:
            return _open(options)
        if options.save_stop:
            session = _saving(options)
            run = run_module if options.is_module else run_script
            return run(options.target, options.arguments, session.prepare, session.on_loaded)
        session = _for_clients(options) if options.listen or options.connect else _in_terminal(options)
        if sys.breakpointhook is sys.__breakpointhook__:
            sys.breakpointhook = _breakpoint
        run = run_module if options.is_module else run_script
        return run(options.target, options.arguments, session.prepare, session.on_loaded)
    except Refused as refused:
        raise UsageError(str(refused)) from None


def _open(options: Options) -> int:
    """Show a saved stop."""
    from fixcont.postmortem.reading import Unreadable

    size = int(options.max_size) if options.max_size else None
    try:
        if options.listen or options.connect:
            from fixcont_ui.dap import opened

            return opened.open_file(
                options.opens,
                connect=options.connect,
                listen=options.listen,
                unpickles=options.unpickles,
                max_size=size,
                roots=options.roots,
                scope=options.scope,
            )
        from fixcont_ui.opened import open_file

        return open_file(
            options.opens,
            commands=options.commands,
            as_json=options.as_json,
            window=options.window,
            unpickles=options.unpickles,
            max_size=size,
            roots=options.roots,
            scope=options.scope,
        )
    except Unreadable as unreadable:
        _write(f"fixcont: error: {unreadable}\n", sys.stderr.write)
        return 2


def _saving(options: Options) -> Session:
    """Make fixcont active, with stops that are saved."""
    from fixcont.postmortem.wanted import Wanted, with_limits
    from fixcont_ui.stop_saver import StopSaver

    folder = os.path.dirname(os.path.abspath(options.save_stop))
    if not os.path.isdir(folder):
        raise UsageError(f"option --save-stop: there is no folder {folder}")
    wanted = Wanted(redact=tuple(options.redact), environment=options.save_environment, pickles=options.save_pickles)
    saver = StopSaver(options.save_stop, with_limits(wanted, options.save_limits))
    session = saver.session = _make_session(options, saver)
    session.install()
    return session


def _in_terminal(options: Options) -> Session:
    """Make fixcont active, with the prompt or the window for its stops."""
    from fixcont_ui.first_stop import PromptAtFirstStop

    front_end = PromptAtFirstStop(options.commands, window=options.window)
    session = front_end.session = _make_session(options, front_end)
    session.install()
    return session


def _for_clients(options: Options) -> Session:
    """Make fixcont active, for clients of the debug adapter."""
    from fixcont_ui.dap import starting

    if options.is_module and options.target == "pytest":
        options.arguments[:0] = starting.plug_in_words(options.arguments)

    def make(front_end: FrontEnd) -> Session:
        return _make_session(options, front_end)

    if options.connect:
        return starting.connect(make, options.connect, options.target).session
    return starting.listen_for(make, options.listen, waits=options.waits_for_client, name=options.target).session


def _make_session(options: Options, front_end: FrontEnd) -> Session:
    from fixcont.session import Session

    return Session(
        front_end=front_end,
        stop=options.stop,
        catch=options.catch,
        ignore=options.ignore,
        scope=options.scope or ["project"],
        stop_at_entry=options.stop_at_entry,
        migrate=options.migrate,
        patch_file=options.patch_file,
    )


def _breakpoint(*args: Any, **keywords: Any) -> Any:
    """Stop here: what `breakpoint()` in the program does, unless the environment says where that leads."""
    if os.environ.get("PYTHONBREAKPOINT"):
        return sys.__breakpointhook__(*args, **keywords)
    from fixcont import set_trace

    return set_trace(*args, **keywords)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("fixcont")
    except PackageNotFoundError:
        number = "(not installed)"
    python = ".".join(map(str, sys.version_info[:3]))
    return f"fixcont {number} on Python {python}\n"


def _write(text: str, write: Callable[[str], object]) -> None:
    try:
        write(text)
    except OSError:
        pass  # the reader is gone
