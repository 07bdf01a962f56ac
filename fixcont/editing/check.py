"""Decide what an install will do, and whether it can be done, before anything is touched."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from types import CodeType, FunctionType
from typing import Any

from fixcont.bytecode.closures import STANDS_IN
from fixcont.editing import modules
from fixcont.editing.cells import Lacking
from fixcont.editing.classes import ClassPlanner, old_definition
from fixcont.editing.closures import Captures
from fixcont.editing.closures import refusal as closure_refusal
from fixcont.editing.compare import Comparison, Relation, ScopeChange, relation, stored_constant
from fixcont.editing.dataclass_fields import is_dataclass, predecessors
from fixcont.editing.decorators import marks_of
from fixcont.editing.definitions import Define, Part
from fixcont.editing.functions import (
    COPIES_DOCSTRING,
    Namespace,
    class_namespace,
    docstring_of,
    find_class,
    functions_behind,
    layers_of,
    shifted,
)
from fixcont.editing.headers import Headers
from fixcont.editing.instances import classes_with_other_instances
from fixcont.editing.plan import Assignment, Plan
from fixcont.editing.removals import Removed
from fixcont.editing.running import is_body_running, module_line
from fixcont.editing.slots import slots_in
from fixcont.editing.syntax import IMPORTS, Def, Header, Syntax, bound_names, header, loaded_names
from fixcont.editing.texts import Kind, Node


def check(
    comparison: Comparison,
    functions: Sequence[FunctionType],
    namespaces: Sequence[Namespace],
    identify: Callable[[CodeType], Node | None],
    trap: Callable[[CodeType], CodeType],
    untrapped: Callable[[CodeType], CodeType],
    rebound: Set[str] = frozenset(),
) -> Plan:
    """Plan the installation of one changed file.

    Args:
        functions: all live functions of the file.
        namespaces: of all modules that were loaded from it.
        identify: gives the node that a live code object was made from, None where its text is not known.
        rebound: names of the module that are bound to something else now, so that headers and class bodies which read them are evaluated anew.

    Raises:
        Refused: something in the file cannot be installed; nothing was touched.
    """
    return _Checker(comparison, functions, namespaces, identify, trap, untrapped, rebound).check()


def check_back(
    comparison: Comparison,
    functions: Sequence[FunctionType],
    identify: Callable[[CodeType], Node | None],
    trap: Callable[[CodeType], CodeType],
    untrapped: Callable[[CodeType], CodeType],
    has_header: Callable[[FunctionType], bool],
) -> Plan:
    """Plan what the functions of one file get when the text before an edit becomes the newest again. Nothing of it needs to be evaluated.

    Args:
        comparison: of the newest text and the one before it.
        functions: all live functions of the file, those too that were made since the edit.
        has_header: tells whether the defaults and annotations of a function are put back otherwise.

    Raises:
        Refused: a function cannot get the code.
    """
    return _Checker(comparison, functions, (), identify, trap, untrapped, frozenset()).check_back(has_header)


class _Checker:
    def __init__(
        self,
        comparison: Comparison,
        functions: Sequence[FunctionType],
        namespaces: Sequence[Namespace],
        identify: Callable[[CodeType], Node | None],
        trap: Callable[[CodeType], CodeType],
        untrapped: Callable[[CodeType], CodeType],
        rebound: Set[str],
    ) -> None:
        self.comparison = comparison
        self.rebound = rebound
        self._evaluates = True
        self.plan = Plan(comparison, namespaces)
        self.namespaces = namespaces
        self.identify = identify
        self.trap = trap
        self.untrapped = untrapped
        self._relations: dict[tuple[int, int], Relation] = {}  # (id of old node, id of new node) -> how they stand
        self._syntaxes: dict[int, Syntax] = {}  # id of a text -> its syntax
        self._changed = {id(node) for node in comparison.changed}
        self._functions = functions
        self._matched = [(function, *self._match(function)) for function in functions]
        # id of a new node -> the functions that it is, each with the node: `Captures` tells such pairs from what the program holds
        self._live_of: dict[int, list[tuple[FunctionType, Node]]] = {}
        for function, _, target in self._matched:
            if target is not None:
                self._live_of.setdefault(id(target), []).append((function, target))

    def check(self) -> Plan:
        self._adopt_all()
        self._captures = self._find_captures(self._functions)
        for function, node, target in self._matched:
            if target is not None:
                headers = self._headers(node, target) or self._headers_that_read_what_changes(target)
                self._plan_function(function, node, target, headers)
            elif node is not None and node.kind is Kind.LAMBDA and node.definition.newest is not None:
                what = "a lambda from this line cannot be told from others in the changed text"
                self.plan.warn("lambda-not-matched", node, what)
        self._plan_scopes()
        self._note_other_instances()
        self._plan_definitions()
        self._plan_renamed()
        self._plan_removed()
        self._note_missing()
        self._plan_bookkeeping()
        return self.plan

    def check_back(self, has_header: Callable[[FunctionType], bool]) -> Plan:
        self._evaluates = False
        self._adopt_all()
        self._captures = self._find_captures(self._functions)
        for function, node, target in self._matched:
            if target is not None:
                headers = None if has_header(function) else self._headers(node, target)
                self._plan_function(function, node, target, headers)
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

    def _headers_that_read_what_changes(self, target: Node) -> tuple[Header, Header] | None:
        """Give the header twice where it did not change, but what it evaluates does."""
        names = self._changing(target)
        if not names or not self._syntax(target).may_read(target, names):
            return None
        definition = self._syntax(target).definition(target)
        if definition is None:
            return None
        head = header(definition)
        read = (loaded_names(each) for each in (*head.defaults.values(), *head.annotations.values()))
        return (head, head) if any(each & names for each in read) else None

    def _changing(self, target: Node) -> set[str]:
        """Give the names that get another value by this edit where the header of a function is evaluated."""
        scope = scope_of(target) if target.is_top_level else None
        found = set(self.rebound) if scope is not None else set[str]()
        for change in self.comparison.scopes:
            if change.new is scope and scope.kind is Kind.CLASS:
                found |= bound_names(item.statement for item in change.appeared)
            elif change.new.kind is Kind.MODULE and scope is not None:
                found |= bound_names(item.statement for item in change.appeared if isinstance(item.statement, IMPORTS))
        return found

    def _syntax(self, node: Node) -> Syntax:
        for syntax in (self.comparison.syntax, self.comparison.old_syntax):
            if syntax is not None and node.text is syntax.text:
                return syntax
        if id(node.text) not in self._syntaxes:
            self._syntaxes[id(node.text)] = Syntax(node.text)
        return self._syntaxes[id(node.text)]

    # The code that they get

    def _adopt_all(self) -> None:
        for function, node, target in self._matched:
            if target is not None and self._relation(function, node, target) is not Relation.CHANGED and target.live is None:
                self._adopt(function, node, target)

    def _adopt(self, function: FunctionType, node: Node | None, target: Node) -> None:
        """Take the traps of running code over to the new text, which is much cheaper than setting them anew."""
        if target.outermost is not target or any(each.kind is Kind.CLASS for each in target.walk()):
            return  # a class body stores the line that it begins on
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

    def _plan_function(
        self, function: FunctionType, node: Node | None, target: Node, headers: tuple[Header, Header] | None
    ) -> None:
        how = self._relation(function, node, target)
        if how is Relation.SAME and headers is None:
            self.plan.kept.append((function.__code__, target))
            return
        try:
            body = [] if how is Relation.SAME else self._captures.assignments(function, target, self._live(target))
        except Lacking as lacking:
            self._warn_captured(function, target, str(lacking))
            return
        if headers is not None:
            definition = self._syntax(target).definition(target)
            changing = self._changing(target) if self._evaluates else set[str]()
            update = Headers(self.plan, changing, evaluates=self._evaluates).update
            if not update(function, target, definition, *headers):
                return
            self._plan_copied_annotations(function, target)
        if how is Relation.CHANGED:
            self._plan_doc(function, node, target)
        if how is Relation.SAME:
            self.plan.kept.append((function.__code__, target))
        self.plan.assignments += [Assignment(function, name, value) for name, value in body]
        if how is Relation.CHANGED or (headers is not None and id(target) in self._changed):
            self.plan.touch(target)

    def _find_captures(self, functions: Sequence[FunctionType]) -> Captures:
        known = [(function, node or target) for function, node, target in self._matched]
        changed = [
            (function, node or target, target)
            for function, node, target in self._matched
            if target is not None and self._relation(function, node, target) is Relation.CHANGED
        ]
        return Captures(
            self.comparison, [(one, node) for one, node in known if node is not None], changed, self.identify, functions
        )

    def _warn_captured(self, function: FunctionType, target: Node, why: str) -> None:
        """Say that a function stays as it is, as the cell of a variable that it captures now is not found."""
        if STANDS_IN in function.__dict__ or id(target) not in self._changed:
            return  # else it was said when that was installed, and `stale` says it still
        refusal = closure_refusal(target, function.__code__, target.code, f"{why}: existing functions keep their old code")
        self.plan.warnings.setdefault((refusal.code, refusal.sentence), refusal)
        if not target.is_top_level:
            self.plan.touch(target)  # the next call of the function around it makes new ones

    def _plan_doc(self, function: FunctionType, node: Node | None, target: Node) -> None:
        """Plan a new docstring, where the program has not set another one, and for what has copied it: wrappers and properties."""
        old = docstring_of(node.code if node is not None else self.untrapped(function.__code__))
        new = docstring_of(target.code)
        if old == new:
            return
        for each in (function, *self._made_of(function, target)):
            current = each.__doc__
            if type(current) in (str, type(None)) and current == old:
                self.plan.assignments.append(Assignment(each, "__doc__", new))

    def _plan_copied_annotations(self, function: FunctionType, target: Node) -> None:
        """Let wrappers that have taken over the annotations of a function have the new ones."""
        for name in ("__annotations__", "__annotate__"):
            new = [each for each in self.plan.assignments if each.function is function and each.name == name]
            old = function.__annotations__ if name == "__annotations__" else getattr(function, name, None)
            for each in self._made_of(function, target) if new and old is not None else ():
                copied = getattr(each, "__dict__", {}).get(name) if type(each) is not FunctionType else getattr(each, name)
                if copied is old:
                    self.plan.assignments.append(Assignment(each, name, new[-1].value))

    def _made_of(self, function: FunctionType, target: Node) -> Iterator[Any]:
        """Give what decorators have made of a function of a module or class."""
        scope = scope_of(target)
        if scope is None or not target.is_top_level:
            return
        where: Mapping[str, Any] | None = function.__globals__
        if scope.kind is Kind.CLASS:
            owner = find_class(function.__globals__, scope.qualname)
            where = class_namespace(owner) if owner is not None else None
        bound = where.get(target.code.co_name) if where is not None else None
        made = list(layers_of(bound))
        if any(each is function for each in made):
            yield from (each for each in made if each is not function and type(each) in COPIES_DOCSTRING)

    # Statements of modules and classes

    def _plan_scopes(self) -> None:
        """Plan what changed in the bodies of the module and of classes, but for the definitions there."""
        changes = {id(change.new): change for change in self.comparison.scopes}
        for node in self.comparison.added:
            if self._revived(node):
                items = (item for item in self._syntax(node).items(node) if item.definition is None)
                changes[id(node)] = ScopeChange(node, node, tuple(items), ())
        rebased = {id(node) for node in self.comparison.rebased}
        redecorated = {id(node) for node in self.comparison.redecorated}
        changes |= {id(change.new): change for change in self._reading_rebound()}
        for node in self._scopes():
            if node.kind is Kind.MODULE:
                if id(node) in changes:
                    change = changes[id(node)]
                    modules.update(self.plan, change, self.namespaces, self._syntax(node), self._lying_ahead(change))
                continue
            planner = ClassPlanner(self.plan, self._syntax(node), self.trap, self._live)
            for namespace, cls in self._classes(node):
                before = old_definition(self.comparison, node) if id(node) in rebased else None
                if before is not None:
                    planner.rebase(cls, namespace, node, before)
                elif self._subscripts_rebased(node):
                    planner.rebase_again(cls, namespace, node)
                if id(node) in changes:
                    planner.update(cls, namespace, changes[id(node)])
                if id(node) in redecorated:
                    planner.redecorate(cls, namespace, node)
                planner.finish(cls, namespace, node, self.comparison.partners.get(id(node)))

    def _note_other_instances(self) -> None:
        for node in classes_with_other_instances(self.comparison):
            for cls in (find_class(namespace, node.qualname) for namespace in self.namespaces):
                if cls is not None:
                    self.plan.classes[id(cls)] = cls, node, True

    def _lying_ahead(self, change: ScopeChange) -> Sequence[ast.stmt]:
        """Give the statements of the new text that the module has not come to, where it is being run right now; else none."""
        line = module_line(change.new.text.filename)
        if line is None:
            return ()
        after = change.new.text.tree
        return after.body[modules.first_ahead(change.old.text.tree, after, line) :]

    def _reading_rebound(self) -> Iterator[ScopeChange]:
        """Give the classes, and the module, with those statements that read names which are bound to something else now."""
        if not self.rebound:
            return
        for node in self.comparison.new.module.walk():
            if node.is_scope and node.is_top_level:
                items = (item for item in self._syntax(node).items(node) if item.definition is None)
                reading = tuple(
                    item
                    for item in items
                    if loaded_names(item.statement) & self.rebound and not bound_names([item.statement]) & self.rebound
                )
                if reading:
                    yield ScopeChange(node, node, reading, ())

    def _scopes(self) -> Iterator[Node]:
        """Give the modules and classes of the new text whose own body or header changed."""
        nodes = {id(node): node for node in self.comparison.changed if node.is_scope and node.is_top_level}
        nodes |= {id(node): node for node in self.comparison.rebased if node.is_top_level}
        nodes |= {id(node): node for node in self.comparison.added if self._revived(node)}
        nodes |= {id(change.new): change.new for change in self._reading_rebound()}
        if self.comparison.rebased:
            nodes |= {id(node): node for node in self.comparison.new.module.walk() if self._subscripts_rebased(node)}
        yield from nodes.values()

    def _subscripts_rebased(self, node: Node) -> bool:
        """Tell whether a class that was there has a base like `Box[int]` of a class whose own bases change, and so maybe its type variables."""
        if node.kind is not Kind.CLASS or not node.is_top_level or not self.comparison.has(node):
            return False
        definition = self._syntax(node).definition(node)
        subscripts = [each for each in getattr(definition, "bases", ()) if isinstance(each, ast.Subscript)]
        names = {each.code.co_name for each in self.comparison.rebased}
        return any(loaded_names(each) & names for each in subscripts)

    def _classes(self, node: Node) -> list[tuple[Namespace, type]]:
        """Give the classes of the process that a node made, each with the namespace of its module."""
        found = [(namespace, find_class(namespace, node.qualname)) for namespace in self.namespaces]
        classes = [(namespace, cls) for namespace, cls in found if cls is not None] or self._revived(node)
        if not classes and is_body_running(node.text.filename, node.qualname):
            what = f"the body of {node.qualname} is running, and the class is not there yet"
            self.plan.warn("class-not-found", node, what, "go on in the middle of that frame, or restart it, with the new text")
        elif not classes:
            what = f"the changes of {node.qualname} are not made: no class in the running program has this name"
            self.plan.warn("class-not-found", node, what)
        return classes

    # Definitions that are new, or made anew by other decorators

    def _plan_definitions(self) -> None:
        """Plan what the `def` and `class` statements are to bind that are new, or have other decorators."""
        fresh = {id(node) for node in self._fresh()}
        again = {id(node) for node in self.comparison.redecorated if node.is_top_level}
        broken = self._broken_chains()
        if not fresh and not again and not broken:
            return
        for scope, name, nodes in self._groups(fresh | again, broken):
            parts = [(node, definition) for node in nodes if (definition := self._syntax(node).definition(node)) is not None]
            chained = any(_builds_on(definition, name) for _, definition in parts)
            whole = (id(scope), name) in broken or (chained and any(id(node) in again for node in nodes))
            for namespace, owner in self._places(scope):
                chosen = parts if whole else [part for part in parts if id(part[0]) in fresh | again]
                for group in [chosen] if chained or whole else [[part] for part in chosen]:
                    self._plan_group(group, namespace, owner, binds=group[-1] is parts[-1])

    def _plan_group(self, group: Sequence[tuple[Node, Def]], namespace: Namespace, owner: type | None, *, binds: bool) -> None:
        """Plan definitions of one name that are carried out together, as each may build on the one before."""
        parts = []
        for node, definition in group:
            live = self._living(node, namespace, owner)
            if live is None:
                self._live(node)
            self.plan.touch(node, added=live is None and not self.comparison.has(node))
            as_it_is = bool(self._revived(node)) or self._is_regenerated(live, definition)
            marks = self._marks(node, namespace, owner) if type(live) is FunctionType and not as_it_is else frozenset[str]()
            parts.append(Part(node, definition, live, as_it_is, marks))
        self.plan.steps.append(Define(parts, namespace, owner, binds=binds))

    def _marks(self, node: Node, namespace: Namespace, owner: type | None) -> frozenset[str]:
        """Give the attributes that the decorators which a function had may have set on it."""
        old = self.comparison.partners.get(id(node))
        definition = self._syntax(old).definition(old) if old is not None else None
        if definition is None:
            return frozenset()
        scopes = [class_namespace(owner), namespace] if owner is not None else [namespace]
        is_user = lambda function: self.identify(function.__code__) is not None  # noqa: E731
        return frozenset(marks_of(header(definition).decorators, scopes, is_user))

    def _is_regenerated(self, live: Any, definition: Def) -> bool:
        """Tell whether a class is a dataclass still, so that its changed decorator is no matter of its name."""
        if not isinstance(definition, ast.ClassDef) or not issubclass(type(live), type) or not is_dataclass(live):
            return False
        return any("dataclass" in ast.unparse(each) for each in definition.decorator_list)

    def _broken_chains(self) -> set[tuple[int, str]]:
        """Give scope and name of what is made by several definitions, one of which is gone: a property without its setter, for one."""
        found = set()
        for old in self.comparison.removed:
            definition = self._syntax(old).definition(old)
            if definition is not None and _builds_on(definition, old.code.co_name):
                found.add((id(self._new_scope(old)), old.code.co_name))
        return found

    def _groups(self, wanted: set[int], broken: set[tuple[int, str]]) -> Iterator[tuple[Node, str, list[Node]]]:
        """Give the definitions of one name in one scope, for each such name of which one is wanted."""
        groups: dict[tuple[int, str], tuple[Node, list[Node]]] = {}
        for node in self.comparison.new.module.walk():
            scope = scope_of(node)
            if scope is not None and node.is_top_level and node.kind in (Kind.FUNCTION, Kind.CLASS):
                groups.setdefault((id(scope), node.code.co_name), (scope, []))[1].append(node)
        for (place, name), (scope, nodes) in groups.items():
            is_wanted = (place, name) in broken or any(id(node) in wanted for node in nodes)
            if is_wanted and not self._is_new(scope):
                yield scope, name, nodes

    def _is_new(self, scope: Node) -> bool:
        """Tell whether a class is new itself, so that its definition makes all that is in it."""
        return not self.comparison.has(scope) and not self._revived(scope)

    def _revived(self, node: Node) -> list[tuple[Namespace, type]]:
        """Give the classes that a definition had made, was gone, and is back: they are there still where something holds them."""
        definition = self.comparison.returned.get(id(node))
        if definition is None or node.kind is not Kind.CLASS:
            return []
        left = [(namespace, definition.left_in(namespace)) for namespace in self.namespaces]
        return [(namespace, cls) for namespace, cls in left if issubclass(type(cls), type)]

    def _fresh(self) -> Iterator[Node]:
        """Give the definitions that are new; of a class that is back, those too that it had not."""
        for node in self.comparison.added:
            yield node
            if self._revived(node):
                yield from (child for child in node.children if child.kind in (Kind.CLASS, Kind.FUNCTION))

    def _new_scope(self, old: Node) -> Node | None:
        """Give the module or class of the new text in which a definition of the old one stood."""
        scope = scope_of(old)
        return self.comparison.target(scope.definition) if scope is not None else None

    def _places(self, scope: Node) -> list[tuple[Namespace, type | None]]:
        if scope.kind is Kind.MODULE:
            return [(namespace, None) for namespace in self.namespaces]
        owners = [(namespace, find_class(namespace, scope.qualname)) for namespace in self.namespaces]
        found: list[tuple[Namespace, type | None]] = [(namespace, owner) for namespace, owner in owners if owner is not None]
        return found or [*self._revived(scope)]  # where there is none, that was said for the class

    def _living(self, node: Node, namespace: Namespace, owner: type | None) -> Any:
        """Give the function or class that a definition has made already in a module or class, None where there is none."""
        if node.kind is Kind.CLASS:
            revived = [cls for space, cls in self._revived(node) if space is namespace]
            return revived[0] if revived else find_class(namespace, node.qualname)
        live = [each for each, _ in self._live_of.get(id(node), ()) if each.__globals__ is namespace]
        if len(live) < 2:
            return live[0] if live else None
        bound = (class_namespace(owner) if owner is not None else namespace).get(node.code.co_name)
        behind = [each for each in functions_behind(bound) if any(each is one for one in live)]
        return behind[0] if behind else live[0]

    def _plan_renamed(self) -> None:
        for node in self.comparison.renamed:
            old = self.comparison.partners[id(node)]
            scope = scope_of(node)
            assert scope is not None
            for namespace, owner in self._places(scope):
                live = self._living(node, namespace, owner)
                definition = self._syntax(node).definition(node)
                if live is None or definition is None:
                    continue
                self.plan.assignments += [
                    Assignment(live, "__name__", node.code.co_name),
                    Assignment(live, "__qualname__", node.qualname),
                ]
                self.plan.steps.append(Define([Part(node, definition, live, True)], namespace, owner, binds=True))
                self._plan_removal(old, namespace, owner)

    # What is gone

    def _plan_removed(self) -> None:
        for old in self.comparison.removed:
            scope, new_scope = scope_of(old), self._new_scope(old)
            if scope is None or new_scope is None or not old.is_top_level:
                continue
            syntax = self._syntax(new_scope)
            if syntax.bound_among(new_scope, {old.code.co_name}):
                continue
            if new_scope.kind is Kind.CLASS and old.code.co_name in slots_in(syntax.body(new_scope)):
                continue
            for namespace in self.namespaces:
                owner = find_class(namespace, scope.qualname) if scope.kind is Kind.CLASS else None
                if scope.kind is Kind.MODULE or owner is not None:
                    self._plan_removal(old, namespace, owner)

    def _plan_removal(self, old: Node, namespace: Namespace, owner: type | None) -> None:
        self.plan.removals.append(Removed(self.plan, old, namespace, owner, self.identify))

    def _note_missing(self) -> None:
        """Say so where a function was edited that the program does not have; count inner ones, whose next version is in place."""
        for node in self.comparison.changed:
            if node.kind is not Kind.FUNCTION or id(node) in self.plan.touched or id(node) in self._live_of:
                continue
            if node.is_top_level:
                what = f"{node.qualname} changed, but no function of the program runs it"
                self.plan.warn("no-live-function", node, what)
            elif id(node.outermost) in self.plan.touched:
                self.plan.touch(node)

    def _plan_bookkeeping(self) -> None:
        """Plan what classes note of their place in the file and of the attributes that their methods set."""
        for node in self.comparison.new.module.walk():
            old = self.comparison.partners.get(id(node))
            if node.kind is not Kind.CLASS or old is None or not node.is_top_level:
                continue
            before, after = (stored_constant(each.code, "__static_attributes__") for each in (old, node))
            if old.line == node.line and before == after:
                continue
            found = (find_class(namespace, node.qualname) for namespace in self.namespaces)
            for cls in (each for one in found if one is not None for each in (one, *predecessors(one))):
                noted = class_namespace(cls)
                if noted.get("__firstlineno__") == old.line:
                    self.plan.class_facts.append((cls, "__firstlineno__", node.line))
                if noted.get("__static_attributes__") == before and before != after:
                    self.plan.class_facts.append((cls, "__static_attributes__", after))


def scope_of(node: Node) -> Node | None:
    """Give the module or class body whose statement defines `node`."""
    scope = node.parent
    while scope is not None and not scope.is_scope:
        scope = scope.parent
    return scope


def _builds_on(definition: Def, name: str) -> bool:
    """Tell whether a decorator of a definition uses what the name stands for already, as `@x.setter` does."""
    return any(name in loaded_names(each) for each in header(definition).decorators)
