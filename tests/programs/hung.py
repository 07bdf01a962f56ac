"""A loop that never ends."""

state = {"target": None, "rounds": 0}


def search(target):
    while True:
        state["rounds"] += 1
        if state["rounds"] == 1000:
            print("searching", flush=True)
        if state["rounds"] == target:
            return "found"


print("result", search(None))
