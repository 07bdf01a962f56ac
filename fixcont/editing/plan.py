"""What installing the changes of one file will do: worked out before anything is touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from fixcont.bytecode.closures import Body
from fixcont.editing.compare import Comparison
from fixcont.editing.functions import Namespace
from fixcont.editing.syntax import Item
from fixcont.editing.texts import Node
from fixcont.errors import Refusal, Refused

if TYPE_CHECKING:
    from fixcont.editing.install import Installation
    from fixcont.editing.removals import PutOff

UNTIL_RESTART = "it takes effect when the program is started again"


class Assignment(NamedTuple):
    """An attribute of a function, or of what a decorator has made of it, that gets a new value."""

    function: Any
    name: str
    value: Any


class Step:
    """Something that must be evaluated, which may run the user's code, or that depends on what is.

    Attributes:
        line: of the new text; the steps of a file are carried out in the order of the lines.
    """

    line: float

    def calls(self) -> Iterable[str]:
        """Give the names of what may be called meanwhile."""
        return ()

    def carry_out(self, installation: Installation) -> None:
        """Evaluate it, and collect what is to be assigned.

        Raises:
            Refused: it raised.
        """
        raise NotImplementedError


class Statement(NamedTuple):
    """A new or changed statement of a module, which is not run unless the user says so.

    Attributes:
        node: of the module.
    """

    node: Node
    item: Item


@dataclass(eq=False)
class Plan:
    """What installing the changes of one file does.

    Attributes:
        namespaces: of the modules that were loaded from the file.
        assignments: attributes that functions get, none of which needs to be evaluated.
        steps: what must be evaluated.
        removals: names that are to be taken out of the process, carried out after everything else.
        put_off: names of these that had to stay, as old code that runs may need them.
        kept: live code objects that stay as they are, each with the node of the new text that it is.
        touched: id of a node -> new node of a function or class that is another one from now on.
        added: ids of those nodes in `touched` that were not there before.
        classes: id of a class -> it, its node, and whether its instances may be concerned: attributes, fields, bases, or what its
            `__init__` sets.
        class_facts: attributes of classes in which Python notes where and how they are written, with their new values.
        statements: of the module, new or changed, that are not run.
        ran: new statements that are run, as new definitions need what they bind.
        warnings: (code, sentence) -> the warning.
        functions: the live functions of the file that were looked at, each with the code that it had.
    """

    comparison: Comparison
    namespaces: Sequence[Namespace] = ()
    assignments: list[Assignment] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    removals: list[Step] = field(default_factory=list)
    put_off: list[PutOff] = field(default_factory=list)
    kept: list[tuple[CodeType, Node]] = field(default_factory=list)
    touched: dict[int, Node] = field(default_factory=dict)
    added: set[int] = field(default_factory=set)
    classes: dict[int, tuple[type, Node, bool]] = field(default_factory=dict)
    class_facts: list[tuple[type, str, Any]] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    ran: list[Statement] = field(default_factory=list)
    warnings: dict[tuple[str, str], Refusal] = field(default_factory=dict)
    functions: list[tuple[FunctionType, CodeType]] = field(default_factory=list)

    def warn(self, code: str, node: Node, what: str, instead: str = UNTIL_RESTART, line: int | None = None) -> None:
        """Note an edit that has no effect, or not the expected one."""
        warning = refusal_at(code, node, what, instead, line)
        self.warnings.setdefault((code, warning.sentence), warning)

    def touch(self, node: Node, *, added: bool = False) -> None:
        """Note that a function or class is another one from now on."""
        self.touched[id(node)] = node
        if added:
            self.added.add(id(node))

    def forget_steps(self) -> None:
        """Let go of the steps, which hold the user's objects, and the plan in their turn: a cycle that would keep them alive for a while."""
        self.steps.clear()
        self.removals.clear()
        self.functions.clear()

    def needed_early(self, names: Iterable[str], called: Set[int]) -> Iterator[Assignment]:
        """Give the new code of functions that are called early, and of those that these call in their turn, as far as names tell.

        Args:
            names: of what is called.
            called: ids of functions that are.
        """
        codes = [each for each in self.assignments if each.name == "__code__"]
        yield from (each for each in codes if id(each.function) in called)
        waiting, seen = set(names), set[str]()
        while waiting:
            seen |= waiting
            found = [each for each in codes if {_code(each).co_name, _owner(_code(each))} & waiting]
            yield from (each for each in found if id(each.function) not in called)
            waiting = {name for each in found for name in _names(_code(each))} - seen


def _code(assignment: Assignment) -> CodeType:
    code: CodeType = assignment.value.code if type(assignment.value) is Body else assignment.value
    return code


def _owner(code: CodeType) -> str:
    """Give the name of the class or function that a function is defined in: to call that may call this one."""
    around = code.co_qualname.split(".")[:-1]
    return next((name for name in reversed(around) if name != "<locals>"), "")


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _names(const)


def refusal_at(code: str, node: Node, what: str, instead: str = "", line: int | None = None) -> Refusal:
    """Make a refusal of an edit, with its place in the file."""
    return Refusal(code, f"{node.text.filename}:{line or node.line}: {what}", instead)


def failed(node: Node, what: str, error: Exception, line: int | None = None) -> Refused:
    """Make the error for something of the user's that raised while it was evaluated."""
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    refusal = refusal_at("definition-failed", node, f"{what} raised {told}", "mend it, or leave it out for now", line)
    return Refused(refusal)
