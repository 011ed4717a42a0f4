"""A lab whose trials are real: GRPO on the small model, in float32 and on its NF4 base; a checkpoint every 5 steps."""

from pathlib import Path

from tests.kit.folders import write_lab

LAB = "integration/broken_grpo"
STEPS = 20

_TOML = f"""
title = "Does a killed training end with the bits of one that was not?"
stack = "grpo"
seeds = 2
timeout = 600
memory = 1200

[setting]
steps = {STEPS}
quantization = "none"

[variants.none]

[variants.nf4]
quantization = "nf4"

[claims.steps_taken]
statement = "Every step is taken."
source = "By definition."
target = "trainer"
relation = "equals"
within = 1e-9
exact = true
unit = "steps"
control = "nf4"
"""

_THEORY = '''"""Count."""


def steps_taken(steps: int) -> float:
    r"""As many as asked for.

    $$n$$

    >>> steps_taken(3)
    3.0
    """
    return float(steps)
'''

_PRACTICE = '''"""Train, and add up every trained weight."""

from labs.kit.policy.grpo import train
from labs.kit.policy.training import Training


def trial(seed, log, *, steps, quantization):
    """The sums are equal only where every bit of every weight is, for all that a test can hope to see."""
    trained = train(Training(seed=seed, steps=steps, quantization=quantization, save_steps=5), log)
    weights = [weight for weight in trained.model.parameters() if weight.requires_grad]
    told = trained.series("grad_norm")
    if not told.any():
        raise RuntimeError("a policy without a gradient passes every test of resuming")
    return {
        "steps_taken": float(len(told)),
        "sum": sum(float(weight.double().sum()) for weight in weights),
        "squares": sum(float(weight.double().pow(2).sum()) for weight in weights),
        "gradient": float(told.sum()),
    }
'''


def write(root: Path) -> Path:
    """Write the lab's folder and return it."""
    return write_lab(root, LAB, _TOML, _THEORY, _PRACTICE)
