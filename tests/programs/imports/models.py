"""A class body that fails."""

FIELDS = "number item count".split()


class Order:
    fields = {name: position for position, name in enumerate(FIELDS)}
    first = fields["nummer"]  # @fails

    @classmethod
    def count_fields(cls):
        return len(cls.fields)
