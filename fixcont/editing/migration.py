"""Instances that exist when their class changes: the user's hook brings their data up to date.

A class changed in place has instances that were made by the old one: they lack a new field, or hold another unit. Its method
`__fixcont_migrate__(self, old, new)`, or a function given to `fixcont.migrate`, is called for each of them, as Erlang calls `code_change`.

Now, within the install: if one fails the whole patch is taken back, and the data of all instances too. Or lazily: when an attribute of the
instance is first asked for; then a failure is an exception there, and the patch stays.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from types import FunctionType, GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import Any, NamedTuple, TypeVar

from fixcont.editing.functions import class_namespace, with_subclasses
from fixcont.errors import Refusal, Refused

HOOK = "__fixcont_migrate__"
#: What would lead from the attributes of a class back to the class, and keep it alive.
_ANNOTATED = {"__annotations__", "__annotate_func__"}
_REFERRING = (FunctionType, staticmethod, classmethod, property, type, MemberDescriptorType, GetSetDescriptorType)
_MISSING: Any = object()


class ClassVersion(NamedTuple):
    """What a class was, or is, for a hook to decide what an instance needs.

    Attributes:
        version: 1 is the text that was loaded, 2 the first edit, …
        fields: the names that the body of the class annotates, in order.
        attributes: the data that the class itself holds: defaults, constants. Methods and other descriptors are not among them.
    """

    version: int
    fields: tuple[str, ...]
    attributes: Mapping[str, Any]


#: Takes an instance, what its class was, and what it is.
Hook = Callable[[Any, ClassVersion, ClassVersion], object]
HookType = TypeVar("HookType", bound=Hook)

_hooks: weakref.WeakKeyDictionary[type, Hook] = weakref.WeakKeyDictionary()


def register(cls: type) -> Callable[[HookType], HookType]:
    """See `fixcont.migrate`."""

    def registered(function: HookType) -> HookType:
        _hooks[cls] = function
        return function

    return registered


def snapshot(cls: type, version: int) -> ClassVersion:
    """Note what a class is now."""
    own = {name: value for name, value in class_namespace(cls).items() if not isinstance(value, _REFERRING)}
    annotations = getattr(cls, "__annotations__", {}) if _ANNOTATED & class_namespace(cls).keys() else {}
    return ClassVersion(version, tuple(annotations), MappingProxyType(own))


def hook_of(cls: type) -> Hook | None:
    """Give what migrates instances of a class: the nearest hook among it and its bases."""
    for base in cls.__mro__:
        found = _hooks.get(base) or class_namespace(base).get(HOOK)
        if found is not None:
            return found if callable(found) else None
    return None


class Change(NamedTuple):
    """A class that an install has changed."""

    cls: type
    old: ClassVersion
    new: ClassVersion


def migrate_now(changes: Sequence[Change]) -> int:
    """Migrate all live instances of changed classes.

    Objects that the program has hidden from the garbage collector by `gc.freeze` are not found.

    Returns:
        How many there were.

    Raises:
        Refused: a hook raised. The data of all instances is as before; what hooks did to other objects is not undone.
    """
    done: list[_Data] = []
    try:
        for change, instance, hook in _instances(changes):
            done.append(_Data(instance))
            try:
                hook(instance, change.old, change.new)
            except Exception as error:
                raise Refused(_failed(instance, error)) from error
    except BaseException:
        for data in done:
            data.put_back()
        raise
    return len(done)


def _failed(instance: object, error: Exception) -> Refusal:
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    sentence = f"the migration of {object.__repr__(instance)} raised {told}, so the whole patch was taken back"
    return Refusal("migration-failed", sentence, f"mend {HOOK}, or leave it out")


def _instances(changes: Sequence[Change]) -> Iterator[tuple[Change, Any, Hook]]:
    hooks: dict[type, tuple[Change, Hook]] = {}
    for change in changes:
        for cls in with_subclasses([change.cls]):
            hook = hook_of(cls)
            if hook is not None:
                hooks[cls] = change, hook
    if hooks:
        objects = gc.get_objects()
        for instance in list(compress(objects, map(hooks.__contains__, map(type, objects)))):
            change, hook = hooks[type(instance)]
            yield change, instance, hook


class _Data:
    """The data of an instance, to be put back."""

    def __init__(self, instance: Any) -> None:
        self._instance = instance
        self._dict: dict[str, Any] | None = None
        if type(instance).__dictoffset__:
            self._dict = dict(object.__getattribute__(instance, "__dict__"))
        self._slots = [(slot, self._read(slot)) for slot in _slots(type(instance))]

    def _read(self, slot: MemberDescriptorType) -> Any:
        try:
            return slot.__get__(self._instance)
        except AttributeError:
            return _MISSING

    def put_back(self) -> None:
        """Give the instance the data that it had."""
        if self._dict is not None:
            present = object.__getattribute__(self._instance, "__dict__")
            present.clear()
            present.update(self._dict)
        for slot, value in self._slots:
            if value is not _MISSING:
                slot.__set__(self._instance, value)
            elif self._read(slot) is not _MISSING:
                slot.__delete__(self._instance)


def _slots(cls: type) -> Iterable[MemberDescriptorType]:
    return [
        value
        for base in cls.__mro__
        if not base.__module__ == "builtins"
        for value in class_namespace(base).values()
        if type(value) is MemberDescriptorType
    ]


class LazyMigration:
    """Migrates the instances of one changed class when an attribute of them is first asked for.

    The class gets a `__getattribute__` of ours for as long as there are instances that wait.
    """

    def __init__(self, change: Change) -> None:
        self._cls = change.cls
        self._waiting: dict[int, tuple[weakref.ref[Any], Change, Hook]] = {}  # id of an instance -> it, and what is to be done
        self._before = class_namespace(change.cls).get("__getattribute__", _MISSING)
        for each, instance, hook in _instances([change]):
            self._add(instance, each, hook)
        if self._waiting:
            type.__setattr__(self._cls, "__getattribute__", self._getter())

    @property
    def count(self) -> int:
        """How many instances wait."""
        return len(self._waiting)

    def _add(self, instance: Any, change: Change, hook: Hook) -> None:
        key = id(instance)
        try:
            reference = weakref.ref(instance, lambda _: self._done(key))
        except TypeError:  # it cannot be waited for without keeping it alive
            hook(instance, change.old, change.new)
            return
        self._waiting[key] = reference, change, hook

    def _getter(self) -> Callable[[Any, str], Any]:
        waiting, migrate_one = self._waiting, self._migrate
        get = type.__getattribute__(self._cls, "__getattribute__")

        def __getattribute__(self: Any, name: str) -> Any:
            if id(self) in waiting:
                migrate_one(self)
            return get(self, name)

        return __getattribute__

    def _migrate(self, instance: Any) -> None:
        key = id(instance)
        entry = self._waiting.pop(key)  # the hook itself asks for attributes
        try:
            entry[2](instance, entry[1].old, entry[1].new)
        except BaseException:
            self._waiting[key] = entry
            raise
        self._done(key)

    def _done(self, key: int) -> None:
        self._waiting.pop(key, None)
        if not self._waiting:
            self.end()

    def end(self) -> None:
        """Take our `__getattribute__` out of the class; instances that still wait are not migrated."""
        own = class_namespace(self._cls).get("__getattribute__")
        if getattr(own, "__module__", None) != __name__:
            return
        if self._before is _MISSING:
            type.__delattr__(self._cls, "__getattribute__")
        else:
            type.__setattr__(self._cls, "__getattribute__", self._before)


class Migrations:
    """Which version of its class instances are of, and bringing them up to date.

    Args:
        lazily: migrate instances when they are used, not when the change is installed.
    """

    def __init__(self, *, lazily: bool) -> None:
        self._lazily = lazily
        self._due: weakref.WeakKeyDictionary[type, ClassVersion] = weakref.WeakKeyDictionary()  # what instances are of
        self._newest: weakref.WeakKeyDictionary[type, int] = weakref.WeakKeyDictionary()  # class -> its version now
        self._begun: list[type] = []

    def begin(self, classes: Iterable[tuple[type, int, int, bool]]) -> None:
        """Note what classes are that are about to get another version.

        Instances that no hook has migrated the last time are of what was noted then.

        Args:
            classes: each with its version now, the next one, and whether its instances are concerned.
        """
        self._begun = []
        for cls, old, new, concerns in classes:
            self._newest[cls] = new
            if concerns and cls not in self._due:
                self._due[cls] = snapshot(cls, old)
                self._begun.append(cls)

    def abandon(self) -> None:
        """Forget what was noted last, as the classes are as before."""
        for cls in self._begun:
            self._due.pop(cls, None)

    def carry_out(self) -> int:
        """Migrate the instances of classes that have changed, as far as there is a hook.

        Returns:
            How many instances were migrated, or wait for it.

        Raises:
            Refused: one of them failed, and the data of all is as before.
        """
        changes = [
            Change(cls, old, snapshot(cls, self._newest[cls]))
            for cls, old in list(self._due.items())
            if any(hook_of(each) is not None for each in with_subclasses([cls]))
        ]
        if self._lazily:
            count = sum(LazyMigration(change).count for change in changes)
        else:
            count = migrate_now(changes)
        for change in changes:
            del self._due[change.cls]
        self._begun = []
        return count
