"""`robo-refer train reward-test`: scores recorded answers and explains every component."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from tqdm import trange

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.rewards.base import Score, Truth
from robo_refer_train.rewards.mix import MixedScore, RewardMix
from robo_refer_train.rewards.reading import read_written
from robo_refer_train.rewards.truths import truth_from_json, truth_to_json

_AT_ONCE = 64
_SHOWN_CHARACTERS = 88
_NAME_WIDTH = 24


@dataclass(frozen=True)
class Recorded:
    """An answer on record: its line in the file, what was written, and what is true."""

    line: int
    text: str
    truth: Truth


@dataclass(frozen=True)
class ComponentSummary:
    """One reward over all answers: its mean where it told, and how often it abstained."""

    name: str
    weight: float
    mean: float | None
    told: int
    abstained: int


@dataclass(frozen=True)
class Tested:
    """All answers with their scores.

    Attributes:
        answers: as they were recorded.
        scores: theirs, in the same order.
        components: one summary per reward of the mix.
        groups: how many items have several answers, as GRPO compares them.
        flat_groups: how many of these earn the same with all their answers: nothing is learnt
            from them.
    """

    answers: tuple[Recorded, ...]
    scores: tuple[MixedScore, ...]
    components: tuple[ComponentSummary, ...]
    groups: int
    flat_groups: int

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        pairs = zip(self.answers, self.scores, strict=True)
        return {
            "answers": [{"line": a.line, "text": a.text, **asdict(score)} for a, score in pairs],
            "components": [asdict(component) for component in self.components],
            "groups": self.groups,
            "flat_groups": self.flat_groups,
        }


def read_recorded(path: Path) -> list[Recorded]:
    """Return the answers of a file of JSON lines: {"text": "...", "truth": {...}}.

    Raises:
        RoboReferError: BAD_FILE naming the first line that is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise _bad_file(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _bad_file(path, "is not text in UTF-8") from error
    recorded = [
        _recorded(path, number, line) for number, line in enumerate(lines, 1) if line.strip()
    ]
    if not recorded:
        raise _bad_file(path, "holds no answers")
    return recorded


def score_recorded(answers: Sequence[Recorded], mix: RewardMix) -> Tested:
    """Return the scores of recorded answers by a mix; what cannot be scored abstains."""
    pairs = [(read_written(answer.text), answer.truth) for answer in answers]
    scores: list[MixedScore] = []
    for start in trange(0, len(pairs), _AT_ONCE, unit_scale=_AT_ONCE, disable=None):
        scores += mix(pairs[start : start + _AT_ONCE])
    groups: dict[str, list[float | None]] = {}
    for answer, score in zip(answers, scores, strict=True):
        groups.setdefault(truth_to_json(answer.truth), []).append(score.value)
    several = [values for values in groups.values() if len(values) > 1]
    return Tested(
        answers=tuple(answers),
        scores=tuple(scores),
        components=tuple(
            _summary(name, weight, [score.parts[name] for score in scores])
            for name, weight in mix.weights.items()
        ),
        groups=len(several),
        flat_groups=sum(len(set(values) - {None}) < 2 for values in several),
    )


def table(tested: Tested) -> str:
    """Return everything for people to read: answer by answer, then the means."""
    weights = {component.name: component.weight for component in tested.components}
    lines: list[str] = []
    for answer, score in zip(tested.answers, tested.scores, strict=True):
        highest = sum(weights[name] for name, part in score.parts.items() if part.applies)
        total = "abstains" if score.value is None else f"{score.value:.3f} of {highest:g}"
        lines += [
            f"line {answer.line}: {total}   {_short(answer.truth.prompt)}",
            f"  {_short(answer.text)}",
            *(
                f"  {name:<{_NAME_WIDTH}} {_value(part.value)} x {weights[name]:<5g} {part.why}"
                for name, part in score.parts.items()
            ),
            "",
        ]
    return "\n".join([*lines, *_summary_lines(tested)])


def _summary_lines(tested: Tested) -> Iterable[str]:
    yield f"{'reward':<{_NAME_WIDTH + 2}} {'mean':>5} {'n':>6} {'abstained':>10}"
    for part in tested.components:
        counts = f"{part.told:>6} {part.abstained:>10}"
        yield f"  {part.name:<{_NAME_WIDTH}} {_value(part.mean)} {counts}"
    yield (
        f"answers: {len(tested.answers)}; items with several: {tested.groups}, of which earn the "
        f"same with each, so that nothing is learnt from them: {tested.flat_groups}"
    )


def _summary(name: str, weight: float, parts: Sequence[Score]) -> ComponentSummary:
    asked = [part.value for part in parts if part.applies]
    told = [value for value in asked if value is not None]
    return ComponentSummary(
        name, weight, mean(told) if told else None, len(told), len(asked) - len(told)
    )


def _recorded(path: Path, number: int, line: str) -> Recorded:
    try:
        entry = json.loads(line)
        text, truth = entry["text"], entry["truth"]
        whole = truth if isinstance(truth, str) else json.dumps(truth)
        return Recorded(number, str(text), truth_from_json(whole))
    except (ValueError, TypeError, KeyError) as error:
        raise _bad_file(path, f"has no answer in line {number} ({error!r})") from error
    except RoboReferError as error:
        raise _bad_file(path, f"line {number}: {error.message}") from error


def _value(value: float | None) -> str:
    return "  –  " if value is None else f"{value:.3f}"


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SHOWN_CHARACTERS else plain[: _SHOWN_CHARACTERS - 1] + "…"


def _bad_file(path: Path, reason: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{path} {' '.join(reason.split())}.",
        'Write lines such as {"text": "[(0.500, 0.500)]", "truth": {"size_px": [640, 480], '
        '"points": [[0.5, 0.5]]}}.',
    )
