"""Two threads that fail at once, and a third that works on."""

import threading

start = threading.Barrier(3)
finished = threading.Event()
results = {}


def convert(text):
    return int(text)  # @fails


def worker(name, text):
    start.wait()
    results[name] = convert(text)


def counter():
    start.wait()
    count = 0
    while not finished.wait(0.001):
        count += 1
    results["counted"] = count > 0


threads = [threading.Thread(target=worker, args=(name, text), name=name) for name, text in (("first", "1a"), ("second", "2b"))]
background = threading.Thread(target=counter, name="background")
for thread in (*threads, background):
    thread.start()
for thread in threads:
    thread.join()
finished.set()
background.join()
print("results", sorted(results.items()))
