"""What differs between two texts of a file, definition by definition.

Only code objects without traps are compared here. Functions are compared by what they were compiled to, so comments, blank lines and
moves are no changes. Where a module or class body itself differs, its statements and the headers of its definitions are compared by
their syntax trees, which cost more than everything else together and are not made otherwise.
"""

from __future__ import annotations

import ast
import difflib
import enum
import opcode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType

from fixcont.editing.regions import Region, regions_of
from fixcont.editing.syntax import Header, Item, Syntax, header, same_expression
from fixcont.editing.texts import Definition, Kind, Node, Text, kind_of


class Relation(enum.Enum):
    """How new code stands to old code."""

    SAME = "same"
    SHIFTED = "shifted"  # the same, all of it the same number of lines further down or up
    RELAID = "relaid"  # the same instructions, but lines or columns moved inside
    CHANGED = "changed"


@dataclass(frozen=True)
class ScopeChange:
    """What differs between the statements of one module or class body, but for the definitions in it.

    Attributes:
        old: the node of the module or class in the old text.
        new: its node in the new one.
        appeared: statements of the new text that are new or were changed, in order.
        gone: statements of the old text that are not in the new one, or were changed.
    """

    old: Node
    new: Node
    appeared: tuple[Item, ...]
    gone: tuple[Item, ...]


@dataclass
class Comparison:
    """What differs between two texts.

    Attributes:
        partners: id of a new node -> the old node of the same definition.
        targets: id of an old node's definition -> its new node.
        changed: new nodes of functions, lambdas, class bodies and the module whose own effect differs.
        headers: id of a new node -> (old header, new header), for definitions whose headers may differ.
        added: new nodes of functions and classes whose `def` or `class` statements are new, in order.
        returned: id of a node among or in the added ones -> its definition, which was there before, was gone, and is back.
        removed: old nodes of functions and classes that are gone.
        renamed: new nodes of functions that are the old ones under another name.
        scopes: modules and classes whose own statements differ, the module first.
        redecorated: new nodes of functions and classes outside of functions, whose decorators differ.
        rebased: new nodes of classes whose bases or keywords differ.
        syntax: of the new text, where it was needed.
        old_syntax: of the old one, likewise.
        given: id of a new node -> the old node of the same definition, where that is known beforehand; else None.
    """

    old: Text
    new: Text
    partners: dict[int, Node] = field(default_factory=dict)
    targets: dict[int, Node] = field(default_factory=dict)
    changed: list[Node] = field(default_factory=list)
    headers: dict[int, tuple[Header, Header]] = field(default_factory=dict)
    added: list[Node] = field(default_factory=list)
    returned: dict[int, Definition] = field(default_factory=dict)
    removed: list[Node] = field(default_factory=list)
    renamed: list[Node] = field(default_factory=list)
    scopes: list[ScopeChange] = field(default_factory=list)
    redecorated: list[Node] = field(default_factory=list)
    rebased: list[Node] = field(default_factory=list)
    syntax: Syntax | None = None
    old_syntax: Syntax | None = None
    given: Mapping[int, Node] | None = None

    def has(self, node: Node) -> bool:
        """Tell whether a node of the new text was in the old one."""
        return id(node) in self.partners

    def target(self, definition: Definition) -> Node | None:
        """Give the newest node of a definition, as it is after this comparison is installed."""
        return self.targets.get(id(definition))


def relation(old: CodeType, new: CodeType) -> Relation:
    """Compare two code objects with everything in them.

    Neither may have traps.
    """
    if not same_effect(old, new):
        return Relation.CHANGED
    shift = new.co_firstlineno - old.co_firstlineno
    if not _same_lines(old, new, shift):
        return Relation.RELAID
    return Relation.SHIFTED if shift else Relation.SAME


def same_effect(old: CodeType, new: CodeType) -> bool:
    """Tell whether two code objects do the same, on whatever lines."""
    if old.co_qualname == new.co_qualname and old == new:  # on the same lines: the interpreter compares ten times as fast
        return True
    return _same_own_effect(old, new, same_effect)


def same_own_effect(old: CodeType, new: CodeType) -> bool:
    """Tell whether two code objects do the same but for what the functions and classes do that they define."""
    return _same_own_effect(old, new, _same_place)


def _same_place(old: CodeType, new: CodeType) -> bool:
    """Compare definitions inside: annotations belong to the statement that evaluates them, and so do type parameters."""
    if kind_of(old) in (Kind.ANNOTATIONS, Kind.TYPE_PARAMETERS, Kind.COMPREHENSION):
        return _same_own_effect(old, new, _same_place)
    return old.co_qualname == new.co_qualname and old.co_freevars == new.co_freevars


