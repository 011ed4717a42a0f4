"""What a trace adds up to: the forward view replayed, its exact error over all walks, and what more steps cost."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labs.kit.mdp import chains

Array = NDArray[np.float64]


def offline_view(walks: Array, states: int, episodes: int, step_size: float, trace_decay: float) -> float:
    r"""RMS error, mean over runs and episodes, of the lambda-return algorithm on the walks that were seen.

    `walks` has one row a visit: walk, state; state 0 and the one past the last are the exits, which pay -1 and 1.
    No value moves before its episode is over.

    $$\Delta V(s) = \alpha\sum_{t:\,S_t=s}\left(G_t^\lambda - V(s)\right),\qquad
    G_t^\lambda = R_{t+1} + (1-\lambda)V(S_{t+1}) + \lambda G_{t+1}^\lambda$$

    One state, which is worth 0; its walk went right, and half of the reward 1 was learnt.

    >>> offline_view(np.array([[0, 1], [0, 2]]), states=1, episodes=1, step_size=0.5, trace_decay=0.8)
    0.5
    """

    def learn(value: Array, places: list[int]) -> Array:
        returns = _returns(value[places[1:]], places, states, trace_decay)
        errors: Array = np.array(returns) - value[places[:-1]]
        return value + step_size * np.bincount(places[:-1], errors, states + 2)

    return _replay(learn, walks, states, episodes)


def online_view(walks: Array, states: int, episodes: int, step_size: float, trace_decay: float) -> float:
    r"""The same for the online lambda-return algorithm: at every step all updates since the start are done again.

    $$w^h_{t+1} = w^h_t + \alpha\left(G^\lambda_{t:h} - w^h_t(S_t)\right)\mathbf 1_{S_t},\quad t<h,\qquad w_h = w^h_h$$

    >>> online_view(np.array([[0, 1], [0, 2]]), states=1, episodes=1, step_size=0.5, trace_decay=0.8)
    0.5
    """

    def learn(value: Array, places: list[int]) -> Array:
        ahead: list[float] = []
        newest = value
        for horizon in range(1, len(places)):
            ahead.append(newest[places[horizon]])  # bootstrapping looks with the weights that were there then
            newest = value.copy()
            for place, target in zip(places, _returns(ahead, places[: horizon + 1], states, trace_decay), strict=False):
                newest[place] += step_size * (target - newest[place])
        return newest

    return _replay(learn, walks, states, episodes)


def _returns(ahead: Array | list[float], places: list[int], states: int, trace_decay: float) -> list[float]:
    """The lambda-returns of a walk so far, cut off where it stands: `ahead` values the places from the second on."""
    told = float(ahead[-1])
    returns = []
    for place, value in zip(reversed(places[1:]), reversed(list(ahead)), strict=True):
        told = float(place == states + 1) - float(place == 0) + (1 - trace_decay) * value + trace_decay * told
        returns.append(told)
    return returns[::-1]


def _replay(learn: Callable[[Array, list[int]], Array], walks: Array, states: int, episodes: int) -> float:
    """Mean of each run's RMS error after each episode; a run is `episodes` walks in a row."""
    truth, errors = 2 * np.arange(1, states + 1) / (states + 1) - 1, []
    value, first = np.zeros(states + 2), np.flatnonzero(np.diff(walks[:, 0])) + 1
    for number, walk in enumerate(np.split(walks[:, 1].astype(int), first)):
        value = learn(value if number % episodes else np.zeros(states + 2), walk.tolist())
        errors.append(np.sqrt(np.mean((value[1:-1] - truth) ** 2)))
    return float(np.mean(errors))


