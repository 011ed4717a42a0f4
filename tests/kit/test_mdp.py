"""Each exact solver against a second derivation that shares nothing with it: series, formulas, listing every path."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from labs.kit.mdp import chains, decisions, learning

Array = NDArray[np.float64]
PAIR = replace(chains.random_walk(2), start=np.array([0.25, 0.75]))
"""Two states: an episode goes to and fro until it leaves, so that each length and start has one path."""


def _paths(start: int, length: int = 60) -> Iterator[tuple[list[int], float]]:
    """Every path of the pair walk with its probability: state 2 is the exit on the left, 3 the one on the right."""
    path, chance = [start], 1.0
    for _ in range(length):
        chance /= 2
        yield [*path, 2 + path[-1]], chance
        path.append(1 - path[-1])


def _td(value: Array, path: list[int], step_size: float) -> Array:
    value = value.copy()
    for here, there in pairwise(path):
        target = float(there == 3) if there > 1 else value[there]
        value[here] += step_size * (target - value[here])
    return value


def _mc(value: Array, path: list[int], step_size: float) -> Array:
    value = value.copy()
    for here in path[:-1]:
        value[here] += step_size * (float(path[-1] == 3) - value[here])
    return value


def _random_mdp(seed: int, states: int = 4, actions: int = 3) -> tuple[Array, Array]:
    """Moves and rewards; every action may end the episode, in one of two ways."""
    rng = np.random.default_rng(seed)
    moves = rng.random((actions, states, states + 2))
    return moves / moves.sum(axis=2, keepdims=True), rng.normal(size=moves.shape)


def test_values_of_the_walk_are_the_chances_of_leaving_on_the_right() -> None:
    """Gambler's ruin: from the i-th of n states the exit on the right is reached with probability i / (n + 1)."""
    for states in (1, 2, 5, 19):
        assert chains.values(chains.random_walk(states)) == pytest.approx(np.arange(1, states + 1) / (states + 1))


@pytest.mark.parametrize("right", [0.05, 0.2, 0.5, 2 - 2**0.5, 0.95])
def test_value_of_the_corridor_is_its_formula(right: float) -> None:
    """First-step analysis by hand, with p = right: J(p) = (2p - 4) / (p (1 - p))."""
    assert chains.values(chains.corridor(right))[0] == pytest.approx((2 * right - 4) / (right * (1 - right)))


def test_discounted_values_are_the_sum_of_the_series() -> None:
    """V = r + g P r + g^2 P^2 r + ..., added up term by term."""
    moves, rewards = _random_mdp(seed=1)
    chain = chains.Chain(np.eye(4)[0], moves[0], rewards[0])
    term, total = (chain.moves * chain.rewards).sum(axis=1), np.zeros(4)
    for _ in range(400):
        total, term = total + term, 0.9 * chain.live @ term
    assert chains.values(chain, discount=0.9) == pytest.approx(total, abs=1e-12)


def test_visits_add_up_to_the_length_of_an_episode() -> None:
    """Each step of the corridor costs 1, so its expected return is minus the number of visits."""
    chain = chains.corridor(0.3)
    assert chains.visits(chain).sum() == pytest.approx(-chains.values(chain)[0])
    assert chains.visits(chains.random_walk(5)) == pytest.approx([1, 2, 3, 2, 1])


def test_stationary_share_is_where_the_powers_of_the_chain_end() -> None:
    moves = _random_mdp(seed=2)[0][0]
    square = moves[:, :4] / moves[:, :4].sum(axis=1, keepdims=True)
    assert chains.stationary(square) == pytest.approx(np.linalg.matrix_power(square, 200)[0])


@pytest.mark.parametrize("seed", range(5))
def test_optimal_values_are_the_best_of_all_policies(seed: int) -> None:
    """81 deterministic policies for four states and three actions: each is valued, the best of each state kept."""
    moves, rewards = _random_mdp(seed)
    states = np.arange(4)
    every = [
        chains.values(chains.Chain(np.eye(4)[0], moves[list(choice), states], rewards[list(choice), states]), 0.9)
        for choice in product(range(3), repeat=4)
    ]
    assert decisions.optimal_values(moves, rewards, 0.9) == pytest.approx(np.max(every, axis=0))