def _same_own_effect(old: CodeType, new: CodeType, same_code: Callable[[CodeType, CodeType], bool]) -> bool:
    if (
        old.co_name != new.co_name
        or old.co_flags != new.co_flags
        or old.co_argcount != new.co_argcount
        or old.co_posonlyargcount != new.co_posonlyargcount
        or old.co_kwonlyargcount != new.co_kwonlyargcount
        or len(old.co_consts) != len(new.co_consts)
        or old.co_qualname != new.co_qualname
        or old.co_names != new.co_names
        or old.co_varnames != new.co_varnames
        or old.co_freevars != new.co_freevars
        or old.co_cellvars != new.co_cellvars
        or old.co_exceptiontable != new.co_exceptiontable
    ):
        return False
    old_bytes, old_consts = _without_line_numbers(old)
    new_bytes, new_consts = _without_line_numbers(new)
    return old_bytes == new_bytes and all(
        _same_const(one, other, same_code) for one, other in zip(old_consts, new_consts, strict=False)
    )


def _same_const(old: object, new: object, same_code: Callable[[CodeType, CodeType], bool]) -> bool:
    if type(old) is not type(new):
        return False
    if isinstance(old, CodeType) and isinstance(new, CodeType):
        return same_code(old, new)
    if isinstance(old, tuple) and isinstance(new, tuple):
        return len(old) == len(new) and all(_same_const(one, other, same_code) for one, other in zip(old, new, strict=False))
    if isinstance(old, (frozenset, slice)):
        return repr(old) == repr(new)  # frozensets of equal constants may still differ in types: 1 and True
    if isinstance(old, (float, complex)):
        return repr(old) == repr(new)  # 0.0 and -0.0
    return old == new


_STORE_NAME = opcode.opmap["STORE_NAME"]
_LOAD_CONST = opcode.opmap["LOAD_CONST"]
_EXTENDED_ARG = opcode.opmap["EXTENDED_ARG"]
_BOOKKEEPING = ("__firstlineno__", "__static_attributes__")


def _without_line_numbers(code: CodeType) -> tuple[bytes, tuple[object, ...]]:
    """Give the instructions and constants of `code`, without what a class body stores about where it stands in the file."""
    if not any(name in code.co_names for name in _BOOKKEEPING) or kind_of(code) is not Kind.CLASS:
        return code.co_code, code.co_consts
    code_bytes, consts = bytearray(code.co_code), list(code.co_consts)
    stores = {code.co_names.index(name) for name in _BOOKKEEPING if name in code.co_names}
    for at in range(2, len(code_bytes), 2):
        if code_bytes[at] == _STORE_NAME and code_bytes[at + 1] in stores:
            load = at - 2
            if code_bytes[load] == _LOAD_CONST and (load == 0 or code_bytes[load - 2] != _EXTENDED_ARG):
                consts[code_bytes[load + 1]] = None
            code_bytes[load : load + 2] = b"\0\0"
    return bytes(code_bytes), tuple(consts)


def stored_constant(code: CodeType, name: str) -> object:
    """Give the constant that a module or class body stores under a name, None where it does not."""
    if name not in code.co_names:
        return None
    store = code.co_names.index(name)
    code_bytes = code.co_code
    extended = load = 0
    for at in range(0, len(code_bytes), 2):
        operation, argument = code_bytes[at], code_bytes[at + 1] | extended
        extended = argument << 8 if operation == _EXTENDED_ARG else 0
        if operation == _STORE_NAME and argument == store:
            return code.co_consts[load] if code_bytes[at - 2] == _LOAD_CONST else None
        load = argument
    return None


def _same_lines(old: CodeType, new: CodeType, shift: int) -> bool:
    return (
        new.co_firstlineno - old.co_firstlineno == shift
        and old.co_linetable == new.co_linetable
        and all(
            _same_lines(one, other, shift)
            for one, other in zip(old.co_consts, new.co_consts, strict=False)
            if isinstance(one, CodeType) and isinstance(other, CodeType)
        )
    )


