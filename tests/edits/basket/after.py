"""A basket of goods."""

import functools

calls = []


def traced(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        calls.append(function.__name__)
        return function(*args, **kwargs)

    return wrapper


class Basket:
    """Goods and their prices."""

    def __init__(self, prices):
        self.prices = prices

    def total(self):
        """Add all prices."""
        return sum(self.prices)

    @property
    def mean(self):
        return sum(self.prices)

    @mean.setter
    def mean(self, value):
        self.prices = [value, value]

    @staticmethod
    def unit():
        return "USD"

    @classmethod
    def empty(cls):
        return cls([])


@traced
def discount(price, rate=20, *, floor=5):
    return max(price - rate, floor)


async def fetch():
    return 2


def numbers():
    yield 2
    yield 3


def below():
    raise ValueError("below")
