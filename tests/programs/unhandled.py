"""Exceptions that nobody handles in the sense of the rules: each must stop, before anything unwinds."""

import asyncio
import concurrent.futures
import contextlib
import sys
import unittest

exits = []


def fail():
    raise LookupError("on purpose")  # @raised


def nobody():
    fail()


def handler_for_another_type():
    try:
        fail()
    except (ValueError, OSError):
        return "never"


def finally_on_the_way():
    try:
        fail()
    finally:
        exits.append("finally")


def with_on_the_way():
    with contextlib.closing(open(__file__)):
        fail()


def suppressed_for_another_type():
    with contextlib.suppress(ValueError):
        fail()


def thread_pool():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(fail).result()


def event_loop_callback():
    async def main():
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())


def background_task():
    async def broken():
        fail()

    async def main():
        task = asyncio.create_task(broken())
        await asyncio.wait([task])
        return type(task.exception()).__name__

    return asyncio.run(main())


def unit_test():
    class Tests(unittest.TestCase):
        def test_it(self):
            fail()

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Tests).run(result)
    return len(result.errors)


def awaited_elsewhere():
    async def broken():
        await asyncio.sleep(0)
        fail()

    async def main():
        task = asyncio.create_task(broken())
        try:
            await task
        except LookupError:
            return "handled"

    return asyncio.run(main())


def collected_by_gather():
    async def broken():
        fail()

    async def main():
        return [type(result).__name__ for result in await asyncio.gather(broken(), broken(), return_exceptions=True)]

    return asyncio.run(main())


print("result", globals()[sys.argv[1]]())
