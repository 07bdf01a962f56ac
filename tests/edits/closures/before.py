def counter(start):
    count = start

    def step(by=1):
        nonlocal count
        count += by
        return count

    def peek():
        return count

    return step, peek


doubled = lambda x: x * 2  # noqa: E731
handlers = {"a": lambda event: ("a", event), "b": lambda event: ("b", event)}


def squares(n):
    return [i * i for i in range(n)]
