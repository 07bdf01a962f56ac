"""The process between a client and the program: it starts the program, and answers for it where the program cannot."""
