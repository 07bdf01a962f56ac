"""The front ends of fixcont: each gets a stop from the engine, shows it, and answers with a way to go on."""
