"""Iterate values, iterate policies, and gamble: the book's algorithms in floating point."""

from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from labs.kit.mdp import decisions, grid
from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Told = dict[str, Measured]

SHOWN = (*range(10), *range(10, 151, 5))  # sweeps that are drawn
SETTLED = 1e-12  # a sweep that moves no value by more is the last one
TIE = 1e-9  # actions whose worth differs by less are tied


def trial(
    seed: int,
    log: Log,
    *,
    experiment: str,
    problems: int,
    states: int,
    actions: int,
    branching: int,
    discount: float,
    relaxation: float,
    tolerance: float,
    sweeps: int,
    ties: str,
    rounds: int,
    heads: float,
    order: str,
    decimals: int,
) -> Told:
    """Run one of the algorithms; `problem_seed` tells theory which random problems were drawn."""
    if experiment == "gamble":
        return _gamble(log, heads, tolerance, order, decimals)
    rng, side = np.random.default_rng(seed), isqrt(states + 2)
    drawn = [
        grid.two_corners(side) if experiment == "grid" else decisions.garnet(rng, states, actions, branching)
        for _ in range(problems)
    ]
    moves, rewards = (np.stack(part) for part in zip(*drawn, strict=True))
    cases = _Cases(moves[..., :states], rewards[..., 0], discount)  # no reward depends on where its action leads
    if experiment == "values":
        return _sweep(log, cases, relaxation, tolerance, sweeps, decimals) | {"problem_seed": seed}
    return _improve(rng, cases, ties, rounds)


class _Cases(NamedTuple):
    """Problems that are solved side by side: problems x actions x states x next states."""

    moves: Array
    paid: Array
    discount: float

    def look_ahead(self, value: Array) -> Array:
        """Worth of each action where `value` follows."""
        return np.asarray(self.paid + self.discount * (self.moves @ value[:, None, :, None])[..., 0])

    def worth(self, policy: Rows) -> Array:
        """Worth of each state under a policy."""
        lane, state = np.indices(policy.shape)
        model = np.eye(policy.shape[1]) - self.discount * self.moves[lane, policy, state]
        return np.linalg.solve(model, self.paid[lane, policy, state][..., None])[..., 0]


def _sweep(log: Log, cases: _Cases, relaxation: float, tolerance: float, sweeps: int, decimals: int) -> Told:
    """Value iteration from zero, looked at from the values on which it settles."""
    history, pull = [np.zeros_like(cases.paid[:, 0])], np.ones(1)
    while np.abs(pull).max() > SETTLED:
        pull = relaxation * (cases.look_ahead(history[-1]).max(axis=1) - history[-1])
        history.append(history[-1] + pull)
    off = np.array(history) - history[-1]
    error, span, lane = np.abs(off).max(axis=2), np.ptp(off, axis=2), np.arange(off.shape[1])
    best = cases.look_ahead(history[-1]).argmax(axis=1)

    def loss(step: int) -> float:
        worth = cases.look_ahead(history[step])
        greedy = (np.round(worth, decimals) if decimals else worth).argmax(axis=1)
        return float((cases.worth(best) - cases.worth(greedy)).max(axis=1).mean())

    for step in SHOWN:
        log("curve.value_sweeps", float(error[step].mean()), step)
        if span[step].mean() > SETTLED:  # below, it is rounding
            log("curve.span_rate", float(span[step].mean()), step)
        if (lost := loss(step)) > 0:  # a log scale has no zero
            log("curve.greedy_loss", lost, step)
    begin, end = ((span > share * span[0]).sum(axis=0) for share in (1e-3, 1e-9))
    unlike = np.array([(cases.look_ahead(value).argmax(axis=1) != best).any(axis=1) for value in history[:100]])
    return {
        "value_sweeps": float((error > tolerance).sum(axis=0).mean()),
        "span_rate": float(np.mean((span[end, lane] / span[begin, lane]) ** (1 / (end - begin)))),
        "greedy_loss": loss(sweeps),
        "policy_sweeps": float(np.mean([100 - one[::-1].argmax() for one in unlike.T])),
    }


def _improve(rng: Generator, cases: _Cases, ties: str, rounds: int) -> Told:
    """Policy iteration from random policies, until one comes out as it went in or `rounds` are over."""
    policy = rng.integers(cases.moves.shape[1], size=cases.paid[:, 0].shape)
    running, (taken, improved) = np.arange(len(policy)), np.zeros((2, len(policy)))
    while len(running) and taken[running[0]] < rounds:
        worth = cases.look_ahead(cases.worth(policy))
        tied = worth > worth.max(axis=1, keepdims=True) - TIE
        kept = np.take_along_axis(tied, policy[:, None], axis=1)[:, 0]
        chosen = np.where(kept & (ties == "keep"), policy, (tied * rng.random(tied.shape)).argmax(axis=1))
        taken[running] += 1
        improved[running] += ~kept.all(axis=1)
        goes_on, policy = (chosen != policy).any(axis=1), chosen
        if not goes_on.all():
            running, policy = running[goes_on], policy[goes_on]
            cases = cases._replace(moves=cases.moves[goes_on], paid=cases.paid[goes_on])
    return {"policy_rounds": float(taken.max()), "rounds_by_luck": float((taken - improved).mean())}


def _gamble(log: Log, heads: float, tolerance: float, order: str, decimals: int) -> Told:
    """Value iteration in place, the best-looking stake at each capital, and what these stakes are worth."""
    capitals = np.arange(1, 100)
    stakes = [np.arange(1, min(capital, 100 - capital) + 1) for capital in capitals]

    def worth(capital: int) -> Array:
        won, lost = value[capital + stakes[capital - 1]], value[capital - stakes[capital - 1]]
        return lost + heads * (won - lost) if order == "difference" else heads * won + (1 - heads) * lost

    value, before = np.append(np.zeros(100), 1.0), np.zeros(101)
    while np.abs(value - before).max() > tolerance:
        before = value.copy()
        for capital in range(1, 100):
            value[capital] = worth(capital).max()
    every = [worth(capital) for capital in range(1, 100)]
    rounded = np.array([1 + np.round(one, 5).argmax() for one in every])
    chosen = np.array([1 + (np.round(one, decimals) if decimals else one).argmax() for one in every])
    play = np.zeros((99, 101))
    play[capitals - 1, capitals + chosen], play[capitals - 1, capitals - chosen] = heads, 1 - heads
    chance = np.linalg.solve(np.eye(99) - play[:, 1:100], play[:, 100])
    for capital in range(1, 100):
        log("curve.stake_total", float(chosen[capital - 1]), capital)
        log("curve.win_chance", float(chance[capital - 1]), capital)
    return {
        "stake_total": float(chosen.sum()),
        "win_chance": float(chance.mean()),
        "moved_stakes": float((chosen != rounded).sum()),
    }
