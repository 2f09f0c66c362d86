"""Answer files of the released evaluator, `outputs/MODEL/TASK.jsonl`, as records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from robo_refer_bench.families import family_of
from robo_refer_bench.records import Record, Recording, bad_file, read_lines
from robo_refer_bench.scoring.official import NO_TEXT

SUITE = "refspatial_bench"


def is_released(path: Path) -> bool:
    """Tell whether the first line of a file is one of the released evaluator's."""
    lines, _ = read_lines(path)
    try:
        values = json.loads(lines[0]) if lines else None
    except ValueError:
        return False
    return isinstance(values, dict) and "question_id" in values and "robo_refer_bench" not in values


def read_released(
    path: Path, suite: str = SUITE, split: str | None = None, family: str | None = None
) -> Recording:
    """Return the answers of a file as records.

    Args:
        path: the file; its folder is named as the model, and itself as the split.
        suite: of which suite the split is.
        split: the split, None to take it from the name of the file.
        family: of the model, None to take it from the model's name as the evaluator does.

    Raises:
        RoboReferError: BAD_FILE when it cannot be read or a line that is not the last is damaged,
            BAD_REQUEST when the name does not tell the family.
    """
    lines, cut_off = read_lines(path)
    if not lines:
        raise bad_file(path, "holds no answers")
    found = [_record(path, number, line, suite, split) for number, line in enumerate(lines, 1)]
    model = found[0].model or path.parent.name
    family = family or family_of(model)
    records = tuple(
        Record(**{**vars(record), "model": record.model or model, "family": family})
        for record in found
    )
    return Recording({"model": model, "released": True}, records, cut_off)


def _record(path: Path, number: int, line: bytes, suite: str, split: str | None) -> Record:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise bad_file(path, f"is damaged in line {number}: it is no JSON") from error
    if not isinstance(values, dict) or "question_id" not in values or "text" not in values:
        raise bad_file(path, f"has no 'question_id' and 'text' in line {number}")
    text = values["text"]
    return Record(
        suite=suite,
        split=split or path.stem,
        id=str(values["question_id"]),
        model=_word(values.get("model_id")),
        family="",
        prompt=_word(values.get("instruction")),
        raw_answer=_word(text),
        # The script fails on what is no text, and leaves it out; here it is a miss.
        status="ok" if isinstance(text, str) else NO_TEXT,
    )


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
