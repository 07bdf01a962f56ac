"""The scenarios of the engine's tests, with a user who sits at a debug client: what he sees, saves and answers goes over the protocol.

The tests are those of `tests/engine`, as they stand there: programs, answers and what is expected. Only who answers is another one
(`support.dap_user`): he sees the stops that a client sees, saves the file and has it installed, and restarts, goes to a line, or sends
the request that belongs to the way which the test takes. A refusal must have the code that the engine's has.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from fixcont.bytecode.interpreter import HAS_MONITORING
from support.dap_user import DapUser
from support.front_end import LiveProgram, live_program

_ENGINE: Final = Path(__file__).parent.parent / "engine"

_NO_STOP: Final = "edits a program that is not held, by a call of the engine: nobody is asked anything"
_EDGES: Final = "its table has stops where functions begin or return; clients step from line to line"
_FRONT_END: Final = "is about a front end of another kind"
_SEVERAL: Final = "answers threads that are held at the same time in an order of its own"
_NO_HALT: Final = (
    "at the end of the stack no trace function can be called, so the restarted frame does not halt; see docs/limitations.md"
)
_MANY: Final = "stops hundreds of times, to count frames or bytes; test_endurance.py steps and saves as often with a client"

#: Module of the engine's tests -> its tests that are not run here, and why. All others that load a program with answers are.
SCENARIOS: Final[dict[str, dict[str, str]]] = {
    "test_restart": {
        "test_frames_restarted_again_and_again_grow_no_stack": _MANY,
        "test_inner_and_outer_frames_restarted_in_turns_grow_no_stack": _MANY,
        "test_repeated_restarts_keep_no_memory": _MANY,
        **({} if HAS_MONITORING else {"test_a_recursion_error_stops_and_restarts": _NO_HALT}),
    },
    "test_resume": {},
    "test_resume_exits": {},
    "test_resume_groups": {},
    "test_resume_rules": {},
    "test_return": {},
    "test_throw": {"test_no_exception_is_refused": "throws a type, of which a client's expression makes an exception"},
    "test_propagate": {},
    "test_arguments": {},
    "test_refusals": {
        "test_a_frame_that_has_unwound": "answers with a frame of an earlier stop; to a client it has no id any more (stale-reference)"
    },
    "test_policy": {},
    "test_exceptions": {},
    "test_closures": dict.fromkeys(
        [
            "test_a_method_that_a_decorator_has_hidden",
            "test_a_refused_file_leaves_closures_alone",
            "test_a_variable_less_and_back_again",
            "test_a_variable_that_another_closure_of_the_same_call_has",
            "test_a_variable_that_moved_nearer_is_another_one",
            "test_a_variable_that_nobody_has_any_more_is_told",
            "test_cells_are_passed_on_through_functions_in_between",
            "test_enums_and_other_metaclasses",
            "test_every_class_of_a_function_that_makes_classes_gets_its_own",
            "test_methods_of_all_kinds_get_their_first_super",
            "test_methods_that_are_edited_together_share_one_cell",
            "test_suspended_frames_are_found",
            "test_the_class_of_another_call_is_not_taken_for_one_that_is_gone",
            "test_the_frame_of_another_thread",
            "test_the_second_class_that_a_dataclass_with_slots_makes",
            "test_what_a_function_does_not_capture_any_more_is_freed_with_it",
            "test_what_a_function_is_known_by_stays",
        ],
        _NO_STOP,
    ),
    "test_interrupt": {},
    "test_breakpoints": {
        **dict.fromkeys(
            [
                "test_a_blank_line_gives_way_to_the_next_one_and_behind_the_end_there_is_nothing",
                "test_a_line_without_code_gives_way_to_its_statement",
            ],
            "asks where a breakpoint goes, and runs nothing",
        ),
        "test_a_fault_of_the_front_end_is_told_once_and_the_program_goes_on": _FRONT_END,
    },
    "test_breakpoint_options": {
        "test_what_is_no_condition_on_hits": "sets a breakpoint that is refused, and runs nothing",
    },
    "test_step": dict.fromkeys(
        [
            "test_functions",
            "test_generators",
            "test_coroutines_while_other_tasks_run",
            "test_async_generators_and_blocks",
            "test_a_step_concerns_its_own_thread_only",
            "test_a_step_goes_into_callbacks_of_libraries_but_not_into_libraries",
            "test_a_step_goes_into_libraries_if_that_is_asked_for",
            "test_other_steps",
            "test_a_step_over_a_recursive_call_stays_in_its_activation",
            "test_an_unhandled_exception_in_a_step_is_stopped_at_and_the_restarted_frame_can_be_stepped_through",
            "test_a_frame_that_goes_on_in_edited_code_is_stepped_through_as_the_old_one",
            "test_a_caller_can_be_restarted_as_a_function_begins_or_returns",
            "test_a_function_that_returns",
            "test_a_generator_that_begins",
            "test_nothing_stays_watched",
            "test_ways_to_go_on[body-answers10-saw10-9-log10]",
            "test_ways_to_go_on[body-answers11-saw11-3-log11]",
            "test_ways_to_go_on[helper-answers16-saw16-0-log16]",
        ],
        _EDGES,
    ),
    "test_step_targets": {
        "test_values_are_kept_only_if_that_was_asked_for_and_not_after_the_stop[False]": "clients say so as they begin (showReturnValue)"
    },
    "test_threads": {
        "test_threads_are_told_while_they_come_and_go": "asks for the threads of a program that is not held",
        "test_threads_of_fixcont_are_not_the_programs": "asks for the threads of a program that is not held",
        "test_threads_that_run_are_told_with_what_they_run": "asks for the threads of a program that is not held",
        **dict.fromkeys(
            [
                "test_several_threads_are_held_at_once_and_each_goes_on_by_itself",
                "test_the_recursion_limit_is_as_it_was_when_all_of_several_deep_threads_went_on",
                "test_threads_that_install_at_once_leave_breakpoints_where_their_statements_are",
                "test_a_thread_that_threading_does_not_know_stays_unknown_to_it",
                "test_what_a_held_thread_runs_does_not_show_fixcont",
            ],
            _SEVERAL,
        ),
    },
}
#: Those that are meant not to stop: the client is told of nothing.
SILENT: Final = frozenset(
    [
        "test_a_condition_does_not_keep_what_variables_hold_alive",
        "test_a_handled_exception_dies_as_in_plain_python",
        "test_a_policy_that_makes_no_sense_changes_nothing",
        "test_a_task_that_is_cancelled_does_not_stop",
        "test_by_name",
        "test_conditions_by_type",
        "test_exceptions_that_are_no_failures_pass",
        "test_messages_are_logged_without_a_stop",
        "test_modes_and_filters",
        "test_pythons_own_handler_is_back_afterwards",
        "test_the_programs_own_handler_stays",
        "test_the_signal_never_shows_in_the_context_of_what_goes_on",
        "test_types_with_odd_names_and_metaclasses_are_asked_nothing",
        "test_uncaught_lets_library_handlers_count",
        "test_what_close_and_throw_raise_inside_generators",
        "test_what_is_handled_does_not_stop",
        "test_when_it_stops",
        *([] if HAS_MONITORING else ["test_other_tools_and_trace_functions_are_left_alone"]),  # it is skipped
        "test_where_only_one_can_trace_the_program_comes_first",
    ]
)
_RANDOM: Final = "random programs; the protocol has a fuzzer of its own"
_EDITS: Final = "edits without a stop"
_INSIDE: Final = "a part of the engine, without a program that is debugged"
_SAVED: Final = "a stop that is saved, or dead: nothing goes on from it"
#: The other modules of the engine's tests, and why none of their tests are scenarios for a client.
ELSEWHERE: Final = {
    "test_closures_fuzz": _RANDOM,
    "test_edit_sequences": _RANDOM,
    "test_replay_fuzz": _RANDOM,
    "test_resume_fuzz": _RANDOM,
    "test_saved_fuzz": _RANDOM,
    "test_step_fuzz": _RANDOM,
    "test_transparency_fuzz": _RANDOM,
    "test_compare": _EDITS,
    "test_history": _EDITS,
    "test_install": _EDITS,
    "test_install_classes": _EDITS,
    "test_install_modules": _EDITS,
    "test_migration": _EDITS,
    "test_regions": _EDITS,
    "test_stale": _EDITS,
    "test_statements": _EDITS,
    "test_texts": _EDITS,
    "test_versions": _EDITS,
    "test_exceptiontable": _INSIDE,
    "test_importing": _INSIDE,
    "test_interpreter": _INSIDE,
    "test_loaded": _INSIDE,
    "test_memory": _INSIDE,
    "test_prediction": _INSIDE,
    "test_scope": _INSIDE,
    "test_testcases_calls": _INSIDE,
    "test_testcases_values": _INSIDE,
    "test_traps": _INSIDE,
    "test_install_uninstall": _FRONT_END,
    "test_pause": _SEVERAL + "; pauses of clients are in test_sessions.py",
    "test_replay": _SAVED,
    "test_reviving": _SAVED,
    "test_saved_stops": _SAVED,
    "test_saved_values": _SAVED,
}


@pytest.fixture
def live(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., LiveProgram]]:
    """Loads a program as the fixture of the engine's tests does; its stops are answered by a user at a debug client."""
    made: list[LiveProgram] = []
    with contextlib.ExitStack() as stack:

        def load(text: str, *answers: Any, **options: Any) -> LiveProgram:
            made.append(stack.enter_context(live_program(tmp_path, text, *answers, user=DapUser, **options)))
            return made[-1]

        yield load
    name = getattr(request.node, "originalname", None)
    is_silent = name in SILENT or not made  # what it is skipped for may be found out before it loads anything
    assert is_silent or any(program.saw for program in made), "the client saw no stop: what is this a scenario of?"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"over_dap_{name}", _ENGINE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _scenarios(module: ModuleType) -> dict[str, Any]:
    """Give the tests of a module that load a program, by name."""
    functions = {name: each for name, each in vars(module).items() if name.startswith("test_") and callable(each)}
    return {name: each for name, each in functions.items() if {"live", "several"} & set(inspect.signature(each).parameters)}


