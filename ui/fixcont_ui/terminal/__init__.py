"""What a terminal with a person at it gets. All of it needs prompt_toolkit: imported at the first stop there, never before."""
