import math

import pytest

from labs.kit.policy.base import tokenizer
from labs.kit.policy.task import EOS, PAD, PROMPTS, encode, right, teacher


def test_the_teacher_is_a_distribution_with_the_entropy_of_the_recipe() -> None:
    told = [teacher(prompt) for prompt in PROMPTS]
    assert all(sum(shares.values()) == pytest.approx(1.0, abs=1e-12) for shares in told)
    entropy = -sum(share * math.log(share) for shares in told for share in shares.values()) / len(told)
    assert entropy == pytest.approx(1.7395451, abs=5e-8)


def test_the_teacher_is_right_on_every_prompt_between_5_and_60_times_in_100() -> None:
    shares = [teacher(prompt)[int(prompt[0]) + int(prompt[2])] for prompt in PROMPTS]
    assert min(shares) == pytest.approx(0.05)
    assert max(shares) == pytest.approx(0.6)


@pytest.mark.parametrize(
    "completion",
    [encode("12"), [*encode("12"), PAD], [*encode("21"), EOS], [*encode("2"), EOS], [EOS], [*encode("12"), EOS, EOS]],
)
def test_only_the_answer_and_eos_is_right(completion: list[int]) -> None:
    """One token more or less is another completion of the tree, with a probability of its own."""
    assert right("9+3=", [*encode("12"), EOS]) == 1.0
    assert right("9+3=", completion) == 0.0


def test_the_tokenizer_says_what_encode_says() -> None:
    """The trainers read the tokenizer, the enumeration reads encode()."""
    words = tokenizer()
    assert all(words(prompt)["input_ids"] == encode(prompt) for prompt in PROMPTS)
    assert words.decode(encode("9+3=12")) == "9+3=12"
