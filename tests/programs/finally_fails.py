"""A `finally` block that raises while frames unwind for a restart."""

log = []


def inner(resource):
    try:
        return resource["value"] / 0  # @fails
    finally:
        log.append("inner finally")
        resource["handle"].close()  # @finally


def middle(resource):
    try:
        return inner(resource)
    finally:
        log.append("middle finally")


def outer():
    log.append("outer entered")
    resource = {"value": 6, "handle": None}
    return middle(resource)


print("result", outer(), log)
