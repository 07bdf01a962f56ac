"""Three sensors that are read at the same time, in one event loop. One of them sends a line that is no number.

Start it with `fixcont demos/sensors.py`. It stops in `degrees`; the two other sensors are held in the middle of their work.
Type `fix`, let the function return None when the text is not a number (`if text == "offline": return None`), and type
`rf`: the coroutine that waits for the value goes on, and so do the others.
"""

import asyncio
from pathlib import Path

DATA = Path(__file__).parent / "data"


def degrees(text):
    return (float(text) - 32) / 1.8


async def lines_of(sensor):
    with open(DATA / f"{sensor}.txt", encoding="utf-8") as file:
        for line in file:
            await asyncio.sleep(0.05)
            yield line.strip()


async def warmest(sensor):
    values = []
    async for line in lines_of(sensor):
        value = degrees(line)
        if value is not None:
            values.append(value)
    print(f"{sensor}: {len(values)} values, warmest {max(values):.1f} °C")
    return max(values)


async def main():
    print(f"warmest of all {max(await asyncio.gather(warmest('kitchen'), warmest('attic'), warmest('cellar'))):.1f} °C")


asyncio.run(main())
