"""Files of answers -> scores, without the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.records import Record, Recording, read_records
from robo_refer_bench.released import SUITE, is_released, read_released
from robo_refer_bench.scoring.tally import Mode, Score, pooled, tally
from robo_refer_bench.selection import folder_of
from robo_refer_bench.suites import Item, find_split, find_suite

Asked = Callable[[Sequence[Item]], Sequence[Item]]


def rescore(
    files: Sequence[Path],
    root: Path,
    mode: Mode,
    suite: str | None = None,
    split: str | None = None,
    family: str | None = None,
) -> list[Score]:
    """Score recorded answers, ours or those of the released evaluator.

    A file of ours says which splits were asked; one that was never begun is scored like the others.

    Args:
        files: of one or several models; those of one model are scored together, so that its
            disjoint splits can be pooled.
        root: the folder of the suite, or one in which every suite has a folder of its name.
        mode: how to score.
        suite, split: of which suite and split the answers are; None: as the files say.
        family: how the model writes points; None: as the files say.

    Raises:
        RoboReferError: as reading, `suites` and `tally` do; BAD_REQUEST when nothing is left.
    """
    answers: dict[tuple[str, str], dict[str, list[Record]]] = {}
    asked: dict[tuple[str, str, str], Asked] = {}
    for path in files:
        recording = _read(path, suite, split, family)
        for model, suite_name, split_name, of_split in _by_split(recording):
            named = find_suite(suite or suite_name)
            part = find_split(named, split or split_name)
            of_model = answers.setdefault((model, named.name), {})
            of_model.setdefault(part, []).extend(of_split)
            asked[model, named.name, part] = _asked(recording.settings)
    found: list[Score] = []
    for (model, name), of_model in answers.items():
        chosen = find_suite(name)
        scores = []
        for part in sorted(of_model, key=chosen.splits.index):
            # disable=None: no bar where nobody watches.
            with tqdm(desc=f"{name} {part}", unit="item", leave=False, disable=None) as bar:
                folder = folder_of(chosen, root)
                answered, part_of = of_model[part], asked[model, name, part]
                score = tally(chosen, part, folder, answered, mode, bar.update, part_of)
                if score.items:  # the half that was asked for may have none of a split
                    scores.append(replace(score, model=model))
        found += scores
        together = pooled(chosen, scores)
        if together is not None:
            found.append(together)
    if not found:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, "The files hold no answers.", "Name files of finished runs."
        )
    return found


def _by_split(recording: Recording) -> Iterator[tuple[str, str, str, Sequence[Record]]]:
    """Yield (model, suite, split, answers): of all that was asked, then of all that was answered.

    What was asked and never begun has no answer, and belongs to the denominator all the same.
    """
    data = recording.settings.get("data")
    for name in data if isinstance(data, Mapping) else ():
        suite, _, split = str(name).partition("/")
        yield str(recording.settings.get("model", "")), suite, split, ()
    for record in recording.records:
        yield record.model, record.suite, record.split, (record,)


def _asked(settings: Mapping[str, Any]) -> Asked:
    """Return what leaves out the items that a run was told, by its settings, to leave out."""
    half, limit = settings.get("half", "both"), settings.get("limit")

    def asked(items: Sequence[Item]) -> Sequence[Item]:
        return [item for item in items if half in ("both", item.tags.get("half", ""))][:limit]

    return asked


def _read(path: Path, suite: str | None, split: str | None, family: str | None) -> Recording:
    if is_released(path):
        return read_released(path, suite or SUITE, split, family)
    recording = read_records(path)
    if family is None:
        return recording
    records = tuple(Record(**{**vars(item), "family": family}) for item in recording.records)
    return Recording(recording.settings, records, recording.cut_off)


def table(scores: Sequence[Score]) -> str:
    """Return scores as lines for a terminal, with their notes."""
    lines = []
    for score in scores:
        interval = score.interval
        lines.append(
            f"{score.model}  {score.suite} {score.split}  {score.mode}: {100 * score.mean:.2f} %  "
            f"(95 %: {100 * interval.low:.1f}-{100 * interval.high:.1f}, n {score.n})"
            + (f"  data {score.data_hash}" if score.data_hash else "")
        )
        if score.by_steps and set(score.by_steps) != {0}:
            parts = (f"{s}: {100 * mean:.1f} % of {n}" for s, (n, mean) in score.by_steps.items())
            lines.append("  by steps  " + ", ".join(parts))
        if score.reasons:
            lines.append("  not right  " + ", ".join(f"{k} {v}" for k, v in score.reasons.items()))
        lines += [f"  note: {note}" for note in score.notes()]
    return "\n".join(lines)
