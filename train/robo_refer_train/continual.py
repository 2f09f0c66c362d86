"""Continual learning: one task after the other, and what is left of the earlier ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from tqdm import trange

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer_train import rft, sft, words
from robo_refer_train.config import build, check_least, keep_config, load_config, read_yaml
from robo_refer_train.items import Items
from robo_refer_train.rewards import make_mix
from robo_refer_train.rft_config import load_rft_config
from robo_refer_train.rollout import sample_answers
from robo_refer_train.scoring import ItemScorer
from robo_refer_train.sources import load_table

MATRIX_FILE = "matrix.json"
MAX_ANSWER_TOKENS = 96
ASKED_AT_ONCE = 32


@dataclass(frozen=True)
class ContinualConfig:
    """A sequence of tasks.

    Attributes:
        method: how every task is learnt.
        config: YAML file of `robo-refer train sft` or `rft`; its data, output and start are
            replaced, task by task.
        start_from: folder of the checkpoint before the first task.
        output: where the tasks' runs and the matrix go.
        tasks: name -> folder with the data to learn from, in the order in which they are learnt.
        tests: name -> folder with the data that the task is tested on.
        test_items: questions per test.
    """

    method: Literal["sft", "rft"]
    config: str
    start_from: str
    output: str
    tasks: dict[str, str]
    tests: dict[str, str]
    test_items: int = 200


@dataclass(frozen=True)
class Matrix:
    """What was known after every task.

    Attributes:
        tasks: in the order in which they were learnt.
        items: questions per test.
        before: (tasks,) share of right answers before the first task.
        accuracy: (tasks so far, tasks): [i][j] is that on task j after learning task i.
    """

    tasks: tuple[str, ...]
    items: tuple[int, ...]
    before: tuple[float, ...]
    accuracy: tuple[tuple[float, ...], ...] = ()

    @property
    def average(self) -> float:
        """AvgAcc: the mean over tasks after the last one."""
        return float(np.mean(self.accuracy[-1]))

    @property
    def forgetting(self) -> float:
        """FM: the mean change on earlier tasks since each was learnt; below 0 is forgotten."""
        last = self.accuracy[-1]
        changes = [last[k] - self.accuracy[k][k] for k in range(len(self.accuracy) - 1)]
        return float(np.mean(changes)) if changes else 0.0

    def table(self) -> str:
        """Return it for people, in percent."""
        rows = [("before", self.before), *zip(self.tasks, self.accuracy, strict=False)]
        shown = [(name, " | ".join(f"{100 * v:.1f}" for v in row)) for name, row in rows]
        lines = [
            "| after | " + " | ".join(self.tasks) + " |",
            "|---|" + "---:|" * len(self.tasks),
            *(f"| {name} | {row} |" for name, row in shown),
            "",
            f"n = {', '.join(map(str, self.items))}; AvgAcc {100 * self.average:.1f}, "
            f"forgetting {100 * self.forgetting:+.1f} points",
        ]
        return "\n".join(lines)


def load_continual_config(path: Path) -> ContinualConfig:
    """Return the config in a YAML file.

    Raises:
        RoboReferError: BAD_FILE as `load_config`; BAD_REQUEST when tasks and tests differ.
    """
    config = build(path, ContinualConfig, read_yaml(path))
    if not config.tasks or set(config.tasks) != set(config.tests):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{path} has tasks {sorted(config.tasks)} and tests {sorted(config.tests)}.",
            "Give every task its test.",
        )
    check_least(config, {"test_items": 1})
    return config


def run(config: ContinualConfig) -> Matrix:
    """Learn the tasks in order; return what was known after each.

    A run that was killed goes on where it was: tasks that were tested are not learnt again.

    Raises:
        RoboReferError: BAD_REQUEST for the folder of another run, and what a task's run raises.
    """
    keep_config(config, Path(config.output), load_continual_config)
    path = Path(config.output) / MATRIX_FILE
    matrix = _read(path) if path.exists() else _first(config)
    _write(matrix, path)
    checkpoint = Path(config.start_from)
    for place, (name, data) in enumerate(config.tasks.items()):
        output = Path(config.output) / f"{place}-{name}"
        if place < len(matrix.accuracy):
            checkpoint = output / "final"
            continue
        checkpoint = _learn(config, data, output, checkpoint)
        after = tuple(share for share, _ in _tested(config, checkpoint))
        matrix = replace(matrix, accuracy=(*matrix.accuracy, after))
        _write(matrix, path)
    return matrix


def _learn(config: ContinualConfig, data: str, output: Path, checkpoint: Path) -> Path:
    changes: Any = {"data": (data,), "output": str(output), "start_from": str(checkpoint)}
    if config.method == "rft":
        return rft.run(replace(load_rft_config(Path(config.config)), **changes))
    settings = replace(load_config(Path(config.config)), **changes)
    return words.run(settings) if settings.objective == "words" else sft.run(settings)


def _first(config: ContinualConfig) -> Matrix:
    before = _tested(config, Path(config.start_from))
    return Matrix(tuple(config.tasks), tuple(n for _, n in before), tuple(s for s, _ in before))


def _tested(config: ContinualConfig, checkpoint: Path) -> list[tuple[float, int]]:
    """Return the share of right greedy answers on every test, and of how many."""
    policy, processor = load_checkpoint(checkpoint)
    policy.to("cuda" if torch.cuda.is_available() else "cpu")
    mix = make_mix({"outcome_format": 1.0})  # right or wrong needs no reward
    found = []
    for name in config.tasks:
        items = Items(load_table([config.tests[name]]), processor)
        chosen = np.random.default_rng(0).permutation(len(items))[: config.test_items].tolist()
        scorer = ItemScorer(items, mix, processor.spec)
        right: list[bool] = []
        for start in trange(0, len(chosen), ASKED_AT_ONCE, desc=f"testing {name}", unit="batch"):
            right += _right(policy, processor, items, scorer, chosen[start : start + ASKED_AT_ONCE])
        found.append((float(np.mean(right)), len(right)))
    return found


def _right(
    policy: Any, processor: Any, items: Items, scorer: ItemScorer, asked: Sequence[int]
) -> list[bool]:
    answers = sample_answers(
        policy,
        [items.prompt(item) for item in asked],
        items.pixels,
        np.zeros((len(asked), MAX_ANSWER_TOKENS), np.float32),
        temperature=0.0,
        ends=[processor.tokenizer.eos_token_id],
    )
    texts = processor.batch_decode(answers)
    return [scorer.is_right(item, text) for item, text in zip(asked, texts, strict=True)]


def _read(path: Path) -> Matrix:
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Matrix(
        tuple(raw["tasks"]),
        tuple(raw["items"]),
        tuple(raw["before"]),
        tuple(tuple(row) for row in raw["accuracy"]),
    )


def _write(matrix: Matrix, path: Path) -> None:
    """Write the matrix, whole or not at all."""
    plain: dict[str, Any] = asdict(matrix)
    if matrix.accuracy:
        plain |= {"avg_acc": matrix.average, "forgetting": matrix.forgetting}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
