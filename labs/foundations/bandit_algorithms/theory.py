"""What ten arms pay an algorithm that sees no noise, at every pull; and the first pulls of UCB, exactly."""

from collections.abc import Callable
from functools import lru_cache
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Array = NDArray[np.float64]


def spike(arms: int) -> float:
    r"""Reward of the pull after each of k arms was tried once: of the arm whose first reward was the largest.

    Values and noise both have variance 1, so half of what that reward was ahead by is luck.

    $$\mathbb{E}[R_{k+1}] = \tfrac{1}{\sqrt 2}\,\mathbb{E}\max_{a\le k} Z_a,\qquad Z_a\sim N(0,1)$$

    >>> round(2 * np.pi * spike(arms=2) ** 2, 9)                    # the mean of the larger of two is 1 / sqrt(pi)
    1.0
    """
    z, weight = _nodes(-9.0, 9.0)
    return float(weight @ (z * arms * norm.pdf(z) * norm.cdf(z) ** (arms - 1))) / sqrt(2)


def after_spike(arms: int, parameter: float) -> float:
    r"""Reward of the next pull of UCB: of the same arm if two rewards kept it ahead, and otherwise of the second best.

    The first rewards of the two are m > s; the third pull of an arm has the bonus of its second gone.

    $$\mathbb{E}[R_{k+2}] = \mathbb{E}\left[\tfrac{m+R}{3};\,\tfrac{m+R}{2}-s > D\right]
      \quad + \mathbb{E}\left[\tfrac{s}{2};\,\tfrac{m+R}{2}-s\le D\right],\qquad
      D = c\sqrt{\ln(k+2)}\left(1-\tfrac{1}{\sqrt2}\right)$$

    >>> round(abs(after_spike(arms=2, parameter=1e3) + spike(arms=2)), 6)  # a bonus so wide turns to the other arm
    0.0
    """
    (v, of_v), (w, of_w) = _nodes(-7.0, 7.0), _nodes(0.0, 9.0)
    lead, second = sqrt(2) * (v[:, None] + w), sqrt(2) * v[:, None]
    chance = arms * (arms - 1) * norm.pdf(v[:, None] + w) * (norm.pdf(v) * norm.cdf(v) ** (arms - 2))[:, None]
    dropped = parameter * sqrt(log(arms + 2)) * (1 - 1 / sqrt(2))
    edge = (2 * (second + dropped) - 1.5 * lead) / sqrt(1.5)  # the second reward is N(m / 2, 3 / 2)
    again = lead / 2 * norm.sf(edge) + sqrt(1.5) / 3 * norm.pdf(edge)
    return float(of_v @ (chance * (again + second / 2 * norm.cdf(edge))) @ of_w)


def earned(algorithm: str, parameter: float, steps: int, action_values: Array) -> float:
    r"""Mean reward of the first n pulls where a reward shows the arm's value: what exploring costs, noise apart.

    $$\varepsilon:\ (1-\varepsilon)\,\mathbb{E}\max_{a\ \text{known}} q_a + \varepsilon\,\bar q\qquad
    \text{UCB}:\ N_a = \frac{c^2\ln t}{(I-q_a)^2}\qquad
    \text{optimism}:\ N_a = \frac{1}{-\ln 0.9}\ln\frac{Q_1-q_a}{L-q_a}\qquad
    \text{gradient}:\ \frac{dH_a}{d(\alpha t)} = \pi_a\left(q_a-\pi\cdot q\right)$$

    The levels I and L are where the pulls N of all arms add up to t.

    >>> earned("epsilon", 1.0, 100, np.array([[1.0, 0.0]]))         # all exploring
    0.5
    >>> round(earned("gradient", 1e-9, 100, np.array([[1.0, 0.0]])), 6)  # it never moves
    0.5
    """
    return _path(algorithm, parameter, steps, *_told(action_values))[2]


def earned_curve(step: int, algorithm: str, parameter: float, steps: int, action_values: Array) -> float:
    """Reward of one pull of the same; UCB's first tries are a pull each, and the two after them are known exactly."""
    arms = action_values.shape[1]
    if algorithm == "ucb" and step <= arms + 2:
        early = {arms + 1: spike(arms), arms + 2: after_spike(arms, parameter)}
        return early.get(step, float(action_values.mean()))
    return float(np.interp(step, *_path(algorithm, parameter, steps, *_told(action_values))[:2]))


def best_share(parameter: float, steps: int, action_values: Array) -> float:
    r"""Share of the last tenth of n pulls that go to the best arm along the gradient flow of E[R].

    $$\frac{dH_a}{ds} = \frac{\partial\,\mathbb{E}[R]}{\partial H_a} = \pi_a\left(q_a-\pi\cdot q\right),\ s=\alpha t$$

    Between two arms with a gap d the log odds x grow by d / (1 + cosh x), so that x + sinh x = d s.

    >>> share = best_share(parameter=0.01, steps=1_000, action_values=np.array([[2.0, 0.0]]))
    >>> odds = np.log(share / (1 - share))
    >>> round(float(odds + np.sinh(odds)), 1)                             # at s = 9.5, the middle of the last tenth
    19.0
    """
    pulls, _, best = _flow(parameter, steps, *_told(action_values))
    late = np.linspace(0.9 * steps, steps, 100)
    return float(np.interp(late, pulls, best).mean())


def best_share_curve(step: int, parameter: float, steps: int, action_values: Array) -> float:
    """The same at one pull."""
    pulls, _, best = _flow(parameter, steps, *_told(action_values))
    return float(np.interp(step, pulls, best))


