"""The table of trials behind a verdict. Its text may be anybody's, so assets/trials.js sets it as text."""

import re

from dashboard import phrases
from dashboard.cell import Json
from dashboard.dossier import Dossier
from labs.kit.results import Judged, Row, pairs

_RUN_ID = re.compile(r"[0-9a-f]{32}")


def table(told: Dossier, uri: str) -> Json:
    """The finished trials that were judged, and those that did not finish."""
    one, claim = told.one, told.claim
    found = pairs(claim, one.gap.variant, one.rows)
    runs = {(row.variant, row.seed): row for row in one.rows}
    failures = [fallen for fallen in told.known.failures if fallen.variant == one.gap.variant]
    return {
        "unit": claim.unit,
        "against": claim.against,
        "rows": [
            {
                "seed": seed,
                "predicted": phrases.number(predicted, one.gap.tolerance),
                "measured": phrases.number(measured, one.gap.tolerance),
                "gap": phrases.number(measured - predicted, one.gap.tolerance, sign=True),
                "within": phrases.is_within(one.gap, measured - predicted),
                **_told(runs[one.gap.variant, seed], told, uri),
            }
            for seed, (predicted, measured) in found.items()
        ],
        "failures": [
            {
                "seed": fallen.seed,
                "status": fallen.status.lower(),
                "message": fallen.message,
                "ended": fallen.end_ms,
                "href": _link(fallen.run_id, uri),
            }
            for fallen in failures
        ],
    }


def _told(row: Row, told: Dossier, uri: str) -> Json:
    return {
        "ended": row.end_ms,
        "preset": row.preset,
        "stack": row.stack,
        "run": told.known.names.get(row.run_id or "", (row.run_id or "")[:8]),
        "href": _link(row.run_id, uri),
        "place": {"reference": "authors", "spool": "not in MLflow yet"}.get(row.origin, "MLflow"),
    }


def _link(run_id: str | None, uri: str) -> str:
    """The run's page in MLflow, from nothing but an id that is one."""
    return f"{uri}/#/runs/{run_id}" if run_id and uri.startswith("http") and _RUN_ID.fullmatch(run_id) else ""


def command(one: Judged) -> str:
    """What repeats the trials of a variant; of both variants, where their difference is judged."""
    names = " ".join(f"--variant {name}" for name in (one.gap.variant, one.gap.claim.against) if name)
    preset = f" --preset {one.preset}" if one.origin == "own" and one.preset not in ("quick", "") else ""
    return f"gaplab run {one.gap.claim.lab} {names}{preset}"