def _class_of(name: str, module: ModuleType) -> type:
    left_out = SCENARIOS[name]
    body: dict[str, Any] = {each: staticmethod(test) for each, test in _scenarios(module).items() if each not in left_out}
    body["__doc__"] = f"What is in tests/engine/{name}.py."
    body["pytestmark"] = [*filter(None, [getattr(module, "pytestmark", None)]), pytest.mark.sampled]
    body["left_out"] = left_out
    return type(f"Test{name.removeprefix('test').title().replace('_', '')}", (), body)


_MODULES: Final = {name: _load(name) for name in SCENARIOS}
for _name, _module in _MODULES.items():
    _made = _class_of(_name, _module)
    globals()[_made.__name__] = _made
del _made


def test_it_is_said_of_each_of_the_engines_tests_whether_it_runs_here() -> None:
    modules = {path.stem for path in _ENGINE.glob("test_*.py")}
    assert modules == SCENARIOS.keys() | ELSEWHERE.keys() and not SCENARIOS.keys() & ELSEWHERE.keys()
    scenarios = {name: _scenarios(module).keys() for name, module in _MODULES.items()}
    for name, left_out in SCENARIOS.items():
        assert {each.partition("[")[0] for each in left_out} <= scenarios[name], name
    assert set().union(*scenarios.values()) >= SILENT
