"""The corridor's moments and mean updates against derivations that share nothing with them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labs.kit.mdp import chains, corridor

Array = NDArray[np.float64]
RIGHTS = pytest.mark.parametrize("right", [0.05, 0.3, 2 - 2**0.5, 0.9])
TRACES = pytest.mark.parametrize("trace", [0.0, 0.4, 0.9, 1.0])


def _slope(of: float, left: float, right: float, width: float) -> float:
    return (left - 2 * of + right) / width**2


def _value(theta: float) -> float:
    return float(chains.values(chains.corridor(1 / (1 + np.exp(-theta))))[0])


@RIGHTS
def test_gradient_is_the_slope_of_the_return(right: float) -> None:
    """E[A] = dJ/dtheta = E[G Z], the score function's identity, with J differenced numerically; G = -T."""
    theta, width = np.log(right / (1 - right)), 1e-5
    slope = (_value(theta + width) - _value(theta - width)) / (2 * width)
    moment = corridor.reinforce_moments(right)
    assert moment[0, 3] == pytest.approx(slope, rel=1e-6, abs=1e-6)
    assert -moment[1, 2] == pytest.approx(slope, rel=1e-6, abs=1e-6)


@RIGHTS
def test_scores_add_up_as_a_martingale_does(right: float) -> None:
    """E[Z] = 0, and E[Z^2] = p (1 - p) E[T], because scores of different steps are uncorrelated (Wald)."""
    moment = corridor.reinforce_moments(right)
    assert moment[0, 2] == pytest.approx(0.0, abs=1e-9)
    assert moment[2, 2] == pytest.approx(right * (1 - right) * moment[0, 1])


@RIGHTS
def test_gradient_and_scores_go_together_as_the_curvature_says(right: float) -> None:
    """E[A] = J' differentiated once more: J'' = E[A Z] + p (1 - p) E[T (T + 1) / 2], as dz/dtheta = -p (1 - p)."""
    theta, width = np.log(right / (1 - right)), 1e-3
    curvature = _slope(_value(theta), _value(theta - width), _value(theta + width), width)
    moment = corridor.reinforce_moments(right)
    expected = curvature - right * (1 - right) * (moment[1, 1] + moment[0, 1]) / 2
    assert moment[2, 3] == pytest.approx(expected, rel=1e-4)


def test_second_moment_of_the_gradient_is_the_sum_over_all_episodes() -> None:
    """Every episode of up to 14 steps, listed, with the sum of G_t z_t taken as it is defined.

    Each step ends all with probability .7, uncounted, so that longer episodes weigh nothing.
    """
    right, kept = 0.6, 0.3
    moves = chains.corridor_actions()[0].argmax(axis=2)
    total = 0.0
    paths: list[tuple[int, tuple[float, ...], float]] = [(0, (), 1.0)]
    for _ in range(14):
        longer = []
        for place, scores, chance in paths:
            for action in (0, 1):
                there, taken = int(moves[action, place]), (*scores, action - right)
                now = chance * (right if action else 1 - right) * kept
                if there == 3:
                    total += now * float(np.arange(-len(taken), 0) @ np.array(taken)) ** 2
                else:
                    longer.append((there, taken, now))
        paths = longer
    assert total == pytest.approx(_killed(right, kept), rel=1e-4)


def _killed(right: float, kept: float) -> float:
    """E[A^2; the episode survives every step], each step surviving with chance `kept`: scalar first-step equations.

    Per state, with survival S = kept^T: E[S], E[S T], E[S T^2], E[S A], E[S A T], E[S A^2], each from those before.
    """
    moves, system = chains.corridor_actions()[0], np.eye(3) - kept * chains.corridor(right).live
    ends = moves[:, :, 3]
    chances = np.array([1 - right, right])
    scores = np.array([0.0, 1.0]) - right

    def over(power: int, after: Array, at_end: float = 0.0) -> Array:
        ahead = moves[:, :, :3] @ after + ends * at_end
        return np.asarray(kept * (chances * scores**power) @ ahead)

    def solved(known: Array) -> Array:
        return np.asarray(np.linalg.solve(system, known))

    one = solved(over(0, np.zeros(3), 1.0))
    length = solved(over(0, one, 1.0))
    square = solved(over(0, one + 2 * length, 1.0))
    gradient = solved(-over(1, one + length, 1.0))
    mixed = solved(over(0, gradient) - over(1, one + 2 * length + square, 1.0))
    return float(solved(over(2, one + 2 * length + square, 1.0) - 2 * over(1, gradient + mixed))[0])


@RIGHTS
def test_second_moment_of_the_gradient_solves_its_scalar_equations(right: float) -> None:
    """The listing above holds these equations; where nothing kills, they hold the matrix form."""
    assert corridor.reinforce_moments(right)[3, 3] == pytest.approx(_killed(right, 1.0))


@RIGHTS
@TRACES
def test_mean_updates_are_the_sum_of_what_traces_add_up(right: float, trace: float) -> None:
    """Forward in time: the joint mean of place and traces is carried step by step until the episode has died out."""
    weight, moves = -7.0, chains.corridor_actions()[0]
    here, seen, scored = np.array([1.0, 0.0, 0.0]), np.zeros(3), np.zeros(3)
    actor = critic = length = 0.0
    for _ in range(1_500):
        length += float(here.sum())
        ahead = np.zeros((3, 3))
        for action, chance in enumerate((1 - right, right)):
            error = -1 - weight * moves[action, :, 3]
            now_seen, now_scored = trace * seen + here, trace * scored + (action - right) * here
            critic += chance * float(now_seen @ error)
            actor += chance * float(now_scored @ error)
            ahead += chance * np.stack([here, now_seen, now_scored]) @ moves[action, :, :3]
        here, seen, scored = ahead
    assert corridor.mean_updates(right, trace, weight) == pytest.approx((actor / length, critic / length), abs=1e-6)


@RIGHTS
def test_whole_return_in_the_critics_place_is_the_gradient(right: float) -> None:
    """At lambda 1 whatever the critic says cancels, so the push is dJ/dtheta; without traces it is (1 - p) E[T]."""
    value = _value(np.log(right / (1 - right)))
    slope = (2 * right**2 - 8 * right + 4) / (right * (1 - right))
    assert corridor.actor_push(right, 1.0) == pytest.approx(slope, abs=1e-9)
    assert corridor.actor_push(right, 0.0) == pytest.approx(-(1 - right) * value)
    assert corridor.critic(right, 0.0) == pytest.approx(value)


def test_fixed_point_goes_from_the_worst_policy_to_the_best() -> None:
    found = [corridor.settles(trace) for trace in (0.0, 0.5, 0.9, 0.99, 1.0)]
    assert found[0] == 1.0
    assert found[-1] == pytest.approx(2 - 2**0.5)
    assert found == sorted(found, reverse=True)
    assert corridor.actor_push(found[2] - 1e-3, 0.9) > 0 > corridor.actor_push(found[2] + 1e-3, 0.9)
