"""How soon after a trial has ended its verdict is on the page: recorded on this disk, or through MLflow alone."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from playwright.sync_api import Page

from bench.tools.figures import Figure, progress
from bench.tools.world import numbers
from labs.kit import catalogue, places, services, spool
from labs.kit.plan import plan
from labs.kit.shipper import ship_all
from labs.kit.trial import _header as header
from labs.kit.words import Claim, Lab

PATIENCE = 60.0


def new_verdicts(page: Page, overview: str, count: int, state: str) -> Figure:
    """Trials so far off that their claim's verdict changes, each way in turn."""
    page.goto(overview)
    told: dict[str, list[float]] = {"disk": [], "MLflow": []}
    every = [(lab, claim) for lab in catalogue.pick([]) for claim in lab.claims.values() if _is_plain(claim)]
    for at in range(2 * count):
        way = ("disk", "MLflow")[(at + at // 2) % 2]
        progress(f"new verdict {at + 1} of {2 * count}, by way of {way}")
        told[way].append(_new_verdict(page, *every[at % len(every)], at, way))
    what = "From a trial's end record to its new verdict on the page"
    peers = {"by way of MLflow alone, as from another machine": told["MLflow"]}
    return Figure(what, "s", told["disk"], f"{state}page open, claims in turn", 5.0, peers=peers)


def _is_plain(claim: Claim) -> bool:
    """Whether one number that is far off moves the verdict: a median would hardly move, and a share cannot be off."""
    return not (claim.tail or claim.against or claim.share_of or claim.presets)


def _new_verdict(page: Page, lab: Lab, claim: Claim, at: int, way: str) -> float:
    name = page.locator(f'a.name[data-key="{claim.id}"]')
    before = name.get_attribute("aria-label")
    planned = replace(plan([lab], "full", [claim.variant], seeds=1)[0], seed=100_000 + at)
    with _trials_of_another_machine(way == "MLflow"), spool.hold(planned.folder):
        record = spool.begin(planned.folder, header(planned))
        time.sleep(3.0)  # the page has seen that it runs, and has come to rest
        record.end("FINISHED", numbers(lab, claim.variant, np.random.default_rng(at), off=1e4 * 2**at))
        ended = time.monotonic()
        if way == "MLflow":
            ship_all(services.tracking_uri())
    while name.get_attribute("aria-label") == before:
        if time.monotonic() - ended > PATIENCE:
            sys.exit(f"bench: the verdict of {claim.id} did not change within {PATIENCE:.0f} s of a trial's end.")
        time.sleep(0.02)
    return time.monotonic() - ended


@contextmanager
def _trials_of_another_machine(elsewhere: bool) -> Iterator[None]:
    if elsewhere:
        os.environ["GAPLAB_TRIALS"] = str(places.home() / "elsewhere")
    yield
    os.environ.pop("GAPLAB_TRIALS", None)
