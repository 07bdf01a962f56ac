"""The door to the extension of IPython and Jupyter, which `%load_ext fixcont` loads."""

from fixcont_ui.ipython import load

__all__ = ["load"]
