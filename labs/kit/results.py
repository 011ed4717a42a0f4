"""Recorded trials -> gaps. Reads the mirror of MLflow and, beside it, the records on this disk that MLflow lacks."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from labs.kit import gap, plan
from labs.kit.gap import Verdict
from labs.kit.rows import Failure, Row, failed, row_of, rows, surplus
from labs.kit.words import Claim, Lab

__all__ = ["Failure", "Judged", "Row", "Tally", "failed", "gaps", "pairs", "row_of", "rows", "surplus", "tally"]

Origin = Literal["own", "reference", "none"]
PREFERRED = ("full", "quick", "gpu")


@dataclass(frozen=True)
class Judged:
    """A claim in one variant, judged, with what it was judged from."""

    gap: gap.Gap
    origin: Origin
    """`own`: trials of this reader; `reference`: the authors' recorded ones; `none`: not run."""
    preset: str
    """The preset whose trials these are; empty where there are none."""
    rows: Sequence[Row]
    """The trials that count here: the variant's and, for a claim `against` another variant, that one's."""
    stale: int
    """Finished trials of the variant whose recipe is no longer the code's."""
    failed: int
    """Trials of the variant, of today's recipe, that raised or were killed and have not finished since."""


@dataclass(frozen=True)
class Tally:
    """How many claims came out how, each counted once, in its headline variant."""

    claims: int = 0
    holds: int = 0
    gap_known: int = 0
    gap_open: int = 0
    inconclusive: int = 0
    impossible: int = 0
    not_run: int = 0


def gaps(lab: Lab, rows: Iterable[Row], reference: Iterable[Row], failures: Iterable[Failure] = ()) -> list[Judged]:
    """Every claim of the lab in every variant that measures it (but the one it is `against`).

    The reader's own trials from two seeds on (one, for an identity), of the fullest preset that has them; until then
    the reference; where there is none, what there is. Trials of two recipes or two presets are never put together.
    """
    told = _Told(
        lab,
        {variant: plan.recipes(lab, variant) for variant in lab.variants},
        _by_recipe(lab, rows),
        _by_recipe(lab, reference),
        [failure for failure in failures if failure.lab == lab.id],
    )
    return [
        told.judged(claim, variant)
        for claim in lab.claims.values()
        for variant in claim.variants
        if variant != claim.against
    ]


def pairs(claim: Claim, variant: str, rows: Iterable[Row]) -> dict[int, tuple[float, float]]:
    """Seed -> (predicted, measured), of the rows of one recipe: the fullest preset's, where there are several.

    A claim `against` another variant is about the difference of the two, paired by seed.
    """
    rows = list(rows)
    predicted, measured = _numbers(rows, variant, f"predicted.{claim.name}"), _numbers(rows, variant, claim.name)
    other = _numbers(rows, claim.against, claim.name) if claim.against else dict.fromkeys(measured, 0.0)
    shared = predicted.keys() & measured.keys() & other.keys()
    return {seed: (predicted[seed], measured[seed] - other[seed]) for seed in sorted(shared)}


def tally(judged: Iterable[Judged]) -> Tally:
    """Count the claims by the verdict of their headline variant; controls and other variants are never counted."""
    heads = [one.gap for one in judged if one.gap.is_headline]
    count = Counter(head.verdict for head in heads)
    known = sum(head.verdict is Verdict.GAP and bool(head.claim.cause.strip()) for head in heads)
    return Tally(
        claims=len(heads),
        holds=count[Verdict.HOLDS],
        gap_known=known,
        gap_open=count[Verdict.GAP] - known,
        inconclusive=count[Verdict.INCONCLUSIVE],
        impossible=count[Verdict.IMPOSSIBLE],
        not_run=count[Verdict.NOT_RUN],
    )


_Recorded = Mapping[tuple[str, str], Sequence[Row]]
"""(variant, recipe) -> rows"""


@dataclass(frozen=True)
class _Told:
    """What is known of one lab."""

    lab: Lab
    today: Mapping[str, Mapping[str, str]]
    """variant -> preset -> recipe"""
    own: _Recorded
    reference: _Recorded
    failures: Sequence[Failure]

    def judged(self, claim: Claim, variant: str) -> Judged:
        origin, preset, rows = self._choose(claim, variant)
        found = pairs(claim, variant, rows)
        runs = self.lab.setting_of(variant, preset).get(claim.share_of) if preset in self.lab.presets else None
        verdict = gap.judge(
            claim,
            variant,
            [predicted for predicted, _ in found.values()],
            [measured for _, measured in found.values()],
            runs if isinstance(runs, int) else None,
        )
        used = sorted((row for row in rows if row.seed in found), key=lambda row: (row.variant != variant, row.seed))
        return Judged(verdict, origin, preset, used, self._stale(variant), self._failed(variant))

    def _choose(self, claim: Claim, variant: str) -> tuple[Origin, str, list[Row]]:
        """Whose trials, of which preset."""
        enough = 1 if claim.exact else 2
        wanted: list[tuple[Origin, Callable[..., list[Row]], int]] = [
            ("own", self._own_rows, enough),
            ("reference", self._reference_rows, 1),
            ("own", self._own_rows, 1),
        ]
        for origin, rows_of, least in wanted:
            for preset in self._presets(claim):
                rows = rows_of(variant, preset) + (rows_of(claim.against, preset) if claim.against else [])
                if len(pairs(claim, variant, rows)) >= least:
                    return origin, preset, rows
        return "none", "", []

    def _presets(self, claim: Claim) -> list[str]:
        known = [*PREFERRED, *(name for name in self.lab.presets if name not in PREFERRED)]
        return [name for name in known if name in (claim.presets or known)]

    def _own_rows(self, variant: str, preset: str) -> list[Row]:
        return list(self.own.get((variant, self.today[variant].get(preset, "")), []))

    def _reference_rows(self, variant: str, preset: str) -> list[Row]:
        """Two presets that ask for the same trial share it under the name of one: the recipe says which rows belong."""
        groups = [rows for (name, _), rows in self.reference.items() if name == variant]
        return next((list(rows) for rows in groups if any(row.preset == preset for row in rows)), [])

    def _stale(self, variant: str) -> int:
        now = set(self.today[variant].values())
        old = [rows for (name, recipe), rows in self.own.items() if name == variant and recipe not in now]
        return sum(row.stack == self.lab.stack for rows in old for row in rows)

    def _failed(self, variant: str) -> int:
        now = set(self.today[variant].values())
        return sum(failure.variant == variant and failure.recipe in now for failure in self.failures)


def _by_recipe(lab: Lab, rows: Iterable[Row]) -> _Recorded:
    made: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.lab == lab.id:
            made.setdefault((row.variant, row.recipe), []).append(row)
    return made


def _numbers(rows: Sequence[Row], variant: str, name: str) -> dict[int, float]:
    """Seed -> number, of one recipe of the variant."""
    mine = [row for row in rows if row.variant == variant and name in row.numbers]
    best = min(mine, key=lambda row: _rank(row.preset), default=None)
    return {row.seed: row.numbers[name] for row in mine if best and row.recipe == best.recipe}


def _rank(preset: str) -> int:
    return PREFERRED.index(preset) if preset in PREFERRED else len(PREFERRED)
