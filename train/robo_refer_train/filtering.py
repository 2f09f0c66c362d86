"""Which items are worth practising: those that the policy solves sometimes, not always or never.

Rollout-based instance filtering (arXiv:2507.05386): an item whose answers are all right or all
wrong teaches a group-relative method nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tqdm import trange

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.practice import Practice, prepare
from robo_refer_train.rft_config import RftConfig
from robo_refer_train.rollout import draws, sample_answers


@dataclass(frozen=True)
class Probe:
    """How a policy does on an item.

    Attributes:
        key: the sample's id and the number of the question.
        kind: of the question.
        answers: how many were sampled.
        solved: share of them that were right.
        mean, variance: of their rewards.
    """

    key: str
    kind: str
    answers: int
    solved: float
    mean: float
    variance: float


def read_probes(path: Path) -> Iterator[Probe]:
    """Yield the probes in a file; a line cut off by a kill at its end is left out.

    Raises:
        RoboReferError: BAD_FILE when the file is missing, or holds other things.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        for line in lines[:-1]:
            yield Probe(**json.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{path} is not a file of probed items: {' '.join(str(error).split())}.",
            "Make it with 'robo-refer train filter'.",
        ) from error


def worth_practising(path: Path) -> set[str]:
    """Return the keys of the items that were solved sometimes; raises as `read_probes`."""
    return {probe.key for probe in read_probes(path) if 0 < probe.solved < 1}


def probe_items(config: RftConfig, out: Path, answers: int, limit: int = 0) -> Path:
    """Sample answers to every item with the policy, and write how it does; return the file.

    A run that was killed goes on where it was: an item that is in the file is not asked again.

    Args:
        config: data, policy and rewards; `prompts_per_step` items are answered at once.
        out: JSON lines, one `Probe` each, added batch by batch.
        answers: sampled per item.
        limit: how many items to probe, of any sample; 0 probes all.
    """
    practice = prepare(config)
    practice.policy.to("cuda" if torch.cuda.is_available() else "cpu")
    items = practice.items
    known = {probe.key for probe in read_probes(out)} if out.exists() else set()
    _cut_unfinished_line(out)
    spread = np.random.default_rng(config.seed).permutation(len(items)).tolist()
    chosen = islice(filter(practice.scorer.accepts, spread), limit or None)
    todo = sorted(item for item in chosen if items.key(item) not in known)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", encoding="utf-8") as file:
        for start in trange(0, len(todo), config.prompts_per_step, desc="probing", unit="batch"):
            batch = todo[start : start + config.prompts_per_step]
            for probe in _probe(practice, config, batch, answers):
                file.write(json.dumps(asdict(probe)) + "\n")
            file.flush()
    return out


def _probe(
    practice: Practice, config: RftConfig, batch: Sequence[int], answers: int
) -> Iterator[Probe]:
    items, asked = practice.items, [item for item in batch for _ in range(answers)]
    sampled = sample_answers(
        practice.policy,
        [items.prompt(item) for item in asked],
        items.pixels,
        np.concatenate(
            [draws(config.seed, 0, item, answers, config.max_answer_tokens) for item in batch]
        ),
        temperature=config.temperature,
        ends=[practice.processor.tokenizer.eos_token_id],
    )
    texts = practice.processor.batch_decode(sampled)
    scores = practice.scorer(asked, texts)
    for place, item in enumerate(batch):
        mine = slice(place * answers, (place + 1) * answers)
        rewards = [score.value for score in scores[mine] if score.value is not None]
        right = [practice.scorer.is_right(item, text) for text in texts[mine]]
        yield Probe(
            items.key(item),
            items.question(item).kind,
            answers,
            float(np.mean(right)),
            float(np.mean(rewards)) if rewards else 0.0,
            float(np.var(rewards)) if rewards else 0.0,
        )


def _cut_unfinished_line(path: Path) -> None:
    """Take away what a kill left of a last line, so that the next one does not join it."""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")


def summary(path: Path) -> str:
    """Return, for people, how many items of every kind are worth practising."""
    shares: dict[str, list[float]] = {}
    for probe in read_probes(path):
        shares.setdefault(probe.kind, []).append(probe.solved)
    lines = [f"{'kind':<24}{'items':>7}{'never':>7}{'always':>8}{'kept':>7}{'solved':>8}"]
    everything = [share for found in shares.values() for share in found]
    for kind, found in [*sorted(shares.items()), ("all", everything)]:
        never, always = found.count(0.0), found.count(1.0)
        mean = sum(found) / max(len(found), 1)
        kept = len(found) - never - always
        lines.append(f"{kind:<24}{len(found):>7}{never:>7}{always:>8}{kept:>7}{mean:>8.2f}")
    return "\n".join(lines)