def _nodes(low: float, high: float) -> tuple[Array, Array]:
    node, weight = np.polynomial.legendre.leggauss(120)
    return (low + high) / 2 + (high - low) / 2 * node, (high - low) / 2 * weight


def _told(action_values: Array) -> tuple[bytes, int]:
    """The arms of every bandit, best first, as something that a cache can look up: a curve asks many times."""
    ranked: Array = -np.sort(-action_values, axis=1)
    return ranked.tobytes(), ranked.shape[1]


@lru_cache(maxsize=4)
def _path(algorithm: str, parameter: float, steps: int, told: bytes, arms: int) -> tuple[Array, Array, float]:
    """Pulls, the reward of a pull there, mean over bandits, and the mean of all."""
    value = np.frombuffer(told).reshape(-1, arms)
    if algorithm == "gradient":
        pulls, reward, _ = _flow(parameter, steps, told, arms)
        return pulls, reward, float(np.trapezoid(reward, pulls) / steps)
    if algorithm == "epsilon":
        pulls = np.arange(1.0, steps + 1)
        reward = (1 - parameter) * _known(value, parameter, pulls) + parameter * value.mean()
        return pulls, reward, float(reward.mean())
    pulls = np.geomspace(arms + 1, steps, 40)
    total = _balanced(value, parameter, pulls) if algorithm == "ucb" else _sunk(value, parameter, pulls)
    return pulls, np.gradient(total, pulls), float(total[-1] / steps)


def _known(value: Array, epsilon: float, pulls: Array) -> Array:
    """The best arm eps-greedy knows: the first above 0, where estimates begin, or a better one met by exploring."""
    rank = np.arange(1, value.shape[1])
    above = np.maximum((value > 0).sum(axis=1, keepdims=True), 1)
    worse = np.maximum(above - rank, 0) / above  # chance that the first arm above 0 is none of the best `rank`
    unmet = (1 - epsilon / value.shape[1]) ** (pulls[:, None] * rank)  # nor did exploring meet one of those
    best: Array = value[:, 0].mean() - unmet @ (worse * -np.diff(value, axis=1)).mean(axis=0)
    return best


def _balanced(value: Array, width: float, pulls: Array) -> Array:
    """What UCB's pulls add up to when all indices are equal, after so many of them; each arm has one at least."""
    time, behind = pulls[:, None, None], value[:, :1] - value
    bonus = width**2 * np.log(time)
    edges = np.sqrt(bonus / time) + 0 * value[:, :1], np.sqrt(value.shape[1] * bonus / time) + 0 * value[:, :1]
    pulled = _halved(lambda above: np.maximum(bonus / (above + behind) ** 2, 1), *edges, time)
    return np.asarray((pulled * value).sum(axis=2).mean(axis=1))


def _sunk(value: Array, start: float, pulls: Array) -> Array:
    """What optimism's pulls add up to: each takes its arm's estimate a tenth of the way, and all sink to one level.

    Where some arms are worth more than the start, the first of them to be tried is kept.
    """
    over, time = value > start, pulls[:, None, None]
    many, arms = over.sum(axis=1), value.shape[1]
    kept, tried = np.where(over, value, 0).sum(axis=1) / np.maximum(many, 1), np.where(over, 0, value).sum(axis=1)
    total = tried / (many + 1) + kept * (pulls[:, None] - (arms - many) / (many + 1))
    if len(low := value[many == 0]):
        room, behind = start - low, low[:, :1] - low
        edges = room[:, :1] * 0.9**time, room[:, :1] + 0 * time
        pulled = _halved(lambda above: np.log(room / (above + behind)) / -np.log(0.9), *edges, time)
        total[:, many == 0] = (pulled * low).sum(axis=2)
    return np.asarray(total.mean(axis=1))


def _halved(counts: Callable[[Array], Array], low: Array, high: Array, pulls: Array) -> Array:
    """Each arm's pulls where they add up to all: halves, in logarithms, how far the level lies above the best arm."""
    for _ in range(35):
        middle = np.sqrt(low * high)
        few = counts(middle).sum(axis=2, keepdims=True) < pulls
        low, high = np.where(few, low, middle), np.where(few, middle, high)
    return counts(high)


@lru_cache(maxsize=4)
def _flow(parameter: float, steps: int, told: bytes, arms: int) -> tuple[Array, Array, Array]:
    """Pulls, reward and chance of the best arm along the gradient flow, mean over bandits; even steps of log time."""
    value = np.frombuffer(told).reshape(-1, arms)

    def push(clock: float, preference: Array) -> Array:
        policy = _softmax(preference)
        climb: Array = np.exp(clock) * policy * (value - (policy * value).sum(axis=1, keepdims=True))
        return climb

    clocks = np.linspace(0, np.log1p(parameter * steps), 120)  # log(1 + s)
    step, preference, seen = clocks[1], np.zeros(value.shape), []
    for clock in clocks:
        policy = _softmax(preference)
        seen.append([(policy * value).sum(axis=1).mean(), policy[:, 0].mean()])
        one = push(clock, preference)
        two = push(clock + step / 2, preference + step / 2 * one)
        three = push(clock + step / 2, preference + step / 2 * two)
        four = push(clock + step, preference + step * three)
        preference = preference + step / 6 * (one + 2 * two + 2 * three + four)
    reward, best = np.array(seen).T
    return np.expm1(clocks) / parameter, reward, best


def _softmax(preference: Array) -> Array:
    weight = np.exp(preference - preference.max(axis=1, keepdims=True))
    policy: Array = weight / weight.sum(axis=1, keepdims=True)
    return policy
