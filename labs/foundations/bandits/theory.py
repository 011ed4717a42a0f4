"""What theory says of bandits: where eps-greedy settles, what a gradient bandit climbs, what a constant step leaves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def optimal_share(epsilon: float, arms: int) -> float:
    r"""Share of pulls of the best arm once every estimate is exact: always when greedy, by luck when exploring.

    $$\lim_{t\to\infty} P(A_t = a^*) = 1 - \varepsilon + \frac{\varepsilon}{k}$$

    >>> optimal_share(epsilon=0.5, arms=2)             # half greedy; of the other half, every second pull
    0.75
    >>> round(optimal_share(epsilon=0.1, arms=10), 4)
    0.91
    """
    return 1 - epsilon + epsilon / arms


def optimal_share_curve(step: int, epsilon: float, arms: int) -> float:
    """The first pull is a guess; after it theory knows the limit alone.

    >>> optimal_share_curve(step=1, epsilon=0.1, arms=10)
    0.1
    """
    return 1 / arms if step == 1 else optimal_share(epsilon, arms)


def mean_reward(epsilon: float, best_value: float, mean_value: float) -> float:
    r"""Reward a pull in the limit, if the best arm pays `best_value` and the arms pay `mean_value` on average.

    For ten arms from N(0, 1) that is 1.5388 (1 - eps) in expectation; a trial is held against the arms that it drew.

    $$\lim_{t\to\infty} \mathbb{E}[R_t] = (1-\varepsilon)\,\mathbb{E}[\max_a q_a] + \varepsilon\,\mathbb{E}[q_a]$$

    >>> mean_reward(epsilon=0.5, best_value=1.0, mean_value=0.0)
    0.5
    """
    return (1 - epsilon) * best_value + epsilon * mean_value


def mean_reward_curve(step: int, epsilon: float, best_value: float, mean_value: float) -> float:
    """The first pull is a guess; after it theory knows the limit alone."""
    return mean_value if step == 1 else mean_reward(epsilon, best_value, mean_value)


def linear_regret(epsilon: float, success_rates: Sequence[float]) -> float:
    r"""Regret a pull in the limit: exploring goes on for ever, and costs the mean gap each time.

    $$\lim_{n\to\infty}\frac{\mathrm{Regret}_n}{n} = \frac{\varepsilon}{k}\sum_a \left(q_{a^*} - q_a\right)$$

    >>> linear_regret(epsilon=0.5, success_rates=[1.0, 0.0])   # a quarter of all pulls lose 1
    0.25
    """
    return epsilon * (max(success_rates) - sum(success_rates) / len(success_rates))


def linear_regret_curve(step: int, epsilon: float, success_rates: Sequence[float]) -> float:
    """The limit is a line: it knows no step."""
    return linear_regret(epsilon, success_rates)


def gradient_ascent(action_values: Array, preferences: Array) -> float:
    r"""Length of the gradient of E[R], onto which the gradient bandit's mean update projects, whatever the baseline.

    $$\mathbb{E}\left[(R-b)(\mathbf{1}_{A=a}-\pi_a)\right] = \pi_a\left(q_a - \textstyle\sum_b \pi_b q_b\right)
    = \frac{\partial\,\mathbb{E}[R]}{\partial H_a}$$

    >>> round(gradient_ascent(np.array([1.0, 0.0]), np.zeros(2)), 6)      # the gradient is (1/4, -1/4)
    0.353553
    """
    policy = _softmax(preferences)
    return float(np.linalg.norm(policy * (action_values - policy @ action_values)))


def variance_factor(action_values: Array, preferences: Array, reward_sd: float) -> float:
    r"""By how much the baseline E[R] divides the variance that the update has without a baseline.

    $$\frac{V(0)}{V(\mathbb{E}[R])},\qquad
    V(b) = \mathbb{E}\left[\|\mathbf{1}_A-\pi\|^2\left((q_A-b)^2+\sigma^2\right)\right] - \|\nabla\mathbb{E}[R]\|^2$$

    >>> variance_factor(np.ones(2), np.zeros(2), reward_sd=1.0)           # (1/2)(1 + 1) against (1/2)(0 + 1)
    2.0
    """
    policy = _softmax(preferences)
    mean = float(policy @ action_values)
    return _variance(policy, action_values, reward_sd, 0.0) / _variance(policy, action_values, reward_sd, mean)


def noise_floor(step_size: float, steps: int, reward_sd: float) -> float:
    r"""Variance of an estimate after `steps` rewards; a step size of 0 stands for the sample average, 1/n.

    $$\mathrm{Var}\,Q_n = \sigma^2\frac{\alpha}{2-\alpha}\left(1-(1-\alpha)^{2n}\right)
    \qquad\text{and } \frac{\sigma^2}{n} \text{ with } \alpha_n = \tfrac1n$$

    >>> noise_floor(step_size=1.0, steps=5, reward_sd=2.0)       # the estimate is the last reward
    4.0
    >>> noise_floor(step_size=0.0, steps=4, reward_sd=2.0)
    1.0
    """
    if not step_size:
        return reward_sd**2 / steps
    return reward_sd**2 * step_size / (2 - step_size) * (1 - (1 - step_size) ** (2 * steps))


def noise_floor_curve(step: int, step_size: float, reward_sd: float) -> float:
    """The same after `step` rewards."""
    return noise_floor(step_size, step, reward_sd)


def _softmax(preferences: Array) -> Array:
    weight = np.exp(preferences - preferences.max())
    policy: Array = weight / weight.sum()
    return policy


def _variance(policy: Array, action_values: Array, reward_sd: float, baseline: float) -> float:
    """Trace of the update's covariance."""
    length = 1 - 2 * policy + policy @ policy
    gradient = policy * (action_values - policy @ action_values)
    return float(policy @ (length * ((action_values - baseline) ** 2 + reward_sd**2)) - gradient @ gradient)
