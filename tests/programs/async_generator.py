"""Pages that come one after the other, from an async generator."""

import asyncio

PAGES = {1: "alpha beta", 2: "gamma", 3: None, 4: "delta"}
closed = []


async def pages(numbers):
    try:
        for number in numbers:
            await asyncio.sleep(0)
            yield PAGES[number].split()  # @fails
    finally:
        closed.append("pages")


async def main():
    words = []
    source = pages(iter(sorted(PAGES)))
    async for page in source:
        words.extend(page)
    print("words", words, "closed", closed)


asyncio.run(main())
