"""What C code between two Python frames does with an exception.

A caller's current instruction says whether C code can lie between it and its callee, and the callable that it calls says which.
Exceptions of ordinary types go through all C code but the few pieces that are named here; AttributeError, StopIteration
and their like are also part of the interpreter's protocols, so for them it depends on what was called.
"""

from __future__ import annotations

from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any, Final

from fixcont.bytecode.interpreter import ASYNC_GENERATOR, COROUTINE, GENERATOR, ITERABLE_COROUTINE, OPCODE
from fixcont.errors import Unwinding
from fixcont.stopping.prediction.codes import View
from fixcont.stopping.prediction.expressions import CALLS, Call, CallOf, call_at
from fixcont.stopping.prediction.values import (
    MISSING,
    UNKNOWN,
    Scope,
    attribute_of_instance,
    dict_of_class,
    is_instance,
    is_subclass,
    mro_of,
    name_of,
    raw_attribute,
)
from fixcont.stopping.prediction.verdicts import PASSES, Passage, doubtful, handled, library

GENERATOR_FLAGS: Final = GENERATOR | COROUTINE | ASYNC_GENERATOR | ITERABLE_COROUTINE

_DOUBT: Final = doubtful("c-code")
_SWALLOWED: Final = handled("c-code")
_PROTOCOL: Final = handled("protocol")
_CONVERTED: Final = handled("converted")
#: Printed as "Exception ignored in": nobody outside sees it.
_UNRAISABLE: Final = library("unraisable")

