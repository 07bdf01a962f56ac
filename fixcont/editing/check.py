"""Decide what an install will do, and whether it can be done, before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import CellType, CodeType, FunctionType
from typing import Any

from fixcont.editing import modules
from fixcont.editing.classes import ClassPlanner, old_definition
from fixcont.editing.compare import Comparison, Relation, ScopeChange, relation, static_attributes
from fixcont.editing.definitions import Define, Part
from fixcont.editing.functions import Namespace, class_namespace, find_class, functions_behind, shifted
from fixcont.editing.headers import Headers
from fixcont.editing.plan import Assignment, Plan
from fixcont.editing.removals import Removed
from fixcont.editing.syntax import IMPORTS, Def, Header, Syntax, bound_names, header, loaded_names
from fixcont.editing.texts import Kind, Node
from fixcont.errors import Refusal, Refused


def check(
    comparison: Comparison,
    functions: Sequence[FunctionType],
    namespaces: Sequence[Namespace],
    identify: Callable[[CodeType], Node | None],
    trap: Callable[[CodeType], CodeType],
    untrapped: Callable[[CodeType], CodeType],
) -> Plan:
    """Plan the installation of one changed file.

    Args:
        functions: all live functions of the file.
        namespaces: of all modules that were loaded from it.
        identify: gives the node that a live code object was made from, None where its text is not known.

    Raises:
        Refused: something in the file cannot be installed; nothing was touched.
    """
    return _Checker(comparison, functions, namespaces, identify, trap, untrapped).check()


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
    return _Checker(comparison, functions, (), identify, trap, untrapped).check_back(has_header)


class _Checker:
    def __init__(
        self,
        comparison: Comparison,
        functions: Sequence[FunctionType],
        namespaces: Sequence[Namespace],
        identify: Callable[[CodeType], Node | None],
        trap: Callable[[CodeType], CodeType],
        untrapped: Callable[[CodeType], CodeType],
    ) -> None:
        self.comparison = comparison
        names = tuple(name for name in (space.get("__name__") for space in namespaces) if type(name) is str)
        self.plan = Plan(comparison, names)
        self.namespaces = namespaces
        self.identify = identify
        self.trap = trap
        self.untrapped = untrapped
        self.headers = Headers(self.plan, self._changing)
        self._relations: dict[tuple[int, int], Relation] = {}  # (id of old node, id of new node) -> how they stand
        self._syntaxes: dict[int, Syntax] = {}  # id of a text -> its syntax
        self._changed = {id(node) for node in comparison.changed}
        self._matched = [(function, *self._match(function)) for function in functions]
        self._live_of: dict[int, list[FunctionType]] = {}  # id of a new node -> the functions that it is
        for function, _, target in self._matched:
            if target is not None:
                self._live_of.setdefault(id(target), []).append(function)

    def check(self) -> Plan:
        self._adopt_all()
        for function, node, target in self._matched:
            if target is not None:
                headers = self._headers(node, target) or self._headers_that_read_what_changes(target)
                self._plan_function(function, node, target, headers)
            elif node is not None and node.kind is Kind.LAMBDA and node.definition.newest is not None:
                what = "a lambda from this line cannot be told from others in the changed text"
                self.plan.warn("lambda-not-matched", node, what)
        self._plan_scopes()
        self._plan_definitions()
        self._plan_renamed()
        self._plan_removed()
        self._note_missing()
        self._plan_bookkeeping()
        return self.plan

    def check_back(self, has_header: Callable[[FunctionType], bool]) -> Plan:
        self.headers = Headers(self.plan, lambda node: set(), evaluates=False)
        self._adopt_all()
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
        definition = self._syntax(target).definition(target) if names else None
        if definition is None:
            return None
        head = header(definition)
        read = (loaded_names(each) for each in (*head.defaults.values(), *head.annotations.values()))
        return (head, head) if any(each & names for each in read) else None

    def _changing(self, target: Node) -> set[str]:
        """Give the names that get another value by this edit where the header of a function is evaluated."""
        scope = scope_of(target) if target.is_top_level else None
        found: set[str] = set()
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

    def _plan_function(
        self, function: FunctionType, node: Node | None, target: Node, headers: tuple[Header, Header] | None
    ) -> None:
        how = self._relation(function, node, target)
        if how is Relation.SAME and headers is None:
            self.plan.kept.append((function.__code__, target))
            return
        old_code, new_code = function.__code__, target.code
        if old_code.co_freevars != new_code.co_freevars:
            raise Refused(_closure_refusal(target, old_code, new_code))
        if headers is not None and not self.headers.update(function, target, self._syntax(target).definition(target), *headers):
            return
        if how is Relation.CHANGED:
            self._plan_doc(function, node, target)
        if how is Relation.SAME:
            self.plan.kept.append((function.__code__, target))
        else:
            self.plan.assignments.append(Assignment(function, "__code__", self._live(target)))
        if how is Relation.CHANGED or (headers is not None and id(target) in self._changed):
            self.plan.touch(target)

    def _plan_doc(self, function: FunctionType, node: Node | None, target: Node) -> None:
        old = _doc(node.code if node is not None else self.untrapped(function.__code__))
        new, current = _doc(target.code), function.__doc__
        if old != new and type(current) in (str, type(None)) and current == old:  # else the program has set it
            self.plan.assignments.append(Assignment(function, "__doc__", new))

    # Statements of modules and classes

    def _plan_scopes(self) -> None:
        """Plan what changed in the bodies of the module and of classes, but for the definitions there."""
        changes = {id(change.new): change for change in self.comparison.scopes}
        for node in self.comparison.added:
            if self._revived(node):
                items = (item for item in self._syntax(node).items(node) if item.definition is None)
                changes[id(node)] = ScopeChange(node, node, tuple(items), ())
        rebased = {id(node) for node in self.comparison.rebased}
        for node in self._scopes():
            if node.kind is Kind.MODULE:
                if id(node) in changes:
                    modules.update(self.plan, changes[id(node)], self.namespaces, self._syntax(node).body(node))
                continue
            planner = ClassPlanner(self.plan, self._syntax(node), self.trap)
            for namespace, cls in self._classes(node):
                before = old_definition(self.comparison, node) if id(node) in rebased else None
                if before is not None:
                    planner.rebase(cls, namespace, node, before)
                if id(node) in changes:
                    planner.update(cls, namespace, changes[id(node)])
                planner.finish(cls, node)

    def _scopes(self) -> Iterator[Node]:
        """Give the modules and classes of the new text whose own body or header changed."""
        nodes = {id(node): node for node in self.comparison.changed if node.is_scope}
        nodes |= {id(node): node for node in self.comparison.rebased if node.is_top_level}
        nodes |= {id(node): node for node in self.comparison.added if self._revived(node)}
        yield from nodes.values()

    def _classes(self, node: Node) -> list[tuple[Namespace, type]]:
        """Give the classes of the process that a node made, each with the namespace of its module."""
        found = [(namespace, find_class(namespace, node.qualname)) for namespace in self.namespaces]
        classes = [(namespace, cls) for namespace, cls in found if cls is not None] or self._revived(node)
        if not classes:
            what = f"the changes of {node.qualname} are not made: no class in the running program has this name"
            self.plan.warn("class-not-found", node, what)
        return classes

    # Definitions that are new, or made anew by other decorators

    def _plan_definitions(self) -> None:
        """Plan what the `def` and `class` statements are to bind that are new, or have other decorators."""
        fresh = {id(node) for node in self._fresh()}
        again = {id(node) for node in self.comparison.redecorated if node.is_top_level}
        broken = self._broken_chains()
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
            parts.append(Part(node, definition, live, as_it_is=bool(self._revived(node))))
        self.plan.steps.append(Define(parts, namespace, owner, binds=binds))

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
        live = [each for each in self._live_of.get(id(node), ()) if each.__globals__ is namespace]
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
            if old.code.co_name in bound_names(self._syntax(new_scope).body(new_scope)):
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
            before, after = static_attributes(old.code), static_attributes(node.code)
            if old.line == node.line and before == after:
                continue
            for namespace in self.namespaces:
                cls = find_class(namespace, node.qualname)
                noted = class_namespace(cls) if cls is not None else {}
                if cls is not None and noted.get("__firstlineno__") == old.line:
                    self.plan.class_facts.append((cls, "__firstlineno__", node.line))
                if cls is not None and noted.get("__static_attributes__") == before and before != after:
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


def _doc(code: CodeType) -> str | None:
    return FunctionType(code, {}, None, None, tuple(CellType() for _ in code.co_freevars)).__doc__


def _closure_refusal(target: Node, old: CodeType, new: CodeType) -> Refusal:
    more = sorted(set(new.co_freevars) - set(old.co_freevars))
    less = sorted(set(old.co_freevars) - set(new.co_freevars))
    parts = [f"now uses {_names(more)}"] if more else []
    parts += [f"no longer uses {_names(less)}"] if less else []
    sentence = f"{target.text.filename}:{target.line}: {target.qualname} {' and '.join(parts)}"
    return Refusal("closure-changed", sentence, "keep the variables that it takes from around it, or start the program again")


def _names(variables: Sequence[str]) -> str:
    """Name free variables as the user wrote them: `__class__` is there for `super()`."""
    own = [name for name in variables if not name.startswith("__class")]
    said = [f"{', '.join(own)} of the function around it"] if own else []
    said += ["super() or __class__"] if len(own) < len(variables) else []
    return " and ".join(said)
