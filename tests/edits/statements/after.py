import os
import json

LIMIT = 20


class Shop:
    size = 2

    def open(self):
        return LIMIT + 1


class Other:
    pass


class Annex(Shop, Other):
    pass


@staticmethod
def helper():
    return os.sep


if LIMIT:

    def sometimes():
        return json
