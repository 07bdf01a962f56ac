"""Add up the sizes in a tree of folders."""

calls = 0


def size(node, depth):
    global calls
    calls += 1
    total = 0
    for child in node.get("children", ()):
        total += size(child, depth + 1)
    return total + node["size"]  # @fails


def chain(length):
    node = {"name": "leaf", "bytes": 7}
    for number in range(length):
        node = {"name": f"folder{number}", "size": 1, "children": [{"name": "note", "size": 2}, node]}
    return node


print("total", size(chain(60), 0), "calls", calls)
