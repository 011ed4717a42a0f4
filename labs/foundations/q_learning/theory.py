"""What theory says of Q-learning: how far a maximum lies too high, where it settles, and how slowly it forgets."""

import numpy as np
from scipy.integrate import quad
from scipy.special import gammaln, ndtr, poch


def maximization_bias(actions: int, samples: int, reward_mean: float, reward_sd: float) -> float:
    r"""Expectation of the largest of `actions` sample means, all of which estimate the same `reward_mean`.

    $$\mathbb{E}\Big[\max_a \bar R_a\Big] = \mu + \frac{\sigma}{\sqrt n}\int x\,k\,\varphi(x)\,\Phi(x)^{k-1}\,dx$$

    Two normal numbers: the larger lies 1/sqrt(pi) above the mean.

    >>> round(maximization_bias(actions=2, samples=1, reward_mean=0.0, reward_sd=1.0) * np.pi**0.5, 9)
    1.0
    >>> round(maximization_bias(actions=10, samples=10, reward_mean=-0.1, reward_sd=1.0), 6)
    0.386596
    """
    above, _ = quad(lambda x: x * actions * np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * ndtr(x) ** (actions - 1), -12, 12)
    return float(reward_mean + reward_sd / np.sqrt(samples) * above)


def left_rate(epsilon: float, reward_mean: float) -> float:
    r"""Share of episodes that go left once Q is exact: left is worth `reward_mean` and right 0.

    $$P(\text{left}) = \tfrac{\varepsilon}{2}\quad\text{if } \mu < 0$$

    >>> left_rate(epsilon=0.1, reward_mean=-0.1)       # only when exploring, and then every second time
    0.05
    """
    return epsilon / 2 if reward_mean < 0 else 1 - epsilon / 2


def left_rate_curve(step: int, epsilon: float, reward_mean: float) -> float:
    """Theory knows the limit alone."""
    return left_rate(epsilon, reward_mean)


def remaining_bias(discount: float, updates: int) -> float:
    r"""Share of the first error that is left after `updates` steps of size 1/n: one state, one action, reward 0.

    $$\frac{Q_n}{Q_0} = \prod_{i=1}^{n}\left(1 - \frac{1-\gamma}{i}\right)
    = \frac{\Gamma(n+\gamma)}{\Gamma(\gamma)\,\Gamma(n+1)} \approx \frac{n^{-(1-\gamma)}}{\Gamma(\gamma)}$$

    >>> round(remaining_bias(discount=0.5, updates=2), 12)        # (1 - 1/2)(1 - 1/4)
    0.375
    >>> round(remaining_bias(discount=0.99, updates=1_000_000), 6)
    0.865879
    """
    return float(poch(updates + 1.0, discount - 1.0) / np.exp(gammaln(discount)))


def remaining_bias_curve(step: int, discount: float) -> float:
    """The same after `step` updates."""
    return remaining_bias(discount, step)


def noise_kept(discount: float, updates: int, reward_sd: float) -> float:
    r"""Variance of Q after `updates` steps of size 1/n on a reward of mean 0: what averaging has not removed.

    $$\mathrm{Var}\,Q_n = \sigma^2\sum_{i=1}^{n}\frac{1}{i^2}
    \left(\prod_{j=i+1}^{n}\left(1-\frac{1-\gamma}{j}\right)\right)^2$$

    >>> round(noise_kept(discount=0.0, updates=4, reward_sd=2.0), 12)   # no discounted future: the sample average
    1.0
    >>> round(noise_kept(discount=0.99, updates=20_000, reward_sd=1.0), 4)
    1.3735
    """
    step = np.arange(1, updates + 1)
    kept = 1 - (1 - discount) / step
    after = np.append(np.cumprod(kept[:0:-1])[::-1], 1.0)  # the product of the factors after each step
    return float(reward_sd**2 * np.sum((after / step) ** 2))


def noise_kept_curve(step: int, discount: float, reward_sd: float) -> float:
    """The same after `step` updates."""
    return noise_kept(discount, step, reward_sd)
