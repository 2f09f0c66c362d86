"""Questions in the words of a language model, kept only where they still mean the same.

A rewritten text is read back by the rules of `language.meaning`: it must name the same things,
colours, ranks, relations and numbers in the same order, and nothing else that the rules know. What
fails that keeps its own words, so that a careless model costs variety, never truth.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from robo_refer.data import (
    Question,
    Sample,
    count_samples,
    read_samples,
    shard_path,
    shard_paths,
    write_shard,
)
from robo_refer.engines.chat_endpoint import ChatEndpoint, text_part
from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer_data.language.meaning import same_meaning

try:
    from tqdm import tqdm
except ImportError as error:
    raise missing_package("tqdm", "data") from error

_MOST_TOKENS = 4096
_MOST_REFUSED = 10
_LONGEST = 3  # times the length of the original
_SYSTEM = (
    "You rewrite instructions for a robot in other words, as different people would say them. "
    "Keep every object name, colour, material, number, ordinal and spatial relation, and their "
    "order; keep options such as (a) as they are. Add nothing and leave nothing out. You are given "
    "a JSON list of instructions; answer with a JSON list of the same length and nothing else."
)
_SPACE = re.compile(
    r"\b(?:spots?|space|room|area|place|gap|put|set|leave|lay|stand\w*|free|empty|vacant)\b"
)
"""Words of questions about free space: whether there are any must not change."""


@dataclass
class Rewritten:
    """What became of the questions.

    Attributes:
        outcomes: number of questions that were "rewritten", or why they kept their words:
            "unreadable" (no list of the right length came back), "unchanged", "malformed",
            "repeated" or "another meaning".
        refused: some texts with what was refused for its meaning.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready counts."""
        total = self.outcomes.total()
        return {"questions": total, **dict(sorted(self.outcomes.items())), "refused": self.refused}


def rewrite(dataset: Path, out: Path, endpoint: ChatEndpoint, parallel: int = 4) -> Rewritten:
    """Write a dataset whose questions a language model put into other words.

    Shards that `out` already has are kept: a stopped run goes on with the next one.

    Args:
        dataset: folder or file to read.
        out: folder to write.
        endpoint: the language model.
        parallel: requests under way at once.

    Raises:
        RoboReferError: those of reading, of `ChatEndpoint.complete`, and BAD_FILE when `out`
            cannot be written. Finished shards are kept.
    """
    shards = shard_paths(dataset)
    if out.resolve() in (dataset.resolve(), shards[0].parent.parent.resolve()):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"{out} is the dataset itself.", "Choose another folder."
        )
    found = Rewritten()
    total = sum(count_samples(shard) for shard in shards)
    with tqdm(total=total, unit="scene") as bar, ThreadPoolExecutor(parallel) as pool:
        for number, shard in enumerate(shards):
            path = shard_path(out, number)
            if path.exists():
                bar.update(count_samples(path))
                continue
            try:
                write_shard(path, _samples(shard, endpoint, pool, parallel, found, bar))
            except OSError as error:
                raise RoboReferError(
                    ErrorCode.BAD_FILE,
                    f"{out} cannot be written: {error}.",
                    "Choose a writable folder with room; a second run goes on from here.",
                ) from error
    return found


def _samples(
    shard: Path,
    endpoint: ChatEndpoint,
    pool: ThreadPoolExecutor,
    parallel: int,
    found: Rewritten,
    bar: Any,
) -> Iterator[Sample]:
    source = read_samples(shard)
    while samples := list(islice(source, 2 * parallel)):
        answers = pool.map(lambda sample: _asked(endpoint, sample.questions), samples)
        for sample, texts in zip(samples, answers, strict=True):
            bar.update()
            yield replace(sample, questions=_checked(sample.questions, texts, found))


def _asked(endpoint: ChatEndpoint, questions: tuple[Question, ...]) -> list[str] | None:
    """Return the texts that the model writes, None if they are no list of the right length."""
    if not questions:
        return []
    texts = json.dumps([question.text for question in questions])
    reply = endpoint.complete([text_part(texts)], system=_SYSTEM, max_tokens=_MOST_TOKENS)
    start, end = reply.find("["), reply.rfind("]")  # some models put it into a code block
    try:
        answer = json.loads(reply[start : end + 1])
    except ValueError:
        return None
    whole = isinstance(answer, list) and all(isinstance(text, str) for text in answer)
    return answer if whole and len(answer) == len(questions) else None


def _checked(
    questions: tuple[Question, ...], texts: list[str] | None, found: Rewritten
) -> tuple[Question, ...]:
    used = {question.text for question in questions}
    kept: list[Question] = []
    for number, question in enumerate(questions):
        text = "" if texts is None else " ".join(texts[number].split())
        outcome = "unreadable" if texts is None else outcome_of(question.text, text)
        if outcome == "rewritten" and text in used:
            outcome = "repeated"
        found.outcomes[outcome] += 1
        if outcome == "rewritten":
            used.add(text)
            tags = {**question.tags, "said": question.text}
            kept.append(replace(question, text=text, tags=tags))
            continue
        if outcome == "another meaning" and len(found.refused) < _MOST_REFUSED:
            found.refused.append((question.text, text))
        kept.append(question)
    return tuple(kept)


def outcome_of(said: str, text: str) -> str:
    """Return what becomes of a rewritten text, as in `Rewritten.outcomes`, but for repetitions."""
    if text == said:
        return "unchanged"
    if not text or len(text) > _LONGEST * len(said) + 40 or re.search(r"[{}<>\[\]]", text):
        return "malformed"
    about_space = [bool(_SPACE.search(one.lower())) for one in (said, text)]
    if about_space[0] != about_space[1] or not same_meaning(said, text):
        return "another meaning"
    return "rewritten"
