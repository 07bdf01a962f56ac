"""The debug adapter: fixcont in an IDE, by the Debug Adapter Protocol."""
