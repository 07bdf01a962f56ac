import os

LIMIT = 10
GONE = 1


class Shop:
    size = 1

    def open(self):
        return LIMIT


class Other:
    pass


class Annex(Shop):
    pass


def helper():
    return os.sep
