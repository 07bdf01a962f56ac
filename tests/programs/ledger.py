"""A ledger that fails while another thread waits: its exception has a cause, and it holds more than is saved."""

import threading


class Ledger:
    def __init__(self, entries):
        self.entries = entries
        self.note = "n" * 30_000


def amount(text):
    try:
        return int(text)  # @parse
    except ValueError as error:
        raise LookupError("no amount") from error  # @fails


def book(ledger, text):
    amounts = list(range(3000))
    return amount(text) + sum(amounts)  # @book


def wait(event, ready):
    ready.set()
    event.wait()


if __name__ == "__main__":
    ready = threading.Event()
    threading.Thread(target=wait, args=(threading.Event(), ready), name="waiter", daemon=True).start()
    ready.wait()
    book(Ledger([1, 2]), "x")  # @call
