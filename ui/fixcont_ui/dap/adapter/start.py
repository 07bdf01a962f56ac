"""Started by the adapter in the interpreter that the program wants, whether fixcont is installed there or not.

Only the two packages themselves are found in the adapter's folders: what else lies there is not for the program.
"""

import os
import sys


def main() -> int:
    """Run the command line of fixcont."""
    if not hasattr(sys, "exception"):
        sys.stderr.write(f"fixcont needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}\n")
        return 2
    here = os.path.dirname(os.path.abspath(__file__))
    front_ends = os.path.dirname(os.path.dirname(os.path.dirname(here)))
    engine = front_ends if os.path.isdir(os.path.join(front_ends, "fixcont")) else os.path.dirname(front_ends)
    before = ["" if each == here else each for each in sys.path]  # the interpreter has put the folder of this file there
    sys.path[:0] = [engine, front_ends]
    try:
        import fixcont  # noqa: F401 - for its place
        from fixcont_ui.command_line import main as run
    finally:
        sys.path[:] = before
    return run()


if __name__ == "__main__":
    sys.exit(main())
