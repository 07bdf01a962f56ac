"""Modules to be edited: a model of a module's text, changes of it, and what can be seen of the module that it becomes.

Everything about a module is decided by small numbers, so that whoever chooses them can make a failing case small.
"""

from __future__ import annotations

import copy
import textwrap
from dataclasses import dataclass, field

#: What stands at the beginning of each module.
HEADING = '''\
"""A module."""
import dataclasses
import enum
import functools


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return "logged", function(*args, **kwargs)
    return wrapper


def listed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return ["listed", function(*args, **kwargs)]
    return wrapper
'''

#: Kinds of definitions.
KINDS = (
    "function", "generator", "coroutine", "closure", "decorated", "cached", "dispatched", "class", "class", "dataclass", "enum",
    "constant", "import", "alias", "partial", "instance",
)  # fmt: skip
MEMBER_KINDS = ("method", "property", "static method", "class method", "attribute", "nested class")
_DECORATORS = ("", "@logged", "@listed")
_IMPORTS = ("import string as {}", "import math as {}", "from string import digits as {}", "from math import pi as {}")
#: Kinds of functions that turn into each other without another name.
PLAIN = ("function", "generator", "coroutine")
_FUNCTIONS = (*PLAIN, "closure", "decorated", "cached", "dispatched")
_CLASSES = ("class", "dataclass", "enum")
#: Kinds of changes, and what they can be made to; nothing where that is everything.
_APPLIES: dict[str, tuple[str, ...]] = {
    "default": _FUNCTIONS,
    "parameters": (*_FUNCTIONS, "dataclass", "enum"),
    "kind": PLAIN,
    "decorator": ("decorated",),
    "captures": ("closure",),
    "reads": (*_FUNCTIONS, *_CLASSES),
    "base": ("class",),
    "member": _CLASSES,
    "target": ("alias", "partial", "instance"),
}
CHANGES = (
    "add", "body", "default", "parameters", "name", "place", "kind", "decorator", "captures", "reads", "base", "guard", "blank", "removal",
    "member", "target", "form",
)  # fmt: skip


@dataclass
class Member:
    """Something in a class."""

    kind: str
    name: str
    number: int = 0
    parameters: int = 0
    default: int = 0
    calls_super: bool = False


@dataclass
class Definition:
    """Something that a module defines.

    Attributes:
        ident: tells definitions apart, also after they got another name.
        number: what its body returns, or what it is.
        parameters: how many it has beside the first.
        default: which default value they have.
        decorator: of "decorated".
        captures: how many variables the inner function of "closure" captures.
        reads: the place of the constant that its body reads, among the module's constants; -1 for none.
        base: the place of the class that it derives from, among the classes before it; -1 for none. For what is made of another
            definition, the place of that one.
        is_guarded: whether it stands in an `if`.
        blank: empty lines and comments above.
    """

    ident: int
    kind: str
    name: str
    number: int = 0
    parameters: int = 0
    default: int = 0
    decorator: int = 1
    captures: int = 1
    reads: int = -1
    base: int = -1
    is_guarded: bool = False
    blank: int = 0
    members: list[Member] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """One edit: which kind, of which definition, and a number that says more.

    Attributes:
        kind: one of `CHANGES`.
    """

    kind: str
    which: int
    number: int


