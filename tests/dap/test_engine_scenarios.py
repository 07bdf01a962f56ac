"""trial"""
from __future__ import annotations
import contextlib, importlib.util, sys
from pathlib import Path
import pytest
from support.front_end import live_program
from support.dap_user import DapUser

ENGINE = Path(__file__).parent.parent / "engine"

@pytest.fixture
def live(tmp_path):
    with contextlib.ExitStack() as stack:
        def load(text, *answers, **options):
            return stack.enter_context(live_program(tmp_path, text, *answers, user=DapUser, **options))
        yield load

def scenarios(name):
    spec = importlib.util.spec_from_file_location(f"over_dap.{name}", ENGINE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    d = {k: staticmethod(v) for k, v in vars(module).items() if k.startswith("test_")}
    if hasattr(module, "pytestmark"): d["pytestmark"] = module.pytestmark
    return type("Test_" + name, (), d)

import os
for _n in os.environ.get("MODS", "restart return throw propagate resume resume_exits resume_groups resume_rules closures arguments exceptions refusals policy").split():
    globals()[f"Test_{_n}"] = scenarios(f"test_{_n}")
