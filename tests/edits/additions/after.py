DEFAULT = 7


class Shape:
    def area(self):
        return self.side() ** 2

    def side(self, scale=DEFAULT, *, unit="m"):
        return scale

    @property
    def name(self):
        return type(self).__name__

    @name.setter
    def name(self, value):
        self.given = value

    @staticmethod
    def kind():
        return "shape"

    @classmethod
    def make(cls):
        return cls()

    def text(self):
        return super().__str__()[:1]

    class Corner:
        count = 4


class Base(metaclass=type):
    def greet(self) -> str:
        return "hello " + helper(self.__class__.__name__)


class Derived(Base):
    def greet(self):
        return super().greet() + "!"


def helper(name, mark=len("x")):
    return name * mark


def countdown(n):
    while n:
        yield n
        n -= 1