def lambda_error(states: int, episodes: int, step_size: float, trace_decay: float) -> float:
    r"""Mean over the first episodes of the RMS error, over runs and states, of offline TD(lambda) from V = 0.

    With x = (1, V) an episode's increments are A x: each step adds its trace z times a row b of reward and next value
    less value. A is random, but its first two moments are sums over the chain's states, so that those of x are exact.

    $$A = \sum_t z_t b_t^\top,\quad z_t = \lambda z_{t-1} + \mathbf 1_{S_t},\qquad
    \mathbb{E}[x'x'^\top] = \mathbb{E}\big[(I+\alpha A)\,xx^\top(I+\alpha A)^\top\big]$$

    One state, which is worth 0: after one episode V is the step size or its negative.

    >>> round(lambda_error(states=1, episodes=1, step_size=0.5, trace_decay=0.8), 12)
    0.5
    >>> round(lambda_error(states=19, episodes=10, step_size=0.1, trace_decay=0.95), 4)
    0.3606

    Two states: a walk goes to and fro until it leaves, so that all of them can be listed and the forward view asked.

    >>> walks = [np.array([[0, 2 - t % 2] for t in range(n)] + [[0, 3 * (n % 2)]]) for n in range(1, 60)]
    >>> squared = sum(2.0**-n * offline_view(walk, 2, 1, 0.5, 0.8) ** 2 for n, walk in enumerate(walks, start=1))
    >>> round(lambda_error(states=2, episodes=1, step_size=0.5, trace_decay=0.8) - squared**0.5, 12) + 0
    0.0
    """
    truth = chains.values(_walk(states))
    first, second = _moments(states, trace_decay)
    moved = np.vstack([np.zeros(states + 1), first])
    start = np.eye(states + 1)[0]
    moment, errors = np.outer(start, start), []
    for _ in range(episodes):
        squared = np.einsum("ijkl,jl->ik", second, moment)
        moment = moment + step_size * (moved @ moment + moment @ moved.T)
        moment[1:, 1:] += step_size**2 * squared
        errors.append(np.sqrt(np.mean(np.diag(moment)[1:] - 2 * truth * moment[0, 1:] + truth**2)))
    return float(np.mean(errors))


def lambda_error_curve(step: int, states: int, episodes: int, trace_decay: float) -> float:
    """The same for a step size of that many hundredths."""
    return lambda_error(states, episodes, step / 100, trace_decay)


def _walk(states: int) -> chains.Chain:
    """The book's walk of 19 states, and others like it: the exits pay -1 and 1."""
    walk = chains.random_walk(states)
    rewards = walk.rewards.copy()
    rewards[:, states] = -1.0
    return chains.Chain(walk.start, walk.moves, rewards)


@lru_cache
def _moments(states: int, trace_decay: float) -> tuple[Array, Array]:
    """E[A] and E[A_ij A_kl] of an episode.

    Summed over the visits to each state s: z, the trace; zz, its square; sofar, the part of A that is there on arrival;
    with_trace, its product with the trace. A step from s adds z b, so A A grows by (A z) b, twice, and zz bb.
    """
    walk, own = _walk(states), np.eye(states)
    steps = np.zeros((states, states + 2, states + 1))
    steps[:, :, 0] = walk.rewards
    steps[:, :states, 1:] = own
    steps[:, :, 1:] -= own[:, None]
    taken = walk.moves[:, :, None] * steps
    mean, square = taken.sum(axis=1), np.einsum("stj,stl->sjl", taken, steps)

    def arriving(source: Array, kept: float) -> Array:
        """The sum over visits of what each arrival adds, where `kept` of it is left a step later."""
        through = np.linalg.inv(own - kept * walk.live.T)
        return np.asarray(np.einsum("st,t...->s...", through, source), dtype=np.float64)

    z = arriving(chains.visits(walk)[:, None] * own, trace_decay)
    older = np.einsum("si,sj->sij", z, own)
    visited = chains.visits(walk)[:, None, None] * np.einsum("si,sj->sij", own, own)
    zz = arriving(older + older.transpose(0, 2, 1) - visited, trace_decay**2)
    sofar = arriving(np.einsum("stj,si->tij", taken[:, :states], z), 1.0)
    added = trace_decay * np.einsum("stj,sik->tijk", taken[:, :states], zz)
    with_trace = arriving(np.einsum("sij,sk->sijk", sofar, own) + added, trace_decay)
    crossed = np.einsum("sijk,sl->ijkl", with_trace, mean)
    return np.einsum("si,sj->ij", z, mean), crossed + crossed.transpose(2, 3, 0, 1) + np.einsum(
        "sik,sjl->ijkl", zz, square
    )


