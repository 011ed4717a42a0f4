"""Runs every lab, with MLflow left out, as a command that may be killed or run twice.

python -m tests.kit.engines.command [ENGINE]
"""

import sys

from labs.kit import catalogue
from labs.kit.jsonout import print_json
from labs.kit.plan import plan
from labs.kit.run import run

if __name__ == "__main__":
    report = run(plan(catalogue.pick([]), "full"), engine=(sys.argv[1:] or ["process"])[0], ship=False)
    print_json(
        {"done": report.done, "skipped": report.skipped, "elsewhere": report.elsewhere, "failed": len(report.failed)}
    )
    sys.exit(report.exit_code)
