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


def background_task_in_a_set():
    running = set()

    async def broken():
        fail()

    async def main():
        task = asyncio.create_task(broken())
        running.add(task)
        task.add_done_callback(running.discard)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return len(running)

    return asyncio.run(main())


def task_group():
    async def broken():
        await asyncio.sleep(0)
        return fail()

    async def main():
        async with asyncio.TaskGroup() as group:
            task = group.create_task(broken())
        return task.result()

    return asyncio.run(main())


def body_of_a_task_group():
    async def main():
        async with asyncio.TaskGroup():
            return fail()

    return asyncio.run(main())


def connection():
    async def answer(reader, writer):
        try:
            writer.write(fail().encode())
        finally:
            writer.close()

    async def main():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        received = await reader.read()
        writer.close()
        server.close()
        return received

    return asyncio.run(main())


print("result", globals()[sys.argv[1]]())
