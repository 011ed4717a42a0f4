import pytest
import torch
from transformers import Qwen3ForSequenceClassification

from labs.kit.policy.base import Numbers, config
from labs.kit.policy.critic import critic_values
from labs.kit.policy.packing import GOES_ON
from labs.kit.policy.task import EOS, encode


@pytest.fixture(scope="module")
def critic() -> Qwen3ForSequenceClassification:
    torch.manual_seed(2)
    shape = config(Numbers())
    shape.initializer_range, shape.num_labels = 0.2, 1
    return Qwen3ForSequenceClassification(shape)  # type: ignore[no-untyped-call]


def _plain(critic: Qwen3ForSequenceClassification, tokens: list[int]) -> float:
    hidden = critic.model(input_ids=torch.tensor([tokens])).last_hidden_state
    return float(critic.score(hidden)[0, -1, 0])


def test_a_state_has_the_value_that_a_plain_forward_pass_gives(critic: Qwen3ForSequenceClassification) -> None:
    """Also behind <eos>, where TRL's PPO pays the score of a completion that ends early."""
    prompts = ("3+4=", "9+9=", "0+0=")
    root, one, two = critic_values(critic, prompts, batch=2)
    with torch.no_grad():
        for row, prompt in enumerate(prompts):
            head = encode(prompt)
            assert root[row] == pytest.approx(_plain(critic, head), abs=1e-5)
            for token in (EOS, 0, 5):
                assert one[row, token] == pytest.approx(_plain(critic, [*head, token]), abs=1e-5)
                plain = _plain(critic, [*head, GOES_ON[7], token])
                assert two[row, 7, token] == pytest.approx(plain, abs=1e-5)
