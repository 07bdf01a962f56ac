"""What the exit of a `with` block does with an exception, told without calling it."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Sequence
from types import (
    AsyncGeneratorType,
    BuiltinMethodType,
    CodeType,
    FunctionType,
    GeneratorType,
    MethodType,
    MethodWrapperType,
)
from typing import Any, Final

from fixcont.stopping.prediction.codes import View, view_of
from fixcont.stopping.prediction.expressions import Call
from fixcont.stopping.prediction.handlers import is_delegating
from fixcont.stopping.prediction.values import (
    MISSING,
    UNKNOWN,
    Scope,
    attribute_of_instance,
    dict_of_instance,
    is_any,
    is_instance,
    items_of,
    leaves,
    matching,
    mro_of,
    name_of,
    raw_attribute,
)
from fixcont.stopping.prediction.verdicts import PASSES, End, Passage, after, doubtful, handled, library

#: Follows an exception through one activation: (exception, view, code unit, scope, depth of contexts within contexts).
Through = Callable[[BaseException, View, int, Scope, int], Passage]

_DOUBT: Final = doubtful("with")
_SWALLOWED: Final = handled("with")

#: So deep may generator-based managers be used inside each other.
_DEPTH: Final = 4

#: Modules whose managers are written in C and never swallow.
_PASSING_MODULES: Final = frozenset(
    """_thread _io io decimal _decimal mmap _socket select _winapi winreg posix nt bz2 _bz2 memoryview _multiprocessing
    _queue _sqlite3 sqlite3 contextvars _contextvars""".split()
)
#: Classes, by module and qualified name, whose exits are known to let everything through.
_PASSING: Final = frozenset(
    (
        ("builtins", "memoryview"),
        ("unittest.case", "_AssertWarnsContext"),
        ("unittest.case", "_AssertLogsContext"),
        ("unittest.mock", "_patch"),
        ("unittest.mock", "_patch_dict"),
        ("warnings", "catch_warnings"),
        ("asyncio.timeouts", "Timeout"),  # it converts a cancellation only
        ("subprocess", "Popen"),
        ("tempfile", "_TemporaryFileWrapper"),
        ("tempfile", "TemporaryDirectory"),
        ("tempfile", "SpooledTemporaryFile"),
        ("concurrent.futures._base", "Executor"),
        ("multiprocessing.pool", "Pool"),
        ("_frozen_importlib", "_ModuleLockManager"),
        ("_frozen_importlib", "_ImportLockContext"),
        ("contextlib", "redirect_stdout"),
        ("contextlib", "closing"),
        ("contextlib", "aclosing"),
        ("contextlib", "nullcontext"),
        ("contextlib", "chdir"),
        ("threading", "Condition"),
        ("threading", "Semaphore"),
        ("zipfile", "ZipFile"),
        ("tarfile", "TarFile"),
        ("socket", "socket"),
        ("_pytest.recwarn", "WarningsChecker"),
        ("_pytest.recwarn", "WarningsRecorder"),
    )
)
#: Functions that make managers that let everything through. None of them is called.
_PASSING_FACTORIES: Final = frozenset(
    (
        ("_io", "open"),
        ("io", "open"),
        ("_thread", "allocate_lock"),
        ("_thread", "lock"),
        ("threading", "RLock"),
        ("os", "scandir"),
        ("posix", "scandir"),
        ("tempfile", "NamedTemporaryFile"),
        ("tempfile", "TemporaryFile"),
        ("socket", "create_connection"),
        ("asyncio.timeouts", "timeout"),
        ("asyncio.timeouts", "timeout_at"),
        ("decimal", "localcontext"),
        ("_decimal", "localcontext"),
        ("urllib.request", "urlopen"),
        ("_pytest.recwarn", "warns"),
        ("_pytest.recwarn", "deprecated_call"),
    )
)
#: Modules whose `with` statements let everything pass but exceptions of their own package: what they are about cannot be told from outside.
_PASSING_USERS: Final = frozenset(("click.core", "hypothesis.core"))
#: Functions whose result swallows what matches their first argument.
_EXPECTING: Final = frozenset(
    (
        ("unittest.case", "TestCase.assertRaises"),
        ("unittest.case", "TestCase.assertRaisesRegex"),
        ("_pytest.python_api", "raises"),
        ("_pytest.raises", "raises"),
    )
)
#: Classes whose exits keep what fails in the block, to report it: broad handlers of a library.
_REPORTING: Final = frozenset(
    (("_pytest.subtests", "_SubTestContextManager"), ("pytest_subtests.plugin", "_SubTestContextManager"))
)
#: Its exit raises what leaves the block again, in an exception group.
_TASK_GROUP: Final = ("asyncio.taskgroups", "TaskGroup")
_GROUPED: Final = Passage(End.PASSES, is_joining=True)
_CANCELLATIONS: Final = ("CancelledError", "TimeoutError")


class Contexts:
    """Answers for context managers.

    `through` follows an exception through the generator of a `@contextmanager`.
    """

    def __init__(self, through: Through) -> None:
        self._through = through

    def of_exit(self, exception: BaseException, exit_: object, scope: Scope, depth: int) -> Passage:
        """Answer for a live exit: what a `with` block keeps on the stack, a bound method or (exit,) or (self, exit)."""
        scope.is_cacheable = False
        if type(exit_) is slice:
            exit_ = (exit_.start, exit_.stop) if exit_.start is not None else (exit_.stop,)
        if type(exit_) is tuple and len(exit_) == 2:
            return self.of_manager(exception, exit_[0], scope, depth)
        if type(exit_) is tuple and len(exit_) == 1:
            exit_ = exit_[0]
        if is_any(type(exit_), MethodType, BuiltinMethodType, MethodWrapperType):
            return self.of_manager(exception, exit_.__self__, scope, depth)  # type: ignore[attr-defined]
        if type(exit_) is FunctionType:
            return PASSES if passes_always(exit_.__code__) else _DOUBT
        return _DOUBT

    def of_value(self, exception: BaseException, value: object, scope: Scope, depth: int) -> Passage:
        """Answer for the value of a `with` statement's expression, which is an object or a `Call`."""
        if _passes_in(scope.globals.get("__name__"), exception):
            return PASSES
        if type(value) is Call:
            return self._of_call(exception, value, scope, depth)
        # The name may have been bound anew by the block itself: take it only if it is a manager at all.
        if value is UNKNOWN or _exit_of(type(value)) is None:
            return _DOUBT
        scope.asks_type_of(value)
        return self.of_manager(exception, value, scope, depth)

    def of_manager(self, exception: BaseException, manager: object, scope: Scope, depth: int) -> Passage:
        """Answer for a live context manager."""
        kind = type(manager)
        owner = _exit_of(kind)
        if owner is None:
            return _DOUBT
        name = name_of(owner)
        known = _OF_MANAGER.get(name)
        if known is not None:
            scope.is_cacheable = False
            return known(self, exception, manager, scope, depth)
        return _of_class(exception, owner)

    def _of_call(self, exception: BaseException, call: Call, scope: Scope, depth: int) -> Passage:
        function = call.function
        if is_instance(function, type):
            return self._of_new(exception, function, call)  # type: ignore[arg-type]
        if type(function) is MethodType:
            function = function.__func__
        if type(function) is not FunctionType:
            return PASSES if name_of(function) in _PASSING_FACTORIES else _DOUBT
        name = name_of(function)
        if name in _EXPECTING:
            return _swallows(type(exception), call.args[0] if call.args else UNKNOWN)
        if name in _PASSING_FACTORIES:
            return PASSES if not _is_cancellation(exception) else _DOUBT
        if name == ("contextlib", "ContextDecorator._recreate_cm") and call.receiver is not MISSING:
            return self.of_manager(exception, call.receiver, scope, depth)
        if name == ("contextlib", "_GeneratorContextManagerBase._recreate_cm") and call.receiver is not MISSING:
            made_by = dict_of_instance(call.receiver).get("func")
            return self._of_function(exception, made_by, Call(made_by, MISSING, None, {}), scope, depth)
        if function.__globals__.get("__name__") == "contextlib" and function.__code__.co_name == "helper":
            return self._of_function(exception, function.__dict__.get("__wrapped__"), call, scope, depth)
        return _DOUBT

    def _of_new(self, exception: BaseException, kind: type, call: Call) -> Passage:
        """Answer for a manager that a class is called for."""
        if raw_attribute(type(kind), "__call__") is not type.__call__:
            return _DOUBT
        owner = _exit_of(kind)
        if owner is None:
            return _DOUBT
        if name_of(owner) == ("contextlib", "suppress"):
            return _suppresses(exception, call.args if call.args is not None else UNKNOWN)
        if type(raw_attribute(kind, "__new__")) is staticmethod:
            return _DOUBT
        return _DOUBT if name_of(owner) in _OF_MANAGER else _of_class(exception, owner)

    def _of_function(self, exception: BaseException, function: object, call: Call, scope: Scope, depth: int) -> Passage:
        """Answer for a `@contextmanager` function that was called: its generator waits at one of its yields."""
        if type(function) is not FunctionType or depth >= _DEPTH:
            return _DOUBT
        view = view_of(function.__code__)
        answers: set[Passage] = set()
        for at in _yields(view):
            inner = Scope(None, function.__globals__, _builtins_of(function), _arguments(function.__code__, call))
            answers.add(self._through(exception, view, at, inner, depth + 1))
            scope.is_cacheable = scope.is_cacheable and inner.is_cacheable and not inner.facts
        return _either(answers)

    def _of_generator_manager(self, exception: BaseException, manager: object, scope: Scope, depth: int) -> Passage:
        generator = dict_of_instance(manager).get("gen")
        frame = None
        if type(generator) is GeneratorType:
            frame = generator.gi_frame
        elif type(generator) is AsyncGeneratorType:
            frame = generator.ag_frame
        if frame is None or depth >= _DEPTH:
            return _DOUBT
        view = view_of(frame.f_code)
        at = view.unit_of(frame)
        if at is None:
            return _DOUBT
        return _as_block(self._through(exception, view, at, Scope.of_frame(frame), depth + 1))

    def _of_exit_stack(self, exception: BaseException, manager: object, scope: Scope, depth: int) -> Passage:
        callbacks = dict_of_instance(manager).get("_exit_callbacks")
        if type(callbacks) is not deque or depth >= _DEPTH:
            return _DOUBT
        passage = PASSES
        for _, callback in reversed(callbacks):
            if type(callback) is FunctionType and callback.__code__.co_name in ("_exit_wrapper", "_wrapper"):
                continue  # from ExitStack.callback: its result is not looked at
            passage = after(passage, self.of_exit(exception, callback, scope, depth + 1))
            if passage.end is not End.PASSES:
                return passage
        return passage

    def _of_suppress(self, exception: BaseException, manager: object, scope: Scope, depth: int) -> Passage:
        return _suppresses(exception, dict_of_instance(manager).get("_exceptions", UNKNOWN))

    def _of_assert_raises(self, exception: BaseException, manager: object, scope: Scope, depth: int) -> Passage:
        return _swallows(type(exception), dict_of_instance(manager).get("expected", UNKNOWN))

    def _of_pytest_raises(self, exception: BaseException, manager: object, scope: Scope, depth: int) -> Passage:
        wanted = attribute_of_instance(manager, "expected_exceptions")
        if wanted is UNKNOWN:
            wanted = attribute_of_instance(manager, "expected_exception")
        return _swallows(type(exception), wanted)

    def _of_pytest_raises_group(self, exception: BaseException, manager: object, scope: Scope, depth: int) -> Passage:
        """Answer for what fails with another exception where a group does not fit: whether it does only running it would tell."""
        takes = is_instance(exception, BaseExceptionGroup) or attribute_of_instance(manager, "allow_unwrapped") is True
        return _SWALLOWED if takes else PASSES


