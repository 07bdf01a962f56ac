"""Values of the program as front ends show them. Knows no terminal and no protocol, and runs none of the program's code."""
