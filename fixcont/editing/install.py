"""Put checked plans into the process: all of them in one step, or nothing.

The problem: a change of many functions, classes and names must not be seen half done by other threads, and evaluating new definitions
runs the user's code, which may fail, wait, or let other threads run.

Solution: first everything is evaluated and only collected; nothing that exists is touched. Then all of it is assigned within one call of a C
function. The interpreter lets no other thread run before such a call has returned, as none of what it calls runs Python code.

What remains visible before that: names that are new are bound as soon as they have a value, since code that is evaluated later in the
same install may need them; and functions that this code calls get their new code before, if they changed in the same install.
"""

from __future__ import annotations

import collections
import contextlib
import operator
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import partial
from types import FunctionType
from typing import Any

from fixcont.bytecode.closures import Body, body_of, exchanging
from fixcont.editing.closures import NOTES
from fixcont.editing.decorators import called_as, reached
from fixcont.editing.functions import Namespace, all_namespaces, class_namespace
from fixcont.editing.modules import run_needed
from fixcont.editing.plan import Assignment, Plan
from fixcont.editing.reexports import Importer, follow_imports
from fixcont.editing.restores import MISSING, Restore, Restores
from fixcont.errors import Refused

_MARKS = frozenset({"__isabstractmethod__", "__final__", "__override__", "__deprecated__", "__no_type_check__"})
_Call = Callable[[], object]


