"""Questions in the words of a language model, kept only where they still mean the same.

A rewritten text is read back by the rules of `language.meaning`: it must name the same things,
colours, ranks, relations and numbers in the same order, and nothing else that the rules know. Names
that they do not know, of models and frames of others, must be there as often as before. What fails
that keeps its own words, so that a careless model costs variety, never truth.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
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
from robo_refer_data.generate import claim, remove_leftovers, writing_to
from robo_refer_data.language.meaning import knows, same_meaning
from robo_refer_data.language.vocabulary import plural

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
        foreign: names that the rules of meaning do not know.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)
    foreign: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready counts."""
        total = self.outcomes.total()
        return {"questions": total, **dict(sorted(self.outcomes.items())), "refused": self.refused}


def rewrite(dataset: Path, out: Path, endpoint: ChatEndpoint, parallel: int = 4) -> Rewritten:
    """Write a dataset whose questions a language model put into other words.

    Shards that `out` already has are kept: a stopped run goes on with the next one. A manifest
    keeps apart what another model, or another dataset, was asked.

    Args:
        dataset: folder or file to read.
        out: folder to write.
        endpoint: the language model.
        parallel: requests under way at once.

    Raises:
        RoboReferError: those of reading, of `ChatEndpoint.complete`, BAD_FILE when `out` cannot
            be written, and BAD_REQUEST when it holds something else, or for less than one request
            at once. Finished shards are kept.
    """
    if parallel < 1:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"{parallel} requests at once ask nothing.", "Choose at least 1."
        )
    shards = shard_paths(dataset)
    if out.resolve() in (dataset.resolve(), shards[0].parent.parent.resolve()):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"{out} is the dataset itself.", "Choose another folder."
        )
    found = Rewritten(foreign=foreign_names(dataset))
    total = sum(count_samples(shard) for shard in shards)
    with (
        writing_to(out),
        tqdm(total=total, unit="scene") as bar,
        ThreadPoolExecutor(parallel) as pool,
    ):
        claim(
            out,
            {"source": "rewrite", "of": str(dataset), "scenes": total, "model": endpoint.model},
        )
        for number, shard in enumerate(shards):
            path = shard_path(out, number)
            if path.exists():
                bar.update(count_samples(path))
                continue
            write_shard(path, _samples(shard, endpoint, pool, parallel, found, bar))
        remove_leftovers(out)
    return found


def foreign_names(dataset: Path) -> tuple[str, ...]:
    """Return the names of a dataset's objects that the rules do not know, in either number."""
    samples = read_samples(dataset, columns=("objects",))
    names = {item.name.lower() for sample in samples for item in sample.objects}
    unknown = sorted(name for name in names if not knows(name))
    return tuple(dict.fromkeys(said for name in unknown for said in (name, plural(name))))


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
    except (ValueError, RecursionError):
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
        outcome = "unreadable" if texts is None else outcome_of(question.text, text, found.foreign)
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


def outcome_of(said: str, text: str, foreign: Sequence[str] = ()) -> str:
    """Return what becomes of a rewritten text, as in `Rewritten.outcomes`, but for repetitions.

    Args:
        said: the text.
        text: what was made of it.
        foreign: see `Rewritten`.
    """
    if text == said:
        return "unchanged"
    if not text or len(text) > _LONGEST * len(said) + 40 or re.search(r"[{}<>\[\]]", text):
        return "malformed"
    if not text.isprintable():
        return "malformed"
    both = (said.lower(), text.lower())
    about_space = [bool(_SPACE.search(one)) for one in both]
    if about_space[0] != about_space[1] or not same_meaning(said, text):
        return "another meaning"
    for name in foreign:
        counts = [len(re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", one)) for one in both]
        if counts[0] != counts[1]:
            return "another meaning"
    return "rewritten"
