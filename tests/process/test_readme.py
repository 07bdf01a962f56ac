"""README.md tells the truth: its transcripts are replayed, its commands and demos exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from support.editor import ScriptedEditor
from support.programs import DEMOS, Program
from support.session import PROMPT, DebugSession

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

Demos = Callable[[str], Program]

#: (command line, all that is shown after it)
TRANSCRIPTS = re.findall(r"^```\n\$ (.*?)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def repair_in_words(number: int, text: str) -> dict[str, str]:
    """Give the edit that is described below a transcript: what became what, and what is put in a line below, if anything."""
    edits = re.findall(r"`([^`]+)` became `([^`]+)`(?:, with `([^`]+)` in the line below)?", README.replace("\n", " "))
    assert len(edits) == len(TRANSCRIPTS)
    old, new, below = edits[number]
    indent = next(line for line in text.splitlines() if line.strip() == old).partition(old)[0]
    return {old: f"{new}\n{indent}{below}" if below else new}


@pytest.mark.parametrize(("number", "name"), [(0, "prices"), (1, "names")], ids=["prices", "names"])
def test_the_transcripts_are_what_happens(
    demo: Demos, scripted_editor: Callable[..., ScriptedEditor], number: int, name: str
) -> None:
    command_line, shown = TRANSCRIPTS[number]
    typed = [line[len(PROMPT) :] for line in shown.splitlines() if line.startswith(PROMPT)]
    program = demo(name)
    command, *options, script = command_line.split()
    assert (command, script) == ("fixcont", f"demos/{name}.py")
    editor = scripted_editor(repair_in_words(number, program.text))
    program.folder.rename(program.folder.parent / "demos")
    folder = program.folder.parent
    with DebugSession([script], options=options, folder=folder, environment=editor.environment) as session:
        session.stop()
        for line in typed:
            session.command(line)
        ended = session.finish()

    # A pipe does not show what is typed: put it in behind each prompt.
    seen = ended.output + ended.repairs
    for line in typed:
        seen = seen.replace(PROMPT, f"«{line}»\n", 1)
    seen = re.sub("«(.*?)»", lambda match: PROMPT + match[1], seen).replace(f"{folder}/", "…/")
    # A line of a diff that is empty in the file has a blank, which few editors leave alone.
    assert [line.rstrip() for line in seen.splitlines()] == shown.splitlines()
    assert (ended.status, ended.errors) == (0, "")


def test_the_two_commands_are_one_line_each() -> None:
    commands = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)

    assert [command.count("\n") for command in commands] == [1, 1]
    assert all(command.startswith("python3 -m venv .venv && .venv/bin/pip install ") for command in commands)
    assert commands[0].rstrip().endswith(" && .venv/bin/fixcont demos/prices.py")
    # .ci/run finds its command by this.
    assert [line for line in README.splitlines() if "bin/pytest" in line] == [commands[1].rstrip()]


def test_every_demo_says_what_to_do_and_is_named() -> None:
    for path in sorted(DEMOS.glob("*.py")):
        assert f"Start it with `fixcont demos/{path.name}`" in path.read_text(encoding="utf-8")
        assert f"demos/{path.name}" in README


REPAIRS = [
    (
        "crawler",
        "target_of",
        {'    return address.partition("#")[0]': '    return address.partition("#")[0] if address else None'},
        "5 pages, 8 links",
    ),
    (
        "sensors",
        "degrees",
        {"    return (float(text)": '    if text == "offline":\n        return None\n    return (float(text)'},
        "warmest of all 29.0 °C",
    ),
]


@pytest.mark.parametrize(("name", "function", "repair", "last"), REPAIRS, ids=[name for name, *_ in REPAIRS])
def test_the_other_demos_can_be_repaired_as_they_say(
    demo: Demos, scripted_editor: Callable[..., ScriptedEditor], name: str, function: str, repair: dict[str, str], last: str
) -> None:
    program = demo(name)
    editor = scripted_editor(repair)
    with DebugSession(program, environment=editor.environment) as session:
        assert f"{function}()" in session.stop()
        assert f"installed: {function} (version 2)" in session.command("fix")
        session.command("rf")
        ended = session.finish()

    assert ended.output.splitlines()[-1] == last
    assert (ended.status, ended.errors) == (0, "")
    fetched = [line for line in ended.output.splitlines() if line.startswith("fetching")]
    assert len(fetched) == len(set(fetched))


def test_files_that_the_readme_names_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_command_in_the_readme_is_known(demo: Demos) -> None:
    table = README.partition("| command | does |")[2].partition("\n\n")[0]
    names = re.findall(r"`(\w+)", "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `")))
    expected = "fix undo patches versions retry resume usevalue uv skip restartframe rf forcereturn fr throw continue c quit q"
    assert set(expected.split()) <= set(names)
    with DebugSession(demo("prices")) as session:
        session.stop()
        for name in names:
            answer = session.command(f"help {name}")
            assert "No help" not in answer and answer.strip(), name
        session.command("q")
        session.finish()
