"""Linear learners' exact solvers against second derivations: iteration, random search, listing every path."""

from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from labs.kit.mdp import chains, decisions, linear

Array = NDArray[np.float64]


def _problem(seed: int, states: int = 3, width: int = 2) -> tuple[Array, Array, Array]:
    """Moves, rewards from state to state, and features, all at random."""
    rng = np.random.default_rng(seed)
    return (
        rng.dirichlet(np.ones(states), size=states),
        rng.normal(size=(states, states)),
        rng.normal(size=(states, width)),
    )


@pytest.mark.parametrize("seed", range(3))
def test_td_weights_are_where_the_expected_update_ends(seed: int) -> None:
    """State by state, action by action: w <- w + a sum of d(s) P(s, s') (r + g x' w - x w) x until nothing moves."""
    moves, rewards, features = _problem(seed)
    share, weights = np.linalg.matrix_power(moves, 300)[0], np.zeros(2)
    for _ in range(6_000):
        push = np.zeros(2)
        for here, there in product(range(3), repeat=2):
            error = rewards[here, there] + (0.9 * features[there] - features[here]) @ weights
            push += share[here] * moves[here, there] * error * features[here]
        weights = weights + 0.2 * push
    paid = (moves * rewards).sum(axis=1)
    assert linear.td_weights(moves, paid, features, 0.9) == pytest.approx(weights, abs=1e-6)


def test_best_weights_leave_a_rest_that_no_feature_sees() -> None:
    moves, rewards, features = _problem(seed=4, states=5)
    share, value = chains.stationary(moves), rewards[0]
    rest = value - features @ linear.best_weights(features, value, share)
    assert features.T @ (share * rest) == pytest.approx(np.zeros(2), abs=1e-12)


def test_with_a_feature_for_each_state_td_finds_the_values() -> None:
    moves, rewards, _ = _problem(seed=5)
    paid = (moves * rewards).sum(axis=1)
    assert linear.td_weights(moves, paid, np.eye(3), 0.8) == pytest.approx(chains.solve(moves, paid, 0.8))


@pytest.mark.parametrize("seed", range(4))
def test_worst_error_ratio_is_what_random_rewards_come_up_to(seed: int) -> None:
    """Two thousand rewards for three states: none beats the operator norm, the best comes within a hundredth."""
    moves, _, features = _problem(seed)
    worst = linear.worst_error_ratio(moves, features, 0.95)
    rng = np.random.default_rng(seed)
    tried = [linear.error_ratio(moves, paid, features, 0.95) for paid in rng.normal(size=(2_000, 3))]
    assert max(tried) <= worst * (1 + 1e-9)
    assert max(tried) == pytest.approx(worst, rel=1e-2)
    assert 1 <= worst <= 1 / (1 - 0.95**2)


def _paths(moves: Array, share: Array, length: int) -> list[tuple[tuple[int, ...], float]]:
    """Every path of so many steps with its chance."""
    return [
        (path, share[path[0]] * float(np.prod([moves[here, there] for here, there in pairwise(path)])))
        for path in product(range(len(moves)), repeat=length + 1)
    ]


@pytest.mark.parametrize("order", [1, 2])
def test_td_moments_are_what_listing_every_path_says(order: int) -> None:
    """243 paths of four steps of a chain of three states, each with its own importance ratios and rewards."""
    moves, rewards, features = _problem(seed=6)
    ratios = np.random.default_rng(7).uniform(0, 2, size=(3, 3))
    share, start = np.array([0.5, 0.3, 0.2]), np.array([0.4, -1.0])
    expected = np.zeros(3**order)
    for path, chance in _paths(moves, share, 4):
        weights = start
        for here, there in pairwise(path):
            error = rewards[here, there] + (0.9 * features[there] - features[here]) @ weights
            weights = weights + 0.3 * ratios[here, there] * error * features[here]
        state = np.append(1.0, weights)
        expected += chance * (state if order == 1 else np.kron(state, state))
    step = linear.moment_map(moves, linear.td_steps(features, rewards, 0.9, 0.3, ratios), order)
    stack = linear.moments(share, np.append(1.0, start), order)
    assert linear.moments_after(step, stack, 3, 4)[4] == pytest.approx(expected, abs=1e-12)


