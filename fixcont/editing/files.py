"""One file of the program: the texts that were loaded from it, and what it says on disk now."""

from __future__ import annotations

import importlib.util
import os
import time
from types import CodeType
from typing import NamedTuple

from fixcont.editing.compare import Comparison, Relation, compare, relation
from fixcont.editing.lineage import Lineage
from fixcont.editing.result import Installed
from fixcont.editing.texts import Definition, Kind, Node, Text
from fixcont.errors import Refusal, Refused

_Key = tuple[str, tuple[str, ...]]  # the parameters tell a setter from its getter
_NAMED = (Kind.FUNCTION, Kind.CLASS)
_Signature = tuple[int, int]  # modification time in nanoseconds, size in bytes

# Within this time after its last change a file may change again without a visible change of its modification time.
_CLOCK_GRAIN = 2_000_000_000


class Gone(Exception):
    """A file of the program is no longer there. A program may delete modules that it has made, and must not be held up by that."""


class _Undone(NamedTuple):
    """What a file says after an undo.

    Attributes:
        was_installed: whether it is a text that an undo took out of the process; else the user has saved something else since.
    """

    signature: _Signature
    source: bytes
    was_installed: bool


class File:
    """A file that is known to be part of the program.

    Parameters:
        text: what was loaded.
        status: of the file when it was loaded, None where there was none.

    Attributes:
        newest: the text that is installed.
        loaded: the texts that modules were loaded from, oldest first; code objects that nobody noted belong to one of them.
        module_names: the modules that were loaded from it.
        is_behind: whether some code of the file may not be that of `newest`, though nothing changed on disk since.
        gone: qualified name and parameters -> definition that an install took out of the file.
    """

    def __init__(self, text: Text, status: os.stat_result | None) -> None:
        self.filename = text.filename
        self.newest = text
        self.loaded = [text]
        self.module_names: set[str] = set()
        self.is_behind = False
        self.gone: dict[_Key, Definition] = {}
        self._signature: _Signature | None = None
        self._is_missing = status is None  # it was never there: part of an archive, or generated
        self._unrelated: list[tuple[Text, Text]] = []
        self._undone: _Undone | None = None
        if status is not None and status.st_size == len(text.source):
            self._signature = _trusted((status.st_mtime_ns, status.st_size))

    def load(self, source: bytes) -> None:
        """Note that the file was loaded once more."""
        if source != self.newest.source:
            text = Text(self.filename, source)
            self._unrelated.append((self.newest, text))
            self.newest = text
            self.is_behind = True
        if self.newest not in self.loaded:
            self.loaded.append(self.newest)
        self._signature = None

    def precede(self, source: bytes) -> None:
        """Note that a text which was never loaded here is the version before the one that is, unless it is one that was.

        Raises:
            SyntaxError: a text does not compile.
        """
        if any(each.source == source for each in self.loaded):
            return
        earlier = Text(self.filename, source)
        self.commit(compare(earlier, self.newest))
        self.loaded.insert(0, earlier)

    def read(self) -> bytes | None:
        """Give what the file says now, None where that is what is installed.

        Raises:
            Gone: the file is not there. That is said once; after that it counts as unchanged until it comes back.
            Refused: the file cannot be read, or is no text.
        """
        try:
            status = os.stat(self.filename)
            signature = (status.st_mtime_ns, status.st_size)
            if signature == self._signature:
                return None
            with open(self.filename, "rb") as stream:
                source = stream.read()
        except FileNotFoundError:
            if self._is_missing:
                return None
            self._is_missing, self._signature = True, None
            raise Gone from None
        except OSError as error:
            raise Refused(_unreadable(self.filename, error.strerror or type(error).__name__)) from error
        self._is_missing = False
        if source == self.newest.source:
            self._signature, self._undone = _trusted(signature), None
            return None
        if self._undone is not None and self._undone[:2] == (signature, source):
            self._signature = _trusted(signature)
            return None
        _check_text(self.filename, source)
        return source

    def hold_back(self, undone: bytes) -> bool:
        """Let what the file says now not be installed until it is saved anew.

        Args:
            undone: the text that an undo has just taken out of the process.

        Returns:
            Whether the file says something else than what is installed now.
        """
        was_installed = {undone, self._undone.source} if self._undone is not None and self._undone.was_installed else {undone}
        self._signature = self._undone = None
        try:
            status = os.stat(self.filename)
            with open(self.filename, "rb") as stream:
                source = stream.read()
        except OSError:
            return False  # `read` says so
        if source == self.newest.source:
            return False
        self._undone = _Undone((status.st_mtime_ns, status.st_size), source, source in was_installed)
        return True

    @property
    def undone(self) -> _Undone | None:
        """What is in the file and must not be installed, as an undo has taken it back."""
        return self._undone

    def written_back(self) -> None:
        """Note that the file says again what is installed."""
        self._signature = self._undone = None

    def installed(self, qualname: str) -> Installed | None:
        """Give the version of a function or class that is installed, None where the newest text has none of this name."""
        nodes = [each for each in self.newest.module.walk() if each.qualname == qualname and each.kind in _NAMED]
        return Installed(qualname, self.filename, max(each.version for each in nodes)) if nodes else None

    def relate_texts(self) -> None:
        """Find out which definitions of texts that were loaded one after the other are the same. Not done while loading: it costs."""
        while self._unrelated:
            old, new = self._unrelated.pop(0)
            if _compiles(old):
                self.commit(compare(old, new))
            elif old in self.loaded:
                self.loaded.remove(old)  # the import of it has failed, so nothing ever ran it

    def is_plain(self) -> bool:
        """Whether all its code is of one text, so that no code object needs to be looked at."""
        return self.loaded == [self.newest] and self.newest.is_certain

    def node(self, code: CodeType, plain: CodeType) -> Node | None:
        """Find the node of a code object that nobody noted; `plain` is the same without traps."""
        for text in [self.newest, *reversed(self.loaded)]:
            nodes = text.nodes.get((code.co_qualname, code.co_firstlineno), [])
            if len(nodes) == 1 and self.is_plain():
                return nodes[0]
            for node in nodes:
                if relation(plain, node.code) is Relation.SAME:
                    return node
        return None

    def revive(self, comparison: Comparison) -> None:
        """Let definitions that come back after they were gone be the same as before, and classes with their methods."""
        for node in comparison.new.module.walk() if self.gone else ():
            if comparison.has(node):
                continue
            definition = self.gone.get(_key(node))
            if definition is not None and id(definition) not in comparison.targets:
                comparison.targets[id(definition)] = node
                comparison.returned[id(node)] = definition

    def commit(self, comparison: Comparison) -> None:
        """Make the new text of `comparison` the newest one, and count the versions of its definitions."""
        new, changed = comparison.new, {id(node) for node in comparison.changed}
        for node in new.module.walk():
            partner = comparison.partners.get(id(node))
            if partner is not None:
                node.definition, node.version = partner.definition, partner.version
            elif id(node) in comparison.returned:
                node.definition = self.gone.pop(_key(node))
                node.version = node.definition.next_version()
            if id(node) in changed and comparison.old is not new:
                node.version = node.definition.next_version()
            node.definition.newest = node
        if comparison.old is not new:
            self._take_out(comparison)
        self.newest, self._undone = new, None

    def take_back(self, comparison: Comparison, lineage: Lineage) -> None:
        """Make the text of before the last install the newest again, with the versions that its definitions had."""
        older = comparison.new
        for place, node in enumerate(older.module.walk()):
            partner = comparison.partners.get(id(node))
            if partner is not None:
                node.definition, node.version = partner.definition, lineage.version(place, partner.version)
        for place, node, definition in lineage.lost_in(older):
            node.definition, node.version = definition, lineage.version(place, 1)
            if self.gone.get(_key(node)) is definition:
                del self.gone[_key(node)]
        for node in older.module.walk():
            node.definition.newest = node
        self._take_out(comparison)
        self.newest = older

    def _take_out(self, comparison: Comparison) -> None:
        kept = {id(node) for node in comparison.partners.values()}
        for node in comparison.old.module.walk():
            node.live = None  # the code lives as long as a function or a frame runs it
            if id(node) not in kept:
                node.definition.newest = None
                if node.is_top_level or node.kind is Kind.FUNCTION:
                    self.gone[_key(node)] = node.definition


def _compiles(text: Text) -> bool:
    try:
        return text.module is not None
    except SyntaxError:
        return False


def _key(node: Node) -> _Key:
    return node.qualname, node.code.co_varnames[: node.code.co_argcount + node.code.co_kwonlyargcount]


def _trusted(signature: _Signature) -> _Signature | None:
    return signature if time.time_ns() - signature[0] > _CLOCK_GRAIN else None


def _check_text(filename: str, source: bytes) -> None:
    if b"\0" in source:
        raise Refused(_unreadable(filename, "it contains null bytes"))
    try:
        importlib.util.decode_source(source)
    except (UnicodeError, SyntaxError, LookupError) as error:
        raise Refused(_unreadable(filename, f"it cannot be decoded: {error}")) from error


def _unreadable(filename: str, why: str, instead: str = "save it as text again") -> Refusal:
    return Refusal("file-unreadable", f"{filename} cannot be read: {why}", instead)
