#!/opt/venv/bin/python
"""`gaplab` in a stack's image: the stack's own packages first, the command's after them, for this process alone."""

import sys

sys.path.append("/opt/command/lib/python3.11/site-packages")

from labs.kit.cli import main  # noqa: E402

sys.exit(main())
