"""The door to the debug adapter: `python -m fixcont.dap` speaks the Debug Adapter Protocol on standard input and output."""

from fixcont_ui.dap.starting import listen_here

__all__ = ["listen_here"]

if __name__ == "__main__":
    import sys

    from fixcont_ui.dap.adapter.main import main

    sys.exit(main())
