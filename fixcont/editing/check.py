"""Decide what an install will do, and whether it can be done, before anything is touched."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType
from typing import Any

from fixcont.bytecode.closures import STANDS_IN
from fixcont.editing.cells import Lacking
from fixcont.editing.closures import Captures
from fixcont.editing.closures import refusal as closure_refusal
from fixcont.editing.compare import Comparison, Relation, Remark, relation
from fixcont.editing.definitions import annotations_are_text, annotations_node
from fixcont.editing.functions import Namespace, class_namespace, find_class, shifted
from fixcont.editing.syntax import Def, Header, Syntax, header, same_expression
from fixcont.editing.texts import Kind, Node
from fixcont.editing.values import CannotTell, value_of
from fixcont.errors import Refusal, Refused

UNTIL_RESTART = "it takes effect when the program is started again"


@dataclass(frozen=True)
class Assignment:
    """An attribute of a function that gets a new value."""

    function: FunctionType
    name: str
    value: Any


@dataclass(frozen=True)
class Addition:
    """A new definition, to be carried out in `namespace`, or in the class `owner` there."""

    node: Node
    definition: Def
    namespace: Namespace
    owner: type | None


@dataclass
class Plan:
    """What installing the changes of one file does.

    Attributes:
        kept: live code objects that stay as they are, each with the node of the new text that it is.
        touched: new nodes of the functions that run other code from now on.
        class_lines: classes that moved in the file, each with its new first line.
    """

    comparison: Comparison
    assignments: list[Assignment] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)
    kept: list[tuple[CodeType, Node]] = field(default_factory=list)
    touched: dict[int, Node] = field(default_factory=dict)  # id of the node -> the node
    class_lines: list[tuple[type, int]] = field(default_factory=list)
    warnings: dict[tuple[str, str], Refusal] = field(default_factory=dict)  # (code, sentence) -> the warning

    def warn(self, code: str, node: Node, what: str, instead: str = "", line: int | None = None) -> None:
        """Note an edit that has no effect, or not the expected one."""
        sentence = f"{node.text.filename}:{line or node.line}: {what}"
        self.warnings.setdefault((code, sentence), Refusal(code, sentence, instead))


def check(
    comparison: Comparison,
    functions: Sequence[FunctionType],
    namespaces: Sequence[Namespace],
    identify: Callable[[CodeType], Node | None],
    trap: Callable[[CodeType], CodeType],
    untrapped: Callable[[CodeType], CodeType],
) -> Plan:
    """Plan the installation of one changed file.

    Parameters:
        functions: all live functions of the file.
        namespaces: of all modules that were loaded from it.
        identify: gives the node that a live code object was made from, None where its text is not known.

    Raises:
        Refused: something in the file cannot be installed; nothing was touched.
    """
    return _Checker(comparison, identify, trap, untrapped).check(functions, namespaces)


class _Checker:
    def __init__(
        self,
        comparison: Comparison,
        identify: Callable[[CodeType], Node | None],
        trap: Callable[[CodeType], CodeType],
        untrapped: Callable[[CodeType], CodeType],
    ) -> None:
        self.comparison = comparison
        self.plan = Plan(comparison)
        self.identify = identify
        self.trap = trap
        self.untrapped = untrapped
        self._relations: dict[tuple[int, int], Relation] = {}  # (id of old node, id of new node) -> how they stand
        self._syntaxes: dict[int, Syntax] = {}  # id of a text -> its syntax
        self._changed = {id(node) for node in comparison.changed}

    def check(self, functions: Sequence[FunctionType], namespaces: Sequence[Namespace]) -> Plan:
        matched = [(function, *self._match(function)) for function in functions]
        for function, node, target in matched:
            if target is not None and self._relation(function, node, target) is not Relation.CHANGED and target.live is None:
                self._adopt(function, node, target)
        self._captures = self._find_captures(functions, matched)
        for function, node, target in matched:
            if target is not None:
                self._plan_function(function, node, target)
            elif node is not None and node.kind is Kind.LAMBDA and node.definition.newest is not None:
                self.plan.warn(
                    "lambda-not-matched",
                    node,
                    "a lambda from this line cannot be told from others in the changed text",
                    UNTIL_RESTART,
                )
        found = {id(target) for _, _, target in matched}
        self._plan_additions(namespaces, found)
        self._note_missing(found)
        self._plan_class_lines(namespaces)
        for remark in self.comparison.remarks:
            self._note_remark(remark)
        for node in self.comparison.removed:
            self.plan.warn("removed-kept", node, f"{node.qualname} is no longer in the file; the program keeps it", UNTIL_RESTART)
        return self.plan

    # Which function is which

    def _match(self, function: FunctionType) -> tuple[Node | None, Node | None]:
        node = self.identify(function.__code__)
        if node is not None:
            return node, self.comparison.target(node.definition)
        code = function.__code__
        namesakes = [
            each for each in self.comparison.new.module.walk() if each.qualname == code.co_qualname and each.kind is Kind.FUNCTION
        ]
        return None, namesakes[0] if len(namesakes) == 1 else None

    def _relation(self, function: FunctionType, node: Node | None, target: Node) -> Relation:
        if node is None:
            return relation(self.untrapped(function.__code__), target.code)
        key = (id(node), id(target))
        if key not in self._relations:
            self._relations[key] = relation(node.code, target.code)
        return self._relations[key]

    def _headers(self, node: Node | None, target: Node) -> tuple[Header, Header] | None:
        """Give the headers before and after, None where what they evaluate is the same."""
        if node is None or node is self.comparison.partners.get(id(target)):
            return self.comparison.headers.get(id(target))
        before, after = self._syntax(node).definition(node), self._syntax(target).definition(target)
        return (header(before), header(after)) if before is not None and after is not None else None

    def _syntax(self, node: Node) -> Syntax:
        if node.text is self.comparison.new and self.comparison.syntax is not None:
            return self.comparison.syntax
        if id(node.text) not in self._syntaxes:
            self._syntaxes[id(node.text)] = Syntax(node.text)
        return self._syntaxes[id(node.text)]

    # The code that they get

    def _adopt(self, function: FunctionType, node: Node | None, target: Node) -> None:
        """Take the traps of running code over to the new text, which is much cheaper than setting them anew."""
        if target.outermost is not target:
            return
        how = self._relation(function, node, target)
        if how is Relation.SAME:
            target.run_by(function.__code__, self.trap)
        elif how is Relation.SHIFTED:
            target.run_by(shifted(function.__code__, target.line - function.__code__.co_firstlineno), self.trap)

    def _live(self, node: Node) -> CodeType:
        if node.live is None:
            root = node.outermost
            root.run_by(self.trap(root.code), self.trap)
        assert node.live is not None
        return node.live

    # What they get

    def _plan_function(self, function: FunctionType, node: Node | None, target: Node) -> None:
        how = self._relation(function, node, target)
        headers = self._headers(node, target)
        if how is Relation.SAME and headers is None:
            self.plan.kept.append((function.__code__, target))
            return
        assignments: list[Assignment] = []
        try:
            if how is not Relation.SAME:
                bodies = self._captures.assignments(function, target, self._live(target))
                assignments += [Assignment(function, name, value) for name, value in bodies]
            if headers is not None:
                self._plan_defaults(function, target, headers, assignments)
                self._plan_annotations(function, target, headers, assignments)
        except CannotTell:
            return  # an inner function that exists already stays as it is; it has been said
        except Lacking as lacking:
            self._warn_captured(function, target, str(lacking))
            return
        if how is Relation.CHANGED:
            self._plan_doc(function, node, target, assignments)
        if how is Relation.SAME:
            self.plan.kept.append((function.__code__, target))
        if how is Relation.CHANGED or (headers is not None and id(target) in self._changed):
            self.plan.touched[id(target)] = target
        self.plan.assignments += assignments

    def _find_captures(
        self, functions: Sequence[FunctionType], matched: Sequence[tuple[FunctionType, Node | None, Node | None]]
    ) -> Captures:
        known = [(function, node or target) for function, node, target in matched]
        changed = [
            (function, node or target, target)
            for function, node, target in matched
            if target is not None and self._relation(function, node, target) is Relation.CHANGED
        ]
        return Captures(
            self.comparison, [(one, node) for one, node in known if node is not None], changed, self.identify, functions
        )

    def _warn_captured(self, function: FunctionType, target: Node, why: str) -> None:
        """Say that a function stays as it is, as the cell of a variable that it captures now is not found."""
        if STANDS_IN in function.__dict__:
            return
        refusal = closure_refusal(target, function.__code__, target.code, f"{why}: existing functions keep their old code")
        self.plan.warnings.setdefault((refusal.code, refusal.sentence), refusal)
        if not target.is_top_level:
            self.plan.touched[id(target)] = target  # the next call of the function around it makes new ones

    def _plan_doc(self, function: FunctionType, node: Node | None, target: Node, assignments: list[Assignment]) -> None:
        old = _doc(node.code if node is not None else self.untrapped(function.__code__))
        new, current = _doc(target.code), function.__doc__
        if old != new and type(current) in (str, type(None)) and current == old:  # else the program has set it
            assignments.append(Assignment(function, "__doc__", new))

    def _plan_defaults(
        self, function: FunctionType, target: Node, headers: tuple[Header, Header], assignments: list[Assignment]
    ) -> None:
        before, after = headers
        if (
            before.positional == after.positional
            and before.keyword_only == after.keyword_only
            and before.defaults.keys() == after.defaults.keys()
            and all(same_expression(before.defaults[name], after.defaults[name]) for name in after.defaults)
        ):
            return
        old_values = _default_values(function)
        values: dict[str, Any] = {}
        for name, expression in after.defaults.items():
            if name in old_values and same_expression(before.defaults.get(name), expression):
                values[name] = old_values[name]
                continue
            try:
                values[name] = value_of(expression, self._scopes(function, target))
            except CannotTell:
                values[name] = self._old_default(target, name, expression, old_values)
        positional = tuple(values[name] for name in after.positional if name in values)
        keyword_only = {name: values[name] for name in after.keyword_only if name in values}
        assignments.append(Assignment(function, "__defaults__", positional or None))
        assignments.append(Assignment(function, "__kwdefaults__", keyword_only or None))

    def _old_default(self, target: Node, name: str, expression: ast.expr, old_values: Mapping[str, Any]) -> Any:
        what = f"the default {ast.unparse(expression)} of {name} in {target.qualname} is not evaluated"
        if name in old_values:
            self.plan.warn("default-not-evaluated", target, f"{what}; {name} keeps its old default", UNTIL_RESTART)
            return old_values[name]
        if not target.is_top_level:
            what += "; existing functions stay as they are, the next call of the function around it makes new ones"
            self.plan.warn("default-not-evaluated", target, what)
            raise CannotTell
        sentence = f"{target.text.filename}:{target.line}: {what}, and there is no old one to keep"
        raise Refused(Refusal("default-not-evaluated", sentence, "use a literal or None as the default for now"))

    def _plan_annotations(
        self, function: FunctionType, target: Node, headers: tuple[Header, Header], assignments: list[Assignment]
    ) -> None:
        before, after = headers
        if before.annotations.keys() == after.annotations.keys() and all(
            same_expression(before.annotations[name], after.annotations[name]) for name in after.annotations
        ):
            return
        definition = self._syntax(target).definition(target)
        late = annotations_node(target, definition) if definition is not None else None
        if late is not None:
            self._plan_late_annotations(function, target, late, assignments)
        elif getattr(function, "__annotate__", None) is not None:
            assignments.append(Assignment(function, "__annotate__", None))
        else:
            values = self._annotation_values(function, target, headers)
            assignments.append(Assignment(function, "__annotations__", values))

    def _plan_late_annotations(self, function: FunctionType, target: Node, late: Node, assignments: list[Assignment]) -> None:
        old: FunctionType | None = getattr(function, "__annotate__", None)
        closure = getattr(old, "__closure__", None) or ()
        if type(old) is FunctionType and old.__code__.co_freevars == late.code.co_freevars:
            annotate = FunctionType(late.code, function.__globals__, None, None, closure)
        elif not late.code.co_freevars:
            annotate = FunctionType(late.code, function.__globals__)
        else:
            self.plan.warn("annotation-not-evaluated", target, f"{target.qualname} keeps its old annotations", UNTIL_RESTART)
            return
        assignments.append(Assignment(function, "__annotate__", annotate))

    def _annotation_values(self, function: FunctionType, target: Node, headers: tuple[Header, Header]) -> dict[str, Any]:
        before, after = headers
        old_values, values = function.__annotations__, {}
        for name, expression in after.annotations.items():
            if name in old_values and same_expression(before.annotations.get(name), expression):
                values[name] = old_values[name]
            elif annotations_are_text(target.code):
                values[name] = ast.unparse(expression)
            else:
                try:
                    values[name] = value_of(expression, self._scopes(function, target))
                except CannotTell:
                    what = f"the annotation {ast.unparse(expression)} of {name} in {target.qualname} is not evaluated"
                    self.plan.warn("annotation-not-evaluated", target, what, UNTIL_RESTART)
                    if name in old_values:
                        values[name] = old_values[name]
        return values

    def _scopes(self, function: FunctionType, target: Node) -> list[Mapping[str, Any]] | None:
        """Give the namespaces in which names of a header are looked up, None where they may be local variables."""
        if not target.is_top_level:
            return None
        scopes: list[Mapping[str, Any]] = [function.__globals__]
        if target.parent is not None and target.parent.kind is Kind.CLASS:
            owner = find_class(function.__globals__, target.parent.qualname)
            if owner is not None:
                scopes.insert(0, class_namespace(owner))
        return scopes

    # What is new, what is not there

    def _plan_additions(self, namespaces: Sequence[Namespace], found: set[int]) -> None:
        kept_names = {  # bound by a definition that was there before
            (id(_scope_of(each)), each.code.co_name): each.line
            for each in self.comparison.new.module.walk()
            if id(each) in self.comparison.partners
        }
        returned = {id(node) for node in self.comparison.returned}
        waiting = list(reversed(self.comparison.added))
        while waiting:
            node = waiting.pop()
            if id(node) in returned and node.kind is Kind.CLASS and any(find_class(each, node.qualname) for each in namespaces):
                waiting += [child for child in reversed(node.children) if child.kind in (Kind.CLASS, Kind.FUNCTION)]
                continue  # the class is still there
            if id(node) in found:
                self.plan.touched[id(node)] = node  # it was gone, and is back
                continue
            definition = self._syntax(node).definition(node)
            if definition is None or kept_names.get((id(_scope_of(node)), node.code.co_name), 0) > node.line:
                self._note_remark(Remark("statement", node.line))  # the name belongs to a later definition
                continue
            places = self._places(node, namespaces)
            if places:
                self._live(node)
                self.plan.touched[id(node)] = node
            self.plan.additions += [Addition(node, definition, namespace, owner) for namespace, owner in places]

    def _places(self, node: Node, namespaces: Sequence[Namespace]) -> list[tuple[Namespace, type | None]]:
        scope = _scope_of(node)
        if scope is None or scope.kind is Kind.MODULE:
            return [(namespace, None) for namespace in namespaces]
        owners = [(namespace, find_class(namespace, scope.qualname)) for namespace in namespaces]
        places: list[tuple[Namespace, type | None]] = [(namespace, owner) for namespace, owner in owners if owner is not None]
        if not places:
            what = f"{node.qualname} is not added: {scope.qualname} is not a class in the running program"
            self.plan.warn("class-not-found", node, what, UNTIL_RESTART)
        return places

    def _note_missing(self, found: set[int]) -> None:
        """Say so where a function was edited that the program does not have; count inner ones, whose next version is in place."""
        for node in self.comparison.changed:
            if node.kind is not Kind.FUNCTION or id(node) in self.plan.touched or id(node) in found:
                continue
            if node.is_top_level:
                self.plan.warn(
                    "no-live-function", node, f"{node.qualname} changed, but no function of the program runs it", UNTIL_RESTART
                )
            elif id(node.outermost) in self.plan.touched:
                self.plan.touched[id(node)] = node

    def _plan_class_lines(self, namespaces: Sequence[Namespace]) -> None:
        for node in self.comparison.new.module.walk():
            old = self.comparison.partners.get(id(node))
            if node.kind is not Kind.CLASS or old is None or old.line == node.line or not node.is_top_level:
                continue
            for namespace in namespaces:
                cls = find_class(namespace, node.qualname)
                if cls is not None and class_namespace(cls).get("__firstlineno__") == old.line:
                    self.plan.class_lines.append((cls, node.line))

    def _note_remark(self, remark: Remark) -> None:
        module = self.comparison.new.module
        what = {
            "statement": "this statement is not run",
            "removed-statement": "the statement on this line of the old text is gone; what it did stays",
            "conditional-definition": f"{remark.name} is new and depends on a condition, so it is not added",
            "decorators": f"the changed decorators of {remark.name} are not applied",
            "bases": f"the changed bases or keywords of class {remark.name} are not applied",
        }[remark.kind]
        self.plan.warn("module-statement-not-run", module, what, UNTIL_RESTART, line=remark.line)


def _scope_of(node: Node) -> Node | None:
    """Give the module or class body whose statement defines `node`."""
    scope = node.parent
    while scope is not None and not scope.is_scope:
        scope = scope.parent
    return scope


def _doc(code: CodeType) -> str | None:
    return FunctionType(code, {}, None, None, tuple(CellType() for _ in code.co_freevars)).__doc__


def _default_values(function: FunctionType) -> dict[str, Any]:
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    values = dict(zip(reversed(positional), reversed(defaults), strict=False))
    values.update(function.__kwdefaults__ or {})
    return values
