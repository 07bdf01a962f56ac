"""The statements of a module that is loaded already: which are carried out when they are new or changed, and which are only named.

Imports are carried out, since the new code of functions needs them, and so is an assignment of a plain value to a name that is not bound
yet, as that changes nothing that exists. All other statements did something once, and are not run again unless the user says so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fixcont.editing.compare import ScopeChange, stored_constant
from fixcont.editing.definitions import FUTURES
from fixcont.editing.functions import Namespace, imported_module
from fixcont.editing.matching import match
from fixcont.editing.plan import Plan, Statement, Step, failed, refusal_at
from fixcont.editing.reexports import exported_names
from fixcont.editing.removals import Unimported
from fixcont.editing.syntax import IMPORTS, Item, Syntax, blocks_of, bound_names, is_type_checking, loaded_names
from fixcont.editing.texts import Node
from fixcont.editing.values import CannotTell, value_of
from fixcont.errors import Refused

if TYPE_CHECKING:
    from fixcont.editing.install import Installation


def update(plan: Plan, change: ScopeChange, namespaces: Sequence[Namespace], syntax: Syntax, ahead: Sequence[ast.stmt]) -> None:
    """Plan what the changed statements of a module do.

    Args:
        namespaces: of the modules that were loaded from the file.
        syntax: of the new text.
        ahead: the statements that lie ahead of a module that is being run right now; nothing is done about those.
    """
    lying_ahead = {id(statement) for statement in ahead}
    for item in change.appeared:
        statement = item.statement
        if id(statement) in lying_ahead and not isinstance(statement, IMPORTS):
            continue
        if isinstance(statement, IMPORTS):
            plan.steps += [_Import(change.new, statement, namespace) for namespace in namespaces]
        elif _is_text(statement) or (isinstance(statement, ast.If) and is_type_checking(statement.test) and not statement.orelse):
            continue
        elif _imports_only(statement) and not any(bound_names([statement]) & space.keys() for space in namespaces):
            plan.steps += [_Run(change.new, statement, namespace) for namespace in namespaces]
        elif not _bind_plain(plan, statement, namespaces):
            plan.statements.append(Statement(change.new, item))
    before, after = (stored_constant(each.code, "__doc__") for each in (change.old, change.new))
    if before != after:
        plan.steps += [_Value(change.new.line, namespace, "__doc__", after) for namespace in namespaces]
    names = bound_names(item.statement for item in change.gone)
    lost_names = names - syntax.bound_among(change.new, names)
    for item in change.gone:
        lost = bound_names([item.statement]) & lost_names
        if isinstance(item.statement, ast.ImportFrom) and item.statement.names[0].name == "*":
            body = syntax.body(change.new)
            plan.removals += [
                Unimported(plan, change.old, item.statement, name, namespace)
                for namespace in namespaces
                for name in sorted(
                    exported_names(item.statement, namespace) - bound_names(body) - _given_by_others(body, namespace)
                )
            ]
        elif isinstance(item.statement, IMPORTS):
            plan.removals += [
                Unimported(plan, change.old, item.statement, name, namespace) for namespace in namespaces for name in sorted(lost)
            ]
        else:
            _note_gone(plan, change.new, item, sorted(lost))


def first_ahead(before: ast.Module, after: ast.Module, line: int) -> int:
    """Tell which statement of a new text a module that runs at `line` of the old one has come to, as an index."""
    partners = match(before, after)
    for statement in before.body:
        partner = partners.get(statement)
        if line <= (statement.end_lineno or statement.lineno) and partner in after.body:
            return next(index for index, each in enumerate(after.body) if each is partner)
    return len(after.body)


def run_needed(plans: Sequence[Plan]) -> None:
    """Have those new statements run that bind new names only, and without which new definitions and imports cannot be carried out.

    A type variable is one, or a logger that a decorator takes: the program has nothing that they could overwrite.
    """
    imported = {each for plan in plans for step in plan.steps if isinstance(step, _Import) for each in step.names()}
    for plan in plans:
        modules = {str(namespace.get("__name__")) for namespace in plan.namespaces}
        _run_needed(plan, plan.namespaces, {name for module, name in imported if module in modules})


def _run_needed(plan: Plan, namespaces: Sequence[Namespace], imported: set[str]) -> None:
    needed = imported.union(*(step.calls() for step in plan.steps))
    while True:
        found = [each for each in plan.statements if _is_needed(each.item.statement, needed, namespaces)]
        if not found:
            return
        for each in found:
            plan.statements.remove(each)
            plan.ran.append(each)
            plan.steps += [_Run(each.node, each.item.statement, namespace) for namespace in namespaces]
            needed |= loaded_names(each.item.statement)


def _is_needed(statement: ast.stmt, needed: set[str], namespaces: Sequence[Namespace]) -> bool:
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Try, ast.If)):
        names = _changed_names(statement)
    else:
        names = bound_names([statement]) or _changed_names(statement)
    return bool(names & needed) and not any(names & space.keys() for space in namespaces)


def _changed_names(statement: ast.stmt) -> set[str]:
    """Give the names whose objects a statement changes or that it binds, as `options.update(more)` does; none where it may do more than that."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute() as target)):
            return _root(target)
        case ast.Assign(targets=[ast.Name() | ast.Attribute() | ast.Subscript() as target]):
            return _root(target)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return _root(target)
        case ast.If():
            inside = [_changed_names(each) for block in blocks_of(statement) for each in block if not isinstance(each, ast.Pass)]
            return set[str]().union(*inside) if all(inside) else set()
        case _:
            return set()


