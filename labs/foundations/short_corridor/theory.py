"""What theory says of the short corridor, where three states look alike and the middle one is reversed."""

from math import sqrt


def expected_return(right: float) -> float:
    r"""Expected return from the start of a policy that goes right with probability `right` in every state.

    $$J(p) = \frac{2p-4}{p\,(1-p)}$$

    First steps from the three states, each costing 1, with p = 1/2: v1 = -1 + (v1 + v2)/2, v2 = -1 + (v1 + v3)/2,
    v3 = -1 + v2/2, so v1 = -12.

    >>> expected_return(right=0.5)
    -12.0
    """
    return (2 * right - 4) / (right * (1 - right))


def policy_gradient(right: float) -> float:
    r"""Slope of the expected return in theta, the logit of `right`: what REINFORCE's episode gradient is on average.

    $$\frac{dJ}{d\theta} = p\,(1-p)\,J'(p) = \frac{2p^2 - 8p + 4}{p\,(1-p)}$$

    >>> policy_gradient(right=0.5)                            # (1/2 - 4 + 4) / (1/4)
    2.0
    >>> abs(policy_gradient(right=2 - sqrt(2))) < 1e-9        # nothing to gain at the optimum
    True
    """
    return (2 * right**2 - 8 * right + 4) / (right * (1 - right))


def optimum() -> float:
    r"""The most that any policy of the corridor can earn: no p does better than 2 - sqrt(2).

    $$J^* = \max_p \frac{2p-4}{p\,(1-p)} = -(6 + 4\sqrt2) \quad\text{at}\quad p^* = 2 - \sqrt2$$

    >>> round(optimum() - expected_return(2 - sqrt(2)), 12)
    0.0
    """
    return -(6 + 4 * sqrt(2))


def optimum_curve(step: int) -> float:
    """The optimum is the same at every episode."""
    return optimum()


def collapse_share() -> float:
    r"""Share of runs that end near a deterministic policy, if every step follows the gradient of J.

    J falls to minus infinity at both ends, so its gradient pushes away from them.

    $$\lim_{p\to0} J(p) = \lim_{p\to1} J(p) = -\infty$$

    >>> collapse_share()
    0.0
    """
    return 0.0
