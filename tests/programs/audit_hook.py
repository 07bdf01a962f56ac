"""Edits a module while an audit hook objects to one of the assignments, and one whose functions capture other variables."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the tests' own helpers

from fixcont.bytecode.original import untrapped
from fixcont.bytecode.traps import trap
from fixcont.editing.result import InstallStatus
from support.project import Project, codes

project = Project(Path(sys.argv[1]), trap, untrapped)
module = project.load(
    "middle", "def f():\n    return 1\nclass A:\n    x = 1\n    def m(self):\n        return 1\ndef g():\n    return 1\n"
)
f, g = module.f.__code__, module.g.__code__
armed = [module.g]


def audit(event, arguments):
    if armed and event == "object.__setattr__" and arguments[0] is armed[0]:
        armed.clear()
        raise RuntimeError("an audit hook objects")


sys.addaudithook(audit)
text = "def f():\n    return 2\nclass A:\n    x = 2\n    def m(self):\n        return 1\ndef g():\n    return 2\n"
project.write("middle", text)
try:
    project.install()
except RuntimeError:
    assert (module.f.__code__, module.g.__code__, module.A.x) == (f, g, 1)
    print("as before")
assert project.install().status is InstallStatus.INSTALLED
assert (module.f(), module.g(), module.A.x) == (2, 2, 2)
print("installed")
# What captures other variables cannot be exchanged safely: the hook would run in the middle.
print(
    *codes(
        project.edit("middle", text.replace("def m(self):\n        return 1", "def m(self):\n        return super().__init__()"))
    )
)
assert module.A().m() == 1
