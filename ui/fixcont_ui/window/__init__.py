"""The full-screen window on a stop. `model` knows what is shown and no terminal; the rest needs prompt_toolkit, and is imported when the window opens."""