def _root(expression: ast.expr) -> set[str]:
    while isinstance(expression, (ast.Attribute, ast.Subscript)):
        expression = expression.value
    return {expression.id} if isinstance(expression, ast.Name) else set()


def _given_by_others(body: Sequence[ast.stmt], namespace: Namespace) -> set[str]:
    """Give the names that a module gets by those statements of a text that import everything of another."""
    stars = [each for each in body if isinstance(each, ast.ImportFrom) and each.names[0].name == "*"]
    return set[str]().union(*(exported_names(each, namespace) for each in stars))


def _imports_only(statement: ast.stmt) -> bool:
    """Tell whether a compound statement chooses between imports, as `try: import a` and `except ImportError: a = None` do."""
    if not isinstance(statement, (ast.Try, ast.If)):
        return False
    inside = [each for block in blocks_of(statement) for each in block]
    return any(isinstance(each, IMPORTS) for each in inside) and all(
        isinstance(each, (*IMPORTS, ast.Pass)) or _imports_only(each) or _is_plain(each) for each in inside
    )


def _is_plain(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)


def _note_gone(plan: Plan, node: Node, item: Item, names: Sequence[str]) -> None:
    if names:
        what = f"{', '.join(names)} is no longer assigned to; the program keeps its value"
        plan.warn("removed-kept", node, what, line=item.line)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    )


def _bind_plain(plan: Plan, statement: ast.stmt, namespaces: Sequence[Namespace]) -> bool:
    """Plan the binding of a name that is new everywhere, or of `__all__`, where its value can be told without running code."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target = statement.target
    else:
        return False
    if not isinstance(target, ast.Name):
        return False
    if target.id != "__all__" and any(target.id in namespace for namespace in namespaces):
        return False
    assert statement.value is not None
    try:
        values = [value_of(statement.value, [namespace]) for namespace in namespaces]
    except CannotTell:
        return False
    plan.steps += [
        _Value(statement.lineno, namespace, target.id, value) for namespace, value in zip(namespaces, values, strict=True)
    ]
    return True


class _Value(Step):
    """Binds a name of a module to a value that is known."""

    def __init__(self, line: int, namespace: Namespace, name: str, value: Any) -> None:
        self.line, self.namespace, self.name, self.value = line, namespace, name, value

    def carry_out(self, installation: Installation) -> None:
        installation.bind(self.namespace, self.name, self.value)


class _Run(Step):
    """Runs a statement that binds new names."""

    def __init__(self, node: Node, statement: ast.stmt, namespace: Namespace) -> None:
        self.node, self.statement, self.namespace = node, statement, namespace
        self.line = statement.lineno

    def calls(self) -> Iterable[str]:
        return loaded_names(self.statement)

    def carry_out(self, installation: Installation) -> None:
        try:
            bound = _executed(self.node, self.statement, self.namespace)
        except Exception as error:
            raise failed(self.node, "this statement, which new definitions need,", error, self.statement.lineno) from error
        for name, value in bound.items():
            installation.bind(self.namespace, name, value)


class _Import(Step):
    """Carries out an import."""

    def __init__(self, node: Node, statement: ast.Import | ast.ImportFrom, namespace: Namespace) -> None:
        self.node, self.statement, self.namespace = node, statement, namespace
        self.line = statement.lineno

    def names(self) -> Iterator[tuple[str, str]]:
        """Give the names that are taken from other modules, each with its module."""
        if isinstance(self.statement, ast.ImportFrom):
            source = imported_module(self.statement, self.namespace)
            yield from ((source, alias.name) for alias in self.statement.names)

    def carry_out(self, installation: Installation) -> None:
        try:
            bound = _executed(self.node, self.statement, self.namespace)
        except Exception as error:
            what = f"{ast.unparse(self.statement)} raised {type(error).__name__}: {error}"
            instead = "mend it, or leave it out for now"
            raise Refused(refusal_at("import-failed", self.node, what, instead, self.statement.lineno)) from error
        for name, value in bound.items():
            installation.bind(self.namespace, name, value)


def _executed(node: Node, statement: ast.stmt, namespace: Namespace) -> dict[str, Any]:
    """Run a statement of a module, and give the names that it binds, without binding them."""
    flags = node.code.co_flags & FUTURES
    code = compile(ast.Module([statement], []), node.text.filename, "exec", flags=flags, dont_inherit=True)
    bound: dict[str, Any] = {}
    exec(code, namespace, bound)
    bound.pop("__annotations__", None)
    return bound
