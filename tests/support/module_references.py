"""What can be seen of a random module: by calling what it defines, and by calling what was taken out of it before an edit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import CoroutineType, GeneratorType
from typing import Any

from support.random_modules import PLAIN, Definition, Member, Model

_arguments = iter(range(10**9))


def seen(model: Model, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the definitions of a module give when they are used: "name" or "name.member" -> what came of it."""
    found: dict[str, Any] = {}
    for definition in model.definitions:
        value = names.get(definition.name)
        found[definition.name] = outcome(partial(_used, model, definition, value))
        for member in _members(definition):
            found[f"{definition.name}.{member.name}"] = outcome(partial(_member_of_class, definition, member, value))
    return found


def outcome(action: Callable[[], Any]) -> Any:
    """Return what a call gives, or the type of what it raises."""
    try:
        return action()
    except Exception as error:
        return f"{type(error).__name__} raised"


@dataclass(frozen=True)
class Reference:
    """Something that the program took out of a module and kept.

    Attributes:
        ident: of the definition.
        member: the name of the member that it belongs to, "" where it is the definition itself.
        form: what tells whether the same can be taken of a fresh module.
        value: what was taken.
    """

    ident: int
    member: str
    form: tuple[Any, ...]
    value: Any


def references(model: Model, names: Mapping[str, Any], without: Collection[str] = ()) -> list[Reference]:
    """Take everything that a program may keep: functions, closures, instances, bound methods, members of enumerations.

    Parameters:
        without: names of definitions that are left out.
    """
    definitions = [each for each in model.definitions if each.name not in without]
    return [reference for each in definitions for reference in _taken(each, names[each.name])]


def _taken(definition: Definition, value: Any) -> Iterator[Reference]:
    if definition.kind not in ("constant", "import", "alias", "partial", "instance"):
        kept = value(3) if definition.kind == "closure" else _instance(definition, value) if _members(definition) else value
        yield Reference(definition.ident, "", form_of(definition), kept)
    for member in _members(definition):
        if member.kind in ("method", "static method", "class method"):
            bound = getattr(_instance(definition, value), member.name)
            yield Reference(definition.ident, member.name, form_of(definition, member), bound)


def form_of(definition: Definition, member: Member | None = None) -> tuple[Any, ...]:
    """Return what must be the same for a reference that was taken before to stand for one that is taken now.

    A decorator belongs to the name: what was taken before it was put there stays without. So do the methods of another kind.
    """
    decorator = definition.decorator % 3 if definition.kind == "decorated" else 0
    kind = "plain" if definition.kind in PLAIN else definition.kind
    return kind, decorator, bool(_members(definition)), member.kind if member is not None else ""


def use(model: Model, definition: Definition, reference: Reference) -> Any:
    """Return what a kept object gives now, its definition being as it is now."""
    if reference.member:
        return outcome(lambda: reference.value(*([1] if reference.form[3] == "static method" else [])))
    if definition.kind == "closure":
        return outcome(lambda: _result(reference.value()))
    if _members(definition):
        return _instance_used(definition, reference.value)
    return outcome(lambda: _used(model, definition, reference.value))


def _members(definition: Definition) -> list[Member]:
    if definition.kind == "class":
        return definition.members
    if definition.kind in ("dataclass", "enum"):
        return [member for member in definition.members if member.kind not in ("attribute", "nested class")]
    return []


def _instance(definition: Definition, cls: Any) -> Any:
    return next(iter(cls)) if definition.kind == "enum" else cls()


def _instance_used(definition: Definition, instance: Any) -> Any:
    return {member.name: outcome(partial(_member_used, member, instance, type(instance))) for member in _members(definition)}


def _member_of_class(definition: Definition, member: Member, cls: Any) -> Any:
    return _member_used(member, _instance(definition, cls), cls)


def _used(model: Model, definition: Definition, value: Any) -> Any:
    kind, target = definition.kind, model.target(definition)
    if kind in ("alias", "partial", "instance"):
        return _made_of_another(model, definition, target, value) if target is not None else value
    if kind == "constant":
        return value
    if kind == "import":
        return getattr(value, "__name__", value)
    if kind == "closure":
        return _result(value(3)())
    if kind == "cached":
        kind, _, *values = _result(value(next(_arguments)))  # no result of an earlier version is kept for it
        return kind, values
    if kind == "dispatched":
        return _result(value(1)), _result(value("text"))
    if kind == "class":
        return [base.__name__ for base in value.__mro__]
    if kind == "dataclass":
        return repr(value()), value() == value(), value.__match_args__
    if kind == "enum":
        return [(each.name, each.value) for each in value]
    return _result(value(1))


def _member_used(member: Member, instance: Any, cls: Any) -> Any:
    if member.kind == "attribute":
        return getattr(instance, member.name), getattr(cls, member.name)
    if member.kind == "nested class":
        return getattr(cls, member.name)().get()
    if member.kind == "property":
        return getattr(instance, member.name)
    return getattr(instance, member.name)()


def _made_of_another(model: Model, definition: Definition, target: Definition, value: Any) -> Any:
    if definition.kind == "alias":
        return _used(model, target, value)
    return _result(value()) if definition.kind == "partial" else _instance_used(target, value)


def _result(value: Any) -> Any:
    """Return what a call gives in the end, also where it is not of the kind that it should be of."""
    if isinstance(value, GeneratorType):
        return ["yielded", *value]
    return ("awaited", _awaited(value)) if isinstance(value, CoroutineType) else value


def _awaited(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")
