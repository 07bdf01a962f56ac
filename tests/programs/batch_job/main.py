"""Book orders from a file into a database and report each to a ledger over one connection."""

import csv
import os
import socket
import sqlite3
import sys
from pathlib import Path


def unit_price(total, count):
    return total / count  # @fails


def book(row, database, ledger):
    price = unit_price(float(row["total"]), int(row["count"]))
    database.execute("insert into booked values (?, ?, ?)", (int(row["order"]), row["item"], price))
    ledger.sendall(f"{row['order']} {price:.2f}\n".encode())


def main(port):
    database = sqlite3.connect(":memory:")
    database.execute("create table booked (number integer primary key, item text, price real)")
    ledger = socket.create_connection(("127.0.0.1", port))
    print("start", os.getpid(), ledger.getsockname()[1], flush=True)
    with open(Path(__file__).with_name("orders.csv"), newline="") as file, ledger:
        for row in csv.DictReader(file):
            book(row, database, ledger)
        print("end", os.getpid(), ledger.getsockname()[1], file.closed)
    count, total = database.execute("select count(*), sum(price) from booked").fetchone()
    print(f"booked {count} orders, sum of prices {total:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
