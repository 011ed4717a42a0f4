"""Where a policy stops that maximises reward minus beta times a KL penalty: by the textbook, and by TRL's own loss.

Every argument comes from exact enumeration, prompts along the first axis and completions along the second:
`reference` and `policy` are probabilities, `reward` is 0 or 1, and `completions` holds one row of tokens a
completion, with -1 after its end.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import binom

Array = NDArray[np.float64]
Solve = Callable[[Array, Array], Array]
"""From a state's reference probabilities and action values (prompts, actions) to the policy's probabilities."""

_EPSILON = 1e-4
"""What TRL adds to a group's standard deviation before it divides."""


def identity(reference: Array, policy: Array, optimum: Array, reward: Array, beta: float) -> float:
    r"""The penalised objective of any policy, from nothing but its distance to the optimum pi*.

    $$J_\beta(\pi) = \beta\log Z - \beta\,\mathrm{KL}(\pi\,\|\,\pi^*), \qquad
    Z = \sum_y \pi_\mathrm{ref}(y)\,e^{r(y)/\beta}$$

    With one completion that is right and one that is wrong, pi_ref = (1/2, 1/2) and beta = 1/log 3 make
    pi* = (3/4, 1/4) and Z = 2; the policy pi* itself has J = beta log 2.

    >>> half, best, reward = np.array([[0.5, 0.5]]), np.array([[0.75, 0.25]]), np.array([[1.0, 0.0]])
    >>> j = identity(half, best, best, reward, beta=1 / np.log(3))
    >>> bool(np.isclose(j, np.log(2) / np.log(3), rtol=1e-14))
    True
    """
    log_z = np.log(np.sum(reference * np.exp(reward / beta), axis=1))
    kl = np.sum(xlogy(policy, policy) - xlogy(policy, optimum), axis=1)
    return float(np.mean(beta * log_z - beta * kl))


def textbook_optimum(reference: Array, reward: Array, beta: float) -> float:
    r"""Mean success rate of pi*, the maximiser of expected reward minus beta KL(pi || pi_ref).

    $$\pi^*(y) = \frac{\pi_\mathrm{ref}(y)\,e^{r(y)/\beta}}{Z}$$

    >>> round(textbook_optimum(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]), beta=1 / np.log(3)), 12)
    0.75
    """
    tilted = reference * np.exp(reward / beta)
    return float(np.mean(np.sum(tilted * reward, axis=1) / np.sum(tilted, axis=1)))


def own_fixed_point(
    reference: Array,
    reward: Array,
    completions: NDArray[np.int64],
    beta: float,
    group_size: int,
    scale: str,
    corrected: bool,
) -> float:
    r"""Mean success rate where the expected gradient of TRL's own loss is zero in every state of the token tree.

    The reward's gradient is w grad p. The penalty is a sum of per-token estimates whose gradient stops at the
    token: with the importance ratio (`corrected`) it is that of KL(pi(.|s) || pi_ref(.|s)), without it that of
    KL(pi_ref(.|s) || pi(.|s)). So in each state s, solved from the last token back to the first,

    $$\pi(a|s) \propto \pi_\mathrm{ref}(a|s)\,e^{w\,Q^\pi(s,a)/\beta}\ \text{(corrected)}, \qquad
    \pi(a|s) = \frac{\beta\,\pi_\mathrm{ref}(a|s)}{\lambda_s - w\,Q^\pi(s,a)}\ \text{(uncorrected)},$$

    with w = (G-1)/G for scale "none" and w = w_G(p), at the p that comes out, for scale "group".

    A single token and G = 2 (w = 1/2): beta = 1/(2 log 3) gives 3/4 corrected, as the textbook's rule does at
    twice that beta. Uncorrected, beta = 1 has 1/2/(x - 1/2) + 1/2/x = 1 at x = (3 + 5^.5)/4, so p = 1 - 1/(2x).

    >>> one = (np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]), np.array([[3], [4]]))
    >>> round(own_fixed_point(*one, beta=0.5 / np.log(3), group_size=2, scale="none", corrected=True), 9)
    0.75
    >>> round(own_fixed_point(*one, beta=1.0, group_size=2, scale="none", corrected=False), 9)         # 2 / (1 + 5^.5)
    0.618033989
    """
    solve = _tilt if corrected else _forward

    def success(weight: Array) -> Array:
        return _value(reference, reward, completions, lambda ref, value: solve(ref, weight[:, None] * value / beta))

    if scale == "none":
        return float(np.mean(success(np.full(len(reference), (group_size - 1) / group_size))))
    return float(np.mean(_settle(success, np.sum(reference * reward, axis=1), group_size)))


def _settle(success: Callable[[Array], Array], start: Array, group_size: int) -> Array:
    """The success rate that its own weight leads to, followed up from the reference's, where training starts."""
    p = start
    for _ in range(1000):
        new = success(_std_weight(p, group_size))
        if np.max(np.abs(new - p)) < 1e-12:
            return new
        p = new
    raise ArithmeticError("the fixed point of the std-scaled recursion was not reached in 1000 rounds")


def _value(reference: Array, reward: Array, completions: NDArray[np.int64], solve: Solve) -> Array:
    """Success rate from one state on, each prompt its own, when every state below it plays its solution."""
    tokens = completions[:, 0]
    shares, values = [], []
    for token in np.unique(tokens):
        here = tokens == token
        shares.append(reference[:, here].sum(axis=1))
        if here.sum() == 1:  # a completion ends here
            values.append(reward[:, here][:, 0])
        else:
            values.append(_value(reference[:, here], reward[:, here], completions[here, 1:], solve))
    share, value = np.stack(shares, axis=1), np.stack(values, axis=1)
    played = solve(share / share.sum(axis=1, keepdims=True), value)
    return np.asarray(np.sum(played * value, axis=1))


def _tilt(reference: Array, pull: Array) -> Array:
    """Minimise KL(pi || ref) - pi.pull: pi in proportion to ref exp(pull)."""
    tilted = reference * np.exp(pull - pull.max(axis=1, keepdims=True))
    return np.asarray(tilted / tilted.sum(axis=1, keepdims=True))


def _forward(reference: Array, pull: Array) -> Array:
    """Minimise KL(ref || pi) - pi.pull: pi = ref / (x - pull), x above every pull and such that pi sums to 1.

    The sum falls in x, is at least 1 where x = max(pull + ref) and at most 1 where x = max(pull) + 1: bisect.
    """
    low = np.max(pull + reference, axis=1, keepdims=True)
    high = np.max(pull, axis=1, keepdims=True) + 1
    for _ in range(60):
        middle = (low + high) / 2
        above = np.sum(reference / (middle - pull), axis=1, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray(reference / (low - pull))


def _std_weight(success: Array, group_size: int) -> Array:
    """Weight of grad p when rewards are divided by the group's sample deviation: lab grpo_gradient, std_weight."""
    k = np.arange(1, group_size)
    deviation = np.sqrt(k * (group_size - k) / (group_size * (group_size - 1)))
    signal = k * (group_size - k) / (group_size**2 * (deviation + _EPSILON))
    p = np.clip(success, 1e-12, 1 - 1e-12)[:, None]
    return np.asarray(np.sum(binom.pmf(k, group_size, p) * signal, axis=1) / (p * (1 - p))[:, 0])
