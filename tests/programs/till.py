"""A till that fails on a bad line: what it holds is saved, and looked at elsewhere."""

import datetime
import decimal


class Order:
    def __init__(self, number, lines):
        self.number = number
        self.lines = lines
        self.placed = datetime.datetime(2024, 5, 17, 12, 30, tzinfo=datetime.timezone.utc)

    def total(self):
        return sum(price * count for price, count in self.lines)


class Connection:
    def __init__(self, password):
        self.password = password

    def __repr__(self):
        return f"Connection({self.password})"


def charge(order, rate, *, connection):
    history = [order, order]
    try:
        amount = order.total()  # @total
    finally:
        print("closing", len(history))
    return amount * rate


def main():
    lines = [(decimal.Decimal("2.50"), 2), (decimal.Decimal("1.00"), None)]
    connection = Connection("open" + "sesame")
    charge(Order(7, lines), 1.5, connection=connection)  # @call


if __name__ == "__main__":
    main()
