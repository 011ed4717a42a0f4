"""What theory says of value iteration, policy iteration and the gambler, solved exactly."""

from fractions import Fraction
from functools import cache
from math import ceil, isqrt, log

import numpy as np
from numpy.typing import NDArray

from labs.kit.mdp import decisions, gambler, grid

Array = NDArray[np.float64]


def value_sweeps(
    problem_seed: float, problems: int, states: int, actions: int, branching: int, discount: float, tolerance: float
) -> float:
    r"""Sweeps after which value iteration from zero is within `tolerance` of v* everywhere, mean over the problems.

    $$\|v_k - v_*\|_\infty \le \gamma^k\,\|v_0 - v_*\|_\infty \quad\Rightarrow\quad
    k = \left\lceil \frac{\ln(\tau / \|v_*\|_\infty)}{\ln\gamma} \right\rceil$$

    One state and one action: v* = r / (1 - 1/2) and each sweep halves the error, so twice the accuracy is a sweep more.

    >>> value_sweeps(0, 1, 1, 1, 1, discount=0.5, tolerance=1e-3) - value_sweeps(0, 1, 1, 1, 1, 0.5, tolerance=2e-3)
    1.0
    """
    sizes = _sizes(problem_seed, problems, states, actions, branching, discount)
    return float(np.mean([ceil(log(tolerance / size) / log(discount)) for size in sizes]))


def value_sweeps_curve(
    step: int, problem_seed: float, problems: int, states: int, actions: int, branching: int, discount: float
) -> float:
    """The error that no sweep can exceed, mean over the problems."""
    sizes = _sizes(problem_seed, problems, states, actions, branching, discount)
    return float(discount**step * np.mean(sizes))


def span_rate(problem_seed: float, problems: int, states: int, actions: int, branching: int, discount: float) -> float:
    r"""Factor by which a sweep shrinks the spread of the errors over the states, once the greedy policy is final.

    Sweeps then multiply the error by gamma P*. Its largest eigenvalue, gamma, belongs to an error that is the same in
    every state, which changes no choice; the second one is what choices wait for.

    $$\lim_{k\to\infty} \mathrm{sp}(v_k - v_*)^{1/k} = \gamma\,|\lambda_2(P_*)|,\qquad
    \mathrm{sp}(x) = \max_s x(s) - \min_s x(s)$$

    Where each state can only stay, nothing ever mixes, and the spread shrinks by gamma alone.

    >>> round(_second(0.5, np.eye(2)), 12)
    0.5
    """
    _, chains = _solved(int(problem_seed), problems, states, actions, branching, discount)
    return float(np.mean([_second(discount, chain) for chain in chains]))


def span_rate_curve(
    step: int, problem_seed: float, problems: int, states: int, actions: int, branching: int, discount: float
) -> float:
    """The spread, if the final policy had been followed from the first sweep, mean over the problems."""
    return _spreads(int(problem_seed), problems, states, actions, branching, discount)[step]


def greedy_loss(
    problem_seed: float, problems: int, states: int, actions: int, branching: int, discount: float, sweeps: int
) -> float:
    r"""The most that the greedy policy can lose after so many sweeps, in its worst state, mean over the problems.

    $$\|v_* - v_{\pi_k}\|_\infty \le \frac{2\gamma}{1-\gamma}\,\|v_k - v_*\|_\infty \le
    \frac{2\gamma^{k+1}}{1-\gamma}\,\|v_*\|_\infty$$

    With gamma = 1/2, no sweep allows a loss of 2 |v*|: from the best to the worst that rewards so large can pay.

    >>> greedy_loss(0, 3, 2, 2, 1, 0.5, sweeps=0) / float(np.mean(_sizes(0, 3, 2, 2, 1, 0.5)))
    2.0
    """
    sizes = _sizes(problem_seed, problems, states, actions, branching, discount)
    return float(2 * discount ** (sweeps + 1) / (1 - discount) * np.mean(sizes))


def greedy_loss_curve(
    step: int, problem_seed: float, problems: int, states: int, actions: int, branching: int, discount: float
) -> float:
    """The same after `step` sweeps."""
    return greedy_loss(problem_seed, problems, states, actions, branching, discount, step)


