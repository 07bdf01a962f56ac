"""Write a test of a failure that was repaired: made, seen to fail on what failed and to pass on what was repaired, and only then written.

Knows nothing of stops: where the function, its arguments and the texts come from is the caller's matter.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fixcont.errors import Refusal, Refused
from fixcont.testcases import processes, texts
from fixcont.testcases.drawing import bounded
from fixcont.testcases.graphs import Graph
from fixcont.testcases.texts import Existing, Parts

TIMEOUT: Final = 30.0  # seconds that each process has
_MISSING: Final = ("ModuleNotFoundError", "ImportError")


@dataclass(frozen=True)
class Failure:
    """A call that has failed, and what was repaired since.

    Attributes:
        module: the name by which the module of the function is imported.
        filename: its file.
        qualname: of the function, in the newest version.
        line: where it failed, in the version that failed.
        arguments: what it was called with.
        error: name of the type and message of the exception; None where there was none.
        before: file -> what it said when the call failed, for all files that were changed since.
        after: file -> what it is to say, for those that say something else on disk.
        path: where modules are imported from.
    """

    module: str
    filename: str
    qualname: str
    line: int
    arguments: Graph
    error: tuple[str, str] | None
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    path: Sequence[str]


@dataclass(frozen=True)
class Written:
    """A test that was written.

    Attributes:
        path: the file.
        name: of the test.
        is_new: whether the file was not there before.
        failed_with: what the test raised on the version before.
        is_alike: whether that is what the call had failed with.
    """

    path: str
    name: str
    is_new: bool
    failed_with: str
    is_alike: bool


def write_test(failure: Failure, path: str, limit: float = TIMEOUT) -> Written:
    """Write a test to a file, or add it to one that has tests.

    The program's code is run by that, in three processes of its own: once to see what the repaired function returns, then the test on the newest
    version, and on the one before. What it does to files and to the world is not undone.

    Args:
        limit: seconds that each of the processes has.

    Raises:
        Refused: there is no such test; the file is as it was.
    """
    path = os.path.abspath(path)
    existing = texts.read(path)
    before = what_was_changed(failure.qualname, failure.before, failure.after)
    answer = processes.ask("making", _request(failure), limit)
    name = texts.test_name(failure.qualname, failure.error[0] if failure.error is not None else "", existing)
    draft = _Draft(path, existing, name)
    try:
        parts = Parts(answer["standard"], answer["own"], _comments(failure), answer["body"])
        parts, paths = _passing(draft, parts, answer["roots"], failure, limit)
        failed_with = _failing(draft, parts, paths, before, failure, limit)
        is_alike = failure.error is None or _type_of(failed_with) == failure.error[0]
        if not is_alike:
            note = "The arguments are as they were when it had failed: the call may have changed them before."
            draft.write(texts.compose(existing, name, parts._replace(comments=[*parts.comments, texts.comment(note)]), paths))
        draft.put()
    finally:
        draft.remove()
    return Written(path, name, existing is None, failed_with, is_alike)


def what_was_changed(qualname: str, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give the files that do say something else than before, with what they said; see `Failure`. Raises `Refused` where there is none."""
    found = {name: source for name, source in before.items() if after.get(name, _read(name)) != source}
    if not found:
        sentence = f"nothing was changed since this call of {qualname} began, so a test of it would fail on every version"
        raise Refused(Refusal("not-repaired", sentence, 'repair it with "fix" first'))
    return found


def _request(failure: Failure) -> dict[str, Any]:
    return {
        "module": failure.module,
        "filename": failure.filename,
        "qualname": failure.qualname,
        "graph": failure.arguments.as_json(),
        "error": failure.error,
        "overlay": _as_json(failure.after),
        "path": list(failure.path),
    }


def _passing(draft: _Draft, parts: Parts, roots: Sequence[str], failure: Failure, limit: float) -> tuple[Parts, list[str]]:
    """Find the text of the test that passes on the newest version: one that needs no path to find its modules, or else with one."""
    needed = [texts.path_expression(each, draft.path) for each in roots if not _is_installed(each)]
    for paths in [[], needed] if needed else [[]]:
        draft.write(texts.compose(draft.existing, draft.name, parts, paths))
        answer = draft.run(failure.after, limit)
        if answer["outcome"] == "passed":
            return parts, paths
        if not answer["raised"].startswith(_MISSING) or not draft.lacks(answer["raised"], parts):
            break
    told = answer["raised"] or "nothing was run"
    sentence = f"the test does not pass on the newest version when it is run again: {told}"
    raise Refused(Refusal("does-not-pass", sentence, "what the function does may depend on more than its arguments"))


