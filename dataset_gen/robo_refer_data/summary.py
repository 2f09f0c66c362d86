"""What a dataset holds: counts per question kind and half, and the dataset card with them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from robo_refer.data import read_samples, shard_paths
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.atomic import write_atomically
from robo_refer_data.tables import Tables

KindKey = tuple[str, str, int]
"""kind, family, hops."""


@dataclass
class Summary:
    """Counts of a dataset.

    Attributes:
        scenes: number of scenes per half ("" for sources that have none).
        kinds: number of questions per (kind, family, hops) and half.
        sizes: number of scenes per (width, height) in pixels, (0, 0) where the camera is not known.
        worlds: number of scenes per world ("" for what has none).
        credits: number of scenes per (model, creator, licence) of the models that others made.
        bytes: size of the shards on disk.
    """

    scenes: Counter[str] = field(default_factory=Counter)
    kinds: dict[KindKey, Counter[str]] = field(default_factory=dict)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    worlds: Counter[str] = field(default_factory=Counter)
    credits: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    bytes: int = 0

    @property
    def questions(self) -> int:
        """Number of questions."""
        return sum(counts.total() for counts in self.kinds.values())

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready counts."""
        return {
            "scenes": self.scenes.total(),
            "scenes_per_half": dict(sorted(self.scenes.items())),
            "questions": self.questions,
            "kinds": dict(sorted(self._per_kind().items())),
            "bytes": self.bytes,
        }

    def _per_kind(self) -> Counter[str]:
        totals: Counter[str] = Counter()
        for (kind, _, _), counts in self.kinds.items():
            totals[kind] += counts.total()
        return totals

    def table(self) -> list[str]:
        """Return the counts as the lines of a Markdown table."""
        halves = sorted(self.scenes)
        lines = [
            "| kind | family | hops | " + " | ".join(half or "all" for half in halves) + " |",
            "|---|---|---|" + "---|" * len(halves),
        ]
        for (kind, family, hops), counts in sorted(self.kinds.items()):
            numbers = " | ".join(str(counts[half]) for half in halves)
            lines.append(f"| {kind} | {family} | {hops} | {numbers} |")
        return lines


def summarise(path: Path) -> Summary:
    """Count the scenes and questions of a dataset folder or file, without decoding its images."""
    summary = Summary(bytes=sum(shard.stat().st_size for shard in shard_paths(path)))
    for sample in read_samples(path, columns=("questions",)):
        half = str(sample.meta.get("half", ""))
        summary.scenes[half] += 1
        summary.sizes[sample.size] += 1
        summary.worlds[sample.source if half == "natural" else half] += 1
        for model in sample.meta.get("credits", ()):
            summary.credits[model["model"], model["creator"], model["licence"]] += 1
        for question in sample.questions:
            key = (question.kind, question.family, question.hops)
            summary.kinds.setdefault(key, Counter())[half] += 1
    return summary


def write_card(
    out: Path, options: dict[str, Any], summary: Summary, command: str = "generate"
) -> None:
    """Write the dataset card (README.md) that the Hugging Face Hub and people read.

    Args:
        out: dataset folder.
        options: what it was made with.
        summary: of it.
        command: of `robo-refer data` that made it.

    Raises:
        RoboReferError: BAD_FILE when it cannot be written.
    """
    scenes = ", ".join(f"{count} {half}".strip() for half, count in sorted(summary.scenes.items()))
    listed = "\n".join(f"- {name}: {value}" for name, value in options.items())
    worlds = ", ".join(f"{count} {name}".strip() for name, count in sorted(summary.worlds.items()))
    card = _CARD.format(
        licence="other" if summary.credits else "apache-2.0",
        scenes=scenes,
        worlds=worlds,
        credits=_credits(summary),
        questions=summary.questions,
        options=listed,
        command=command,
        table="\n".join(summary.table()),
        tables="\n".join(Tables.of(out).lines()),
    )
    path = out / "README.md"
    try:
        write_atomically(path, card.encode())
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{path} cannot be written: {error}.",
            "Make room or choose a writable folder, and give the same command again.",
        ) from error


def _credits(summary: Summary) -> str:
    """Return the section that names whose models are in the pictures, "" where nobody's are."""
    if not summary.credits:
        return ""
    rows = [
        f"| {model} | {creator} | {licence} | {count} |"
        for (model, creator, licence), count in sorted(summary.credits.items())
    ]
    head = ["| model | creator | licence | scenes |", "|---|---|---|---|"]
    return _CREDITS + "\n".join([*head, *rows]) + "\n"


_CREDITS = """
## Models

The pictures show models that others made, each under its own licence, which asks to be named:

"""

_CARD = """---
configs:
- config_name: default
  data_files: data/*.parquet
license: {licence}
task_categories:
- visual-question-answering
tags:
- robotics
- spatial-referring
---

# RoboRefer scenes

Synthetic RGB-D scenes with exact ground truth, and instructions that refer to objects and free
space in them. Scenes: {scenes}; {worlds}. Questions: {questions}.

Made by `robo-refer data {command}` with:

{options}

The natural half shows places of a home, things on tables among them. In the decorrelated half
image position, apparent size and depth are drawn independently, so that no rule of thumb on the
image plane answers a question about depth. Score the halves apart.

## Read it

```python
from robo_refer.data import read_samples        # typed samples: arrays, objects, questions
from datasets import load_dataset               # or as rows; images decode by themselves
```

`rgb` is an 8-bit PNG, `depth` a 16-bit PNG in millimetres (0: not measured), masks are COCO
run-length encodings, coordinates are x right and y down in [0, 1], lengths are metres, poses are
4x4 matrices to the world frame (z up).

## Questions

{table}

{tables}
{credits}"""
