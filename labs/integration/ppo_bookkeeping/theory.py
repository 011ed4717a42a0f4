"""What PPO's logged numbers should be, by summing over every completion of every prompt.

`policy`, `reference` and `sampled` (prompts, completions) are probabilities of the policy at temperature 1, of the
reference, and of the policy at the temperature it is sampled with; `reward` is 0 or 1.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Array = NDArray[np.float64]


def score(policy: Array, reward: Array) -> float:
    r"""Expected score of the policy itself.

    $$J(\pi) = \sum_y \pi(y)\, r(y)$$

    >>> score(np.array([[0.25, 0.75]]), np.array([[1.0, 0.0]]))
    0.25
    """
    return float(np.mean(np.sum(policy * reward, axis=1)))


def sampling_score(sampled: Array, reward: Array) -> float:
    r"""Expected score of the policy as it is sampled.

    $$J(\pi_T) = \sum_y \pi_T(y)\, r(y)$$

    >>> sampling_score(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]))
    0.5
    """
    return float(np.mean(np.sum(sampled * reward, axis=1)))


def sequence_kl(policy: Array, reference: Array) -> float:
    r"""Divergence of whole completions from the reference, of which per-token estimates are the parts.

    $$\mathrm{KL}(\pi\,\|\,\pi_\mathrm{ref}) = \sum_y \pi(y)\log\frac{\pi(y)}{\pi_\mathrm{ref}(y)}
    = \mathbb{E}\sum_t \log\frac{\pi(y_t|s_t)}{\pi_\mathrm{ref}(y_t|s_t)}$$

    A policy that always gives one of two equally likely answers is log 2 away.

    >>> round(sequence_kl(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])), 6)
    0.693147
    """
    return float(np.mean(np.sum(xlogy(policy, policy) - xlogy(policy, reference), axis=1)))


def sequence_entropy(policy: Array) -> float:
    r"""Entropy of whole completions, in nats.

    $$H(\pi) = -\sum_y \pi(y)\log\pi(y)$$

    >>> round(sequence_entropy(np.array([[0.5, 0.5]])), 6)
    0.693147
    """
    return float(-np.mean(np.sum(xlogy(policy, policy), axis=1)))


def penalised_reward(policy: Array, reference: Array, reward: Array, kl_coef: float) -> float:
    r"""What PPO maximises: the score less the penalty.

    $$J(\pi) - \beta\,\mathrm{KL}(\pi\,\|\,\pi_\mathrm{ref})$$

    >>> penalised_reward(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]), kl_coef=0.05)
    0.5
    """
    return score(policy, reward) - kl_coef * sequence_kl(policy, reference)


def token_entropy(response_entropy: float, response_tokens: float) -> float:
    r"""Entropy a token: that of a response over its mean number of tokens, padding not counted.

    $$H(\pi) \,/\, \mathbb{E}\,|y|$$

    >>> token_entropy(response_entropy=0.75, response_tokens=2.5)
    0.3
    """
    return response_entropy / response_tokens
