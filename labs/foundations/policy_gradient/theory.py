"""What one episode, or one group of rewards, says of the gradient of the policy: its mean, its noise, its baselines."""

from math import comb, sqrt

from labs.kit.mdp import corridor


def gradient_noise(right: float) -> float:
    r"""Standard deviation of one episode's REINFORCE gradient, A = sum of G_t z_t, in the corridor.

    $$\mathrm{sd}(A) = \sqrt{\mathbb{E}A^2 - (dJ/d\theta)^2},\qquad
    \mathbb{E}[xx^\top]_s = \sum_a \pi(a)\,B_a\,\mathbb{E}[xx^\top]_{s'}\,B_a^\top,\quad x = (1, T, Z, A)$$

    At p = 1/2 the second moment of A is 737, and its mean is 2.

    >>> round(gradient_noise(right=0.5) ** 2, 6)
    733.0
    """
    moment = corridor.reinforce_moments(right)
    return sqrt(moment[3, 3] - moment[0, 3] ** 2)


def signal_to_noise(right: float) -> float:
    r"""Mean of one episode's gradient over its deviation; n episodes make it sqrt(n) times as large.

    $$\frac{dJ/d\theta}{\mathrm{sd}(A)},\qquad \frac{dJ}{d\theta} = \frac{2p^2 - 8p + 4}{p\,(1-p)}$$

    >>> round((2 / signal_to_noise(right=0.05)) ** 2, 1)      # episodes until the mean is two standard errors
    37.6
    """
    return float(corridor.reinforce_moments(right)[0, 3] / gradient_noise(right))


def best_baseline(right: float) -> float:
    r"""The constant whose subtraction from every return leaves the least variance: the regression of A on Z.

    $$b^* = \frac{\mathbb{E}[AZ]}{\mathbb{E}[Z^2]},\qquad Z = \sum_t z_t,\quad \mathbb{E}Z = 0$$

    It is not J: at p = 1/2, where J = -12, it is 1/3 lower.

    >>> round(best_baseline(right=0.5), 9)
    -12.333333333
    """
    moment = corridor.reinforce_moments(right)
    return float(moment[2, 3] / moment[2, 2])


def baseline_gain(right: float) -> float:
    r"""How many times less variance the best constant baseline leaves.

    $$\frac{\mathrm{Var}A}{\mathrm{Var}(A - b^*Z)} = \frac{1}{1-\rho^2},\qquad \rho = \mathrm{corr}(A, Z)$$

    >>> round(baseline_gain(right=0.05), 3)
    2.485
    """
    moment = corridor.reinforce_moments(right)
    return float(1 / (1 - moment[2, 3] ** 2 / moment[2, 2] / gradient_noise(right) ** 2))


def value_baseline() -> float:
    r"""Variance with the expected return J as the baseline, over the least that any constant leaves, if J is the best.

    $$\frac{\mathrm{Var}(A - J Z)}{\min_b \mathrm{Var}(A - b Z)} = 1$$

    >>> value_baseline()
    1.0
    """
    return 1.0


def group_mean(success: float, group_size: int) -> float:
    r"""Mean gradient of a group of G rewards of 0 or 1, less their mean: each sample's own reward takes 1/G away.

    $$\mathbb{E}\Big[\tfrac1G\sum_i (R_i - \bar R)\,z_i\Big] = \Big(1 - \frac1G\Big)\,p\,(1-p)$$

    >>> group_mean(success=0.5, group_size=2)                 # half of 1/4
    0.125
    """
    return (1 - 1 / group_size) * success * (1 - success)


def std_weight(success: float, group_size: int, ddof: int) -> float:
    r"""Mean gradient of a group whose advantages are divided by their standard deviation, in units of the gradient.

    The deviation has the divisor G - d, d = `ddof`; with k successes it is sqrt(k (G - k) / G / (G - d)). A group whose
    rewards are equal counts as 0.

    $$w_G(p) = \frac{1}{p(1-p)}\,\sqrt{\frac{G-d}{G}}\;\mathbb{E}\,\frac{\sqrt{k(G-k)}}{G},\ k\sim\mathrm{Bin}(G,p)$$

    >>> std_weight(success=0.2, group_size=2, ddof=0)         # one of each: chance 2 p (1 - p), worth 1/2
    1.0
    """
    chance = [comb(group_size, k) * success**k * (1 - success) ** (group_size - k) for k in range(group_size + 1)]
    spread = sum(c * sqrt(k * (group_size - k)) / group_size for k, c in enumerate(chance))
    return round(spread * sqrt((group_size - ddof) / group_size) / (success * (1 - success)), 12)
