"""Making what a program misses: a function, method or class that is called and is not there. Knows texts and stops, no terminal."""
