"""Tests that pytest-xdist runs in several processes: the stops of its workers are served at the controller's terminal, one after the other.

The prompt of a stop runs in the worker, where the frames are (`worker.py`). What it reads and writes goes over a connection (`connection.py`) to
the controller (`host.py`), which has the terminal (`desk.py`, `keyboard.py`).
"""
