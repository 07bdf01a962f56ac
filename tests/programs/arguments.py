"""A function that rebinds and mutates its arguments before it fails."""


def collect(found, limit, *more, scale=2, **options):
    found.append("entered")
    limit = limit * 10
    more = list(more)
    scale += 1
    options["seen"] = True
    values = found
    found = "rebound"
    return limit // (len(more) - 3), more, scale, sorted(options), values  # @fails


kept = []
result = collect(kept, 4, 1, 2, 3, verbose=True)
print("result", result)
print("same list", result[-1] is kept)
