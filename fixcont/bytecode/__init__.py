"""Code objects: the only rooms of the engine that know bytecode."""
