"""Train a policy and a critic with PPO, then let the trainer estimate the advantages of fresh completions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from trl.experimental.ppo import ppo_trainer

from labs.kit.policy.critic import critic_values
from labs.kit.policy.exact import COMPLETIONS, rewards, tree
from labs.kit.policy.ppo import PPOTraining, train
from labs.kit.policy.task import PROMPT_LENGTH, encode
from labs.kit.policy.values import PLACE, TOKENS, TableCritic, along, ended, exact_values
from labs.kit.trial import Log, Measured

Array = NDArray[np.float64]


def trial(
    seed: int,
    log: Log,
    *,
    critic: str,
    learn_updates: int,
    learning_rate: float,
    lam: float,
    whitened: bool,
    whiten_rewards: bool,
    batch: int,
    updates: int,
    prompts: Sequence[str],
) -> dict[str, Measured]:
    """Hold the trainer's own estimates, before it whitens them, against the exact value of each sampled token."""
    learned = train(PPOTraining(seed, learn_updates, learning_rate, lora=False), log)
    exact = tree(learned.model, prompts)
    reward = rewards(exact.prompts)
    truth = along(*exact_values(exact, reward))
    values = truth if critic == "exact" else along(*critic_values(learned.critic, prompts))
    still = PPOTraining(
        seed,
        updates,
        0.0,
        epochs=1,
        batch=batch,
        prompts=[*prompts] * (batch // len(prompts)),
        kl_coef=0.0,
        lam=lam,
        lora=False,
        more={"whiten_rewards": whiten_rewards},
    )
    with _captured() as seen:
        told = train(
            still,
            log,
            policy=learned.model,
            critic=TableCritic(prompts, truth) if critic == "exact" else learned.critic,
        )
    rows = np.concatenate(seen["rows"])
    said = np.concatenate(seen["whitened" if whitened else "estimates"])
    spoken = np.concatenate(seen["spoken"])
    asked, answered = _places(rows, spoken, prompts)
    error = said + (values - _action_values(truth, reward))[asked, answered]
    return {
        "gae_bias": _squared_bias(error, spoken, asked, rows),
        "gae_error": float(np.mean(error[spoken] ** 2)),
        "value_loss": float(np.mean(told.series("loss/value_avg"))),
        "critic_explains": _explained(truth[asked, answered][spoken], values[asked, answered][spoken]),
        "policy": exact.p,
        "reward": reward,
        "values": values,
        "completions": TOKENS,
    }


@contextmanager
def _captured() -> Iterator[dict[str, list[Any]]]:
    """Listen to the trainer: the rows it samples, its estimates before and after it whitens them, which are spoken."""
    seen: dict[str, list[Any]] = {"rows": [], "estimates": [], "whitened": [], "spoken": []}
    generate, whiten = ppo_trainer.batch_generation, ppo_trainer.masked_whiten

    def generated(*told: Any, **more: Any) -> Any:
        rows, logits = generate(*told, **more)
        seen["rows"].append(rows.numpy())
        return rows, logits

    def whitened(values: torch.Tensor, mask: torch.Tensor, **more: Any) -> torch.Tensor:
        made = whiten(values, mask, **more)
        if "shift_mean" in more:  # rewards, not advantages
            return made
        for name, what in {"estimates": values, "whitened": made, "spoken": mask}.items():
            seen[name].append(what.numpy().astype(bool if name == "spoken" else float))
        return made

    ppo_trainer.batch_generation, ppo_trainer.masked_whiten = generated, whitened  # type: ignore[assignment]
    try:
        yield seen
    finally:
        ppo_trainer.batch_generation, ppo_trainer.masked_whiten = generate, whiten


def _action_values(truth: Array, reward: Array) -> Array:
    """Q(s, a) at each token: the value of where it leads; the last token's is the reward."""
    length = np.array([len(said) for said in COMPLETIONS])
    after = np.concatenate([truth[:, :, 1:], np.zeros_like(truth[:, :, :1])], axis=2)
    return np.where(np.arange(3)[None, None] == length[None, :, None] - 1, reward[:, :, None], after)


def _places(rows: NDArray[np.int64], spoken: NDArray[np.bool_], prompts: Sequence[str]) -> tuple[list[int], list[int]]:
    numbers = {tuple(encode(prompt)): number for number, prompt in enumerate(prompts)}
    return [numbers[tuple(row[:PROMPT_LENGTH])] for row in rows.tolist()], [PLACE[ended(row)] for row in rows.tolist()]


def _squared_bias(error: Array, spoken: NDArray[np.bool_], asked: list[int], rows: NDArray[np.int64]) -> float:
    """Mean square of the bias a token, without what chance adds: products of two different samples of a token."""
    total, count = 0.0, 0
    for t in range(3):
        said = rows[spoken[:, t]][:, : PROMPT_LENGTH + t + 1]
        _, group = np.unique(said, axis=0, return_inverse=True)
        e = error[spoken[:, t], t]
        n, s, q = (np.bincount(group.reshape(-1), weights=w) for w in (np.ones_like(e), e, e * e))
        often = n > 1
        total += float(np.sum((s**2 - q)[often] / (n - 1)[often]))
        count += int(n[often].sum())
    return total / count


def _explained(truth: Array, said: Array) -> float:
    return float(1 - np.mean((truth - said) ** 2) / np.var(truth))
