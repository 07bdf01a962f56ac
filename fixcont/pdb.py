"""In place of pdb: all that the running interpreter's pdb has, under the same names, with the fix-and-continue commands on top.

`from fixcont import pdb`, `import fixcont.pdb as pdb` and `python -m fixcont.pdb` do what they do without `fixcont`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pdb import *  # noqa: F403 - for those who check the types of their programs

if __name__ == "__main__":
    import importlib

    importlib.import_module("fixcont.pdb").main()  # as pdb does: the name __main__ is the program's
else:
    from fixcont_ui.drop_in.module import fill

    fill(globals())