def _failing(
    draft: _Draft, parts: Parts, paths: Sequence[str], before: Mapping[str, bytes], failure: Failure, limit: float
) -> str:
    """See the test fail on the version before, and give what it raised. There a generator may have no end."""
    whole = texts.compose(draft.existing, draft.name, parts, paths)
    draft.write(texts.compose(draft.existing, draft.name, parts._replace(body=bounded(parts.body)), paths))
    answer = draft.run({**failure.after, **before}, limit)
    draft.write(whole)
    if answer["outcome"] in ("failed", "error"):
        return str(answer["raised"])
    sentence = (
        f"the test does not fail on the version before the repair, so it would not tell whether {failure.qualname} is repaired"
    )
    raise Refused(Refusal("does-not-fail", sentence, "select the frame whose arguments made it fail"))


class _Draft:
    """The file as it is to be, beside where it will be: so that it is run with what lies around it.

    Attributes:
        path: where it is to be put.
        existing: what is there now, or None.
        name: of the test.
    """

    def __init__(self, path: str, existing: Existing | None, name: str) -> None:
        self.path = path
        self.existing = existing
        self.name = name
        stem = re.sub(r"\W", "_", os.path.splitext(os.path.basename(path))[0])
        self._draft = os.path.join(os.path.dirname(os.path.realpath(path)), f"fixcont_draft_{os.getpid()}_{stem}.py")

    def write(self, text: bytes) -> None:
        try:
            with open(self._draft, "wb") as stream:
                stream.write(text)
        except OSError as error:
            raise self._not_written(error) from None

    def run(self, overlay: Mapping[str, bytes], limit: float) -> dict[str, str]:
        """Run the test."""
        request = {"file": self._draft, "name": self.name, "overlay": _as_json(overlay)}
        return processes.ask("trying", request, limit)

    def lacks(self, raised: str, parts: Parts) -> bool:
        """Tell whether it is a module of the test's own that was not found."""
        return any(_module_of(line) in raised for line in parts.own)

    def put(self) -> None:
        """Put it in its place, whole or not at all; never over what was written there meanwhile."""
        try:
            if self.existing is None:
                os.link(self._draft, self.path)
                return
            if _read(self.path) != self.existing.source:
                sentence = f"{self.path} was changed meanwhile, and is left alone"
                raise Refused(Refusal("file-changed", sentence, "give the command again"))
            real = os.path.realpath(self.path)
            os.chmod(self._draft, os.stat(real).st_mode & 0o7777)
            os.replace(self._draft, real)
        except FileExistsError:
            raise Refused(
                Refusal("file-changed", f"{self.path} was made meanwhile, and is left alone", "give the command again")
            ) from None
        except OSError as error:
            raise self._not_written(error) from None

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            os.remove(self._draft)

    def _not_written(self, error: OSError) -> Refused:
        return Refused(
            Refusal("file-not-written", f"{self.path} cannot be written: {error.strerror or error}", "name another file")
        )


def _comments(failure: Failure) -> list[str]:
    place = f"{os.path.basename(failure.filename)}, line {failure.line}"
    if failure.error is None:
        return [texts.comment(f"Written at {place}.")]
    kind, message = failure.error
    return [texts.comment(f"{place}, had raised {kind}{': ' if message else ''}{message}")]


def _module_of(line: str) -> str:
    return line.split()[1]


def _type_of(told: str) -> str:
    return told.partition(":")[0].rpartition(".")[2].strip()


def _is_installed(folder: str) -> bool:
    return any(part in ("site-packages", "dist-packages") for part in folder.split(os.sep)) or folder.startswith(sys.base_prefix)


def _read(name: str) -> bytes | None:
    try:
        with open(name, "rb") as stream:
            return stream.read()
    except OSError:
        return None


def _as_json(sources: Mapping[str, bytes]) -> dict[str, str]:
    return {os.path.realpath(name): source.decode("latin-1") for name, source in sources.items()}
