"""The door `python -m fixcont`."""

import sys

from fixcont_ui.command_line import main

sys.exit(main())
