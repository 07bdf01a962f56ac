"""Exceptions that somebody handles: one function a rule. Not one of them may stop the program."""

import asyncio
import collections
import contextlib
import sys
import types
import unittest


class Custom(LookupError):
    pass


def fail(error=Custom):
    raise error("on purpose")


def own_handler_by_type():
    try:
        fail()
    except Custom:
        return "handled"


def own_handler_by_base_class():
    try:
        fail()
    except (ValueError, LookupError):
        return "handled"


def own_handler_for_everything():
    try:
        fail()
    except Exception:
        return "handled"


def own_bare_handler():
    try:
        fail(KeyboardInterrupt)
    except:
        return "handled"


def own_handler_frames_away():
    def through(depth):
        try:
            return through(depth - 1) if depth else fail()
        finally:
            log.append(depth)

    log = []
    try:
        through(5)
    except Custom:
        return log


def own_handler_named_by_local():
    wanted = (KeyError, Custom)
    try:
        fail()
    except wanted:
        return "handled"


def own_handler_named_by_attribute():
    errors = types.SimpleNamespace(Custom=Custom)
    try:
        fail()
    except errors.Custom:
        return "handled"


def own_handler_for_group():
    try:
        raise ExceptionGroup("several", [ValueError(1), Custom(2)])
    except* ValueError:
        pass
    except* Custom:
        return_value.append("handled")
    return return_value.pop()


return_value = []


def library_handler_by_type():
    class Sparse(collections.UserDict):
        def __missing__(self, key):
            raise KeyError(key)

    return Sparse().get("a", "default"), collections.ChainMap(Sparse(), {"b": 1})["b"]


def suppressed():
    with contextlib.suppress(LookupError):
        fail()
    return "suppressed"


def suppressed_in_caller():
    def inner():
        with open(__file__):
            fail()

    with contextlib.suppress(Custom):
        inner()
    return "suppressed"


def asserted():
    with unittest.TestCase().assertRaises(Custom) as caught:
        fail()
    return str(caught.exception)


def asserted_by_call():
    unittest.TestCase().assertRaises(Custom, fail)
    return "asserted"


def context_manager_function():
    @contextlib.contextmanager
    def tolerant():
        try:
            yield
        except Custom:
            log.append("caught")

    log = []
    with tolerant():
        fail()
    return log


def stop_iteration():
    class Countdown:
        def __init__(self, start):
            self.left = start

        def __iter__(self):
            return self

        def __next__(self):
            if not self.left:
                raise StopIteration
            self.left -= 1
            return self.left

    return list(Countdown(3)), next(iter(Countdown(0)), "none"), [n for n in Countdown(2)]


def stop_async_iteration():
    class Countdown:
        left = 3

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    async def main():
        return [n async for n in Countdown()]

    return asyncio.run(main())


def generator_exit():
    def numbers():
        try:
            yield 1
            yield 2
        finally:
            log.append("closed")

    log = []
    source = numbers()
    next(source)
    source.close()
    return log


def cancellation():
    async def forever():
        await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task])
        try:
            await asyncio.wait_for(forever(), 0.01)
        except TimeoutError:
            return done.pop().cancelled()

    return asyncio.run(main())


def system_exit():
    def leave():
        sys.exit(3)

    try:
        leave()
    except SystemExit as error:
        return error.code


def missing_attribute():
    class Lazy:
        def __getattr__(self, name):
            raise AttributeError(name)

    return hasattr(Lazy(), "a"), getattr(Lazy(), "b", "default")


def failing_property():
    class Broken:
        @property
        def value(self):
            return self.nothing

    return hasattr(Broken(), "value"), getattr(Broken(), "value", "default")


def sequence_protocol():
    class Letters:
        def __getitem__(self, index):
            return "abc"[index]

    return list(Letters()), "b" in Letters(), [letter for letter in Letters()]


def test_outcome():
    class Tests(unittest.TestCase):
        def test_skipped(self):
            self.skipTest("not today")

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Tests).run(result)
    return len(result.skipped), len(result.errors)


def generator_thrown_into():
    def tolerant():
        while True:
            try:
                yield "waiting"
            except Custom:
                yield "caught"

    source = tolerant()
    next(source)
    return source.throw(Custom("thrown"))


def exit_stack():
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(Custom))
        fail()
    return "suppressed"


def own_exit_method():
    class Tolerant:
        def __enter__(self):
            return self

        def __exit__(self, kind, value, traceback):
            return kind is Custom

    with Tolerant():
        fail()
    return "suppressed"


def awaited_elsewhere():
    async def broken():
        await asyncio.sleep(0)
        fail()

    async def main():
        task = asyncio.create_task(broken())
        try:
            await task
        except Custom:
            return "handled"

    return asyncio.run(main())


def collected_by_gather():
    async def broken():
        fail()

    async def main():
        return [type(result).__name__ for result in await asyncio.gather(broken(), broken(), return_exceptions=True)]

    return asyncio.run(main())


print(sys.argv[1], globals()[sys.argv[1]]())
