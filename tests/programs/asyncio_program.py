"""Several clients of one server, all in one event loop."""

import asyncio
import os

finished = []


async def price_of(reader, writer, item):
    writer.write(f"{item}\n".encode())
    await writer.drain()
    answer = (await reader.readline()).decode()
    return int(answer)  # @fails


async def client(port, items):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        total = 0
        for item in items:
            total += await price_of(reader, writer, item)
        finished.append((items, total))
        return total
    finally:
        writer.close()
        await writer.wait_closed()


async def serve(reader, writer):
    while line := await reader.readline():
        item = line.decode().strip()
        writer.write(b"7 euro\n" if item == "rope" else f"{len(item)}\n".encode())
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    totals = await asyncio.gather(client(port, ["saw", "glue"]), client(port, ["tape", "rope", "nail"]), client(port, ["mask"]))
    server.close()
    print("totals", totals, "finished", len(finished), "end", os.getpid())


print("start", os.getpid())
asyncio.run(main())
