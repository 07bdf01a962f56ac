"""What the names of all characters of Unicode 3.2 begin with. Some code points that are in use have no name.

Start it with `fixcont demos/names.py`. It stops in `tabulate`, in the middle of two loops and of a file that is being written,
with 48,752 names behind it: the function itself is wrong. Type `fix`, give `unicode.name` a second argument, None, let the
loop `continue` where the name is None, and type `retry`: the loops go on with this very character, and no count is lost.
"""

import sys
from collections import Counter
from tempfile import TemporaryFile
from unicodedata import ucd_3_2_0 as unicode

SECTION = 0x4000


def tabulate():
    beginnings = Counter()
    with TemporaryFile("w+", encoding="ascii") as table:
        for start in range(0, sys.maxunicode, SECTION):
            found = 0
            for number in range(start, start + SECTION):
                character = chr(number)
                if unicode.category(character) in ("Cc", "Cn"):  # control characters, and numbers not in use
                    continue
                name = unicode.name(character)
                beginnings[name.split()[0]] += 1
                table.write(f"{number:06X} {name}\n")
                found += 1
            if found:
                print(f"from {start:06X}: {found:6,} names")
        table.seek(0)
        print(f"{len(table.readlines()):,} lines in the table")
    return beginnings


beginnings = tabulate()
print(f"{beginnings.total():,} names:", ", ".join(f"{count:,} {word}" for word, count in beginnings.most_common(4)))
