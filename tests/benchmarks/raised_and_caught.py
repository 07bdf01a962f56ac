"""What traps cost where an exception is raised and caught: the same functions plain and with traps that call the real hook."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.measuring import Figure, NoStops, Size, active_session, compare_calls, load, temporary_folder

_DEPTHS = (1, 3, 10)

_PROGRAM = """\
class Context:
    def __enter__(self): return self
    def __exit__(self, *error): return False

context = Context()
names = {}

def in_its_own_function():
    try:
        names["a"]
    except KeyError:
        pass

def by_a_bare_except():
    try:
        names["a"]
    except:
        pass

def around_a_for():
    try:
        for name in ("a",):
            names[name]
    except KeyError:
        pass

def around_a_with():
    try:
        with context:
            names["a"]
    except KeyError:
        pass

def in_a_loop():
    for name in ("a", "b", "c", "d", "e", "f", "g", "h"):
        try:
            names[name]
        except KeyError:
            continue
"""

# way -> the body of a function that lets an exception pass
_WAYS = {
    "": "    return {callee}()\n",
    "with": "    with context:\n        return {callee}()\n",
    "finally": "    try:\n        return {callee}()\n    finally:\n        len(names)\n",
    "for": "    for name in names_of_one:\n        {callee}()\n",
}
# what is caught in its own function -> target
_IN_ITS_OWN = {
    "in_its_own_function": 1.0, "by_a_bare_except": 1.0, "in_a_loop": 1.0, "around_a_for": 1.5, "around_a_with": 1.5,
}  # fmt: skip
#: Where the target is "exactly as plain": what a ratio of two equal things still shows.
_NOISE = 0.02


def measure(size: Size) -> Iterator[Figure]:
    """Yield the ratios. Nothing of it may stop."""
    front_end = NoStops()
    with temporary_folder() as folder:
        path = folder / "raising.py"
        path.write_text(_program())
        plain = load(path, "raising_plain")
        with active_session(front_end):
            trapped = load(path, "raising_trapped")
            for name, target in _IN_ITS_OWN.items():
                label = name.replace("_", " ")
                exact = target + _NOISE if target == 1.0 else target
                yield compare_calls(f"caught {label}", getattr(plain, name), getattr(trapped, name), size, exact)
            for way in _WAYS:
                for depth in _DEPTHS:
                    name = _name(way, depth)
                    frames = f"caught {depth} frame{'s' * (depth > 1)} up"
                    aim = 6.0 if depth == 3 and not way else None
                    label = frames + (f", through {way}" if way else "")
                    yield compare_calls(label, getattr(plain, name), getattr(trapped, name), size, aim)
    assert not front_end.stops, "a handled exception stopped"
    assert not front_end.reports, front_end.reports


def _name(way: str, depth: int) -> str:
    return f"catches_{way}_{depth}"


def _program() -> str:
    parts = [_PROGRAM, "names_of_one = ('a',)\n", "def raises():\n    names['a']\n"]
    for way, body in _WAYS.items():
        callee = "raises"
        for depth in range(1, max(_DEPTHS) + 1):
            if depth in _DEPTHS:
                parts.append(f"def {_name(way, depth)}():\n    try:\n        {callee}()\n    except KeyError:\n        pass\n")
            passes = f"passes_{way}_{depth}"
            parts.append(f"def {passes}():\n{body.format(callee=callee)}")
            callee = passes
    return "\n".join(parts)
