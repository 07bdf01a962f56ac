"""How traps get into a program: the scope, the import hook with its cache, the runner, functions already loaded."""
