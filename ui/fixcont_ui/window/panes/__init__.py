"""The panes of the window, one module each. They run in the window's own thread, and see plain values only."""
