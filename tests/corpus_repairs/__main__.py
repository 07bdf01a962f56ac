"""`python -m tests.corpus_repairs --help`."""

from __future__ import annotations

from tests.corpus_repairs.run import main

if __name__ == "__main__":
    raise SystemExit(main())
