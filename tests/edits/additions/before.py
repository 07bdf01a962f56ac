DEFAULT = 7


class Shape:
    def area(self):
        return 0


def old():
    return "old"
