"""Following pytest through the run: which test it is at, setting fixtures up again, and the end by `quit`."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest

from fixcont.errors import Quit
from fixcont.stopping.stop import StopReason
from fixcont_ui.pytest_plugin.front_end import code_of
from fixcont_ui.pytest_plugin.generated import keep_from_explanations
from fixcont_ui.pytest_plugin.parameters import keep
from fixcont_ui.pytest_plugin.repairs import ENDED, Repairs

if TYPE_CHECKING:
    from fixcont_ui.pytest_plugin.distributed.worker import Reporting

#: The innermost of pytest's wrappers: nothing of pytest has seen the exception yet.
_innermost: Final = pytest.hookimpl(wrapper=True, trylast=True)
_outermost: Final = pytest.hookimpl(wrapper=True, tryfirst=True)

#: For the reports that tools read.
_PROPERTY: Final = ("fixcont", "repaired")

_Wrapper = Generator[None, Any, Any]


class Running:
    """Hooks that are called around tests.

    Args:
        reporting: for a worker, what tells the controller.
    """

    def __init__(self, repairs: Repairs, reporting: Reporting | None = None) -> None:
        self._repairs = repairs
        self._reporting = reporting
        self._has_ended = False
        self._has_passed = False  # the test that runs, but for its teardown

    @_outermost
    def pytest_make_collect_report(self, collector: pytest.Collector) -> _Wrapper:
        __tracebackhide__ = True
        self._repairs.collector = collector
        try:
            with self._ending_the_run():
                report = yield
                self._has_ended |= self._repairs.is_ending and report.failed
        finally:
            self._repairs.collector = None
        repair = self._repairs.of(collector)
        if repair is not None:
            repair.has_passed = report.passed
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_collectreport(self) -> None:
        self._end_behind_failure()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        keep_from_explanations()

    @_outermost
    def pytest_runtest_protocol(self, item: pytest.Item) -> _Wrapper:
        if self._reporting is not None:
            self._reporting.begin_test(item.session)
        self._repairs.item = item
        self._repairs.forget(item)
        self._has_passed = False
        try:
            result = yield
        finally:
            self._repairs.item = None
            if self._reporting is not None and self._repairs.of(item) is not None:
                self._reporting.tell()
        self._end_behind_failure()
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        if self._reporting is not None:
            self._reporting.tell(waits=True)

    @_innermost
    def pytest_runtest_setup(self) -> _Wrapper:
        __tracebackhide__ = True
        self._repairs.phase = "setup"
        with self._ending_the_run():
            return (yield)

    @_innermost
    def pytest_runtest_teardown(self) -> _Wrapper:
        __tracebackhide__ = True
        self._repairs.phase = "teardown"
        with self._ending_the_run():
            return (yield)

    @_innermost
    def pytest_runtest_call(self, item: pytest.Item) -> _Wrapper:
        __tracebackhide__ = True
        self._repairs.phase = "call"
        function = getattr(item, "obj", None)
        self._repairs.wants_fixtures = self._repairs.goes_again = self._repairs.halts = False
        parameters = keep(_parameters_of(item))
        with self._ending_the_run():
            result = None
            with self._repeated():
                result = yield
            while self._repairs.wants_fixtures or self._repairs.goes_again:
                self._repairs.wants_fixtures = self._repairs.goes_again = False
                if function is not None and item.obj is not function:  # type: ignore[attr-defined]
                    item.obj = function  # type: ignore[attr-defined] # plug-ins wrap it for one call
                for restore in parameters:
                    restore()
                set_up_again(item)
                self._halt_in(item)
                with self._repeated():
                    item.runtest()
        return result

    @contextmanager
    def _repeated(self) -> Iterator[None]:
        """Drop what a test is made to fail by because it did not fail any more when it was repeated: it is run again."""
        try:
            yield
        except Exception:
            if not self._repairs.goes_again:
                raise
        else:
            self._repairs.goes_again = False

    def _halt_in(self, item: pytest.Item) -> None:
        """Stop at the first line of a test function that was restarted so."""
        code = code_of(item)
        if self._repairs.halts and code is not None:
            self._repairs.session.stepping.stop_in(code, StopReason.STEP)
        self._repairs.halts = False

    @_outermost
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> _Wrapper:
        repair = self._repairs.of(item)
        passes = call.excinfo is None and (call.when == "call" or self._has_passed)
        if repair is not None and passes and _PROPERTY not in item.user_properties:
            item.user_properties.append(_PROPERTY)
        report = yield
        if call.when == "call":
            self._has_passed = report.passed and not hasattr(report, "wasxfail")
        if repair is not None:
            if call.when == "call":
                repair.has_passed = report.is_repaired = self._has_passed
            elif call.when == "teardown":
                repair.fails_after = repair.has_passed and not report.passed
                repair.has_passed |= self._has_passed and report.passed
        return report

    @contextmanager
    def _ending_the_run(self) -> Iterator[None]:
        """End the run where the command `quit` has been given in a block, also where what it raises is kept, as a subtest does."""
        try:
            yield
        except Quit:
            raise
        except BaseException:
            self._has_ended |= self._repairs.is_ending  # by this failure, which is reported first
            raise
        finally:
            self._has_ended |= self._repairs.is_ending and _has_failed_in_unittest(self._repairs.item)
            if self._repairs.is_ending and self._reporting is not None:
                self._end_everywhere()
            elif self._repairs.is_ending and not self._has_ended:
                _exit()

    def _end_behind_failure(self) -> None:
        """End a run whose last failure is one that was quitted at, when it has been reported."""
        if self._has_ended and self._reporting is None:
            _exit()

    def _end_everywhere(self) -> None:
        """End a run that several processes share: where one of them exits another is started in its place."""
        node = self._repairs.item or self._repairs.collector
        if node is not None:
            node.session.shouldstop = ENDED
        if not self._has_ended:  # once is enough
            self._has_ended = True
            raise pytest.fail.Exception(ENDED, pytrace=False) from None


def _has_failed_in_unittest(item: pytest.Item | None) -> bool:
    """Tell whether a test has failed by what unittest has caught, and pytest has put aside for its report."""
    return any(not isinstance(each.value, Quit) for each in getattr(item, "_excinfo", None) or ())


def _exit() -> NoReturn:
    pytest.exit(ENDED, returncode=int(pytest.ExitCode.INTERRUPTED))


def _parameters_of(item: pytest.Item) -> list[Any]:
    specification: Any = getattr(item, "callspec", None)
    return [] if specification is None else list(specification.params.values())


def set_up_again(item: pytest.Item) -> None:
    """Tear down what belongs to this test alone, and set it up again, as pytest does between two tests of the same class or module."""
    state: Any = item.session._setupstate
    state.teardown_exact(item.parent)
    if isinstance(item, pytest.Function):
        if item.cls is not None:  # its instance is the test's own, too
            item.__dict__.pop("_instance", None)
            item._obj = None
        _ask_for_new_fixtures(item)
        initialize: Any = getattr(item, "_initrequest", None)
        if initialize is not None:
            initialize()
    state.setup(item)


def _ask_for_new_fixtures(item: pytest.Function) -> None:
    """Let the test have fixtures for parameters that an edit has given it."""
    fixtures: Any = item.session._fixturemanager
    old: Any = item._fixtureinfo
    new = fixtures.getfixtureinfo(item, item.obj, item.cls)
    if new.argnames == old.argnames:
        return
    closure = [*old.names_closure, *(name for name in new.names_closure if name not in old.names_closure)]
    item._fixtureinfo = dataclasses.replace(
        old,
        argnames=new.argnames,
        initialnames=tuple(dict.fromkeys((*old.initialnames, *new.initialnames))),
        names_closure=closure,
        name2fixturedefs={**new.name2fixturedefs, **old.name2fixturedefs},
    )
    item.fixturenames = closure