def test_seeing_the_state_the_corridor_takes_three_steps() -> None:
    """Right, left (reversed), right; a policy that sees nothing needs 6 + 4 sqrt 2 on average."""
    assert decisions.optimal_values(*chains.corridor_actions()) == pytest.approx([-3.0, -2.0, -1.0])


@pytest.mark.parametrize(("episode", "update"), [(learning.td_episode, _td), (learning.mc_episode, _mc)])
def test_one_episode_moves_the_moments_as_listing_every_path_says(
    episode: Callable[[chains.Chain, float], Array], update: Callable[[Array, list[int], float], Array]
) -> None:
    """E[x (x) x] after one episode, as a sum over all paths of the two-state walk, each with its own update."""
    before = np.array([0.3, 0.9])
    expected = sum(
        PAIR.start[start] * chance * learning.moments(update(before, path, 0.4))
        for start in range(2)
        for path, chance in _paths(start)
    )
    assert episode(PAIR, 0.4) @ learning.moments(before) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("episode", [learning.td_episode, learning.mc_episode])
def test_floor_is_where_many_episodes_end(episode: Callable[[chains.Chain, float], Array]) -> None:
    walk = chains.random_walk(5)
    matrix = episode(walk, 0.1)
    late = np.linalg.matrix_power(matrix, 5_000) @ learning.moments(np.full(5, 0.5))
    assert learning.stationary_moments(matrix) == pytest.approx(late, abs=1e-10)


def test_floor_of_one_state_is_the_variance_of_a_constant_step() -> None:
    """One state that leaves at once is one arm paying 0 or 1: a / (2 - a) times the variance 1/4."""
    walk = chains.random_walk(1)
    floor = learning.rms_error(learning.stationary_moments(learning.td_episode(walk, 0.2)), chains.values(walk))
    assert floor**2 == pytest.approx(0.2 / 1.8 / 4)


def test_episode_with_pay_on_the_way_is_refused_for_monte_carlo() -> None:
    """Its update would need the return from each visit, and following one return per episode would be wrong."""
    with pytest.raises(ValueError, match="only the endings may pay"):
        learning.mc_episode(chains.corridor(0.5), 0.1)


def test_garnet_reaches_as_many_states_as_it_branches() -> None:
    moves, rewards = decisions.garnet(np.random.default_rng(0), states=12, actions=3, branching=4)
    assert np.all((moves > 0).sum(axis=2) == 4)
    assert moves.sum(axis=2) == pytest.approx(np.ones((3, 12)))
    assert np.all(rewards == rewards[:, :, :1])


def test_policy_values_are_the_discounted_sum_of_what_is_paid() -> None:
    """Second derivation: the power series r + g P r + g^2 P^2 r + ..., weighed action by action."""
    rng = np.random.default_rng(1)
    moves, rewards = decisions.garnet(rng, states=6, actions=2, branching=3)
    policy = rng.dirichlet([1.0, 1.0], size=6)
    total, future = np.zeros(6), np.zeros(6)
    for _ in range(600):
        total = sum(policy[:, a] * (moves[a] * (rewards[a] + 0.9 * future)).sum(axis=1) for a in range(2))
        future = total
    assert decisions.policy_values(policy, moves, rewards, 0.9) == pytest.approx(total, abs=1e-12)


def test_optimal_values_satisfy_the_bellman_equation() -> None:
    moves, rewards = decisions.garnet(np.random.default_rng(2), states=8, actions=3, branching=2)
    best = decisions.optimal_values(moves, rewards, 0.95)
    assert decisions.action_values(best, moves, rewards, 0.95).max(axis=0) == pytest.approx(best)