def n_step_error(steps: int, returns: int, states: int, discount: float, reward_sd: float) -> float:
    r"""RMS error, over states, of the mean of `returns` returns of `steps` steps that end on a value which is wrong.

    $$\mathrm{MSE}_k = \overline{\big((\gamma P)^k(V-v)\big)^2} + \frac1n\,\overline{\mathrm{Var}\,G_k},\qquad
    \mathbb{E}[G_k^2] = r^2 + \sigma^2 + 2\gamma\,r\,P\,\mathbb{E}[G_{k-1}] + \gamma^2 P\,\mathbb{E}[G_{k-1}^2]$$

    With no discounted future the first reward is all there is, and only its noise errs.

    >>> round(n_step_error(steps=1, returns=4, states=19, discount=0.0, reward_sd=1.0), 9)
    0.5
    >>> round(n_step_error(steps=16, returns=10, states=19, discount=0.95, reward_sd=1.0), 4)
    2.1649
    """
    bias, variance = _bias_and_variance(steps, states, discount, reward_sd)
    return float(np.sqrt(np.mean(bias**2 + variance / returns)))


def n_step_error_curve(step: int, returns: int, states: int, discount: float, reward_sd: float) -> float:
    """The same for that many steps of the return."""
    return n_step_error(step, returns, states, discount, reward_sd)


def best_steps(returns: int, longest: int, states: int, discount: float, reward_sd: float) -> float:
    r"""The number of steps with the least error: bias falls with it, variance rises, and averaging divides the latter.

    $$\arg\min_{k\le K}\left(\mathrm{bias}_k^2+\tfrac1n\mathrm{Var}_k\right)$$

    >>> [best_steps(returns, longest=64, states=19, discount=0.95, reward_sd=1.0) for returns in (1, 10, 100, 1000)]
    [1.0, 1.0, 6.0, 11.0]
    """
    errors = [n_step_error(steps, returns, states, discount, reward_sd) for steps in range(1, longest + 1)]
    return float(1 + np.argmin(errors))


def phased_bound(steps: int, returns: int, states: int, discount: float, reward_sd: float, confidence: float) -> float:
    r"""What a state's error exceeds with probability 1 - confidence at most, by Hoeffding's inequality.

    The k rewards and the true value of the state where a return ends: k + 1 means of independent numbers. The rewards
    lie in [-1, 1] and their noise is normal; V errs by D = 2 at most.

    $$\sqrt{\tfrac2n\ln\tfrac{2(k+1)}{\delta}}\left(\sqrt{1+\sigma^2}\,\frac{1-\gamma^k}{1-\gamma}
    + \gamma^k\max|v|\right) + \gamma^k D$$

    One noiseless reward and no future, one return: sqrt(2 ln(4 / delta)), which is 2 for delta = 4 / e^2.

    >>> round(phased_bound(1, 1, states=19, discount=0.0, reward_sd=0.0, confidence=1 - 4 * np.exp(-2.0)), 9)
    2.0
    """
    deviation = np.sqrt(2 / returns * np.log(2 * (steps + 1) / (1 - confidence)))
    rewards = np.sqrt(1 + reward_sd**2) * (1 - discount**steps) / (1 - discount)
    end = discount**steps * np.abs(_ring(states, discount)[2]).max()
    return float(deviation * (rewards + end) + 2 * discount**steps)


def _ring(states: int, discount: float) -> tuple[Array, Array, Array]:
    """The moves of a walk around a ring, the reward of each state, which is a wave, and their value."""
    moves = (np.roll(np.eye(states), 1, axis=1) + np.roll(np.eye(states), -1, axis=1)) / 2
    reward = np.sin(2 * np.pi * np.arange(states) / states)
    return moves, reward, chains.solve(moves, reward, discount)


@lru_cache
def _bias_and_variance(steps: int, states: int, discount: float, reward_sd: float) -> tuple[Array, Array]:
    moves, reward, truth = _ring(states, discount)
    mean = truth + 2 * np.cos(4 * np.pi * np.arange(states) / states)
    square = mean**2
    for _ in range(steps):
        square = reward**2 + reward_sd**2 + 2 * discount * reward * (moves @ mean) + discount**2 * (moves @ square)
        mean = reward + discount * moves @ mean
    return mean - truth, square - mean**2