_OF_MANAGER: Final[dict[tuple[str, str], Callable[[Contexts, BaseException, object, Scope, int], Passage]]] = {
    ("contextlib", "suppress"): Contexts._of_suppress,
    ("contextlib", "_GeneratorContextManager"): Contexts._of_generator_manager,
    ("contextlib", "_AsyncGeneratorContextManager"): Contexts._of_generator_manager,
    ("contextlib", "ExitStack"): Contexts._of_exit_stack,
    ("contextlib", "AsyncExitStack"): Contexts._of_exit_stack,
    ("unittest.case", "_AssertRaisesContext"): Contexts._of_assert_raises,
    ("_pytest.raises", "RaisesExc"): Contexts._of_pytest_raises,
    ("_pytest.raises", "AbstractRaises"): Contexts._of_pytest_raises,
    ("_pytest.raises", "RaisesGroup"): Contexts._of_pytest_raises_group,
    ("_pytest.python_api", "RaisesContext"): Contexts._of_pytest_raises,
}


def _passes_in(module: object, exception: BaseException) -> bool:
    """Tell whether an exception passes the `with` statements of a module."""
    if type(module) is not str or module not in _PASSING_USERS or _is_cancellation(exception):
        return False
    return name_of(type(exception))[0].partition(".")[0] != module.partition(".")[0]


