"""What GRPO's own metrics say of groups of 0/1 rewards, worked out from the exact success rates of the prompts."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def zero_groups(success: Array, group_size: int) -> float:
    r"""Share of groups whose rewards are all equal, so that every advantage in them is 0.

    `success[t, i]` is the exact success rate of the i-th prompt of batch t, just before the batch was sampled.

    $$\mathbb{E}\!\left[p^G + (1-p)^G\right]$$

    >>> zero_groups(np.array([[0.5]]), group_size=2)              # HH, HT, TH, TT: two of four
    0.5
    >>> zero_groups(np.array([[0.0, 0.5]]), group_size=2)         # a prompt that never succeeds is always silent
    0.75
    """
    return float(np.mean(success**group_size + (1 - success) ** group_size))


def zero_groups_curve(step: int, success: Array, group_size: int, window: int) -> float:
    """The same over the `window` batches that end with batch number `step`, counted from 1.

    >>> zero_groups_curve(step=2, success=np.array([[0.5], [0.0]]), group_size=2, window=1)
    1.0
    """
    return zero_groups(success[max(0, step - window) : step], group_size)


def batch_scaled_metric(success: Array, group_size: int) -> float:
    r"""Share of batches in which every reward is equal: what the same metric counts once rewards are scaled by batch.

    $$\mathbb{E}\!\left[\prod_i p_i^G + \prod_i (1-p_i)^G\right]$$

    >>> batch_scaled_metric(np.array([[0.5, 0.5]]), group_size=1)  # two groups of one: HH, HT, TH, TT
    0.5
    """
    return float(np.mean(np.prod(success**group_size, axis=1) + np.prod((1 - success) ** group_size, axis=1)))


def logged_reward(success: Array) -> float:
    r"""What the logged `reward` estimates: the mean success rate J of the prompts that were asked, at temperature 1.

    $$\mathbb{E}[r] = J(\pi) = \frac{1}{n}\sum_i p_i$$

    >>> logged_reward(np.array([[0.25, 0.75]]))
    0.5
    """
    return float(np.mean(success))


def logged_reward_curve(step: int, success: Array, window: int) -> float:
    """The same over the `window` batches that end with batch number `step`, counted from 1."""
    return logged_reward(success[max(0, step - window) : step])