#: Callees that C code asks in the course of a protocol that has exceptions of its own, or that it ignores the exceptions of.
ODD_NAMES: Final = frozenset(
    """__del__ __set_name__ __getattr__ __getattribute__ __get__ __getitem__ __missing__ __len__ __length_hint__ __next__ __anext__
    __iter__ __hash__ __class_getitem__ __contains__ __instancecheck__ __index__ fileno isatty flush close keys send throw""".split()
)
#: Instructions that call nothing: a callee of theirs is a finalizer or a callback of a weak reference.
_CALL_NOTHING: Final = frozenset(
    """POP_TOP STORE_FAST STORE_FAST_LOAD_FAST STORE_FAST_STORE_FAST STORE_DEREF STORE_GLOBAL DELETE_FAST DELETE_DEREF
    DELETE_GLOBAL DELETE_NAME RETURN_VALUE RETURN_CONST POP_EXCEPT POP_ITER END_FOR END_SEND END_ASYNC_FOR LOAD_CONST LOAD_FAST
    LOAD_FAST_AND_CLEAR SWAP COPY RERAISE PUSH_EXC_INFO MAKE_CELL JUMP_FORWARD""".split()
)
_ITERATES: Final = frozenset(
    "FOR_ITER GET_ITER UNPACK_SEQUENCE UNPACK_EX CONTAINS_OP LIST_EXTEND SET_UPDATE CALL_FUNCTION_EX SEND FOR_ITER_LIST".split()
)
_SUBSCRIPTS: Final = frozenset(("BINARY_SUBSCR", "BINARY_SLICE", "BINARY_OP"))
#: BINARY_OP's argument for a subscript, from 3.14 on.
_SUBSCRIPT_ARGUMENT: Final = 26
_LOOKS_UP: Final = frozenset(("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "LOAD_SUPER_METHOD"))
_READS_NAMES: Final = frozenset(
    "LOAD_NAME LOAD_GLOBAL LOAD_CLASSDEREF LOAD_FROM_DICT_OR_DEREF LOAD_FROM_DICT_OR_GLOBALS LOAD_BUILD_CLASS".split()
)
#: Types of which an instance's methods, or which called, run Python code and keep its exceptions.
_KEEPING_MODULES: Final = ("sqlite3", "_sqlite3", "_ctypes", "ctypes", "readline")

_IMPORT_FILE: Final = "<frozen importlib._bootstrap>"

_SENSITIVE: Final = (
    AttributeError,
    LookupError,
    TypeError,
    StopIteration,
    StopAsyncIteration,
    GeneratorExit,
)


def is_odd(code: CodeType) -> bool:
    """Tell whether C code between a callee with this code and its caller must be looked at for every type of exception."""
    return code.co_name in ODD_NAMES or bool(code.co_flags & GENERATOR_FLAGS)


def is_sensitive(kind: type[BaseException]) -> bool:
    """Tell whether exceptions of this type are part of the interpreter's own protocols."""
    return any(is_subclass(kind, base) for base in _SENSITIVE)


def out_of_finalizer(kind: type[BaseException], code: CodeType) -> Passage:
    """Return what becomes of an exception that leaves a callee which nothing called: an object was dropped."""
    # Whoever closes a generator takes its GeneratorExit.
    if is_subclass(kind, GeneratorExit) or is_subclass(kind, StopIteration):
        return _SWALLOWED
    return _UNRAISABLE if code.co_name == "__del__" or code.co_flags & GENERATOR_FLAGS else _DOUBT


class Boundary:
    """The place between a callee, which an exception leaves, and its caller.

    Attributes:
        depends_on_callee: whether `cross` looked at more of the callee than that it is not odd.
        is_cacheable: whether its answer holds for the same callee at the same place again, as long as `facts` hold.
    """

    def __init__(self, callee: FrameType, view: View, at: int, scope: Scope) -> None:
        self._callee = callee
        self._code = callee.f_code
        self._name = self._code.co_name
        self._view = view
        self._at = at
        self._scope = scope
        self._instruction = view.instruction(at)
        self.depends_on_callee = is_odd(self._code)
        self.is_cacheable = True

    @property
    def facts(self) -> tuple[tuple[Any, str, object], ...]:
        return tuple(self._scope.facts)

    def cross(self, kind: type[BaseException]) -> Passage:
        """Return what becomes of an exception of type `kind` on its way from the callee to the caller."""
        if self._instruction.name in _CALL_NOTHING:
            return self._out_of_finalizer(kind)
        if is_subclass(kind, GeneratorExit):
            self.depends_on_callee = True
            return _DOUBT if self._code.co_flags & GENERATOR_FLAGS else PASSES
        if self._name == "__del__" and not self._is_called_by_name():
            return _UNRAISABLE
        if is_sensitive(kind):
            passage = self._sensitive(kind)
            if passage is not PASSES:
                return passage
        if self._name == "__await__" and self._instruction.name == "GET_ANEXT":
            return _CONVERTED
        if self._instruction.name not in CALLS:
            return PASSES
        if is_subclass(kind, ImportError) and self._code.co_filename == _IMPORT_FILE:
            return self._out_of_import()
        return self._out_of_call(kind)

    def _out_of_import(self) -> Passage:
        """Answer for C code that imports a module for its own needs; `pickle` makes another exception of what fails."""
        expression = call_at(self._view, self._at)
        is_plain = expression is not None and expression.function.last_name in (self._name, "__import__")
        return PASSES if is_plain else _DOUBT

    def _out_of_finalizer(self, kind: type[BaseException]) -> Passage:
        self.depends_on_callee = True
        return out_of_finalizer(kind, self._code)

    def _sensitive(self, kind: type[BaseException]) -> Passage:
        if is_subclass(kind, LookupError):
            return self._lookup_error(kind)
        if is_subclass(kind, TypeError):
            return self._type_error()
        self.depends_on_callee = True
        if is_subclass(kind, AttributeError):
            return self._attribute_error()
        return self._stop_iteration(kind)

    # -- the types that protocols use

    def _stop_iteration(self, kind: type[BaseException]) -> Passage:
        flags = self._code.co_flags
        if flags & GENERATOR_FLAGS:
            # A generator's end makes another exception of it; only a coroutine may end by StopAsyncIteration.
            is_own = is_subclass(kind, StopAsyncIteration) and not flags & ASYNC_GENERATOR
            return PASSES if is_own else _CONVERTED
        if self._instruction.name not in CALLS:
            return _PROTOCOL if self._name == "__next__" else _DOUBT
        if self._is_called_by_name() or self._calls_callee():
            return PASSES
        call = self._call()
        if call is not None and call.function is next and call.args is not None:
            return PASSES if len(call.args) == 1 else _SWALLOWED
        return _DOUBT

    def _attribute_error(self) -> Passage:
        name = self._instruction.name
        if name in _LOOKS_UP:
            return self._out_of_lookup()
        if name == "IMPORT_FROM":
            return _CONVERTED
        if name in ("MATCH_CLASS", "DICT_UPDATE", "DICT_MERGE", "IMPORT_NAME"):
            return _DOUBT if self._is_lookup() else PASSES
        if name not in CALLS:
            return _DOUBT if self._name == "__getattr__" else PASSES
        if self._is_called_by_name() or not self._is_lookup():
            return PASSES
        call = self._call()
        if call is None or call.function is UNKNOWN:
            return _DOUBT
        if call.function is hasattr:
            return _SWALLOWED
        if call.function is getattr and call.args is not None:
            return _SWALLOWED if len(call.args) == 3 else self._out_of_lookup()
        if type(call.function) is FunctionType:
            return PASSES if self._calls_callee() else _DOUBT
        return _DOUBT

    def _out_of_lookup(self) -> Passage:
        """Answer for a property or the like whose class may have a `__getattr__`, which is then asked."""
        if self._name == "__getattr__":
            return PASSES if self._is_asked_for_own_name() else _DOUBT
        first = self._first_argument()
        if first is MISSING:
            return _DOUBT if self._name in ("__get__", "__getattribute__") else PASSES
        return PASSES if raw_attribute(type(first), "__getattr__") is MISSING else _DOUBT

    def _is_asked_for_own_name(self) -> bool:
        """Tell whether `__getattr__` is asked for the name that the instruction looks up, and not for one that a C property uses."""
        instruction, code = self._instruction, self._code
        names = self._view.code.co_names
        if instruction.name not in ("LOAD_ATTR", "LOAD_METHOD") or code.co_argcount == 0:
            return True
        shift = 0 if instruction.name == "LOAD_METHOD" or "LOAD_METHOD" in OPCODE else 1
        self.is_cacheable = False
        # The last parameter is the name: a module's `__getattr__` has no self.
        asked = Scope.of_frame(self._callee).local(code.co_varnames[code.co_argcount - 1])
        # Names with underscores are what C code looks up, maybe the very same one in an object inside of this one.
        return type(asked) is str and not asked.startswith("__") and asked == names[instruction.argument >> shift]

    def _lookup_error(self, kind: type[BaseException]) -> Passage:
        name = self._instruction.name
        if is_subclass(kind, KeyError) and name in _READS_NAMES:
            return _PROTOCOL
        if self._name in ("__getitem__", "__missing__"):
            if name in _ITERATES and is_subclass(kind, IndexError):
                return _PROTOCOL
            if name not in _SUBSCRIPTS and not self._is_called_by_name() and not self._calls_callee():
                return _DOUBT
            if name == "BINARY_OP" and self._instruction.argument != _SUBSCRIPT_ARGUMENT:
                return _DOUBT
        return PASSES

    def _type_error(self) -> Passage:
        name = self._instruction.name
        if self._name == "__iter__" and name == "CONTAINS_OP":
            return _CONVERTED
        if self._name == "__hash__" and (name in CALLS or name == "BINARY_OP"):
            return PASSES if self._is_called_by_name() or self._calls_named(hash) else _DOUBT
        if self._name not in ("__len__", "__length_hint__", "__iter__"):
            return PASSES
        if name in CALLS or name in _ITERATES:
            is_plain = self._is_called_by_name() or self._calls_named(len) or self._calls_named(iter)
            return PASSES if is_plain else _DOUBT
        return PASSES

    # -- what is called

    def _out_of_call(self, kind: type[BaseException]) -> Passage:
        """Answer for C code that keeps exceptions of every type."""
        expression = call_at(self._view, self._at)
        if expression is None:
            return PASSES
        is_signal = is_subclass(kind, Unwinding)
        if self._is_called_by_name() and not is_signal:
            return PASSES
        if self._code.co_flags & GENERATOR_FLAGS:
            # A generator under the call of a Python function: the function has returned, and its variables are let go.
            call = self._call()
            if call is not None and type(call.function) is FunctionType and not self._calls_callee():
                return _DOUBT
        if self._name == "__getattr__" and expression.function.last_name in ("close", "throw"):
            return _DOUBT  # a generator looks for these in what it delegates to
        # Only the names are looked at for exceptions, of which there may be many: most callables are not worth more. What the user
        # asks for at a stop must not get lost, and is asked once.
        if not is_signal and expression.function.last_name not in _KEEPER_NAMES:
            return PASSES
        return self._out_of_keeper(expression)

    def _out_of_keeper(self, expression: CallOf) -> Passage:
        # Without the arguments, whose values are those of this frame only: the answer holds for all frames of a recursion.
        call = CallOf(expression.function, None, {}).value(self._scope)
        if not self._scope.is_cacheable:
            self.is_cacheable = False
        if type(call) is not Call:
            return PASSES
        function = call.function
        self.depends_on_callee = True
        while type(function) is Call:  # what a call would return: it is told by what makes it
            function = function.function
        if any(name_of(type(each))[0] in _KEEPING_MODULES for each in (call.receiver, function)):
            return _DOUBT
        module = name_of(function)[0]
        if module == "gc" or module == "atexit":
            return _UNRAISABLE
        if function is input:
            return _DOUBT if self._name in ("fileno", "isatty", "flush") else PASSES
        return _DOUBT if module in _KEEPING_MODULES else PASSES

    def _call(self) -> Call | None:
        expression = call_at(self._view, self._at)
        value = expression.value(self._scope) if expression is not None else None
        if not self._scope.is_cacheable:
            self.is_cacheable = False
        return value if type(value) is Call else None

    def _is_called_by_name(self) -> bool:
        """Tell whether the call names the callee: no C function has the name of a Python function that it calls."""
        expression = call_at(self._view, self._at)
        return expression is not None and expression.function.last_name == self._name

    def _calls_callee(self) -> bool:
        """Tell whether what is called is the callee's own function."""
        was_cacheable = self.is_cacheable
        call = self._call()
        function = call.function if call is not None else UNKNOWN
        if type(function) is MethodType:
            function = function.__func__
        if type(function) is not FunctionType or function.__code__ is not self._code:
            return False
        # It may be a local variable's value, but that this callee is called here by something else as well does not happen.
        self.is_cacheable = was_cacheable
        return True

    def _calls_named(self, function: object) -> bool:
        """Tell whether what is called is this very function."""
        call = self._call()
        return call is not None and call.function is function

    # -- what the callee is

    def _is_lookup(self) -> bool:
        """Tell whether the callee was run to look up an attribute: C code swallows the AttributeErrors of nothing else."""
        if self._name in ("__getattr__", "__getattribute__", "__get__"):
            return True
        first = self._first_argument()
        return first is not MISSING and self._code.co_argcount == 1 and _is_getter(type(first), self._code)

    def _first_argument(self) -> object:
        code = self._code
        if not code.co_argcount:
            return MISSING
        self.is_cacheable = False
        variables = Scope.of_frame(self._callee)
        value = variables.local(code.co_varnames[0])
        return MISSING if value is UNKNOWN else value


_KEEPER_NAMES: Final = frozenset(
    """input collect _run_exitfuncs _clear execute executemany executescript fetchone fetchall fetchmany commit rollback
    create_function create_aggregate close""".split()
)


def _is_getter(kind: type, code: CodeType) -> bool:
    """Tell whether a class has a property or another descriptor that runs this code."""
    for base in mro_of(kind):
        for value in dict_of_class(base).values():
            if type(value) is FunctionType or type(value) is classmethod or type(value) is staticmethod:
                continue
            for name in ("fget", "func"):
                getter = _plain_attribute(value, name)
                if type(getter) is FunctionType and getter.__code__ is code:
                    return True
    return False


def _plain_attribute(value: object, name: str) -> object:
    if is_instance(value, property):
        return _getter_of_property(value) if name == "fget" else None
    return attribute_of_instance(value, name)


_getter_of_property: Final = property.__dict__["fget"].__get__
