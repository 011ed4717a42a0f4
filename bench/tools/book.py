"""The figures of the book that both sides simulate: our settings, their functions, and what each side keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labs.kit.words import Value


@dataclass(frozen=True)
class Drawn:
    """One figure of the book, as both sides simulate it."""

    figure: str
    size: str
    lab: str
    changed: Sequence[tuple[str, Mapping[str, Value]]]
    """A variant of the lab and the numbers over it; all of them make the figure."""
    small: Mapping[str, Value]
    """Numbers that make each of them small, to load what is compiled."""
    script: str
    function: str
    kept: str
    """What comes out, where ours keeps less than theirs."""
    target: float = 20
    """At least so many times faster."""


WALK: dict[str, Value] = {"runs": 100, "episodes": 101, "error": "mean_of_roots"}
BATCH: dict[str, Value] = {
    "batches": 100,
    "episodes": 101,
    "initial": -1.0,
    "step_size": 0.001,
    "tolerance": 1e-3,
    "marks": 0,
}
CORRIDOR: dict[str, Value] = {"runs": 100, "episodes": 1000, "last_reward": 0.0, "right": 0.0502, "cap": 20_000}

FIGURES = [
    Drawn(
        "Figure 2.2",
        "2,000 runs of 1,000 steps, three epsilons",
        "foundations/bandits",
        [("book", {"runs": 2000, "steps": 1000, "epsilon": epsilon}) for epsilon in (0.0, 0.1, 0.01)],
        {"runs": 2, "steps": 100},
        "chapter02/ten_armed_testbed.py",
        "figure_2_2",
        "mean reward and share of the best arm at every step; logged as the means of 49 blocks of steps",
        100,
    ),
    Drawn(
        "Figure 5.4",
        "10 runs of 100,000 episodes",
        "foundations/importance_sampling",
        [("million", {"runs": 10, "samples": 100_000})],
        {"samples": 100, "slope_from": 10},
        "chapter05/infinite_variance.py",
        "figure_5_4",
        "ours: each run's estimate at 38 marks of the log axis, between which it draws how many episodes there are of "
        "each length; theirs: after every episode",
    ),
    Drawn(
        "Example 6.2, right",
        "100 runs of 101 episodes, seven step sizes",
        "foundations/random_walk",
        [("td", {**WALK, "step_size": step}) for step in (0.05, 0.1, 0.15)]
        + [("mc", {**WALK, "step_size": step}) for step in (0.01, 0.02, 0.03, 0.04)],
        {"runs": 2, "episodes": 10},
        "chapter06/random_walk.py",
        "rms_error",
        "the mean of the runs' RMS errors after every episode; 38 of them are logged",
    ),
    Drawn(
        "Figure 6.2",
        "100 runs of 101 episodes, replayed after each until the sum of |step x increment| is below 0.001, TD and MC",
        "foundations/random_walk",
        [(variant, BATCH) for variant in ("batch", "batch_mc")],
        {"batches": 2, "episodes": 3},
        "chapter06/random_walk.py",
        "figure_6_2",
        "the mean of the runs' RMS errors after every episode, on both sides",
    ),
    Drawn(
        "Example 6.6",
        "50 runs of 500 episodes, Sarsa and Q-learning",
        "foundations/cliff_walking",
        [(variant, {"runs": 50, "episodes": 500}) for variant in ("sarsa_book", "q_book")],
        {"runs": 1, "episodes": 50},
        "chapter06/cliff_walking.py",
        "figure_6_4",
        "ours: every run's return of every episode, logged as the means of blocks of ten; theirs: the means over runs",
    ),
    Drawn(
        "Figure 6.5",
        "1,000 runs of 300 episodes, Q-learning and double Q-learning",
        "foundations/q_learning",
        [(variant, {"runs": 1000}) for variant in ("book", "book_double_q")],
        {"runs": 2, "episodes": 50},
        "chapter06/maximization_bias.py",
        "figure_6_7",
        "the share that goes left in every episode; logged as the means of 45 blocks of episodes",
        100,
    ),
    Drawn(
        "Figure 11.2",
        "1 run of 1,000 steps, and 1,000 sweeps",
        "foundations/deadly_triad",
        [("sampled", {"runs": 1}), ("sweeps", {})],
        {"steps": 10},
        "chapter11/counterexample.py",
        "figure_11_2",
        "the eight weights; ours: after 43 of the steps, evenly on a log axis; theirs: after all of them",
    ),
    Drawn(
        "Figure 13.1",
        "100 runs of 1,000 episodes, three step sizes",
        "foundations/short_corridor",
        [("floored", {**CORRIDOR, "step_size": step}) for step in (2e-4, 2e-5, 2e-3)],
        {"runs": 1, "episodes": 50},
        "chapter13/short_corridor.py",
        "figure_13_1",
        "every run's return of every episode, on both sides; ours logs medians of 34 blocks, theirs draws means",
        100,
    ),
]
"""The replication numbers its figures after an early draft of the book."""

SIZES: list[tuple[str, str, str, Sequence[int]]] = [
    ("foundations/bandits", "book", "runs", (500, 2_000, 8_000)),
    ("foundations/bandits", "book", "arms", (10, 40, 160)),
    ("foundations/random_walk", "td", "runs", (500, 2_000, 8_000)),
    ("foundations/random_walk", "td", "states", (5, 11, 23)),
    ("foundations/dynamic_programming", "values", "states", (25, 50, 100)),
]
"""Lab, variant, the number that grows, its three sizes."""
