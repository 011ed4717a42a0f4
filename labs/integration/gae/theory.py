"""Bias, error and value loss of generalised advantage estimation, by summing over every completion.

Arguments come from exact enumeration: `policy` (prompts, completions) are probabilities, `reward` (prompts,
completions) is 0 or 1, `completions` (completions, 3) are tokens with -1 after the end, and `values` (prompts,
completions, 3) is what the critic says of the state before each token of a completion. TRL pays the score one
position after the end of a completion that is shorter than the longest, so the critic is asked there once more.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Tokens = NDArray[np.int64]


def gae_bias() -> float:
    r"""Mean squared bias of GAE with the exact value function, at any lambda.

    $$\mathbb{E}\Big[\sum_{k \ge 0} \lambda^k \delta_{t+k} \,\Big|\, s_t, a_t\Big] = A^\pi(s_t, a_t), \qquad
    \delta_t = r_t + V^\pi(s_{t+1}) - V^\pi(s_t)$$

    Every later delta has mean zero, so only the first remains.

    >>> gae_bias()
    0.0
    """
    return 0.0


def gae_error(policy: Array, reward: Array, values: Array, completions: Tokens, lam: float) -> float:
    r"""Mean squared error of the advantage estimate over the tokens that the policy visits: its bias and its variance.

    What depends on the state alone cannot bias a policy gradient, so the critic's own offset is put back first.

    $$\mathbb{E}\big[(\hat A^{\lambda}_t + v(s_t) - Q^\pi(s_t, a_t))^2\big]$$

    One token, right or wrong with probability 1/2, and a critic that says 0: the score is paid one position later, so
    at lambda 1/2 the estimate is half the reward, 1/2 off where it is right and exact where it is wrong.

    >>> half, right, tokens = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]), np.array([[3, -1, -1], [4, -1, -1]])
    >>> gae_error(half, right, np.zeros((1, 2, 3)), tokens, lam=0.5)
    0.125
    """
    estimate = _estimates(reward, values, completions, lam) + values
    worth = np.stack([_mean_from(policy, reward, completions, t + 1) for t in range(3)], axis=2)
    visited = policy[:, :, None] * (completions >= 0)
    return float(np.sum(visited * (estimate - worth) ** 2) / np.sum(visited))


def value_loss(policy: Array, reward: Array, values: Array, completions: Tokens) -> float:
    r"""The critic's squared error falls into what no critic can know and what this one does not.

    $$\tfrac12\,\mathbb{E}\,(G - v(s))^2 = \tfrac12\Big(\mathbb{E}\,\mathrm{Var}(G \mid s) +
    \mathbb{E}\,(V^\pi(s) - v(s))^2\Big)$$

    One token, right or wrong with probability 1/2, a critic that says 0: before it variance 1/4 and error 1/4, and at
    the position after it, where the score is paid, variance 0 and errors 1 and 0: (1/2 + 1/2) / 2 halved.

    >>> half, right, tokens = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]), np.array([[3, -1, -1], [4, -1, -1]])
    >>> value_loss(half, right, np.zeros((1, 2, 3)), tokens)
    0.25
    """
    asked = policy[:, :, None] * _asked(completions)
    known = np.stack([_mean_from(policy, reward, completions, depth) for depth in range(3)], axis=2)
    chance = (reward[:, :, None] - known) ** 2
    return float(np.sum(asked * (chance + (known - values) ** 2)) / np.sum(asked) / 2)


def critic_explains() -> float:
    r"""Explained variance of a critic that is the value function.

    $$1 - \frac{\mathbb{E}\,(V^\pi(s) - v(s))^2}{\mathrm{Var}\,V^\pi(s)}$$

    >>> critic_explains()
    1.0
    """
    return 1.0


def _asked(completions: Tokens) -> NDArray[np.bool_]:
    """The positions at which the critic is asked: every token's, and one more after a shorter completion's end."""
    length = np.sum(completions >= 0, axis=1)
    return np.asarray(np.arange(3)[None] <= length[:, None])


def _estimates(reward: Array, values: Array, completions: Tokens, lam: float) -> Array:
    """GAE at every position of every completion, discount 1."""
    asked = _asked(completions)
    last = np.sum(asked, axis=1) - 1
    paid = np.where(np.arange(3)[None] == last[:, None], reward[:, :, None], 0.0)
    worth = values * asked
    made, later, after = np.zeros_like(worth), np.zeros(reward.shape), np.zeros(reward.shape)
    for t in (2, 1, 0):
        later = paid[:, :, t] + after - worth[:, :, t] + lam * later
        made[:, :, t], after = later, worth[:, :, t]
    return made


def _mean_from(policy: Array, reward: Array, completions: Tokens, depth: int) -> Array:
    """Expected reward of every completion, once its first `depth` tokens are known."""
    _, group = np.unique(completions[:, :depth], axis=0, return_inverse=True)
    group = group.reshape(-1)
    member = np.zeros((len(group), group.max() + 1))
    member[np.arange(len(group)), group] = 1.0
    return np.asarray(((policy * reward) @ member / (policy @ member))[:, group])