def compare(old: Text, new: Text, given: Mapping[int, Node] | None = None) -> Comparison:
    """Find what differs between two texts of a file.

    Args:
        given: id of a new node -> the old node of the same definition, where which these are is not to be guessed.

    Raises:
        SyntaxError: `new` does not compile.
    """
    result = Comparison(old, new, given=given)
    scopes: list[tuple[Node, Node]] = []
    headed: list[tuple[Node, Node]] = []
    _pair(result, old.module, new.module, scopes, headed, False)
    if scopes or headed:
        old_syntax, new_syntax = Syntax(old), Syntax(new)
        result.syntax, result.old_syntax = new_syntax, old_syntax
        regions = regions_of(old, new, result.partners, result.changed)
        within = {at for region in regions for at in region.new}
        headed = [pair for pair in headed if new.pieces.at(pair[1].line) in within]
        _compare_headers(result, headed, old_syntax, new_syntax)
        for old_scope, new_scope in scopes:
            _compare_scopes(result, old_scope, new_scope, regions)
    return result


def _pair(
    result: Comparison,
    old: Node,
    new: Node,
    scopes: list[tuple[Node, Node]],
    headed: list[tuple[Node, Node]],
    around_differs: bool,
) -> None:
    """Pair `old` with `new` and their children; collect module and class bodies, and definitions, to be compared by syntax."""
    result.partners[id(new)] = old
    result.targets[id(old.definition)] = new
    if new.is_scope and new.is_top_level:
        own_differs = not same_own_effect(old.code, new.code)
        if own_differs:
            result.changed.append(new)
            scopes.append((old, new))
    else:
        differs = not same_effect(old.code, new.code)
        own_differs = differs and not same_own_effect(old.code, new.code)
        if differs:
            result.changed.append(new)
    # The defaults of a function with type parameters are evaluated one further out.
    header_differs = own_differs or (around_differs and new.kind is Kind.TYPE_PARAMETERS)
    if result.given is not None:
        pairs = [(result.given[id(child)], child) for child in new.children if id(child) in result.given]
    else:
        pairs = _pair_children(old.children, new.children)
    if own_differs and new.is_scope and new.is_top_level and result.given is None:
        renamed = _pair_renamed(old.children, new.children, pairs)
        result.renamed += [other for _, other in renamed]
        pairs += renamed
    for one, other in pairs:
        if header_differs and other.kind in (Kind.FUNCTION, Kind.LAMBDA, Kind.CLASS):
            headed.append((one, other))
        _pair(result, one, other, scopes, headed, header_differs)


def _pair_children(old: Sequence[Node], new: Sequence[Node]) -> list[tuple[Node, Node]]:
    """Say which definitions are the same one, before and after.

    Of several with one name (getter and setter, overloads, `if` and `else`, lambdas), equal ones belong together first, then those
    with equal decorators, then those with equal parameters; at the end, when one is left on either side, these two.
    Annotations have no pairs: they are made anew with their function's header.
    """
    if not old or not new:
        return []
    groups: dict[tuple[Kind, str], tuple[list[Node], list[Node]]] = {}
    for side, nodes in enumerate((old, new)):
        for node in nodes:
            if node.kind is not Kind.ANNOTATIONS:
                groups.setdefault((node.kind, node.code.co_name), ([], []))[side].append(node)
    pairs: list[tuple[Node, Node]] = []
    for before, after in groups.values():
        if len(before) == len(after) == 1:
            pairs.append((before[0], after[0]))
        elif before and after:
            pairs += _pair_namesakes(before, after)
    order = {id(node): place for place, node in enumerate(new)}
    return sorted(pairs, key=lambda pair: order[id(pair[1])])


def _pair_namesakes(before: list[Node], after: list[Node]) -> list[tuple[Node, Node]]:
    before, after = list(before), list(after)
    pairs: list[tuple[Node, Node]] = []
    same_count = len(before) == len(after)
    is_anonymous = before[0].kind in (Kind.LAMBDA, Kind.COMPREHENSION)
    rounds: list[Callable[[Node, Node], bool]] = [
        lambda one, other: _decorators(one) == _decorators(other) and same_effect(one.code, other.code),
        lambda one, other: _decorators(one) == _decorators(other) and _parameters(one) == _parameters(other),
        lambda one, other: _decorators(one) == _decorators(other) and (not is_anonymous or same_count),
        lambda one, other: _parameters(one) == _parameters(other) and not is_anonymous,
        lambda one, other: len(before) == len(after) == 1 and (not is_anonymous or same_count),
    ]
    if is_anonymous and not same_count:
        rounds = rounds[:1]
    for belong_together in rounds:
        for one in list(before):
            other = next((each for each in after if belong_together(one, each)), None)
            if other is not None:
                pairs.append((one, other))
                before.remove(one)
                after.remove(other)
    return pairs