def test_tdc_moments_are_what_listing_every_path_says() -> None:
    moves, rewards, features = _problem(seed=8)
    ratios, share = np.random.default_rng(9).uniform(0, 2, size=(3, 3)), np.array([0.2, 0.2, 0.6])
    expected = np.zeros(5)
    for path, chance in _paths(moves, share, 3):
        w, v = np.array([1.0, 2.0]), np.zeros(2)
        for here, there in pairwise(path):
            x, after, ratio = features[here], features[there], ratios[here, there]
            error = rewards[here, there] + (0.9 * after - x) @ w
            w = w + 0.1 * ratio * (error * x - 0.9 * after * (x @ v))
            v = v + 0.4 * ratio * (error - x @ v) * x
        expected += chance * np.concatenate([[1.0], w, v])
    step = linear.moment_map(moves, linear.tdc_steps(features, rewards, 0.9, 0.1, 0.4, ratios))
    stack = linear.moments(share, np.array([1.0, 1, 2, 0, 0]))
    assert linear.moments_after(step, stack, 3, 3)[3] == pytest.approx(expected, abs=1e-12)


def test_stationary_moments_are_where_a_long_run_ends() -> None:
    moves, rewards, features = _problem(seed=10)
    step = linear.moment_map(moves, linear.td_steps(features, rewards, 0.5, 0.1))
    stack = linear.moments(np.eye(3)[0], np.zeros(3) + np.eye(3)[0])
    late = linear.moments_after(step, stack, 3, 3_000)[-1]
    found = linear.stationary_moments(step, 3)
    assert found.sum(axis=0) == pytest.approx(late, abs=1e-9)
    assert found[:, 0] == pytest.approx(chains.stationary(moves))


def test_drawn_independently_the_stationary_mean_is_the_fixed_point() -> None:
    """Nine pairs of a state and its next, each drawn afresh: nothing ties a pair to the weights before it."""
    moves, rewards, features = _problem(seed=11)
    share = chains.stationary(moves)
    pairs = [(here, there) for here, there in product(range(3), repeat=2)]
    chance = np.array([share[here] * moves[here, there] for here, there in pairs])
    steps = linear.td_steps(features, rewards, 0.9, 0.1)
    apart = np.tile(np.array([steps[pair] for pair in pairs])[:, None], (1, 9, 1, 1))
    found = linear.stationary_moments(linear.moment_map(np.tile(chance, (9, 1)), apart), 9).sum(axis=0)
    assert found[1:] == pytest.approx(linear.td_weights(moves, (moves * rewards).sum(axis=1), features, 0.9))


def test_growth_is_the_largest_eigenvalue() -> None:
    moves, rewards, features = _problem(seed=12)
    step = linear.moment_map(moves, linear.td_steps(3 * features, rewards, 0.9, 0.5), 2)
    assert linear.growth(step) == pytest.approx(np.log(np.abs(np.linalg.eigvals(step.toarray())).max()))


def test_bounds_of_the_error_ratio_hold_on_random_problems() -> None:
    """1 / (1 - g^2) for states weighed by their stationary share (Tsitsiklis and Van Roy 1997; Pythagoras)."""
    rng = np.random.default_rng(13)
    for _ in range(50):
        moves = decisions.garnet(rng, states=8, actions=1, branching=3)[0][0] * 0.95 + 0.05 / 8
        assert linear.worst_error_ratio(moves, rng.normal(size=(8, 3)), 0.9) <= 1 / (1 - 0.9**2)


def test_fixed_point_of_the_wave_ring_is_told_by_its_two_waves() -> None:
    """A constant and a cosine are eigenvectors of a walk on a ring: each weight is its pay by 1 - g times its rate."""
    moves, paid, features = linear.wave_ring()
    rate = (1 + 2 * np.cos(2 * np.pi / 5)) / 3
    expected = [0.2 / (1 - 0.9), 0.4 / (1 - 0.9 * rate)]
    assert linear.td_weights(moves, paid, features, 0.9) == pytest.approx(expected)


def test_fixed_point_of_the_grouped_walk_is_that_of_a_walk_on_groups() -> None:
    """A group of ten, all its states as likely, is left with a chance of 1/30 to either side, and earns its mean."""
    moves, paid, features = linear.grouped_walk()
    leave = (np.roll(np.eye(5), 1, axis=1) + np.roll(np.eye(5), -1, axis=1)) / 30
    groups = np.eye(5) * (1 - 2 / 30) + leave
    expected = chains.solve(groups, paid.reshape(5, 10).mean(axis=1), 0.95)
    assert linear.td_weights(moves, paid, features, 0.95) == pytest.approx(expected)
    assert linear.error_ratio(moves, paid, features, 0.95) == pytest.approx(2.2110, abs=1e-4)


def test_two_states_that_swap_reach_the_bound_of_the_error_ratio() -> None:
    """The feature is where P takes the error, at an angle whose cosine is g; see the lab's worst_case."""
    for discount in (0.3, 0.9, 0.99):
        common, apart = np.sqrt((1 + discount) / 2), np.sqrt((1 - discount) / 2)
        feature = np.array([[common - apart], [common + apart]])
        ratio = linear.worst_error_ratio(np.array([[0.0, 1.0], [1.0, 0.0]]), feature, discount)
        assert ratio == pytest.approx(1 / (1 - discount**2))
