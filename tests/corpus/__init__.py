"""Real edits, out of the histories of well-known packages: is each one applied to the loaded old version, and rightly?"""
