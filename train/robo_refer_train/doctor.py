"""Proof, on the model and the data of a run, that depth counts where it must.

A trainer that loses depth on the way says nothing: it samples with depth and learns without, or the
other way round. So everything that a step does is done here once with the depth as it is and once
with near and far exchanged, and what must differ is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import Any

import torch

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.grpo import RftTrainer, inner_policy
from robo_refer_train.items import Items
from robo_refer_train.practice import prepare
from robo_refer_train.rft import build_trainer
from robo_refer_train.rft_config import RftConfig

MOVED = 1e-4
"""Nats by which a log-probability must move to be more than rounding."""


EXAMINED = 4
"""Items that are asked."""


@dataclass(frozen=True)
class Finding:
    """One check: what was measured, and whether it is as it must be."""

    check: str
    value: float
    healthy: bool

    def __str__(self) -> str:
        """Return it as a line for people."""
        return f"{'ok ' if self.healthy else 'BAD'}  {self.check}: {self.value:.3g}"


def examine(config: RftConfig) -> list[Finding]:
    """Return what was found about a run's first step; nothing is trained or written.

    Raises:
        RoboReferError: what `prepare` raises; NO_DEPTH where there is no depth to prove
            anything with.
    """
    practice = prepare(config)
    with TemporaryDirectory() as folder:
        short = replace(
            config, output=folder, steps=1, report_to=(), updates_per_rollout=1, practise=""
        )
        trainer = build_trainer(short, practice)
    asked = [item for item in trainer.order if practice.items.has_depth(practice.items.image(item))]
    if not asked:
        raise RoboReferError(
            ErrorCode.NO_DEPTH,
            "No item of the run has depth.",
            "Give data with depth, and leave use_depth as it is.",
        )
    asked = list(dict.fromkeys(asked))[:EXAMINED]
    policy = inner_policy(trainer.model)
    return [
        *_sampling(trainer, policy, asked),
        *_loss(trainer, policy, asked),
    ]


def _sampling(trainer: RftTrainer, policy: Any, asked: Sequence[int]) -> Iterator[Finding]:
    with _first_logits(policy) as seen:
        trainer.sample_groups(asked)
        with _near_is_far(trainer):
            trainer.sample_groups(asked)
    as_it_is, exchanged = (logits.log_softmax(-1) for logits in seen)
    moved = float((as_it_is - exchanged).abs().max())
    yield Finding("exchanged depth moves log-probabilities of sampling, nats", moved, moved > MOVED)


def _loss(trainer: RftTrainer, policy: Any, asked: Sequence[int]) -> Iterator[Finding]:
    groups = trainer.sample_groups(asked)
    trained = {name: p.requires_grad for name, p in policy.named_parameters()}
    policy.requires_grad_(True)
    log_probs = trainer.log_probs_of(groups)
    with torch.no_grad(), _near_is_far(trainer):
        exchanged = trainer.log_probs_of(groups)
    moved = float((log_probs.detach() - exchanged).abs().max())
    yield Finding("exchanged depth moves log-probabilities of the loss, nats", moved, moved > MOVED)
    log_probs.mean().backward()
    for part in ("depth_tower", "depth_projector"):
        norm = _gradient_norm(getattr(policy.model, part))
        yield Finding(f"gradient that reaches {part}, norm", norm, 0 < norm < float("inf"))
    for name, parameter in policy.named_parameters():
        parameter.requires_grad_(trained[name])
    policy.zero_grad()


def _gradient_norm(part: torch.nn.Module) -> float:
    gradients = [p.grad.norm() for p in part.parameters() if p.grad is not None]
    return float(torch.stack(gradients).norm()) if gradients else 0.0


@contextmanager
def _first_logits(policy: Any) -> Iterator[list[torch.Tensor]]:
    """Collect the logits of the first word of every rollout inside."""
    seen: list[torch.Tensor] = []
    prefill = False

    def at_input(module: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        nonlocal prefill
        prefill = kwargs.get("pixel_values") is not None

    def at_head(module: torch.nn.Module, args: Any, output: torch.Tensor) -> None:
        if prefill:
            seen.append(output.detach().clone())

    hooks = [
        policy.model.register_forward_pre_hook(at_input, with_kwargs=True),
        policy.lm_head.register_forward_hook(at_head),
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _near_is_far(trainer: RftTrainer) -> Iterator[None]:
    """Show the trainer every depth map with near and far exchanged."""
    items = trainer.items
    trainer.items = _ExchangedDepth(items)  # type: ignore[assignment]
    try:
        yield
    finally:
        trainer.items = items


class _ExchangedDepth:
    def __init__(self, items: Items) -> None:
        self._items = items

    def __getattr__(self, name: str) -> Any:
        return getattr(self._items, name)

    def pixels(self, images: Sequence[int]) -> dict[str, torch.Tensor]:
        seen = self._items.pixels(images)
        return {**seen, "depth_values": -seen["depth_values"]}
