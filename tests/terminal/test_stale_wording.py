"""How the prompt says what still runs old code."""

from __future__ import annotations

import pytest

from fixcont.editing.holders import Holder, HolderKind
from fixcont.editing.result import Installed, InstallResult, InstallStatus
from fixcont.editing.stale import Remedy, Stale, StaleCount, StaleKind
from fixcont_ui import wording


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, "installed: f (version 2)"),
        (StaleCount(), "installed: f (version 2)"),
        (StaleCount(frames=1), "installed: f (version 2); 1 frame still runs old code"),
        (StaleCount(frames=2), "installed: f (version 2); 2 frames still run old code"),
        (StaleCount(generators=1, tasks=1), "installed: f (version 2); 1 generator and 1 task still run old code"),
        (
            StaleCount(frames=3, coroutines=1, functions=2),
            "installed: f (version 2); 3 frames, 1 coroutine and 2 functions still run old code",
        ),
        (StaleCount(caches=1), "installed: f (version 2); 1 cache still holds old results"),
        (
            StaleCount(frames=1, caches=2),
            "installed: f (version 2); 1 frame still runs old code, 2 caches still hold old results",
        ),
    ],
)
def test_the_count_behind_what_was_installed(count: StaleCount | None, said: str) -> None:
    result = InstallResult(InstallStatus.INSTALLED, (Installed("f", "app.py", 2),), stale=count)
    assert wording.install_lines(result) == [said]


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (Holder(HolderKind.MODULE, "app.handlers['x']"), "held by app.handlers['x']"),
        (Holder(HolderKind.CLASS, "app.Shop.open"), "held by app.Shop.open"),
        (Holder(HolderKind.VARIABLE, "items[0]", "main", 12), "held by variable items[0] of main() at line 12"),
        (Holder(HolderKind.SUSPENDED, "", "outer", 3), "held by outer() at line 3, which waits for it"),
        (Holder(HolderKind.CLOSURE, "function", "decorate.<locals>.wrapper"), "held by function, captured by decorate.<locals>.wrapper()"),
        (Holder(HolderKind.OBJECT, ".handler", "app.Button"), "held by .handler of an object of app.Button"),
        (Holder(HolderKind.THREAD, "worker"), "held by thread worker"),
        (None, "held by nobody that can be named"),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Holder) else None,
)  # fmt: skip
def test_where_something_is_held(holder: Holder | None, said: str) -> None:
    holders = (holder,) if holder is not None else ()
    find = Stale(StaleKind.GENERATOR, "rows", 1, 3, "/x/app.py", 7, Remedy.RUNS_OUT, holders=holders)
    assert wording.stale_lines([find], []) == [
        "1  generator rows  version 1, newest is 3  app.py:7",
        f"   {said}; it ends by itself when it is used up",
    ]


def test_other_values_of_old_code_and_tasks() -> None:
    task = (Holder(HolderKind.TASK, "client 1"),)
    finds = [
        Stale(StaleKind.COROUTINE, "client", 1, 2, "app.py", 9, Remedy.RUNS_OUT, task="client 1", holders=task),
        Stale(
            StaleKind.CACHED_PROPERTY, "Shop.rent", 1, 2, "app.py", 20, Remedy.DELETE, number=2,
            holders=(Holder(HolderKind.OBJECT, "", "app.Shop"),),
        ),
    ]  # fmt: skip
    assert wording.stale_lines(finds, [])[1::2] == [
        "   held by task client 1; it ends by itself when it is used up",
        "   2 objects of app.Shop keep its value; del object.rent",
    ]
