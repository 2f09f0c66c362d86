"""`Judge`: the reward, whoever grades: what needs no grading, the cache, and abstaining."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from robo_refer_train.rewards.base import Reward, Score, Truth, Written, cannot_serve
from robo_refer_train.rewards.judge.cache import GradeCache
from robo_refer_train.rewards.judge.rubric import MAX_RESPONSE_CHARACTERS, RUBRIC, Case, Grade


class Grader(Protocol):
    """A model that grades.

    Attributes:
        identity: model, adapter and settings: another identity, another grade.
    """

    identity: str

    def grade(self, cases: Sequence[Case]) -> list[Grade]:
        """Return one grade per case, None where it cannot tell; raises nothing for that."""
        ...

    def probe(self) -> None:
        """Grade something once; raises RoboReferError when it cannot."""
        ...


class Judge(Reward):
    """The grade of a language model, in [0, 1]; it abstains where the judge cannot tell.

    An empty answer, one whose blocks are broken, and an endless one earn 0 unread. All others of a
    group are graded at once, each once only: grades are kept by a hash of judge, rubric, question
    and answer.
    Source: the pattern of plug-and-play judges (arXiv:2506.05748).
    """

    name = "judge"

    def __init__(self, grader: Grader, cache: GradeCache) -> None:
        self._grader, self._cache = grader, cache
        self._latest: dict[str, Grade] = {}

    def check(self, truth: Truth) -> None:
        """Refuse items without an instruction."""
        if not truth.prompt.strip():
            raise cannot_serve(self.name, "no instruction")

    def ready(self) -> None:
        """Have something graded; raises RoboReferError when the judge cannot."""
        self._grader.probe()

    def prepare(self, pairs: Sequence[tuple[Written, Truth]]) -> None:
        """Grade what is neither settled nor in the cache, at once."""
        cases = {self._key(case): case for pair in pairs if not _settled(case := _case(*pair))}
        self._latest = {key: grade for key in cases if (grade := self._cache.get(key)) is not None}
        new = {key: case for key, case in cases.items() if key not in self._latest}
        if not new:
            return
        for key, grade in zip(new, self._grader.grade(list(new.values())), strict=True):
            self._latest[key] = grade
            if grade.value is not None:
                self._cache.put(key, grade)

    def __call__(self, written: Written, truth: Truth) -> Score:
        case = _case(written, truth)
        settled = _settled(case)
        if settled:
            return Score(0.0, settled)
        key = self._key(case)
        if key not in self._latest:
            self.prepare([(written, truth)])
        grade = self._latest[key]
        return Score(grade.value, grade.why)

    def _key(self, case: Case) -> str:
        whole = "\0".join((self._grader.identity, RUBRIC, case.question()))
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _case(written: Written, truth: Truth) -> Case:
    return Case(truth.prompt, "" if not written.final else written.text.strip(), truth.reply)


def _settled(case: Case) -> str:
    """Return why an answer earns 0 without being read, "" where it has to be."""
    if not case.response:
        return "there is no answer, or its blocks cannot be told apart"
    if len(case.response) > MAX_RESPONSE_CHARACTERS:
        return f"it has {len(case.response)} characters"
    return ""
