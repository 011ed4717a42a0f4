"""When the first claim, and when the last, had a verdict from trials of this home, in Unix milliseconds, as JSON.

Run by the interpreter of the checkout whose verdicts are meant, with that checkout on PYTHONPATH.
"""

from bisect import bisect_left

from labs.kit import catalogue, results
from labs.kit.jsonout import print_json


def main() -> None:
    """A verdict, once there, stays; so the trials after which it came are found by halving."""
    labs = catalogue.pick([])
    rows = sorted(results.rows(), key=lambda row: row.end_ms)

    def own(count: int) -> int:
        """Claims whose verdict rests on the first so many trials."""
        judged = [one for lab in labs for one in results.gaps(lab, rows[:count], [])]
        return sum(one.gap.is_headline and one.origin == "own" and enough(one) for one in judged)

    def enough(one: results.Judged) -> bool:
        return one.gap.claim.exact or len({row.seed for row in one.rows}) > 1

    def when(claims: int) -> int:
        return rows[bisect_left(range(len(rows) + 1), claims, key=own) - 1].end_ms

    every = own(len(rows))
    claims = sum(len(lab.claims) for lab in labs)
    print_json({"first": when(1), "last": when(every), "own": every, "claims": claims, "trials": len(rows)})


if __name__ == "__main__":
    main()
