"""The task of the small model: one-digit addition, told in 14 tokens and taught by a noisy teacher.

Every prompt is four tokens and every completion at most three, so all completions can be enumerated (exact.py).
"""

import re
from collections.abc import Callable, Iterable, Sequence

PAD, EOS = 0, 1
VOCABULARY = ("<pad>", "<eos>", *"0123456789", "+", "=")
PROMPTS = tuple(f"{a}+{b}=" for a in range(10) for b in range(10))
PROMPT_LENGTH, COMPLETION_LENGTH = 4, 3


def encode(text: str) -> list[int]:
    """One token a character.

    >>> encode("3+4=")
    [5, 12, 6, 13]
    """
    return [VOCABULARY.index(character) for character in text]


def answer(prompt: str) -> int:
    """The right answer.

    >>> answer("3+4=")
    7
    """
    return int(prompt[0]) + int(prompt[2])


def right(prompt: str, completion: Sequence[int]) -> float:
    """1 for the answer's digits followed by <eos>, else 0: the reward.

    It reads tokens and not decoded text, because decoding drops <pad>: "12<pad>" would count as right, and the
    enumeration would not agree with what the trainer was paid.

    >>> right("9+3=", encode("12") + [EOS]), right("9+3=", encode("12") + [PAD]), right("9+3=", encode("12"))
    (1.0, 0.0, 0.0)
    """
    return float(list(completion) == [*encode(str(answer(prompt))), EOS])


def right_in_words(decode: Callable[[Sequence[int]], str]) -> Callable[[str, Sequence[int]], float]:
    """The reward for a model with another vocabulary: 1 where the first number that it says is the answer.

    >>> said = {5: " 7", 6: ", so", 8: "1"}
    >>> pay = right_in_words(lambda tokens: "".join(map(said.get, tokens)))
    >>> pay("3+4=", [5, 6]), pay("3+4=", [5, 8]), pay("3+4=", [6, 5])
    (1.0, 0.0, 0.0)
    """

    def right(prompt: str, completion: Sequence[int]) -> float:
        number = re.match(r"\s*(\d+)", decode(completion))
        return float(number is not None and int(number[1]) == answer(prompt))

    return right


def teacher(prompt: str) -> dict[int, float]:
    """The noisy teacher's distribution over answers; how often it is right goes from .05 to .6 over the prompts.

    The rest goes to mistakes a person makes: off by one or two, the carry forgotten or carried twice, a summand
    repeated. Equal numbers add up; what is outside 0..99 is left out.

    >>> told = teacher("3+4=")
    >>> {number: round(share, 4) for number, share in told.items()}
    {7: 0.05, 8: 0.2591, 6: 0.2591, 9: 0.0864, 5: 0.0864, 17: 0.0864, 3: 0.0864, 4: 0.0864}
    """
    a, b, c = int(prompt[0]), int(prompt[2]), answer(prompt)
    share = 0.05 + 0.55 * ((7 * a + 3 * b) % 11) / 10
    mistakes: dict[int, int] = {}
    for number, weight in ((c + 1, 3), (c - 1, 3), (c % 10, 2), (c + 2, 1), (c - 2, 1), (c + 10, 1), (a, 1), (b, 1)):
        if 0 <= number <= 99 and number != c:
            mistakes[number] = mistakes.get(number, 0) + weight
    total = sum(mistakes.values())
    return {c: share, **{number: (1 - share) * weight / total for number, weight in mistakes.items()}}


def rows(prompts: Iterable[str] = PROMPTS) -> list[dict[str, str]]:
    """The prompts as TRL's data sets want them."""
    return [{"prompt": prompt} for prompt in prompts]
