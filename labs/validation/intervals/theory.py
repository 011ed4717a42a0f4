"""How often intervals and families of verdicts should be right."""

from math import comb, sqrt

from scipy.special import stdtrit


def t_coverage(confidence: float) -> float:
    r"""Share of Student's t intervals that contain the mean of normal runs: what they say, at any number of seeds.

    $$P\left(\left|\frac{\bar X - \mu}{S/\sqrt{n}}\right| \le t_{n-1,\,1-\alpha/2}\right) = 1 - \alpha$$

    >>> t_coverage(confidence=0.95)
    0.95
    """
    return confidence


def collapse_coverage(seeds_each: int, confidence: float, learn_share: float) -> float:
    r"""Share of t intervals that contain q, when each of n runs gives 1 with probability q and 0 otherwise.

    $$\sum_{k=0}^{n} \binom{n}{k} q^k (1-q)^{n-k}\;
    \mathbf{1}\!\left[\,\left|\tfrac{k}{n} - q\right| \le t_{n-1}\sqrt{\tfrac{k(n-k)}{n^2(n-1)}}\,\right]$$

    Two runs, q = 1/2: one of each (probability 1/2) covers, two alike have no width and miss.

    >>> collapse_coverage(seeds_each=2, confidence=0.95, learn_share=0.5)
    0.5
    """
    quantile = float(stdtrit(seeds_each - 1, (1 + confidence) / 2))
    return sum(
        comb(seeds_each, k) * learn_share**k * (1 - learn_share) ** (seeds_each - k)
        for k in range(seeds_each + 1)
        if abs(k / seeds_each - learn_share)
        <= quantile * sqrt(k * (seeds_each - k) / (seeds_each**2 * (seeds_each - 1)))
    )


def family_error(claims: int, confidence: float) -> float:
    r"""Chance of at least one false alarm among true, independent claims.

    $$1 - (1 - \alpha)^m$$

    >>> family_error(claims=2, confidence=0.5)      # both are right in one case of four
    0.75
    """
    return 1 - confidence**claims


def holm_family_error(confidence: float) -> float:
    r"""The most that Holm's procedure lets happen: alpha, whatever the number of claims.

    $$P(\text{any false alarm}) \le \alpha$$

    >>> round(holm_family_error(confidence=0.95), 12)
    0.05
    """
    return 1 - confidence