def _exit_of(kind: type) -> type | None:
    """Return the class among the bases that defines the exit, or None."""
    for base in mro_of(kind):
        variables = type.__dict__["__dict__"].__get__(base)
        if "__exit__" in variables or "__aexit__" in variables:
            return base
    return None


def _of_class(exception: BaseException, owner: type) -> Passage:
    """Answer for a manager by the class that defines its exit."""
    name = name_of(owner)
    if name in _PASSING or name[0] in _PASSING_MODULES:
        return PASSES if not _is_cancellation(exception) else _DOUBT
    if name in _REPORTING:
        return library("library-broad")
    if name == _TASK_GROUP:
        return _GROUPED if is_instance(exception, Exception) and not _is_cancellation(exception) else _DOUBT
    variables = type.__dict__["__dict__"].__get__(owner)
    exits = [variables.get(exit_name) for exit_name in ("__exit__", "__aexit__") if exit_name in variables]
    if all(type(exit_) is FunctionType and swallows_always(exit_.__code__) for exit_ in exits):
        return _SWALLOWED
    for exit_name in ("__exit__", "__aexit__"):
        function = variables.get(exit_name)
        if function is not None and not (type(function) is FunctionType and passes_always(function.__code__)):
            return _DOUBT
    return PASSES


def _swallows(kind: type, wanted: object) -> Passage:
    """Answer for a manager that swallows what is an instance of `wanted`; a pattern that does not fit raises another exception."""
    found = matching(kind, wanted)
    if found is UNKNOWN or (found is None and _asks_metaclass(wanted)):
        return _DOUBT
    return PASSES if found is None else _SWALLOWED


