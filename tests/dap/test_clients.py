"""The adapter under clients of others: each is started as its users start it, where it can be had."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from support.dap_clients import CLIENTS, node_modules_or_skip
from support.session import DEADLINE, child_environment


@pytest.mark.slow
def test_the_client_of_the_protocols_authors() -> None:
    """Runs clients/testsupport: what the authors of the protocol check of every adapter, and repairs."""
    client = CLIENTS / "testsupport"
    environment = child_environment({
        "NODE_PATH": str(node_modules_or_skip(client)),
        "FIXCONT_PYTHON": sys.executable,
        "FIXCONT_TEST_DEADLINE": str(DEADLINE),
    })  # fmt: skip

    done = subprocess.run(
        ["node", "--test", "adapter.test.js"],
        cwd=client,
        env=environment,
        capture_output=True,
        text=True,
        timeout=10 * DEADLINE,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    counts = {name: int(number) for name, number in re.findall(r"^\S+ (pass|fail|cancelled|skipped) (\d+)$", done.stdout, re.M)}
    assert counts["pass"] >= 25 and not counts["fail"] + counts["cancelled"] + counts["skipped"], done.stdout