class Installation:
    """What one install assigns: collected first, then done at once, and it can be taken back.

    Attributes:
        restores: what was there before, but for the code of functions, for whoever takes it back much later.
    """

    def __init__(self) -> None:
        self.restores = Restores()
        self._do: list[_Call] = []
        self._undo: list[_Call] = []  # of what was done, and of what will be
        self._pending: dict[int, dict[str, Any]] = {}  # id of a namespace or class -> name -> value that it will have
        self._unbound: dict[int, dict[str, Any]] = {}  # id of a namespace -> name -> value that it has, and will not have
        self._deleted: set[tuple[int, str]] = set()  # id of a class, name of an attribute that it will not have
        self._rebound: dict[
            int, dict[str, Any]
        ] = {}  # id of a namespace -> name that is bound to something else -> what it was bound to
        self._replaced: dict[int, tuple[Any, Any]] = {}  # id of what a name was bound to -> it, what takes its place

    # -- collecting

    def set_function(self, function: Any, name: str, value: Any) -> None:
        """Give an attribute of a function a value, or of what a decorator has made of one; as `Captures.assignments` has them, too."""
        if type(value) is Body:
            self._do += exchanging(function, value)
            self._undo += reversed(exchanging(function, body_of(function)))
        elif name in NOTES:
            names = function.__dict__
            before = names.get(name, MISSING)
            self.restores.note(function, name, before)
            self._plan(_name_setter(names, name, value), _name_setter(names, name, before))
        else:
            before = getattr(function, name)
            self.restores.note(function, name, before)
            self._plan(partial(setattr, function, name, value), partial(setattr, function, name, before))

    def set_class(self, cls: type, name: str, value: Any) -> None:
        """Give an attribute of a class a value, past its metaclass."""
        self.restores.note(cls, name, class_namespace(cls).get(name, MISSING))
        self._plan(partial(type.__setattr__, cls, name, value), _class_undo(cls, name))
        self.pending(cls)[name] = value
        self._deleted.discard((id(cls), name))

    def delete_from_class(self, cls: type, name: str) -> None:
        """Take an attribute out of a class. Does nothing where it has none."""
        if name in class_namespace(cls) and (id(cls), name) not in self._deleted:
            self._deleted.add((id(cls), name))
            self.restores.note(cls, name, class_namespace(cls)[name])
            self._plan(partial(type.__delattr__, cls, name), _class_undo(cls, name))

    def set_bases(self, cls: type, bases: tuple[type, ...]) -> None:
        """Give a class other bases.

        Raises:
            TypeError: Python does not allow it.
        """
        self.pending(cls)["__bases__"] = bases
        before = cls.__bases__
        set_bases = partial(type.__setattr__, cls, "__bases__")
        _at_once([partial(set_bases, bases), partial(set_bases, before)])
        self.restores.note(cls, "__bases__", before)
        self._plan(partial(set_bases, bases), partial(set_bases, before))

    def set_annotate(self, cls: type, annotate: Any) -> None:
        """Give a class the function that computes its annotations, where this Python computes them late."""
        accessor: Any = vars(type)["__annotate__"]
        put, before = partial(type.__setattr__, cls, "__annotate__"), accessor.__get__(cls)
        self.restores.note(cls, "__annotate__", before)
        self._plan(partial(put, annotate), partial(put, before))
        self.pending(cls)["__annotate_func__"] = annotate

    @contextlib.contextmanager
    def decorating(self, function: FunctionType, marks: Set[str]) -> Iterator[None]:
        """Take off what decorators have left on a function itself, and note what they set on it in this block, which decorates it anew.

        Args:
            marks: attributes that they may have set, beside those of the standard library.
        """
        own = function.__dict__
        before = dict(own)
        for name in (_MARKS | marks) & own.keys():
            del own[name]
        try:
            yield
        finally:
            for name in before.keys() | own.keys():
                was = before.get(name, MISSING)
                if was is not own.get(name, MISSING):
                    self.restores.note(function, name, was)
                    self._undo.append(_name_setter(own, name, was))

    @contextlib.contextmanager
    def changing_class(self, cls: type) -> Iterator[None]:
        """Note what happens to a class in this block, which a decorator does to it at once, so that it can be taken back.

        The decorator gets to see the class as its new body makes it: what was collected for it is done first.
        """
        mine = [call for call in self._do if _is_of_class(call, cls)]
        self._do = [call for call in self._do if not _is_of_class(call, cls)]
        for call in mine:
            call()
        before = dict(class_namespace(cls))
        try:
            yield
        finally:
            after = class_namespace(cls)
            for name in before.keys() | after.keys():
                if before.get(name, MISSING) is not after.get(name, MISSING):
                    self.restores.note(cls, name, before.get(name, MISSING))
                    self._undo.append(_class_setter(cls, name, before.get(name, MISSING)))

    def bind(self, namespace: Namespace, name: str, value: Any, *, everywhere: bool = False) -> None:
        """Bind a name of a module: at once if it is new, as nobody can have used it; else with everything else.

        Args:
            everywhere: let other names of modules that are bound to the old value have the new one too.
        """
        self.pending(namespace)[name] = value
        if namespace.get(name, MISSING) is not value:
            self.restores.note(namespace, name, namespace.get(name, MISSING))
        if name not in namespace:
            self._undo.append(partial(namespace.pop, name, None))
            namespace[name] = value
        elif namespace[name] is not value:
            self._rebound.setdefault(id(namespace), {}).setdefault(name, namespace[name])
            if everywhere:
                self._replaced[id(namespace[name])] = namespace[name], value
            self._plan(partial(namespace.__setitem__, name, value), partial(namespace.__setitem__, name, namespace[name]))

    def unbind(self, namespace: Namespace, name: str) -> None:
        """Take a name out of a module."""
        if name in namespace:
            self.unbound(namespace)[name] = namespace[name]
            self.restores.note(namespace, name, namespace[name])
            self._plan(partial(namespace.pop, name, None), partial(namespace.__setitem__, name, namespace[name]))

    def do(self, call: _Call, undo: _Call) -> None:
        """Have something else done with everything else. Neither callable may run Python code."""
        self.restores.note_call(undo, call)
        self._plan(call, undo)

    def put_back(self, restore: Restore) -> None:
        """Make a name of a module, or an attribute of a function or class, what it was before an earlier install."""
        where, name, value = restore
        if isinstance(where, type):
            self._put_back_in_class(where, name, value)
        elif isinstance(where, FunctionType) and name in vars(FunctionType):
            self.set_function(where, name, value)
        else:
            names = where.__dict__ if isinstance(where, FunctionType) else where
            self._plan(_name_setter(names, name, value), _name_setter(names, name, names.get(name, MISSING)))

    def _put_back_in_class(self, cls: type, name: str, value: Any) -> None:
        if name == "__bases__":
            self._plan(partial(type.__setattr__, cls, name, value), partial(type.__setattr__, cls, name, cls.__bases__))
        elif name == "__annotate__":
            self.set_annotate(cls, value)
        elif value is not MISSING:
            self.set_class(cls, name, value)
        else:
            self.delete_from_class(cls, name)

    def pending(self, where: Namespace | type) -> dict[str, Any]:
        """Give what names of a module, or attributes of a class, will be bound to."""
        return self._pending.setdefault(id(where), {})

    def unbound(self, namespace: Namespace) -> dict[str, Any]:
        """Give the names that are taken out of a module, with what they are bound to."""
        return self._unbound.setdefault(id(namespace), {})

    def rebound(self, namespace: Namespace) -> dict[str, Any]:
        """Give the names of a module that are bound to something else than before, with what they were bound to."""
        return self._rebound.get(id(namespace), {})

    @property
    def has_rebound(self) -> bool:
        """Whether names of modules are bound to something else than before."""
        return bool(self._rebound)

    @property
    def has_names(self) -> bool:
        """Whether names of modules or attributes of classes are bound, or taken out."""
        return any(self._pending.values()) or any(self._unbound.values())

    @property
    def replaced(self) -> Iterable[tuple[Any, Any]]:
        """What names of modules were bound to, each with what takes its place everywhere."""
        return tuple(self._replaced.values())

    def _plan(self, do: _Call, undo: _Call) -> None:
        self._do.append(do)
        self._undo.append(undo)

    # -- doing

    def commit(self) -> None:
        """Do everything that was collected since the last commit, at once.

        Raises:
            Exception: one of the assignments did, such as an audit hook; then some are done. `take_back` mends that.
        """
        calls, self._do = self._do, []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a function that becomes a generator: that is what was asked for
            _at_once(calls)

    def take_back(self) -> None:
        """Make everything as it was before."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calls, self._undo = self._undo[::-1], []
            for call in calls:
                try:
                    call()
                except AttributeError:
                    continue  # to be deleted, and it never came to be


def _name_setter(names: dict[str, Any], name: str, value: Any) -> _Call:
    return partial(names.pop, name, None) if value is MISSING else partial(names.__setitem__, name, value)


def _is_of_class(call: _Call, cls: type) -> bool:
    """Tell whether a call gives a class an attribute, or takes one away."""
    return isinstance(call, partial) and call.func in (type.__setattr__, type.__delattr__) and call.args[0] is cls


def _class_undo(cls: type, name: str) -> _Call:
    return _class_setter(cls, name, class_namespace(cls).get(name, MISSING))


def _class_setter(cls: type, name: str, value: Any) -> _Call:
    return partial(type.__delattr__, cls, name) if value is MISSING else partial(type.__setattr__, cls, name, value)


def _at_once(calls: Sequence[_Call]) -> None:
    """Call all in turn, with no other thread in between."""
    collections.deque(map(operator.call, calls), maxlen=0)


def install(
    plans: Sequence[Plan],
    importers: Callable[[bool], Iterable[Importer]],
    is_user: Callable[[FunctionType], bool],
    made_meanwhile: Callable[[], Iterable[Assignment]] = tuple,
) -> Installation:
    """Carry out `plans` as one.

    Args:
        is_user: tells whether a function is one of the user's.
        made_meanwhile: asked when all is evaluated: gives what functions get that old code has made meanwhile.
        importers: gives the modules that have taken names of others by `from … import …`; those only that take all names, or the others too.

    Not undone when it fails: what new definitions, imports and decorators did when they were evaluated.

    Returns:
        What was done, to be taken back by `take_back`.

    Raises:
        Refused: something that had to be evaluated raised, or an assignment did; everything is as before.
    """
    installation = Installation()
    run_needed(plans)
    try:
        early = [{name for step in plan.steps for name in step.calls()} for plan in plans]
        called = _called(plans, early, is_user)
        for plan in plans:
            for assignment in plan.needed_early(set[str]().union(*early), called):
                installation.set_function(*assignment)
        installation.commit()
        evaluates = any(plan.steps for plan in plans)
        _carry_out(plans, installation)
        for assignment in made_meanwhile() if evaluates else ():
            installation.set_function(*assignment)
        for plan in plans:
            for assignment in plan.assignments:
                installation.set_function(*assignment)
            for cls, name, value in plan.class_facts:
                installation.set_class(cls, name, value)
            for removal in plan.removals:
                removal.carry_out(installation)
        _replace_imported(installation)
        follow_imports(installation, importers)
        installation.commit()
    except BaseException:
        installation.take_back()
        raise
    finally:
        for plan in plans:
            plan.forget_steps()
    return installation


def _called(plans: Sequence[Plan], names: Sequence[Set[str]], is_user: Callable[[FunctionType], bool]) -> set[int]:
    """Give the ids of the functions that may be called where names of modules are, the names of each plan's own."""
    if not any(assignment.name == "__code__" for plan in plans for assignment in plan.assignments):
        return set()
    values = [
        space[name]
        for plan, those in zip(plans, names, strict=True)
        for space in plan.namespaces
        for name in those & space.keys()
    ]
    return {id(each) for each in reached([each for value in values for each in called_as(value)], is_user)}


def _carry_out(plans: Sequence[Plan], installation: Installation) -> None:
    """Carry out the steps of all files. A file that lacks a name waits for the others: one of them may define it."""
    waiting = collections.deque(sorted(plan.steps, key=lambda step: step.line, reverse=True) for plan in plans)
    failed: dict[int, int] = {}  # id of the steps of a file -> how many there were left when a name was not found
    while waiting:
        steps = waiting.popleft()
        try:
            while steps:
                steps[-1].carry_out(installation)
                steps.pop()
        except Refused as refused:
            if not isinstance(refused.__cause__, (ImportError, NameError, AttributeError)):
                raise
            stuck = all(failed.get(id(each)) == len(each) for each in (steps, *waiting))
            if stuck:
                raise
            failed[id(steps)] = len(steps)
            waiting.append(steps)


def _replace_imported(installation: Installation) -> None:
    """Let modules that have imported what is now another object have that one."""
    replaced = {id(old): new for old, new in installation.replaced}
    if not replaced:
        return
    for namespace in all_namespaces():
        pending = installation.pending(namespace)
        for name, value in list(namespace.items()):
            if id(value) in replaced and name not in pending:
                installation.bind(namespace, name, replaced[id(value)])
