# One line more.
def counter(start):
    count = start

    def step(by=1):
        nonlocal count
        count += by * 10
        return count

    def peek():
        return count

    return step, peek


doubled = lambda x: x * 3  # noqa: E731
handlers = {"a": lambda event: ("A", event), "b": lambda event: ("b", event)}


def squares(n):
    return [i * i + 1 for i in range(n)]
