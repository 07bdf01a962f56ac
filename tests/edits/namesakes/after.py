class Thermometer:
    def __init__(self):
        self._degrees = 0

    @property
    def degrees(self):
        return self._degrees + 100

    @degrees.setter
    def degrees(self, degrees):
        self._degrees = degrees * 2

    def twice(self):
        return "first, edited"

    hidden = twice

    def twice(self):
        return "second, edited"


FAST = True
if FAST:

    def run():
        return "fast, edited"

else:

    def run():
        return "slow"
