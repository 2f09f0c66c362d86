"""SAT (arXiv:2412.07755): spatial questions about real photographs, the test part.

On the hub: `SAT_test.parquet`, columns image_bytes (a list of one or two pictures), question,
answers, question_type and correct_answer. Two pictures are shown side by side in one frame.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import ChoiceTruth, Item


@dataclass(frozen=True)
class Sat:
    """The suite; see `base.Suite` for the attributes."""

    name: str = "sat"
    title: str = "SAT"
    splits: tuple[str, ...] = ("test",)
    disjoint: tuple[str, ...] = ("test",)
    published_items: Mapping[str, int] = field(default_factory=lambda: {"test": 150})
    how_to_get: str = """\
hf download array/SAT SAT_test.parquet --repo-type dataset --local-dir DIR
MIT."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`."""
        from robo_refer_bench.suites import choices
        from robo_refer_bench.suites.parquet import parquet_files, read_rows

        files = parquet_files(root, f"SAT_{split}")
        if not files:
            raise reading.bad_layout(f"{root} holds no SAT_{split}.parquet")
        items: list[Item] = []
        columns = ("question", "answers", "correct_answer")
        for row, path, number in read_rows(files, columns, ("question_type",)):
            where = f"Row {number} of {path}"
            question = reading.text(row, "question", where)
            truth = _truth(row, question, where)
            items.append(
                choices.choice_item(
                    str(number),
                    choices.with_options(question, truth.options),
                    truth,
                    choices.frame_of_all(path, number, "image_bytes"),
                    {"question_type": reading.text(row, "question_type", where, "")},
                    f"{path.name}/{number}",
                )
            )
        return items


def _truth(row: Mapping[str, object], question: str, where: str) -> ChoiceTruth:
    """Order the options by a hash: they are published without letters, for a reader to shuffle."""
    answers = row["answers"]
    options = [str(option) for option in answers] if isinstance(answers, list) else []
    options.sort(key=lambda option: zlib.crc32(f"{question}|{option}".encode()))
    right = reading.text(row, "correct_answer", where)
    if options.count(right) != 1:
        raise reading.bad_item(where, f"its answer {right!r} is not one of its options")
    return ChoiceTruth(tuple(options), options.index(right))


SAT = Sat()