def _suppresses(exception: BaseException, wanted: object) -> Passage:
    if wanted is UNKNOWN:
        return _DOUBT
    whole = _swallows(type(exception), wanted)
    if not is_instance(exception, BaseExceptionGroup) or whole is not PASSES:
        return whole
    answers = {_swallows(type(leaf), wanted) for leaf in leaves(exception)}  # groups are split, on 3.11 they are not
    return _DOUBT if _DOUBT in answers or _SWALLOWED in answers else PASSES


def _asks_metaclass(wanted: object) -> bool:
    """Tell whether `issubclass` with these classes may say yes where the order of bases says no."""
    if is_instance(wanted, tuple):
        return any(_asks_metaclass(item) for item in items_of(wanted))
    return type(wanted) is not type


def _is_cancellation(exception: BaseException) -> bool:
    return any(name_of(base)[1] in _CANCELLATIONS for base in mro_of(type(exception)))


def _either(answers: set[Passage]) -> Passage:
    """Return the passage of a block that does one of these, it is not known which."""
    if len(answers) == 1:
        return _as_block(answers.pop())
    if all(answer.end is End.PASSES for answer in answers) or not any(answer.end is End.PASSES for answer in answers):
        return _DOUBT
    may_handle = any(answer.end is End.HANDLED or answer.doubt for answer in answers)
    return Passage(End.PASSES, "", "with" if may_handle else "", any(answer.end is End.LIBRARY for answer in answers))