@dataclass
class Model:
    """A module's text, as what it defines, in order."""

    definitions: list[Definition] = field(default_factory=list)
    made: int = 0

    # Asking

    def text(self) -> str:
        """Return the module's text."""
        return HEADING + "".join(self._rendered(each) for each in self.definitions)

    def find(self, ident: int) -> Definition | None:
        """Return the definition, None if it is gone."""
        return next((each for each in self.definitions if each.ident == ident), None)

    def needs(self, definition: Definition) -> set[str]:
        """Return the names that a definition's behaviour depends on, its own among them."""
        found = {definition.name}
        constant, base = self._constant(definition), self._base(definition) or self.target(definition)
        if constant is not None:
            found |= self.needs(constant)
        if base is not None:
            found |= self.needs(base)
        return found

    def _constant(self, definition: Definition) -> Definition | None:
        constants = [each for each in self.definitions if each.kind == "constant"]
        if definition.reads < 0 or not constants or definition.kind not in (*_FUNCTIONS, *_CLASSES):
            return None
        return constants[definition.reads % len(constants)]

    def _base(self, definition: Definition) -> Definition | None:
        before = self.definitions[: self.definitions.index(definition)]
        classes = [each for each in before if each.kind == "class"]
        return (
            classes[definition.base % len(classes)] if definition.kind == "class" and definition.base >= 0 and classes else None
        )

    def target(self, definition: Definition) -> Definition | None:
        """Return the definition before that an alias, a partial or an instance is made of."""
        kinds = {"alias": (*_FUNCTIONS, "class"), "partial": PLAIN, "instance": ("class",)}.get(definition.kind, ())
        before = [each for each in self.definitions[: self.definitions.index(definition)] if each.kind in kinds]
        return before[definition.base % len(before)] if before else None

    # Changing

    def add(self, kind: int, number: int, place: int) -> None:
        """Add a definition."""
        added = Definition(self.made, KINDS[kind % len(KINDS)], f"name{self.made}", number, reads=number % 4 - 1)
        self.made += 1
        if added.kind in _CLASSES:
            added.base = number % 3 - 1
            added.members = [_member(f"part{at}", number + at) for at in range(number % 4)]
        self.definitions.insert(place % (len(self.definitions) + 1), added)

    def changed(self, change: Change) -> Model:
        """Return the module after a change; where there is nothing to be changed so, after something was added that can be."""
        model = copy.deepcopy(self)
        if not model.definitions or change.kind == "add":
            model.add(change.number, change.which, change.which)
            return model
        kinds = _APPLIES.get(change.kind, KINDS)
        possible = [each for each in model.definitions if each.kind in kinds]
        if not possible:
            model.add(KINDS.index(kinds[0]), change.number, change.which)
            return model
        definition = possible[change.which % len(possible)]
        getattr(model, f"_change_{change.kind}")(definition, change.number)
        return model

    def _change_body(self, definition: Definition, number: int) -> None:
        definition.number += 1 + number

    def _change_default(self, definition: Definition, number: int) -> None:
        definition.default += 1 + number

    def _change_parameters(self, definition: Definition, number: int) -> None:
        definition.parameters = number % 3

    def _change_name(self, definition: Definition, number: int) -> None:
        definition.name, definition.ident = f"name{self.made}", self.made
        self.made += 1

    def _change_place(self, definition: Definition, number: int) -> None:
        self.definitions.remove(definition)
        self.definitions.insert(number % (len(self.definitions) + 1), definition)

    def _change_kind(self, definition: Definition, number: int) -> None:
        definition.kind = PLAIN[number % len(PLAIN)]

    def _change_form(self, definition: Definition, number: int) -> None:
        """Let the name stand for something else altogether."""
        definition.kind, definition.ident = KINDS[number % len(KINDS)], self.made
        self.made += 1

    def _change_decorator(self, definition: Definition, number: int) -> None:
        definition.decorator = number

    def _change_captures(self, definition: Definition, number: int) -> None:
        definition.captures = number % 4

    def _change_reads(self, definition: Definition, number: int) -> None:
        definition.reads = number % 4 - 1

    def _change_base(self, definition: Definition, number: int) -> None:
        definition.base = number % 4 - 1

    def _change_target(self, definition: Definition, number: int) -> None:
        definition.base = number % 4

    def _change_guard(self, definition: Definition, number: int) -> None:
        definition.is_guarded = not definition.is_guarded

    def _change_blank(self, definition: Definition, number: int) -> None:
        definition.blank = number % 4

    def _change_removal(self, definition: Definition, number: int) -> None:
        self.definitions.remove(definition)

    def _change_member(self, definition: Definition, number: int) -> None:
        members = definition.members
        if not members or number % 8 == 0:
            members.insert(number % (len(members) + 1), _member(f"member{self.made}", number))
            self.made += 1
            return
        member = members[number // 8 % len(members)]
        if number % 8 == 1:
            members.remove(member)
        elif number % 8 == 2:
            member.name, self.made = f"member{self.made}", self.made + 1
        elif number % 8 == 3:
            member.parameters = (member.parameters + 1) % 3
        elif number % 8 == 4:
            member.default += 1
        elif number % 8 == 5:
            member.calls_super = not member.calls_super
        elif number % 8 == 6:
            members.remove(member)
            members.insert(0, member)
        else:
            member.number += 1

    # Writing

    def _rendered(self, definition: Definition) -> str:
        lines = textwrap.dedent(getattr(self, f"_text_of_{definition.kind}")(definition)).strip("\n")
        if definition.is_guarded:
            lines = "if True:\n" + textwrap.indent(lines, "    ")
        comments = "".join(f"# {number}\n\n" for number in range(definition.blank))
        return f"\n\n{comments}{lines}\n"

    def _parameters(self, definition: Definition | Member) -> str:
        value = (f"{definition.default}", f"(1, {definition.default})", "'text'", "None", "len('abc')")[definition.default % 5]
        return "".join(f", p{at}={value}" for at in range(definition.parameters))

    def _values(self, definition: Definition) -> str:
        constant = self._constant(definition)
        read = f", {constant.name}" if constant is not None else ""
        return f"{definition.number}{read}" + "".join(f", p{at}" for at in range(definition.parameters))

    def _text_of_function(self, each: Definition) -> str:
        return f"def {each.name}(x{self._parameters(each)}):\n    return 'function', x, {self._values(each)}"

    def _text_of_generator(self, each: Definition) -> str:
        return f"def {each.name}(x{self._parameters(each)}):\n    yield x\n    yield {self._values(each)}"

    def _text_of_coroutine(self, each: Definition) -> str:
        return f"async def {each.name}(x{self._parameters(each)}):\n    return 'coroutine', x, {self._values(each)}"

    def _text_of_closure(self, each: Definition) -> str:
        captured = "".join(f", ({name})" for name in ("x", "doubled", "squared")[: each.captures % 4])
        return (
            f"def {each.name}(x):\n    doubled, squared = 2 * x, x * x\n"
            f"    def inner(y=1{self._parameters(each)}):\n        return 'closure', y{captured}, {self._values(each)}\n    return inner"
        )

    def _text_of_decorated(self, each: Definition) -> str:
        return f"{_DECORATORS[each.decorator % 3]}\n{self._text_of_function(each)}".lstrip("\n")

    def _text_of_cached(self, each: Definition) -> str:
        return f"@functools.lru_cache(maxsize=None)\n{self._text_of_function(each)}"

    def _text_of_dispatched(self, each: Definition) -> str:
        return (
            f"@functools.singledispatch\n{self._text_of_function(each)}\n\n"
            f"@{each.name}.register\ndef _(x: str):\n    return 'text', x, {each.number}"
        )

    def _text_of_constant(self, each: Definition) -> str:
        return f"{each.name} = {each.number}"

    def _text_of_import(self, each: Definition) -> str:
        return _IMPORTS[each.number % len(_IMPORTS)].format(each.name)

    def _text_of_alias(self, each: Definition) -> str:
        target = self.target(each)
        return f"{each.name} = {target.name if target is not None else None}"

    def _text_of_partial(self, each: Definition) -> str:
        target = self.target(each)
        return f"{each.name} = functools.partial({target.name}, {each.number})" if target is not None else f"{each.name} = None"

    def _text_of_instance(self, each: Definition) -> str:
        target = self.target(each)
        return f"{each.name} = {target.name}()" if target is not None else f"{each.name} = None"

    def _text_of_class(self, each: Definition) -> str:
        base = self._base(each)
        return f"class {each.name}{f'({base.name})' if base is not None else ''}:\n" + self._body(each, base is not None)

    def _text_of_dataclass(self, each: Definition) -> str:
        fields = "".join(f"    field{at}: int = {each.number + at}\n" for at in range(1 + each.parameters))
        return f"@dataclasses.dataclass\nclass {each.name}:\n{fields}" + self._body(each, False)

    def _text_of_enum(self, each: Definition) -> str:
        values = "".join(f"    VALUE{at} = {each.number + at}\n" for at in range(1 + each.parameters))
        return f"class {each.name}(enum.Enum):\n{values}" + self._body(each, False)

    def _body(self, each: Definition, has_base: bool) -> str:
        members = [member for member in each.members if each.kind == "class" or member.kind not in ("attribute", "nested class")]
        rendered = [self._member(each, member, has_base) for member in members]
        return textwrap.indent("\n".join(rendered), "    ") if rendered else "    pass"

    def _member(self, owner: Definition, each: Member, has_base: bool) -> str:
        values = f"'{each.name}', {each.number}"
        constant = self._constant(owner)
        if constant is not None:
            values += f", {constant.name}"
        if each.kind == "attribute":
            return f"{each.name} = {each.number}"
        if each.kind == "nested class":
            return f"class {each.name}:\n    value = {each.number}\n    def get(self):\n        return self.value, {each.number}"
        if each.kind == "property":
            return f"@property\ndef {each.name}(self):\n    return {values}"
        values += "".join(f", p{at}" for at in range(each.parameters))
        if each.kind == "static method":
            return f"@staticmethod\ndef {each.name}(x=1{self._parameters(each)}):\n    return {values}, x"
        if each.kind == "class method":
            return f"@classmethod\ndef {each.name}(cls{self._parameters(each)}):\n    return {values}, cls.__name__"
        if each.calls_super:
            return f"def {each.name}(self{self._parameters(each)}):\n    return {values}, super().__repr__()[:1]"
        return f"def {each.name}(self{self._parameters(each)}):\n    return {values}"


def _member(name: str, number: int) -> Member:
    return Member(MEMBER_KINDS[number % len(MEMBER_KINDS)], name, number)