def _pair_renamed(old: Iterable[Node], new: Iterable[Node], pairs: Iterable[tuple[Node, Node]]) -> list[tuple[Node, Node]]:
    """Pair functions that have another name now and are the same otherwise, where each has but one such partner."""
    paired = {id(node) for pair in pairs for node in pair}
    gone, come = ([node for node in side if node.kind is Kind.FUNCTION and id(node) not in paired] for side in (old, new))
    found: list[tuple[Node, Node]] = []
    for one in gone:
        alike = [other for other in come if _same_but_for_name(one, other)]
        if len(alike) == 1 and sum(_same_but_for_name(each, alike[0]) for each in gone) == 1:
            found.append((one, alike[0]))
    return found


def _same_but_for_name(old: Node, new: Node) -> bool:
    if len(old.code.co_code) != len(new.code.co_code) or _decorators(old) or _decorators(new):
        return False
    named = new.code.replace(co_name=old.code.co_name, co_qualname=old.code.co_qualname)
    return same_effect(old.code, named)


def _parameters(node: Node) -> tuple[str, ...]:
    code = node.code
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _decorators(node: Node) -> str:
    """Give the lines between the start of a definition and its `def` or `class`."""
    if node.kind not in (Kind.FUNCTION, Kind.CLASS):
        return ""
    lines: list[str] = []
    for line in node.text.lines[node.line - 1 :]:
        stripped = line.strip()
        if stripped.startswith(("def ", "async ", "class ")):
            break
        lines.append(stripped)
    return "\n".join(lines)


def _compare_headers(result: Comparison, headed: list[tuple[Node, Node]], old_syntax: Syntax, new_syntax: Syntax) -> None:
    """Compare what `def`, `class` and `lambda` evaluate; a changed default or annotation makes a changed function."""
    for old, new in headed:
        old_definition, new_definition = old_syntax.definition(old), new_syntax.definition(new)
        if old_definition is None or new_definition is None:
            continue
        before, after = header(old_definition), header(new_definition)
        result.headers[id(new)] = (before, after)
        if not _same_expressions(before.defaults, after.defaults) or not _same_expressions(before.annotations, after.annotations):
            if new not in result.changed and new.kind is not Kind.CLASS:
                result.changed.append(new)
        if not new.is_top_level:
            continue  # evaluated anew with each call of the function around it
        if len(before.decorators) != len(after.decorators) or not all(map(same_expression, before.decorators, after.decorators)):
            result.redecorated.append(new)
        if before.bases != after.bases:
            result.rebased.append(new)
        if (new in result.redecorated or new in result.rebased) and new not in result.changed:
            result.changed.append(new)


def _same_expressions(before: dict[str, ast.expr], after: dict[str, ast.expr]) -> bool:
    return before.keys() == after.keys() and all(same_expression(before[name], after[name]) for name in before)


def _compare_scopes(result: Comparison, old: Node, new: Node, regions: Sequence[Region]) -> None:
    """Compare the statements of a module or class body that is in both texts; of a module those in the regions where the texts differ."""
    appeared: list[Item] = []
    gone: list[Item] = []
    for region in regions if new.kind is Kind.MODULE else [None]:
        come, left = _compare_statements(result, old, new, region)
        appeared += come
        gone += left
    if appeared or gone:
        result.scopes.append(ScopeChange(old, new, tuple(appeared), tuple(gone)))


def _compare_statements(result: Comparison, old: Node, new: Node, region: Region | None) -> tuple[list[Item], list[Item]]:
    """Note which definitions were added and removed; give the other statements that have appeared, and those that are gone."""
    old_syntax, new_syntax = result.old_syntax, result.syntax
    assert old_syntax is not None and new_syntax is not None
    old_pieces, new_pieces = region or (None, None)
    before, after = old_syntax.items(old, old_pieces), new_syntax.items(new, new_pieces)
    for item in after:
        node = new_syntax.node(item.definition) if item.definition is not None else None
        if node is not None and id(node) not in result.partners:
            result.added.append(node)
    kept = {id(node) for node in result.partners.values()}
    for definition in old_syntax.definitions(old, old_pieces):
        node = old_syntax.node(definition)
        if node is not None and id(node) not in kept:
            result.removed.append(node)
    before = [item for item in before if item.definition is None and not item.is_empty]
    after = [item for item in after if item.definition is None and not item.is_empty]
    matcher = difflib.SequenceMatcher(None, [item.key for item in before], [item.key for item in after], autojunk=False)
    appeared: list[Item] = []
    gone: list[Item] = []
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            gone += before[start:end]
            appeared += after[new_start:new_end]
    return appeared, gone
