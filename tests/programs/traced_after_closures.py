"""Edits a function so that it captures one more variable, and then traces another: the interpreter must have nothing left to look for."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the tests' own helpers

from fixcont.bytecode.original import untrapped
from fixcont.bytecode.traps import trap
from fixcont.editing.result import InstallStatus
from support.project import Project

project = Project(Path(sys.argv[1]), trap, untrapped)
text = "class A:\n    def m(self):\n        return 1\ndef f():\n    return 1\n"
module = project.load("captures", text)
result = project.edit("captures", text.replace("return 1", "return len([__class__])", 1))
assert result.status is InstallStatus.INSTALLED and module.A().m() == 1 and module.A.m.__closure__

seen = []


def trace(frame, event, argument):
    seen.append(event)
    return trace


sys.settrace(trace)
module.f()
sys.settrace(None)
print(*seen)