def policy_rounds(states: int, actions: int, discount: float) -> float:
    r"""Improvements after which policy iteration has stopped, from any start.

    $$n\,(m-1)\left\lceil\frac{1}{1-\gamma}\ln\frac{1}{1-\gamma}\right\rceil$$

    >>> policy_rounds(states=50, actions=4, discount=0.95)            # 50 x 3 x ceil(20 x 2.996)
    9000.0
    """
    return float(states * (actions - 1) * ceil(log(1 / (1 - discount)) / (1 - discount)))


def rounds_by_luck(states: int, discount: float) -> float:
    r"""Rounds from the first optimal policy until one is drawn twice running, where ties are broken at random.

    Each round draws one of the N optimal policies, all alike, so it equals the last one with probability 1/N.

    $$\mathbb{E} = N = \prod_s \big|\arg\max_a q_*(s,a)\big|$$

    Two by two: both states are one step from both goals. Three by three: the centre has four shortest ways home, and
    each corner without a goal has two.

    >>> rounds_by_luck(states=2, discount=0.9), rounds_by_luck(states=7, discount=0.9)
    (4.0, 16.0)
    """
    moves, rewards = grid.two_corners(isqrt(states + 2))
    best = decisions.optimal_values(moves, rewards, discount)
    worth = decisions.action_values(best, moves, rewards, discount)
    return float(np.prod((worth > worth.max(axis=0) - 1e-9).sum(axis=0), dtype=np.float64))


def win_chance(heads: float) -> float:
    r"""Chance of reaching 100 with the best stakes, mean over the 99 capitals, in exact rationals.

    $$v_*(s) = \begin{cases} p\,v_*(2s) & s \le 50 \\ p + (1-p)\,v_*(2s-100) & s > 50 \end{cases}$$

    >>> win_chance(heads=0.5)                                         # a fair coin: v(s) = s / 100
    0.5
    """
    return float(sum(_chances(heads)[1:-1]) / 99)


def win_chance_curve(step: int, heads: float) -> float:
    """The chance from a capital of `step`."""
    return float(_chances(heads)[step])


def stake_total(heads: float) -> float:
    r"""What the smallest optimal stakes of the 99 capitals add up to: the sum over the book's figure.

    $$\sum_{s=1}^{99} \min\Big(\arg\max_a \big(p\,v_*(s+a) + (1-p)\,v_*(s-a)\big)\Big)$$

    >>> stake_total(heads=0.5)                             # a fair coin: every stake is optimal, 1 the smallest
    99.0
    """
    return float(sum(tied[0] for tied in _stakes(heads).values()))


def stake_total_curve(step: int, heads: float) -> float:
    """The smallest optimal stake at a capital of `step`."""
    return float(_stakes(heads)[step][0])


@cache
def _chances(heads: float) -> list[Fraction]:
    return gambler.win_chances(Fraction(str(heads)))


@cache
def _stakes(heads: float) -> dict[int, list[int]]:
    return gambler.best_stakes(Fraction(str(heads)))


@cache
def _solved(
    problem_seed: int, problems: int, states: int, actions: int, branching: int, discount: float
) -> tuple[Array, Array]:
    """v*, and the chain of the optimal policy, of each problem that practice drew."""
    rng, values, chains = np.random.default_rng(problem_seed), [], []
    for _ in range(problems):
        moves, rewards = decisions.garnet(rng, states, actions, branching)
        best = decisions.optimal_values(moves, rewards, discount)
        policy = decisions.action_values(best, moves, rewards, discount).argmax(axis=0)
        values.append(best)
        chains.append(moves[policy, np.arange(states)])
    return np.array(values), np.array(chains)


def _sizes(problem_seed: float, problems: int, states: int, actions: int, branching: int, discount: float) -> Array:
    """The largest |v*| of each problem: how wrong values of zero are."""
    values, _ = _solved(int(problem_seed), problems, states, actions, branching, discount)
    size: Array = np.abs(values).max(axis=1)
    return size


def _second(discount: float, chain: Array) -> float:
    return float(discount * np.sort(np.abs(np.linalg.eigvals(chain)))[-2])


@cache
def _spreads(
    problem_seed: int, problems: int, states: int, actions: int, branching: int, discount: float
) -> list[float]:
    """Spread of (gamma P*)^k v* over the states, mean over the problems, for k up to 330."""
    errors, chains = _solved(problem_seed, problems, states, actions, branching, discount)
    spreads = []
    for _ in range(331):
        spreads.append(float(np.ptp(errors, axis=1).mean()))
        errors = discount * (chains @ errors[..., None])[..., 0]
    return spreads
