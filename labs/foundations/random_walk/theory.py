"""Exact learning curves on the random walk, their floors, and what a batch determines."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labs.kit.mdp import chains, learning

Array = NDArray[np.float64]


def learning_curve(method: str, step_size: float, states: int, initial: float, episodes: int) -> float:
    r"""RMS error, over runs and states, after `episodes` episodes of TD(0) or constant-step Monte Carlo.

    With x = (1, V), each step taken is x <- Bx, so the second moments move by E[B (x) B]; one episode is the matrix
    E = U (I - T)^-1 S over (state, moments): enter, step while alive, leave.

    $$\mathbb{E}[x\otimes x]_n = E^n\,(x_0\otimes x_0),\qquad
    \mathrm{RMSE}_n = \sqrt{\tfrac1{|S|}\textstyle\sum_s \mathbb{E}\left[(V_n(s)-v(s))^2\right]}$$

    One state: each episode ends at once, left or right alike, and with a step size of 1 the estimate is its reward, 0
    or 1, while the truth is 1/2.

    >>> learning_curve("td", step_size=1.0, states=1, initial=0.5, episodes=3)
    0.5
    >>> round(learning_curve("td", step_size=0.1, states=5, initial=0.5, episodes=100), 6)
    0.059936
    """
    episode = np.linalg.matrix_power(_episode(states, method, step_size), episodes)
    truth = chains.values(chains.random_walk(states))
    return learning.rms_error(episode @ learning.moments(np.full(states, initial)), truth)


def learning_curve_curve(step: int, method: str, step_size: float, states: int, initial: float) -> float:
    """The same after `step` episodes."""
    return learning_curve(method, step_size, states, initial, step)


def error_floor(method: str, step_size: float, states: int) -> float:
    r"""The RMS error that a constant step never gets below: the fixed point of the map of second moments.

    $$E\,m = m,\qquad \lim_{n\to\infty}\mathrm{RMSE}_n > 0$$

    >>> error_floor("mc", step_size=1.0, states=1)          # the last reward, 0 or 1, where the truth is 1/2
    0.5
    >>> round(error_floor("td", step_size=0.1, states=5), 6)
    0.060091
    """
    settled = learning.stationary_moments(_episode(states, method, step_size))
    return learning.rms_error(settled, chains.values(chains.random_walk(states)))


def error_floor_curve(step: int, method: str, step_size: float, states: int, initial: float) -> float:
    """The whole curve, which flattens at the floor."""
    return learning_curve(method, step_size, states, initial, step)


def certainty_equivalence(transitions: Array, states: int, initial: float) -> float:
    r"""RMS error, mean over batches, of the value of the maximum-likelihood model of each batch.

    `transitions` has one row for each: batch, state, next state (past the last state: the exits, left then right), and
    the number of its episode in the batch. States that a batch never saw keep the initial value.

    $$V = (D - N)^{-1}\,\hat r,\qquad N_{st}=\#(s\to t),\quad D=\mathrm{diag}\Big(\sum_t N_{st}\Big)$$

    One state that went right three times of four: V = 3/4, and the truth is 1/2.

    >>> went = np.array([[0, 0, 2, 0], [0, 0, 2, 1], [0, 0, 1, 2], [0, 0, 2, 3]])
    >>> certainty_equivalence(went, states=1, initial=-1.0)
    0.25
    """
    truth, counts = chains.values(chains.random_walk(states)), _counts(transitions, states)
    return float(np.mean([np.sqrt(np.mean((_solve(count, initial) - truth) ** 2)) for count in counts]))


def certainty_equivalence_curve(step: int, transitions: Array, states: int, initial: float) -> float:
    """The same of the first `step` episodes of each batch."""
    return certainty_equivalence(transitions[transitions[:, 3] < step], states, initial)


def step_limit(states: int, episodes: int) -> float:
    r"""The step size beyond which replaying a batch diverges, if its counts are those expected of that many walks.

    A sweep adds the increments of all visits, so it is V <- V + a (r - (D - N) V): it calms down while no eigenvalue of
    I - a (D - N) is beyond -1.

    $$\alpha < \frac{2}{\lambda_{\max}(D-N)},\qquad D - N = n\,\mathrm{diag}(\text{visits})\,(I-P)$$

    One state, left at once: D - N is the number of walks.

    >>> step_limit(states=1, episodes=100)
    0.02
    >>> round(step_limit(states=5, episodes=100), 8)
    0.00458925
    """
    walk = chains.random_walk(states)
    model = episodes * np.diag(chains.visits(walk)) @ (np.eye(states) - walk.live)
    return _limit(model)


def own_limit(transitions: Array, states: int) -> float:
    r"""The mean over batches of each batch's own limit, from its own counts.

    Steps lead to neighbours only, so D - N is a tridiagonal matrix whose eigenvalues are real.

    $$\frac1B\sum_b \frac{2}{\lambda_{\max}(D_b-N_b)}$$

    One state that was visited four times:

    >>> own_limit(np.array([[0, 0, 2, 0], [0, 0, 2, 1], [0, 0, 1, 2], [0, 0, 2, 3]]), states=1)
    0.5
    """
    counts = _counts(transitions, states)
    return float(np.mean([_limit(np.diag(count.sum(axis=1)) - count[:, :-2]) for count in counts]))


def _limit(model: Array) -> float:
    return float(2 / np.linalg.eigvals(model).real.max())


def _counts(transitions: Array, states: int) -> Array:
    """For each batch how often each state (row) was followed by each state or exit (column)."""
    counts = np.zeros((int(transitions[:, 0].max()) + 1, states, states + 2))
    np.add.at(counts, tuple(transitions[:, :3].astype(int).T), 1.0)
    return counts


def _solve(count: Array, initial: float) -> Array:
    seen = count.sum(axis=1) > 0
    model = np.diag(count.sum(axis=1)) - count[:, :-2]
    value = np.full(len(count), initial)
    value[seen] = np.linalg.solve(model[np.ix_(seen, seen)], count[seen, -1])
    return value


@lru_cache
def _episode(states: int, method: str, step_size: float) -> Array:
    walk = chains.random_walk(states)
    return learning.td_episode(walk, step_size) if method == "td" else learning.mc_episode(walk, step_size)
