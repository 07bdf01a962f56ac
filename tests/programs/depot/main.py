"""A depot that fails in several ways; each failure is saved to a file of its own, in the folder that is named."""

import sys

import stock


def take_stock():
    items = [stock.Item("saw", 8.0), stock.Item("nail", None, stock.Kind.PART)]
    depot = stock.Depot(settings["name"], items)
    return depot.worth(3)


def lock_up():
    depot = stock.Depot("south", [stock.Item("nail", None)])
    return depot.closed()


def total():
    return stock.summing(5)


def fetched():
    return stock.asyncio.run(stock.ask(0))


def shares():
    return list(stock.each_share(6, 2))


def main(folder):
    import fixcont

    functions = take_stock, lock_up, total, fetched, shares, stock.ask_for_share
    for function in filter(None, functions):  # how far it has come cannot be told: who goes on here would save all stops again
        try:
            function()
        except Exception as error:
            fixcont.save(error, f"{folder}/{function.__name__}.stop")


if __name__ == "__main__":
    settings = {"name": "north"}
    main(sys.argv[1])