def _as_block(passage: Passage) -> Passage:
    return passage._replace(cause="with") if passage.end is End.HANDLED else passage


def _builtins_of(function: FunctionType) -> Any:
    return getattr(function, "__builtins__", None) or vars(builtins)


def _arguments(code: CodeType, call: Call) -> dict[str, object]:
    """Return what is known of the local variables of a function that was called."""
    if call.args is None:
        return {}
    given: Sequence[object] = call.args if call.receiver is MISSING else (call.receiver, *call.args)
    return dict(zip(code.co_varnames[: code.co_argcount], given, strict=False)) | call.kwargs


def _yields(view: View) -> list[int]:
    """Return the code units of the yields that the source shows, without those of `yield from` and `await`."""
    found: list[int] = []
    at = 0
    while at < len(view.ops):
        instruction = view.instruction(at)
        if instruction.name == "YIELD_VALUE" and not is_delegating(view, instruction.next):
            found.append(instruction.at)
        at = instruction.next
    return found


# -- exits written in Python


def passes_always(code: CodeType) -> bool:
    """Tell whether an `__exit__` neither swallows nor replaces an exception: all it returns is false, and it raises nothing."""
    found: bool = view_of(code).remember("passes", 0, _passes_always)
    return found


def swallows_always(code: CodeType) -> bool:
    """Tell whether an `__exit__` swallows every exception: all it returns is true, and it raises nothing."""
    found: bool = view_of(code).remember("swallows", 0, _swallows_always)
    return found


def _passes_always(view: View, _: int) -> bool:
    returned = _returned(view)
    return returned is not None and all(is_any(value, None, False) or (type(value) is int and not value) for value in returned)


def _swallows_always(view: View, _: int) -> bool:
    returned = _returned(view)
    return bool(returned) and all(value is True for value in returned or ())


def _returned(view: View) -> list[object] | None:
    """Return the constants that a function returns, UNKNOWN for what is no constant; None if it raises, or is a generator."""
    code = view.code
    found: list[object] = []
    before: object = UNKNOWN
    at = 0
    while at < len(view.ops):
        instruction = view.instruction(at)
        name = instruction.name
        if name == "RAISE_VARARGS" or (name == "YIELD_VALUE" and not is_delegating(view, instruction.next)):
            return None
        if name == "RETURN_CONST":
            found.append(code.co_consts[instruction.argument])
        elif name == "RETURN_VALUE":
            found.append(before)
        before = _constant(view, instruction.name, instruction.argument)
        at = instruction.next
    return found


def _constant(view: View, name: str, argument: int) -> object:
    if name == "LOAD_CONST":
        return view.code.co_consts[argument]
    if name == "LOAD_SMALL_INT":
        return argument
    if name == "LOAD_COMMON_CONSTANT":
        return _common_constant(argument)
    return UNKNOWN


def _common_constant(argument: int) -> object:
    import opcode

    table = getattr(opcode, "_common_constants", ())
    return table[argument] if argument < len(table) else UNKNOWN
