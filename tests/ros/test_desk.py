"""One question at a time, whoever asks, and nobody who goes on while another is still there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, cast

import pytest
from robo_refer_ros import desk as desks
from robo_refer_ros.asking import Asker, Outcome, Question
from robo_refer_ros.desk import Desk
from robo_refer_ros.settings import settings_from

from robo_refer.errors import ErrorCode, RoboReferError

COME_S = 60.0


class SlowAsker:
    """Answers when it is told to; a question that is withdrawn lets go, unless it is stubborn."""

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()
        self.is_stubborn = False

    def answer(self, question: Question) -> Outcome:
        self.asked.set()
        if not self.is_stubborn:
            question.withdrawn.add_done_callback(lambda _: self.released.set())
        assert self.released.wait(COME_S)
        return Outcome(question)


@pytest.fixture
def asker() -> SlowAsker:
    return SlowAsker()


@pytest.fixture
def desk(asker: SlowAsker) -> Desk:
    return opened(asker, "reject")


def opened(asker: SlowAsker, policy: str) -> Desk:
    desk = Desk(settings_from({"busy_policy": policy}))
    desk.open(cast(Asker, asker))
    return desk


def code_of(desk: Desk, question: Question) -> ErrorCode:
    with desk.answered(question) as outcome:
        return outcome.error.code if outcome.error is not None else ErrorCode.OK


def beside(what: Callable[[], Any]) -> Future[Any]:
    """Call it in a thread of its own; what comes out is what it returns or raises."""
    done: Future[Any] = Future()

    def run() -> None:
        try:
            done.set_result(what())
        except RoboReferError as error:
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done


@contextmanager
def being_answered(desk: Desk, asker: SlowAsker, question: Question) -> Iterator[Future[Any]]:
    """Ask, in a thread of its own; what comes out is the code."""
    code = beside(lambda: code_of(desk, question))
    assert asker.asked.wait(COME_S)
    try:
        yield code
    finally:
        asker.released.set()
        code.exception(COME_S)


@contextmanager
def waiting_for(
    desk: Desk, asker: SlowAsker, first: Question, second: Question
) -> Iterator[Future[Any]]:
    """Let a question wait for one that does not let go; what comes out is the second's code."""
    asker.is_stubborn = True
    with being_answered(desk, asker, first):
        code = beside(lambda: code_of(desk, second))
        first.withdrawn.result(COME_S)  # by the second, which then waits
        yield code


@pytest.mark.parametrize("ends", [Desk.close, lambda desk, why: desk.paused(why).__enter__()])
def test_nobody_goes_on_beside_a_question_that_does_not_let_go(
    asker: SlowAsker, desk: Desk, ends: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "RELEASE_TIMEOUT_S", 0.05)
    asker.is_stubborn = True
    question = Question("1", "the wall")
    with being_answered(desk, asker, question) as code:
        with pytest.raises(RoboReferError) as caught:
            ends(desk, "enough")
        assert caught.value.code is ErrorCode.BUSY
        assert question.withdrawn.result() == "enough"
        asker.released.set()
        assert code.result(COME_S) is ErrorCode.OK
    assert code_of(desk, Question("2", "the wall")) is ErrorCode.OK, "the desk is open as before"


def test_closing_withdraws_and_refuses(asker: SlowAsker, desk: Desk) -> None:
    question = Question("1", "the wall")
    with being_answered(desk, asker, question) as code:
        desk.close("enough")
        assert code.result(COME_S) is ErrorCode.OK
    assert code_of(desk, Question("2", "the wall")) is ErrorCode.NOT_ACTIVE


def test_nothing_is_answered_in_a_pause(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "RELEASE_TIMEOUT_S", 0.05)
    with desk.paused("first"):
        assert code_of(desk, Question("1", "the wall")) is ErrorCode.BUSY
        with pytest.raises(RoboReferError), desk.paused("second"):
            pass
    with desk.paused("third"):
        pass


@pytest.mark.parametrize("policy", ["reject", "preempt"])
def test_what_the_node_asks_by_itself_gives_way(asker: SlowAsker, policy: str) -> None:
    desk = opened(asker, policy)
    by_itself = Question("1-replan", "the wall", gives_way=True)
    with being_answered(desk, asker, Question("1", "the wall")) as code:
        assert code_of(desk, by_itself) is ErrorCode.BUSY
        assert not code.done()
    asker.asked.clear()
    asker.released.clear()
    with being_answered(desk, asker, by_itself):
        assert code_of(desk, Question("2", "the wall")) is ErrorCode.OK
        assert by_itself.withdrawn.done()


@pytest.mark.parametrize("_", range(20))
def test_of_those_that_wait_only_the_newest_is_answered(asker: SlowAsker, _: int) -> None:
    desk = opened(asker, "preempt")
    first, second, third = (Question(str(number), "the wall") for number in (1, 2, 3))
    with waiting_for(desk, asker, first, second) as older:
        newer = beside(lambda: code_of(desk, third))
        assert older.result(COME_S) is ErrorCode.CANCELLED  # at once: the first still holds on
        assert second.withdrawn.result() == "a newer instruction came"
        asker.released.set()
        assert newer.result(COME_S) is ErrorCode.OK
    assert not third.withdrawn.done()


def test_a_pause_takes_the_place_of_a_question_that_waits_and_keeps_it(asker: SlowAsker) -> None:
    desk = opened(asker, "preempt")
    first, second = Question("1", "the wall"), Question("2", "the wall")
    with waiting_for(desk, asker, first, second) as older:
        closing = beside(lambda: desk.close("enough"))
        assert older.result(COME_S) is ErrorCode.CANCELLED
        assert second.withdrawn.result() == "enough"
        assert code_of(desk, Question("3", "the wall")) is ErrorCode.BUSY
        assert not closing.done()
        asker.released.set()
        closing.result(COME_S)
    assert code_of(desk, Question("4", "the wall")) is ErrorCode.NOT_ACTIVE


def test_pauses_wait_for_one_another(asker: SlowAsker) -> None:
    desk = opened(asker, "preempt")
    asker.is_stubborn = True
    first = Question("1", "the wall")
    with being_answered(desk, asker, first):
        closing = [beside(lambda: desk.close("enough")) for _ in range(3)]
        first.withdrawn.result(COME_S)
        asker.released.set()
        for each in closing:
            each.result(COME_S)


def test_who_waits_for_one_that_gives_way_is_not_displaced(asker: SlowAsker, desk: Desk) -> None:
    by_itself = Question("1-replan", "the wall", gives_way=True)
    with waiting_for(desk, asker, by_itself, Question("2", "the wall")) as waiting:
        for late in (Question("3", "the wall"), Question("1-replan", "the wall", gives_way=True)):
            assert code_of(desk, late) is ErrorCode.BUSY
        assert not waiting.done()
        asker.released.set()
        assert waiting.result(COME_S) is ErrorCode.OK


def test_a_question_that_waits_can_be_withdrawn(asker: SlowAsker) -> None:
    desk = opened(asker, "preempt")
    second = Question("2", "the wall")
    with waiting_for(desk, asker, Question("1", "the wall"), second) as waiting:
        second.withdraw("cancelled by the client")
        assert waiting.result(COME_S) is ErrorCode.CANCELLED
