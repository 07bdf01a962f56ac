"""What the keys and the mouse do in the window."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from prompt_toolkit.application import in_terminal, run_in_terminal
from prompt_toolkit.application.current import get_app
from prompt_toolkit.filters import Condition, Filter
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from prompt_toolkit.layout import Window

from fixcont.errors import Refusal, Refused
from fixcont_ui.terminal.editor_keys import search_bindings
from fixcont_ui.terminal.source_editor import Choice, Question
from fixcont_ui.ways import WayRow
from fixcont_ui.window.keys import Where, bindings
from fixcont_ui.window.model.desk import OTHER, SUITS, Accepted, Desk
from fixcont_ui.window.model.stack import StackRow
from fixcont_ui.window.model.variables import VariableRow
from fixcont_ui.window.panes.lists import ListPane, TextPane

if TYPE_CHECKING:
    from fixcont_ui.window.application import StopWindow

#: Commands that need the terminal for themselves.
_TAKING: Final = frozenset(["fix"])


class Actions:
    """See the module. All of it is called in the window's thread."""

    def __init__(self, window: StopWindow) -> None:
        self._window = window

    # Bindings

    def bindings(self) -> KeyBindings:
        """Bind the table of keys."""
        w = self._window
        is_over = w.overlay.is_open
        is_modal = is_over | w.status.is_entering | w.status.is_asking
        free = ~is_modal
        listed = w.stack.has_focus | w.variables.has_focus | w.output.has_focus | w.console.has_focus | w.bar.has_focus
        indents = Condition(self._is_place_to_indent)
        where: dict[Where, Filter] = {
            Where.ANYWHERE: free,
            Where.NOT_TYPING: listed & free,
            Where.NOT_EDITING: ~w.source.has_focus & free,
            Where.SOURCE: w.source.has_focus & free,
            Where.STACK: w.stack.has_focus & free,
            Where.VARIABLES: w.variables.has_focus & free,
            Where.CONSOLE: w.console.is_typing & free,
            Where.OUTPUT: w.output.has_focus & free,
            Where.BAR: w.bar.has_focus & free,
        }
        is_empty = Condition(lambda: not w.console.buffer.text)
        completes = Condition(self._is_place_to_complete)
        is_choosing = Condition(lambda: w.console.is_typing() and w.console.buffer.complete_state is not None)
        is_searching = Condition(lambda: get_app().layout.is_searching)
        extra: dict[str, Filter] = {
            "next-pane": ~indents & ~completes,
            "previous-pane": ~indents & ~is_choosing,
            "complete": completes,
            "complete-back": is_choosing,
            "interrupt": ~is_searching,
        }
        named = {name: self._action(name) for name in _NAMED}
        for number in range(5):
            named[f"pane:{number}"] = self._pane(number)
        for way in ("create", "continue", "restartframe", "retry", "next", "step", "return", "quit"):
            named[f"way:{way}"] = self._way(way)
        made = bindings(named, where, extra)
        for key in made.bindings:
            if key.keys == ("c-d",):
                key.filter = key.filter & is_empty
        return merge_key_bindings([made, self._overlay_bindings(), search_bindings()])  # type: ignore[return-value]

    def _action(self, name: str) -> Callable[[KeyPressEvent], None]:
        method: Callable[[], None] = getattr(self, _NAMED[name])
        return lambda event: method()

    def _way(self, name: str) -> Callable[[KeyPressEvent], None]:
        return lambda event: self.choose(next(way for way in self._window.view.ways if way.command.name == name))

    def _pane(self, number: int) -> Callable[[KeyPressEvent], None]:
        w = self._window
        panes = (w.stack.window, w.variables.window, w.source.editor.window, w.console.input, w.output.window)
        return lambda event: event.app.layout.focus(panes[number])

    def _overlay_bindings(self) -> KeyBindings:
        overlay = self._window.overlay
        made = KeyBindings()
        for keys, by in (
            (("up", "k"), -1),
            (("down", "j"), 1),
            (("pageup",), -15),
            (("pagedown", " "), 15),
            (("home",), -999),
            (("end",), 999),
        ):
            for key in keys:
                made.add(key, filter=overlay.is_open, eager=True)(lambda event, by=by: overlay.move(by))
        for key in ("escape", "q", "f1", "enter", "c-c", "?"):
            made.add(key, filter=overlay.is_open, eager=True)(lambda event: overlay.close())
        status = self._window.status
        made.add("c-c", filter=status.is_entering | status.is_asking, eager=True)(lambda event: status.back())
        return made

    def _is_place_to_indent(self) -> bool:
        editor = self._window.source.editor
        if not self._window.source.has_focus() or self._window.source.is_read_only():
            return False
        return editor.buffer.selection_state is not None or (
            editor.is_changed and not editor.buffer.document.current_line.strip()
        )

    def _is_place_to_complete(self) -> bool:
        w = self._window
        if not w.console.is_typing() or w.exchange.is_waiting or w.exchange.is_busy:
            return False
        return bool(w.console.buffer.document.text_before_cursor.strip())

    # Moving about

    def _panes(self) -> list[Window]:
        w = self._window
        panes = [w.stack.window, w.variables.window, w.source.editor.window, w.console.input]
        return [*panes, *([w.output.window] if w.output.lines else []), w.bar.window]

    def next_pane(self) -> None:
        self._turn(1)

    def previous_pane(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        layout = get_app().layout
        panes = self._panes()
        here = next((number for number, pane in enumerate(panes) if layout.has_focus(pane)), 2)
        if self._window.bar.has_focus():
            self._window.status.tell("")
        layout.focus(panes[(here + by) % len(panes)])
        if self._window.bar.has_focus() and self._window.bar.selected is not None:
            self.point(self._window.bar.selected)

    def _list(self) -> ListPane[StackRow] | ListPane[VariableRow] | TextPane | None:
        w = self._window
        if w.console.is_typing():
            return w.console
        for pane in (w.stack, w.variables, w.output, w.console):
            if pane.has_focus():
                return pane
        return None

    def _move(self, by: int) -> None:
        pane = self._list()
        if pane is not None:
            pane.move(by)
        else:
            self._window.bar.move_row(1 if by > 0 else -1)

    def up(self) -> None:
        self._move(-1)

    def down(self) -> None:
        self._move(1)

    def page_up(self) -> None:
        pane = self._list()
        self._move(-pane.page if pane is not None else -1)

    def page_down(self) -> None:
        pane = self._list()
        self._move(pane.page if pane is not None else 1)

    def first(self) -> None:
        self._move(-100_000)

    def last(self) -> None:
        self._move(100_000)

    def left(self) -> None:
        self._window.bar.move(-1)

    def right(self) -> None:
        self._window.bar.move(1)

    # Stack and variables

    def select_row(self, row: StackRow) -> None:
        """Select the frame of a row of the stack."""
        if not row.is_fold:
            self._window.do(lambda desk: desk.select(row.index))

    def press_row(self, row: StackRow) -> None:
        """Select the frame of a row, or unfold it."""
        if row.is_fold:
            self._window.do(lambda desk: desk.toggle_fold(row.index))
        else:
            self.select_row(row)

    def press_variable(self, row: VariableRow) -> None:
        """Unfold a variable."""
        if row.is_expandable:
            self._window.do(lambda desk: desk.toggle(row.path))

    def toggle(self) -> None:
        stack, variables = self._window.stack, self._window.variables
        if stack.has_focus() and stack.selected is not None and stack.selected.is_fold:
            self.press_row(stack.selected)
        elif variables.has_focus() and variables.selected is not None:
            self.press_variable(variables.selected)

    def enter(self) -> None:
        w = self._window
        if w.console.is_typing():
            if not w.console.take():
                w.console.buffer.validate_and_handle()
        elif w.bar.has_focus() and w.bar.selected is not None:
            self.choose(w.bar.selected)
        elif w.stack.has_focus() and w.stack.selected is not None:
            self.press_row(w.stack.selected)
            if not w.stack.selected.is_fold:
                get_app().layout.focus(w.source.editor.window)
        elif w.variables.has_focus() and w.variables.selected is not None:
            self._ask_value(w.variables.selected)

    def _ask_value(self, row: VariableRow) -> None:
        if row.refusal is not None:
            if row.is_expandable:
                self.press_variable(row)
            else:
                self.refuse(row.refusal)
            return

        def set_it(text: str) -> None:
            self._window.do(lambda desk: desk.set(row.path, text), told)

        def told(failed: str) -> None:
            if failed:
                self._window.status.tell(failed, "class:refused")
            else:
                self._window.status.tell(f"{row.name} has another value")

        self._window.status.enter(f"{row.name} =", set_it)

    def own_look(self) -> None:
        row = self._window.variables.selected
        if row is None or not row.kind:
            return
        path, name = row.path, row.name

        def look(desk: Desk) -> str:
            try:
                return desk.own_look(path)
            except Refused as refused:
                return str(refused.refusal)
            except KeyboardInterrupt:
                return "interrupted"

        self._window.do(look, lambda text: self._window.overlay.explain(f"{name}, as its own repr shows it", text))

    # Going on

    def choose(self, way: WayRow) -> None:
        """Go on in a way, or say why that cannot be; ask before for what it needs."""
        if way.refusal is not None:
            self.refuse(way.refusal)
            return
        name = way.command.name
        if name == "quit":
            question = "Close the saved stop?" if self._window.view.is_saved else "End the program?"
            self._window.status.ask(question, {"y": ("yes", lambda: self.go("quit"))})
        elif way.asks:
            default = str(self._window.source.editor.line) if name == "resume" else ""
            self._window.status.enter(way.asks, lambda text: self._unless_unsaved(name, text), default)
        else:
            self._unless_unsaved(name, "")

    def point(self, way: WayRow) -> None:
        """Tell what a way does, or why it cannot be gone."""
        if way.refusal is not None:
            self.refuse(way.refusal)
        else:
            self._window.status.tell(" ".join([f"{way.label}: {way.command.summary}.", *way.told]))
        self._window.redraw()

    def refuse(self, refusal: Refusal) -> None:
        """Tell why something cannot be done."""
        self._window.status.tell(f"refused: {refusal}", "class:refused")

    def go(self, name: str, argument: str = "") -> None:
        """Give a command."""
        self._window.do(lambda desk: desk.command(name, argument), self._told)

    def _unless_unsaved(self, name: str, argument: str) -> None:
        """Give a command that goes on, unless there is something to be saved before."""
        source = self._window.source
        if name == "undo" or not source.is_changed:
            self.go(name, argument)
            return
        choices = {
            "s": ("save it first", lambda: self.accept_and(name, argument)),
            "k": ("keep it here for the next stop", lambda: self.go(name, argument)),
            "d": ("discard it", lambda: self._discard_and(name, argument)),
        }
        self._window.status.ask("What you have edited is not saved.", choices)

    def _discard_and(self, name: str, argument: str) -> None:
        self._window.source.discard()
        self.go(name, argument)

    def _told(self, said: str) -> None:
        if said:
            self._window.status.tell(said, "class:refused")

    # Editing

    def accept(self) -> None:
        """Accept the source, and go on in the way that suits the frame."""
        self.accept_and(SUITS)

    def accept_other(self) -> None:
        self.accept_and(OTHER)

    def install(self) -> None:
        self.accept_and("")

    def accept_and(self, name: str, argument: str = "") -> None:
        """Save and install the source, and give a command then; none where `name` is "". Where something is wrong, it is shown at its place."""
        source = self._window.source
        before, text = source.before, source.text
        if before is None or source.shows_old or not source.is_changed:
            self._window.do(lambda desk: desk.accept(None, "", name, argument), self._accepted)
            return
        self._window.do(lambda desk: desk.accept(before, text, name, argument), self._accepted)

    def _accepted(self, outcome: Accepted) -> None:
        source = self._window.source
        if outcome.saved is not None:
            source.saved(outcome.saved)
        if outcome.fault is not None:
            source.show_fault(outcome.fault)
            get_app().layout.focus(source.editor.window)
        elif outcome.changed is not None:
            self._ask_about_change(outcome)
        elif outcome.refusal:
            source.show_refusal(outcome.refusal)
            self._window.status.tell("saved; the frame is where it was" if outcome.saved is not None else "not saved")
        else:
            self._window.status.tell(outcome.said)

    def _ask_about_change(self, outcome: Accepted) -> None:
        """Ask what shall become of a file that somebody else has changed."""
        source = self._window.source
        changed = outcome.changed
        assert changed is not None

        def overwrite() -> None:
            source.rebase(changed)
            self.accept_and(outcome.name, outcome.argument)

        def reload() -> None:
            source.discard()
            self._window.do(lambda desk: None)

        source.ask(
            Question(
                outcome.refusal,
                (Choice("o", "overwrite it", overwrite), Choice("r", "read it, and discard what you have edited", reload)),
            )
        )
        get_app().layout.focus(source.editor.window)

    def old_text(self) -> None:
        if not self._window.source.toggle_old():
            self._window.status.tell("the frame runs what the file says")

    def breakpoint(self) -> None:
        w = self._window
        source = w.source.source
        if source is None or w.source.shows_old:
            return
        if w.source.is_changed:
            w.status.tell("save the source first (Ctrl-X Ctrl-S): the lines are those of the file", "class:refused")
            return
        line = w.source.editor.line
        name = "clear" if line in source.breakpoints else "break"
        self.go(name, f"{source.filename}:{line}")

    # The console

    def line(self, text: str) -> None:
        """Take a line that was entered in the console."""
        w = self._window
        if w.exchange.is_waiting:
            w.exchange.answer(text + "\n")
        elif text.split(" ")[0] in _TAKING:
            get_app().create_background_task(self._with_terminal(text))
        else:
            w.do(lambda desk: desk.line(text), self._told)

    def complete(self) -> None:
        """Complete what is typed in the console. The held thread looks for it: the values are its own."""
        w = self._window
        if not w.console.turn(1):
            document = w.console.buffer.document
            w.do(lambda desk: desk.completions(document), lambda found: w.console.offer(document, found))

    def complete_back(self) -> None:
        self._window.console.turn(-1)

    async def _with_terminal(self, text: str) -> None:
        """Run a line that has the terminal for itself meanwhile."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        def work(desk: Desk) -> str:
            try:
                return desk.line_with_terminal(text, self._window.kept)
            finally:
                self._window.post(finish)

        async with in_terminal():
            self._window.do(work, self._told)
            await done

    def interrupt(self) -> None:
        w = self._window
        if w.exchange.is_waiting:
            w.console.asked = None
            w.exchange.give_up()
        elif w.exchange.is_busy:
            if not w.exchange.interrupt():
                w.status.tell("only what runs in the main thread can be interrupted", "class:refused")
        elif w.console.is_typing() and w.console.buffer.text:
            w.console.buffer.reset()
        elif w.source.editor.question is not None:
            w.source.editor.back()
        else:
            w.status.tell("nothing runs that could be interrupted; Ctrl-Q ends the program")

    # The window

    def help(self) -> None:
        self._window.overlay.help()

    def explain(self) -> None:
        w = self._window
        if w.stack.has_focus() and w.stack.selected is not None:
            w.overlay.explain(w.stack.selected.function, "\n".join(w.stack.selected.told))
        elif w.variables.has_focus() and w.variables.selected is not None:
            w.overlay.explain(w.variables.selected.name, _explained(w.variables.selected))
        elif w.bar.has_focus() and w.bar.selected is not None:
            way = w.bar.selected
            why = [f"Not now. {way.refusal}", ""] if way.refusal is not None else [*way.told, *([""] if way.told else [])]
            w.overlay.explain(way.label, "\n".join([*why, way.command.full_help]))
        else:
            w.overlay.help()

    def to_prompt(self) -> None:
        self._window.source.keep()
        self._window.do(lambda desk: desk.leave())

    def show_screen(self) -> None:
        kept = self._window.kept

        def wait() -> None:
            if kept is not None:
                kept.wait_for_key()

        run_in_terminal(wait)

    def suspend(self) -> None:
        run_in_terminal(lambda: os.kill(0, signal.SIGTSTP))

    def redraw(self) -> None:
        get_app().renderer.clear()

    def greet(self) -> None:
        """Say what there is to say when the window opens."""
        view = self._window.view
        words = {"restartframe": "restarts", "retry": "retries", "replay": "replays"}
        if view.is_saved and not view.accept[0]:
            if view.source.disk is None:
                told = "the text that ran is shown, its file is not here"
            elif view.source.old is not None:
                told = "the text that ran is shown; Ctrl-T: the file, which can be edited"
            else:
                told = "the file says what ran, and can be edited"
            self._window.status.tell(f"A saved stop: {told}. Tab: next pane. F1: all keys")
        elif view.missing:
            self._window.status.tell(f"F4 creates {view.missing}, and goes on into it. F1: all keys", "class:key")
        else:
            refused = {way.command.name for way in view.ways if way.refusal is not None}
            word = words[view.accept[0]] if view.accept[0] not in refused else ""
            goal = f"saves, installs and {word} the frame" if word else "saves and installs; go on in another frame"
            self._window.status.tell(f"Edit the source; Ctrl-S {goal}. Tab: next pane. F1: all keys")


def _explained(row: VariableRow) -> str:
    lines = [f"{row.name} = {row.look}", f"a value of the type {row.kind}" if row.kind else ""]
    if row.is_expandable:
        lines.append("Right unfolds it, Left folds it.")
    lines.append(f"{row.refusal}" if row.refusal is not None else "Enter gives it another value.")
    lines.append("r shows its own repr, which is code of the program.")
    return "\n".join(line for line in lines if line)


#: Name of an action in the table of keys -> the method.
_NAMED: Final = {
    "complete": "complete",
    "complete-back": "complete_back",
    "help": "help",
    "explain": "explain",
    "next-pane": "next_pane",
    "next-pane-always": "next_pane",
    "previous-pane": "previous_pane",
    "accept": "accept",
    "accept-other": "accept_other",
    "install": "install",
    "breakpoint": "breakpoint",
    "old-text": "old_text",
    "to-prompt": "to_prompt",
    "show-screen": "show_screen",
    "interrupt": "interrupt",
    "suspend": "suspend",
    "redraw": "redraw",
    "up": "up",
    "down": "down",
    "left": "left",
    "right": "right",
    "page-up": "page_up",
    "page-down": "page_down",
    "first": "first",
    "last": "last",
    "enter": "enter",
    "toggle": "toggle",
    "own-look": "own_look",
}
