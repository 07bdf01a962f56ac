"""Who will handle an exception: real handlers in real functions, predicted at the place where the exception is raised."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import json
import re
import sys
import threading
import types
import unittest
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from fixcont.stopping.prediction import Outcome, Predictor, Verdict
from fixcont.stopping.prediction.codes import view_of

LIBRARY_FILE = "somebody_elses.py"


class Probe:
    """Raises an exception, having predicted at the caller's place, twice: the second time from what is remembered."""

    def __init__(self, library_broad_counts: bool = False) -> None:
        self.predictor = Predictor(self.is_user, library_broad_counts)
        self.verdicts: list[Verdict] = []
        self.exits: tuple[object, ...] = ()

    @staticmethod
    def is_user(code: types.CodeType) -> bool:
        return code.co_filename == __file__ and "." in code.co_qualname

    def __call__(self, exception: BaseException) -> Any:
        frame = sys._getframe(1)
        self.predict(exception, frame)
        verdict = self.predict(exception, frame)
        assert repr(verdict) == repr(self.verdicts[-2])
        raise exception

    def predict(self, exception: BaseException, frame: types.FrameType) -> Verdict:
        view = view_of(frame.f_code)
        at = view.unit_of(frame)
        assert at is not None
        handler = view.handler_at(at)
        verdict = self.predictor.predict(exception, frame, None if handler is None else 2 * handler, self.exits)
        self.verdicts.append(verdict)
        return verdict

    @property
    def answer(self) -> tuple[str, str, str]:
        """Outcome, cause, and the name of the function that catches."""
        verdict = self.verdicts[-1]
        return verdict.outcome.value, verdict.cause, verdict.catcher.f_code.co_name if verdict.catcher is not None else ""


@pytest.fixture
def fail() -> Iterator[Probe]:
    probe = Probe()
    yield probe
    probe.verdicts.clear()


def run(function: Callable[[], Any]) -> None:
    """Run a scenario whose exception may come out. Not the user's own, and broad."""
    try:
        function()
    except BaseException:
        pass


def library(source: str, **variables: Any) -> dict[str, Any]:
    """Return the names that code in somebody else's file defines."""
    exec(compile(source, LIBRARY_FILE, "exec"), variables)
    return variables


OUTSIDE = ("unhandled", "library-broad", "run")


class Names:
    error = KeyError


