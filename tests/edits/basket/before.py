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
        """Add the prices."""
        return sum(self.prices) / 0

    @property
    def mean(self):
        return sum(self.prices)

    @mean.setter
    def mean(self, value):
        self.prices = [value]

    @staticmethod
    def unit():
        return "EUR"

    @classmethod
    def empty(cls):
        return cls([0])


@traced
def discount(price, rate=10, *, floor=0):
    return max(price - rate, floor)


async def fetch():
    return 1


def numbers():
    yield 1


def below():
    raise ValueError("below")
