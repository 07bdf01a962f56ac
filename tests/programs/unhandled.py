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


def unit_test():
    class Tests(unittest.TestCase):
        def test_it(self):
            fail()

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Tests).run(result)
    return len(result.errors)


def task_that_nobody_awaits():
    async def broken():
        fail()

    async def main():
        task = asyncio.create_task(broken())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return task.done()

    return asyncio.run(main())


print("result", globals()[sys.argv[1]]())
