"""A report over orders, one of which is wrong: what the tests with real clients debug."""

import os


def unit_price(total, count):
    price = total / count  # @fails
    return round(price, 2)  # @rounds


def report(orders):
    lines = 0
    for name, total, count in orders:  # @loop
        price = unit_price(total, count)  # @calls
        print(f"{name}: {price}")  # @prints
        lines += 1
    return lines


def main():
    print("process", os.getpid())
    lines = report([("nails", 3.0, 100), ("rope", 9.0, 0), ("glue", 5.0, 2)])  # @reports
    print(lines, "lines by process", os.getpid())  # @done


if __name__ == "__main__":
    main()  # @starts