class Quiet:
    """A manager whose exit lets everything through."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *details: object) -> None:
        self.details = details


class Choosy(Quiet):
    def __exit__(self, kind: object, *details: object) -> bool:  # type: ignore[override]
        return kind is KeyError


@contextlib.contextmanager
def tidy() -> Iterator[None]:
    try:
        yield
    finally:
        len("")


@contextlib.contextmanager
def forgiving() -> Iterator[None]:
    try:
        yield
    except KeyError:
        pass


class TestHandlers:
    def test_tuple_of_types(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(KeyError())
            except (ValueError, Names.error):
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_other_type(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(KeyError())
            except (ValueError, OSError):
                pass

        run(scenario)
        assert fail.answer == OUTSIDE

    def test_bare_after_finally(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                try:
                    fail(KeyError())
                except ValueError:
                    pass
                finally:
                    len("")
            except:  # noqa: E722
                pass

        run(scenario)
        assert fail.answer == ("handled", "broad", "scenario")

    def test_type_in_a_local_variable(self, fail: Probe) -> None:
        def scenario(wanted: type[Exception] = KeyError) -> None:
            try:
                fail(KeyError())
            except wanted:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_type_in_a_free_variable(self, fail: Probe) -> None:
        wanted = (ValueError,)

        def scenario() -> None:
            try:
                fail(KeyError())
            except (*wanted,):
                pass
            except wanted + (KeyError,):
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_type_that_must_be_computed(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(KeyError())
            except type(ValueError()):
                pass

        run(scenario)
        assert fail.answer == ("unknown", "type-expression", "")
        assert fail.verdicts[-1].where is not None and fail.verdicts[-1].where.f_code.co_name == "scenario"

    def test_computed_type_does_not_matter_where_it_is_handled_anyway(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                try:
                    fail(KeyError())
                except type(ValueError()):
                    pass
            except KeyError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_reraise(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                try:
                    fail(KeyError())
                except KeyError:
                    len("")
                    raise
            except LookupError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    @pytest.mark.parametrize("statement", ["raise", "raise e", "raise e.with_traceback(None)"])
    def test_always_reraised(self, fail: Probe, statement: str) -> None:
        source = f"def scenario():\n try: fail(KeyError())\n except KeyError as e:\n  {statement}"
        run(library(source, fail=fail)["scenario"])
        assert fail.answer == OUTSIDE

    def test_conditional_reraise(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(KeyError())
            except KeyError as error:
                if error.args:
                    raise

        run(scenario)
        assert fail.answer == ("handled", "conditional", "scenario")

    def test_converted(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(KeyError())
            except KeyError as error:
                raise ValueError from error

        run(scenario)
        assert fail.answer == ("handled", "converted", "scenario")

    def test_finally_that_leaves_the_loop(self) -> None:
        fail = Probe(library_broad_counts=True)
        source = "def scenario():\n for i in (1, 2):\n  try: fail(KeyError())\n  finally: break"
        with pytest.warns(SyntaxWarning) if sys.version_info >= (3, 14) else contextlib.nullcontext():
            names = library(source, fail=fail)
        run(names["scenario"])
        assert fail.answer == ("handled", "broad", "scenario")

    def test_finally_whose_own_exception_is_swallowed_in_it(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(KeyError())
            finally:
                with Quiet(), contextlib.suppress(ValueError), Quiet():
                    raise ValueError

        run(scenario)
        assert fail.answer == OUTSIDE

    def test_finally_that_ends_by_handling_an_exception_of_its_own(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(KeyError())
            finally:
                try:
                    raise ValueError
                except ValueError:
                    pass

        run(scenario)
        assert fail.answer == OUTSIDE

    def test_handler_at_the_end_of_a_finally_that_an_exception_led_to(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                raise OSError
            finally:
                try:
                    fail(KeyError())
                except KeyError:
                    pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_finally_whose_own_exception_leaves_it_through_a_handler(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(KeyError())
            finally:
                try:
                    raise ValueError
                except ValueError as error:
                    raise OSError from error

        run(scenario)
        assert fail.answer == ("handled", "converted", "scenario")

    def test_inside_a_handler(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                try:
                    raise KeyError
                except KeyError:
                    try:
                        fail(IndexError())
                    except ValueError:
                        pass
            except IndexError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_rebound_name_is_noticed(self, fail: Probe) -> None:
        names = library("def scenario():\n try: fail(KeyError())\n except Wanted: pass", fail=fail, Wanted=KeyError)
        run(names["scenario"])
        assert fail.answer == ("handled", "typed", "scenario")
        names["Wanted"] = ValueError
        run(names["scenario"])
        assert fail.answer == OUTSIDE
        names["Wanted"] = KeyError
        names["KeyError"] = ValueError
        run(names["scenario"])
        assert fail.answer == OUTSIDE

    def test_rebound_builtin_is_noticed_in_a_caller(self, fail: Probe) -> None:
        names = library("def scenario():\n try: inner()\n except KeyError: pass\ndef inner(): fail(error)", fail=fail)
        names["error"] = KeyError()
        run(names["scenario"])
        assert fail.answer == ("handled", "typed", "scenario")
        names["KeyError"] = ValueError
        run(names["scenario"])
        assert fail.answer == OUTSIDE

    def test_class_body(self, fail: Probe) -> None:
        def scenario() -> None:
            class Body:
                try:
                    fail(KeyError())
                except KeyError:
                    pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "Body")


class TestGroups:
    def test_plain_exception(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(KeyError())
            except* (ValueError, KeyError):
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_whole_group(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(ExceptionGroup("", [KeyError(), ExceptionGroup("", [IndexError()])]))
            except* LookupError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_part_of_a_group(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(ExceptionGroup("", [KeyError(), ValueError()]))
            except* KeyError:
                pass

        run(scenario)
        assert fail.answer == ("unknown", "part-of-group", "")

    def test_whole_group_by_several_clauses(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(ExceptionGroup("", [KeyError(), ExceptionGroup("", [OSError(), ValueError()])]))
            except* KeyError:
                pass
            except* (KeyError, OSError):
                pass
            except* ValueError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_no_part_of_a_group(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                fail(ExceptionGroup("", [KeyError(), ValueError()]))
            except* OSError:
                pass

        run(scenario)
        assert fail.answer == OUTSIDE

    def test_raised_in_a_body(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                raise KeyError
            except* KeyError:
                fail(ValueError())

        run(scenario)
        assert fail.answer == OUTSIDE

    @pytest.mark.parametrize(
        ("kind", "answer"),
        [
            (Exception, ("handled", "broad", "scenario")),
            (KeyError, OUTSIDE),
            (ValueError, ("unknown", "converted", "")),  # alone it is taken, in a group it is not
            (ExceptionGroup, ("unknown", "converted", "")),
        ],
    )
    @pytest.mark.parametrize("is_outward", [False, True])
    def test_raised_in_a_body_with_a_handler_around(
        self, fail: Probe, kind: type[Exception], answer: tuple[str, str, str], is_outward: bool
    ) -> None:
        def inner() -> None:
            try:
                raise ExceptionGroup("", [KeyError(), OSError()])
            except* KeyError:
                fail(ValueError())

        def scenario() -> None:
            try:
                if is_outward:
                    inner()
                else:
                    try:
                        raise ExceptionGroup("", [KeyError(), OSError()])
                    except* KeyError:
                        fail(ValueError())
            except kind:
                pass

        run(scenario)
        assert fail.answer == answer

    def test_raised_in_a_body_with_a_star_around(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                try:
                    raise ExceptionGroup("", [KeyError(), OSError()])
                except* KeyError:
                    fail(ValueError())
            except* ValueError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")


class TestLibraries:
    def test_broad_handler_does_not_count(self, fail: Probe) -> None:
        names = library("def call(function):\n try: function()\n except Exception: pass")

        def scenario() -> None:
            names["call"](lambda: fail(KeyError()))

        run(scenario)
        assert fail.answer == ("unhandled", "library-broad", "call")

    def test_broad_handler_counts_on_demand(self) -> None:
        fail = Probe(library_broad_counts=True)
        names = library("def call(function):\n try: function()\n except Exception: pass")
        run(lambda: names["call"](lambda: fail(KeyError())))
        assert fail.answer == ("handled", "broad", "call")

    def test_narrow_handler_counts(self, fail: Probe) -> None:
        names = library("def call(function):\n try: function()\n except (OSError, LookupError): pass")
        run(lambda: names["call"](lambda: fail(KeyError())))
        assert fail.answer == ("handled", "typed", "call")

    def test_broad_handler_that_may_reraise(self, fail: Probe) -> None:
        names = library("def call(function, strict):\n try: function()\n except Exception:\n  if strict: raise")

        def nobody_outside() -> None:
            names["call"](lambda: fail(KeyError()), True)

        def somebody_outside() -> None:
            try:
                nobody_outside()
            except KeyError:
                pass

        run(nobody_outside)
        assert fail.answer == OUTSIDE
        run(somebody_outside)
        assert fail.answer[:2] == ("unknown", "conditional")

    def test_user_handler_inside(self, fail: Probe) -> None:
        names = library("def call(function):\n try: function()\n except Exception: pass")

        def scenario() -> None:
            try:
                fail(KeyError())
            except Exception:
                pass

        run(lambda: names["call"](scenario))
        assert fail.answer == ("handled", "broad", "scenario")


class TestContexts:
    def test_suppress(self, fail: Probe) -> None:
        def scenario() -> None:
            with contextlib.suppress(LookupError):
                fail(KeyError())

        run(scenario)
        assert fail.answer == ("handled", "with", "scenario")

    def test_suppress_of_another_type_in_a_caller(self, fail: Probe) -> None:
        def scenario() -> None:
            with contextlib.suppress(OSError):
                (lambda: fail(KeyError()))()

        run(scenario)
        assert fail.answer == OUTSIDE

    def test_managers_that_pass(self, fail: Probe) -> None:
        def scenario() -> None:
            lock = threading.Lock()
            with Quiet(), tidy(), lock, open(__file__), contextlib.nullcontext():
                (lambda: fail(KeyError()))()

        run(scenario)
        assert fail.answer == OUTSIDE

    def test_generator_that_swallows(self, fail: Probe) -> None:
        def scenario() -> None:
            with tidy():
                with forgiving():
                    fail(KeyError())

        run(scenario)
        assert fail.answer == ("handled", "with", "scenario")

    def test_exit_that_swallows_everything(self, fail: Probe) -> None:
        class Deaf(Quiet):
            def __exit__(self, *details: object) -> bool:  # type: ignore[override]
                self.details = details
                return True

        def scenario() -> None:
            with Deaf():
                fail(KeyError())

        run(scenario)
        assert fail.answer == ("handled", "with", "scenario")

    def test_exit_that_chooses(self, fail: Probe) -> None:
        def scenario() -> None:
            with Choosy():
                fail(KeyError())

        run(scenario)
        assert fail.answer == ("unknown", "with", "")

    def test_assert_raises(self, fail: Probe) -> None:
        class Case(unittest.TestCase):
            def right(self) -> None:
                with self.assertRaises(LookupError):  # noqa: PT027
                    (lambda: fail(KeyError()))()

            def wrong(self) -> None:
                with self.assertRaisesRegex(OSError, "x"):  # noqa: PT027
                    (lambda: fail(KeyError()))()

        run(Case("right").right)
        assert fail.answer == ("handled", "with", "right")
        run(Case("wrong").wrong)
        assert fail.answer == OUTSIDE

    def test_pytest_raises(self, fail: Probe) -> None:
        def right() -> None:
            with pytest.raises((OSError, KeyError), match=r"^$"):
                (lambda: fail(KeyError()))()

        def wrong() -> None:
            with pytest.raises(OSError):
                (lambda: fail(KeyError()))()

        run(right)
        assert fail.answer == ("handled", "with", "right")
        run(wrong)
        assert fail.answer == OUTSIDE

    @pytest.mark.parametrize(
        ("make", "answer"),
        [
            (lambda: contextlib.suppress(KeyError), "handled"),
            (lambda: contextlib.suppress(OSError), "unhandled"),
            (lambda: unittest.TestCase().assertRaises(LookupError), "handled"),  # noqa: PT027
            (lambda: unittest.TestCase().assertRaises(OSError), "unhandled"),  # noqa: PT027
            (lambda: pytest.raises(KeyError), "handled"),
            (forgiving, "handled"),
            (tidy, "unhandled"),
            (Quiet, "unhandled"),
            (Choosy, "unknown"),
            (threading.Lock, "unhandled"),
            (lambda: open(__file__), "unhandled"),
        ],
    )
    @pytest.mark.parametrize("as_pair", [False, True])
    def test_live_exit_of_the_failing_frame(self, fail: Probe, make: Callable[[], Any], answer: str, as_pair: bool) -> None:
        def scenario() -> None:
            manager = make()
            fail.exits = ((manager, type(manager).__exit__),) if as_pair else (manager.__exit__,)
            chosen = [manager]
            with chosen[0]:
                fail(KeyError())

        run(scenario)
        assert fail.answer[0] == answer

    def test_live_exits_are_innermost_last(self, fail: Probe) -> None:
        def scenario(outer: Any, inner: Any) -> None:
            fail.exits = (outer.__exit__, inner.__exit__)
            managers = [outer, inner]
            with managers[0], managers[1]:
                fail(KeyError())

        run(lambda: scenario(contextlib.suppress(KeyError), Quiet()))
        assert fail.answer[0] == "handled"
        run(lambda: scenario(contextlib.suppress(OSError), Quiet()))
        assert fail.answer[0] == "unhandled"

    def test_exit_stack(self, fail: Probe) -> None:
        def scenario(*inner: Any) -> None:
            with contextlib.ExitStack() as stack:
                for manager in inner:
                    stack.enter_context(manager)
                stack.callback(len, "")
                fail.exits = (stack.__exit__,)
                fail(KeyError())

        run(lambda: scenario(Quiet(), contextlib.suppress(KeyError), Quiet()))
        assert fail.answer[0] == "handled"
        run(lambda: scenario(Quiet(), tidy()))
        assert fail.answer[0] == "unhandled"

    def test_decorated_with_a_manager(self, fail: Probe) -> None:
        @forgiving()
        def forgiven() -> None:
            fail(KeyError())

        @tidy()
        def scenario() -> None:
            fail(KeyError())

        run(forgiven)
        assert fail.answer[:2] == ("handled", "with")
        run(scenario)
        assert fail.answer == OUTSIDE

    def test_sub_test_of_a_test_runner(self, fail: Probe) -> None:
        class Case(unittest.TestCase):
            def runTest(self) -> None:
                with self.subTest(1):
                    fail(KeyError())

        result = unittest.TestResult()
        run(lambda: Case().run(result))
        assert fail.answer[0] == "unhandled"


class TestCallbacks:
    """C code between two frames."""

    @pytest.mark.parametrize("exception", [ValueError(), KeyError(), TypeError(), AttributeError(), ZeroDivisionError()])
    @pytest.mark.parametrize(
        "call",
        [
            lambda f: sorted([1, 2], key=f),
            lambda f: list(map(f, [1])),
            lambda f: list(filter(f, [1])),
            lambda f: min([1, 2], key=f),
            lambda f: max([1, 2], key=f),
            lambda f: sum(f(1) for _ in [1]),
            lambda f: re.sub("a", f, "a"),
            lambda f: functools.partial(f, 1)(),
            lambda f: functools.reduce(lambda a, b: f(a), [1, 2]),
            lambda f: json.dumps(object(), default=f),
            lambda f: type("T", (), {"__init__": lambda self: f(1)})(),
            lambda f: type("T", (), {"x": property(f)})().x,
            lambda f: type("T", (), {"__add__": lambda self, o: f(o)})() + 1,
            lambda f: str(type("T", (), {"__str__": lambda self: f(self)})()),
            lambda f: [*map(f, [1])],
            lambda f: dict.fromkeys(map(f, [1])),
            lambda f: f(*[1]),
            lambda f: getattr(type("T", (), {"x": property(f)})(), "x"),
        ],
    )
    def test_ordinary_callbacks_are_transparent(self, fail: Probe, call: Callable[[Any], Any], exception: Exception) -> None:
        def callback(value: object) -> object:
            return fail(exception)

        run(lambda: call(callback))
        assert fail.answer == OUTSIDE

    @pytest.mark.parametrize(
        "call",
        [
            lambda o: hasattr(o, "x"),
            lambda o: getattr(o, "x", None),
            lambda o: hasattr(o, "missing"),
            lambda o: getattr(o, "missing", 0),
        ],
    )
    def test_attribute_errors_that_are_swallowed(self, fail: Probe, call: Callable[[Any], Any]) -> None:
        class Thing:
            @property
            def x(self) -> object:
                return fail(AttributeError())

            def __getattr__(self, name: str) -> object:
                return fail(AttributeError())

        run(lambda: call(Thing()))
        assert fail.answer[0] in ("handled", "unknown")

    def test_other_errors_are_not_swallowed_by_hasattr(self, fail: Probe) -> None:
        class Thing:
            @property
            def x(self) -> object:
                return fail(ValueError())

        run(lambda: hasattr(Thing(), "x"))
        assert fail.answer == OUTSIDE

    def test_attribute_error_of_a_plain_access(self, fail: Probe) -> None:
        class Thing:
            def __getattr__(self, name: str) -> object:
                return fail(AttributeError(name))

        run(lambda: Thing().missing)
        assert fail.answer == OUTSIDE

    def test_attribute_error_of_a_lookup_that_a_property_in_c_makes(self, fail: Probe) -> None:
        class Argument:
            def __getattr__(self, name: str) -> object:
                return fail(AttributeError(name))

        alias = types.GenericAlias(list, (Argument(),))
        run(lambda: alias.__parameters__)
        assert fail.answer[0] == "unknown"

    def test_property_before_getattr(self, fail: Probe) -> None:
        class Thing:
            @property
            def x(self) -> object:
                return fail(AttributeError())

            def __getattr__(self, name: str) -> object:
                return 1

        run(lambda: Thing().x)
        assert fail.answer[0] == "unknown"

    def test_same_place_with_another_callee(self, fail: Probe) -> None:
        class Thing:
            @property
            def x(self) -> object:
                return fail(AttributeError())

        def ask(function: Callable[..., Any], *arguments: Any) -> Any:
            return function(*arguments)

        def method() -> None:
            fail(AttributeError())

        run(lambda: ask(method))
        assert fail.answer == OUTSIDE
        run(lambda: ask(hasattr, Thing(), "x"))
        assert fail.answer[0] in ("handled", "unknown")
        run(lambda: ask(method))
        assert fail.answer == OUTSIDE

    def test_iteration_by_index(self, fail: Probe) -> None:
        class Row:
            def __getitem__(self, index: int) -> int:
                if index > 1:
                    fail(IndexError())
                return index

        def scenario() -> None:
            for _ in Row():  # type: ignore[attr-defined]
                pass

        run(scenario)
        assert fail.answer[:2] == ("handled", "protocol")
        run(lambda: list(Row()))  # type: ignore[call-overload]
        assert fail.answer[0] in ("handled", "unknown")
        run(lambda: Row()[5])
        assert fail.answer == OUTSIDE

    def test_length_hint(self, fail: Probe) -> None:
        class Sized:
            def __len__(self) -> int:
                return fail(TypeError())  # type: ignore[no-any-return]

            def __iter__(self) -> Iterator[int]:
                return iter([1])

        run(lambda: list(Sized()))
        assert fail.answer[0] in ("handled", "unknown")
        run(lambda: len(Sized()))
        assert fail.answer == OUTSIDE

    def test_finalizer(self, fail: Probe) -> None:
        class Thing:
            def __del__(self) -> None:
                with contextlib.suppress(ValueError):
                    fail(ValueError())
                frame = sys._getframe()
                fail.verdicts.append(fail.predictor.predict(KeyError(), frame, None))

        def scenario() -> None:
            thing = Thing()
            del thing

        run(scenario)
        assert fail.answer[:2] == ("unhandled", "unraisable")


class TestGenerators:
    def test_consumer_catches(self, fail: Probe) -> None:
        def inner() -> Iterator[int]:
            try:
                yield fail(KeyError())
            except ValueError:
                pass

        def outer() -> Iterator[int]:
            yield from inner()

        def scenario() -> None:
            try:
                for _ in outer():
                    pass
            except KeyError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_consumer_in_c(self, fail: Probe) -> None:
        def numbers() -> Iterator[int]:
            yield 1
            fail(KeyError())

        def scenario() -> None:
            try:
                list(numbers())
            except KeyError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")
        run(lambda: list(numbers()))
        assert fail.answer == OUTSIDE

    def test_thrown_into_a_delegation(self, fail: Probe) -> None:
        def inner() -> Iterator[int]:
            try:
                yield 1
            except KeyError as error:
                fail(error)

        def outer() -> Iterator[int]:
            yield from inner()

        def scenario() -> None:
            generator = outer()
            next(generator)
            try:
                generator.throw(KeyError())  # type: ignore[attr-defined]
            except KeyError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_stop_iteration_ends_a_loop(self, fail: Probe) -> None:
        class Numbers:
            def __iter__(self) -> Numbers:
                return self

            def __next__(self) -> int:
                return fail(StopIteration())  # type: ignore[no-any-return]

        def scenario() -> None:
            for _ in Numbers():
                pass

        run(scenario)
        assert fail.answer[:2] == ("handled", "protocol")
        run(lambda: next(Numbers()))
        assert fail.answer == OUTSIDE
        run(lambda: next(Numbers(), None))
        assert fail.answer[0] == "handled"

    def test_stop_iteration_in_a_generator(self, fail: Probe) -> None:
        def numbers() -> Iterator[int]:
            yield fail(StopIteration())

        run(lambda: list(numbers()))
        assert fail.answer[:2] == ("handled", "converted")

    def test_coroutines(self, fail: Probe) -> None:
        async def inner() -> None:
            try:
                fail(KeyError())
            except ValueError:
                pass

        async def scenario() -> None:
            try:
                await inner()
            except KeyError:
                pass

        run(lambda: scenario().send(None))
        assert fail.answer == ("handled", "typed", "scenario")

    def test_handler_that_yields(self, fail: Probe) -> None:
        def numbers() -> Iterator[int]:
            try:
                fail(KeyError())
            except KeyError:
                yield 1
                raise

        run(lambda: next(numbers()))
        assert fail.answer[0] == "handled"


class TestTasks:
    def test_main_coroutine(self, fail: Probe) -> None:
        async def main() -> None:
            await asyncio.sleep(0)
            fail(KeyError())

        def scenario() -> None:
            try:
                asyncio.run(main())
            except KeyError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")
        run(lambda: asyncio.run(main()))
        assert fail.answer == OUTSIDE

    def test_awaited_task(self, fail: Probe) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            fail(KeyError())

        async def catching() -> None:
            try:
                await asyncio.create_task(work())
            except KeyError:
                pass

        async def not_catching() -> None:
            try:
                await asyncio.create_task(work())
            except OSError:
                pass

        run(lambda: asyncio.run(catching()))
        assert fail.answer == ("handled", "typed", "catching")
        run(lambda: asyncio.run(not_catching()))
        assert fail.answer == OUTSIDE

    def test_gather(self, fail: Probe) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            fail(KeyError())

        async def catching() -> None:
            try:
                await asyncio.gather(work(), asyncio.sleep(0))
            except KeyError:
                pass

        async def keeping() -> None:
            await asyncio.gather(work(), return_exceptions=True)

        async def not_catching() -> None:
            await asyncio.gather(work())

        run(lambda: asyncio.run(catching()))
        assert fail.answer == ("handled", "typed", "catching")
        run(lambda: asyncio.run(keeping()))
        assert fail.answer[:2] == ("handled", "task")
        run(lambda: asyncio.run(not_catching()))
        assert fail.answer == OUTSIDE

    def test_wait_for(self, fail: Probe) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            fail(KeyError())

        async def catching() -> None:
            try:
                await asyncio.wait_for(work(), 10)
            except KeyError:
                pass

        run(lambda: asyncio.run(catching()))
        assert fail.answer == ("handled", "typed", "catching")

    @pytest.mark.parametrize(("counts", "answer"), [(False, ("unhandled", "task")), (True, ("handled", "task"))])
    def test_nobody_awaits(self, counts: bool, answer: tuple[str, str]) -> None:
        fail = Probe(counts)

        async def work() -> None:
            fail(KeyError())

        async def main() -> None:
            task = asyncio.create_task(work())
            await asyncio.sleep(0.001)
            task.exception()

        run(lambda: asyncio.run(main()))
        assert fail.answer[:2] == answer

    def test_a_container_of_tasks_is_told_of_the_end(self, fail: Probe) -> None:
        running = set()

        async def work() -> None:
            fail(KeyError())

        async def main() -> None:
            task = asyncio.create_task(work())
            running.add(task)
            task.add_done_callback(running.discard)
            await asyncio.sleep(0.001)
            task.exception()

        run(lambda: asyncio.run(main()))
        assert fail.answer[:2] == ("unhandled", "task")

    def test_a_container_of_tasks_and_one_who_awaits(self, fail: Probe) -> None:
        running = set()

        async def work() -> None:
            await asyncio.sleep(0)
            fail(KeyError())

        async def main() -> None:
            task = asyncio.create_task(work())
            running.add(task)
            task.add_done_callback(running.discard)
            try:
                await task
            except KeyError:
                pass

        run(lambda: asyncio.run(main()))
        assert fail.answer == ("handled", "typed", "main")

    def test_a_callback_of_the_user_may_take_it(self, fail: Probe) -> None:
        async def work() -> None:
            fail(KeyError())

        async def main() -> None:
            task = asyncio.create_task(work())
            task.add_done_callback(lambda task: task.exception())
            await asyncio.sleep(0.001)

        run(lambda: asyncio.run(main()))
        assert fail.answer[:2] == ("unknown", "task")

    def test_handlers_of_connections(self, fail: Probe) -> None:
        async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                fail(KeyError())
            finally:
                writer.close()

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
            server = await asyncio.start_server(work, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            writer.close()
            server.close()

        run(lambda: asyncio.run(main()))
        assert fail.answer[:2] == ("unhandled", "task")

    def test_task_group(self, fail: Probe) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            fail(KeyError())

        async def catching() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(work())
                    group.create_task(asyncio.sleep(10))
            except* KeyError:
                pass

        async def catching_the_group() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(work())
            except ExceptionGroup:
                pass

        async def not_catching() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(work())
            except KeyError:  # it comes in a group
                pass

        async def catching_something_else() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(work())
            except* ValueError:
                pass

        run(lambda: asyncio.run(catching()))
        assert fail.answer[0] == "handled"
        run(lambda: asyncio.run(catching_the_group()))
        assert fail.answer == ("handled", "typed", "catching_the_group")
        run(lambda: asyncio.run(not_catching()))
        assert fail.answer == OUTSIDE
        run(lambda: asyncio.run(catching_something_else()))
        assert fail.answer == OUTSIDE

    def test_task_groups_in_a_task_group(self, fail: Probe) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            fail(KeyError())

        async def inner() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(work())

        async def catching() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(inner())
            except* KeyError:
                pass

        async def not_catching() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(inner())

        run(lambda: asyncio.run(catching()))
        assert fail.answer[0] == "handled"
        run(lambda: asyncio.run(not_catching()))
        assert fail.answer == OUTSIDE

    def test_task_group_whose_body_is_not_at_its_end(self, fail: Probe) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            fail(KeyError())

        async def catching() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(work())
                    await asyncio.sleep(10)
            except* KeyError:
                pass

        async def not_catching() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(work())
                await asyncio.sleep(10)

        run(lambda: asyncio.run(catching()))
        assert fail.answer[0] == "handled"
        run(lambda: asyncio.run(not_catching()))
        assert fail.answer == OUTSIDE

    def test_the_body_of_a_task_group(self, fail: Probe) -> None:
        async def work() -> None:
            async with asyncio.TaskGroup():
                fail(KeyError())

        async def catching() -> None:
            try:
                async with asyncio.TaskGroup():
                    fail(KeyError())
            except* KeyError:
                pass

        async def catching_the_group() -> None:
            try:
                async with asyncio.TaskGroup():
                    fail(KeyError())
            except ExceptionGroup:
                pass

        async def not_catching() -> None:
            try:
                async with asyncio.TaskGroup():
                    fail(KeyError())
            except KeyError:  # it comes in a group
                pass

        async def catching_outside() -> None:
            try:
                await work()
            except* KeyError:
                pass

        run(lambda: asyncio.run(catching()))
        assert fail.answer == ("handled", "typed", "catching")
        run(lambda: asyncio.run(catching_the_group()))
        assert fail.answer == ("handled", "typed", "catching_the_group")
        run(lambda: asyncio.run(not_catching()))
        assert fail.answer == OUTSIDE
        run(lambda: asyncio.run(catching_outside()))
        assert fail.answer[0] != "unhandled"
        run(lambda: asyncio.run(work()))
        assert fail.answer == OUTSIDE

    def test_async_context_and_iteration(self, fail: Probe) -> None:
        @contextlib.asynccontextmanager
        async def forgiving_async() -> AsyncIterator[None]:
            try:
                yield
            except KeyError:
                pass

        async def numbers() -> AsyncIterator[int]:
            yield 1
            fail(KeyError())

        async def main() -> None:
            async with asyncio.Lock():
                async with forgiving_async():
                    async for _ in numbers():
                        pass

        run(lambda: asyncio.run(main()))
        assert fail.answer[0] in ("handled", "unknown")

    def test_system_exit_goes_through(self, fail: Probe) -> None:
        async def main() -> None:
            fail(SystemExit())

        def scenario() -> None:
            try:
                asyncio.run(main())
            except SystemExit:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")


class TestKnownLibraries:
    def test_contexts_of_click_let_everything_pass_but_its_own(self, fail: Probe) -> None:
        names = library(
            """
