"""By how much GRPO's expected gradient of one prompt is longer or shorter than the gradient of its success rate p.

Rewards are 0 or 1, so a group of G completions is known by its number of successes K ~ Bin(G, p). A completion's
advantage depends on its own reward and on K alone, and E[A] = 0; therefore the expected gradient is a multiple of
grad p, and the multiple is E[A r] / (p (1 - p)).
"""

import math

_EPSILON = 1e-4
"""What TRL adds to the standard deviation before it divides."""


def self_baseline(group_size: int) -> float:
    r"""Slope with A = r - mean: the mean holds the completion's own reward, so a G-th of the signal cancels itself.

    $$\frac{\mathbb{E}[A\,r]}{p(1-p)} = \frac{\mathbb{E}[K(G-K)]}{G^2\,p(1-p)} = \frac{G-1}{G}$$

    >>> self_baseline(group_size=8)
    0.875
    >>> self_baseline(group_size=1)                # alone in its group, a completion learns nothing
    0.0
    """
    return (group_size - 1) / group_size


def self_baseline_curve(step: int, group_size: int) -> float:
    """The steps are independent, so their running mean has the same expectation at every step."""
    return self_baseline(group_size)


def std_weight(success: float, group_size: int) -> float:
    r"""Slope with A = (r - mean) / (s + 0.0001), s the sample standard deviation of the group (divisor G - 1).

    $$w_G(p) = \frac{1}{p(1-p)}\;\mathbb{E}_{K\sim\mathrm{Bin}(G,p)}\!\left[\frac{K(G-K)}{G^2\,(s_K+10^{-4})}\right],
    \qquad s_K=\sqrt{\frac{K(G-K)}{G(G-1)}}$$

    Two completions teach only when they differ, which happens with probability 2p(1-p); then s = 1/sqrt(2) and
    K(G-K)/G^2 = 1/4, so w = sqrt(2)/2 for every p (less the 0.0001).

    >>> round(std_weight(success=0.5, group_size=2), 3), round(std_weight(success=0.1, group_size=2), 3)
    (0.707, 0.707)
    """
    p, n = success, group_size
    total = 0.0
    for k in range(1, n):
        chance = math.comb(n, k) * p**k * (1 - p) ** (n - k)
        deviation = math.sqrt(k * (n - k) / (n * (n - 1)))
        total += chance * k * (n - k) / (n**2 * (deviation + _EPSILON))
    return total / (p * (1 - p))


def std_weight_curve(step: int, success: float, group_size: int) -> float:
    """The steps are independent, so their running mean has the same expectation at every step."""
    return std_weight(success, group_size)


def arcsin(success: float) -> float:
    r"""Slope with A = (r - p) / sd(r), the limit of large groups: the gradient of 2 arcsin sqrt(p), not of p.

    $$\frac{d}{dp}\,2\arcsin\sqrt{p} = \frac{1}{\sqrt{p(1-p)}}$$

    >>> arcsin(success=0.5)
    2.0
    >>> arcsin(success=0.2)                        # 1 / sqrt(0.16)
    2.5
    """
    return 1 / math.sqrt(success * (1 - success))


def arcsin_curve(step: int, success: float) -> float:
    """The steps are independent, so their running mean has the same expectation at every step."""
    return arcsin(success)
