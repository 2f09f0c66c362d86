"""Which items are worth practising: those that the policy solves sometimes, not always or never.

Rollout-based instance filtering (arXiv:2507.05386): an item whose answers are all right or all
wrong teaches a group-relative method nothing.

The first line of a file of probes says what was probed, and how; every other line is one `Probe`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import trange

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.checkpoints import fingerprint
from robo_refer_train.practice import Practice, prepare
from robo_refer_train.rft_config import RftConfig
from robo_refer_train.rollout import draws, sample_answers
from robo_refer_train.sources import data_identity

FORMAT = 1


@dataclass(frozen=True)
class Probe:
    """How a policy does on an item.

    Attributes:
        key: which item; see `Items.key`.
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


@dataclass(frozen=True)
class Probes:
    """What a file of probes holds.

    Attributes:
        settings: what was probed, and how; see `settings_of`.
        probes: in the order of the file.
    """

    settings: Mapping[str, Any]
    probes: tuple[Probe, ...]


def read_probes(path: Path) -> Probes:
    """Return the probes in a file; a line cut off by a kill at its end is left out.

    Raises:
        RoboReferError: BAD_FILE when the file is missing, or holds other things.
    """
    try:
        first, *lines = path.read_text(encoding="utf-8").split("\n")[:-1] or [""]
        settings = json.loads(first)
        if settings.pop("robo_refer_probes") != FORMAT:
            raise ValueError("it is of another version")
        return Probes(settings, tuple(Probe(**json.loads(line)) for line in lines))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{path} is not a file of probed items: {' '.join(str(error).split())}.",
            "Make it with 'robo-refer train filter'.",
        ) from error


def worth_practising(path: Path, data: Sequence[str]) -> set[str]:
    """Return the keys of the items that were solved sometimes.

    Args:
        path: file of probes.
        data: the folders that are practised on.

    Raises:
        RoboReferError: BAD_FILE as `read_probes`, and for probes of other data.
    """
    probed = read_probes(path)
    if probed.settings.get("data") != data_identity(data):
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"The items in {path} are not those of {', '.join(data)}.",
            "Probe the same data that is practised on, in the same order: robo-refer train filter.",
        )
    return {probe.key for probe in probed.probes if 0 < probe.solved < 1}


def settings_of(config: RftConfig, answers: int) -> dict[str, Any]:
    """Return what two runs must share to write one file of probes; JSON-ready."""
    judge = config.judge
    return {
        "data": data_identity(config.data),
        "policy": fingerprint(Path(config.start_from)),
        "answers": answers,
        "seed": config.seed,
        "temperature": config.temperature,
        "max_answer_tokens": config.max_answer_tokens,
        "use_depth": config.use_depth,
        "reason": config.reason,
        "rewards": config.rewards,
        "judge": [judge.model, judge.adapter, judge.url],
    }


def probe_items(config: RftConfig, out: Path, answers: int, limit: int = 0) -> Path:
    """Sample answers to every item with the policy, and write how it does; return the file.

    A run that was killed goes on where it was: an item that is in the file is not asked again.

    Args:
        config: data, policy and rewards; `prompts_per_step` items are answered at once.
        out: JSON lines, a `Probe` each behind the first, added batch by batch; hold it with
            `only_writer`.
        answers: sampled per item.
        limit: how many items to probe, of any sample; 0 probes all.

    Raises:
        RoboReferError: what `prepare` raises; BAD_REQUEST when `out` is of another run, BAD_FILE
            when it holds other things.
    """
    practice = prepare(config)
    practice.policy.to("cuda" if torch.cuda.is_available() else "cpu")
    items = practice.items
    known = _begin(out, settings_of(config, answers))
    spread = np.random.default_rng(config.seed).permutation(len(items)).tolist()
    chosen = islice(filter(practice.scorer.accepts, spread), limit or None)
    todo = sorted(item for item in chosen if items.key(item) not in known)
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


def _begin(path: Path, settings: Mapping[str, Any]) -> set[str]:
    """Return the keys of the items in a file that shall go on; begin it where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first = json.dumps({"robo_refer_probes": FORMAT, **settings}).encode() + b"\n"
    content = path.read_bytes() if path.exists() else b""
    if first.startswith(content):  # also where a kill left a part of it
        path.write_bytes(first)
        return set()
    begun = read_probes(path)
    changed = [name for name in settings if begun.settings.get(name) != settings[name]]
    if changed:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The probes in {path} are of another run, with another {', '.join(changed)}.",
            "Name another file with --out, or remove that one.",
        )
    # What a kill left of a last line would join the next one.
    os.truncate(path, content.rfind(b"\n") + 1)
    return {probe.key for probe in begun.probes}


def summary(path: Path) -> str:
    """Return, for people, how many items of every kind are worth practising."""
    shares: dict[str, list[float]] = {}
    for probe in read_probes(path).probes:
        shares.setdefault(probe.kind, []).append(probe.solved)
    lines = [f"{'kind':<24}{'items':>7}{'never':>7}{'always':>8}{'kept':>7}{'solved':>8}"]
    everything = [share for found in shares.values() for share in found]
    for kind, found in [*sorted(shares.items()), ("all", everything)]:
        never, always = found.count(0.0), found.count(1.0)
        mean = sum(found) / max(len(found), 1)
        kept = len(found) - never - always
        lines.append(f"{kind:<24}{len(found):>7}{never:>7}{always:>8}{kept:>7}{mean:>8.2f}")
    return "\n".join(lines)