class Abort(Exception):
    pass
class Context:
    def __enter__(self):
        return self
    def __exit__(self, *details):
        return self.close(*details)
    def close(self, *details):
        return details[0] is Abort
def make_context():
    return Context()
def main(command):
    with make_context() as context:
        return command()
""",
            __name__="click.core",
        )
        run(lambda: names["main"](lambda: fail(KeyError())))
        assert fail.answer == OUTSIDE
        run(lambda: names["main"](lambda: fail(names["Abort"]())))
        assert fail.answer[:2] == ("unknown", "with")


class TestThreads:
    def test_thread(self, fail: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(threading, "excepthook", lambda details: None)
        thread = threading.Thread(target=lambda: fail(KeyError()))
        thread.start()
        thread.join()
        assert fail.answer[:2] == ("unhandled", "library-broad")

    @pytest.mark.parametrize(("counts", "answer"), [(False, "unhandled"), (True, "handled")])
    def test_pool(self, counts: bool, answer: str) -> None:
        fail = Probe(counts)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            future = pool.submit(lambda: fail(KeyError()))
            future.exception()
        assert fail.answer[0] == answer


class TestStack:
    def test_engine_frames_are_absent(self, fail: Probe) -> None:
        names = {"fail": fail, "__name__": "fixcont.some.room"}
        exec("def go(function):\n try: function()\n except Exception: pass", names)

        def scenario() -> None:
            try:
                names["go"](lambda: fail(KeyError()))  # type: ignore[operator]
            except KeyError:
                pass

        run(scenario)
        assert fail.answer == ("handled", "typed", "scenario")

    def test_recursion(self, fail: Probe) -> None:
        def scenario(depth: int) -> None:
            if depth:
                scenario(depth - 1)
            fail(KeyError())

        run(lambda: scenario(100))
        assert fail.answer == OUTSIDE

    def test_nothing_of_the_debuggee_runs(self, fail: Probe) -> None:
        ran = []

        class Meta(type):
            def __instancecheck__(cls, instance: object) -> bool:
                ran.append("instancecheck")
                return True

            def __subclasscheck__(cls, subclass: type) -> bool:
                ran.append("subclasscheck")
                return True

        class Odd(Exception, metaclass=Meta):
            pass

        class Holder:
            def __getattribute__(self, name: str) -> Any:
                ran.append(name)
                return Odd

        def scenario(holder: Any) -> None:
            try:
                try:
                    fail(KeyError())
                except Odd:
                    pass
            except holder.error:
                pass

        holder = Holder()
        thread = threading.Thread(target=lambda: None)
        assert thread.daemon is False
        ran.clear()
        try:
            scenario(holder)
        except KeyError:
            pass
        assert fail.verdicts[0].outcome is Outcome.HANDLED
        assert ran == ["error"]

    def test_variables_are_not_kept_alive(self, fail: Probe) -> None:
        def scenario(wanted: type[Exception]) -> int:
            value = Quiet()
            before = sys.getrefcount(value)
            try:
                fail(KeyError())
            except wanted:
                pass
            return sys.getrefcount(value) - before

        assert scenario(KeyError) == 0

    def test_no_room_on_the_stack(self, fail: Probe) -> None:
        def scenario() -> None:
            try:
                scenario()
            except RecursionError:
                verdict = fail.predictor.predict(KeyError(), sys._getframe(), None)
                fail.verdicts.append(verdict)

        scenario()
        assert fail.verdicts

    def test_memory_is_bounded(self) -> None:
        predictor = Predictor(lambda code: True, True)
        for number in range(400):
            kind = type(f"Error{number}", (Exception,), {})
            predictor.predict(kind(), sys._getframe(), None)
        assert len(predictor._tables) <= 256
