"""The average price of every product in data/sales.csv. One product was never sold.

Start it with `fixcont demos/prices.py`. It stops in `unit_price`. Type `fix`, let the function return 0.0 when the count
is 0, save, leave the editor, and type `rf`: the call starts again on the new code, and the report is finished.
"""

import csv
from pathlib import Path


def unit_price(total, count):
    return total / count


def report(path):
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            price = unit_price(int(row["cents"]), int(row["count"]))
            print(f"{row['product']:<12}{price / 100:>8.2f}")


report(Path(__file__).parent / "data" / "sales.csv")
print("done")
