"""What the window shows of a stop, as plain values. All of it runs in the held thread, and none of it knows a terminal."""
