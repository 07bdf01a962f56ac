"""Calls what fails, one after the other."""

import asyncio

import parts
from parts import Part, Shelf

if __name__ == "__main__":
    screws = [Part("screw", 0.25), Part("bolt", 1.5)]
    shelf = Shelf("tools", screws)
    shelf.note = "dusty"
    print(shelf.heaviest(1, unit="g"))
    print(asyncio.run(parts.fetch("b", table={"a": 1})))
    print(parts.connected(parts.make_link(), 0))
    print(parts.hurry(0))
    print(parts.taken([4]))
