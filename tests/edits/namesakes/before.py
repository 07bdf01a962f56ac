class Thermometer:
    def __init__(self):
        self._degrees = 0

    @property
    def degrees(self):
        return self._degrees

    @degrees.setter
    def degrees(self, degrees):
        self._degrees = degrees

    def twice(self):
        return "first"

    hidden = twice

    def twice(self):
        return "second"


FAST = True
if FAST:

    def run():
        return "fast"

else:

    def run():
        return "slow"
