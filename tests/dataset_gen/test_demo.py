"""The demo: six questions of different kinds, judged by the truth, in one picture."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from robo_refer.cli.main import main
from robo_refer.data import masks
from robo_refer.data.sample import Question
from robo_refer.errors import RoboReferError
from robo_refer.types import Answer, Frame, Referral, ReferredPoint
from robo_refer_data import demo
from robo_refer_data.demo_sheet import Panel, sheet

SEED = 3


@pytest.fixture(scope="module")
def scene() -> tuple[Frame, list[tuple[str, Question]]]:
    return demo.unseen_scene(SEED)


class Knowing:
    """Stands in for the model: knows the truth of every question but the first, which it misses."""

    def __init__(self, questions: list[tuple[str, Question]]) -> None:
        self.questions = {question.text: question for _, question in questions}
        self.first = questions[0][1].text

    def refer(self, frame: Frame, instruction: str, think: bool = False) -> Referral:
        answer = self.questions[instruction].answer
        points = ((0.0, 0.0),) if instruction == self.first else answer.points
        return Referral(
            instruction,
            "fake",
            "ok" if points else "no_target",
            tuple(self._point(frame, uv) for uv in points),
            answer.steps,
            "",
            {"model": 0.1},
        )

    @staticmethod
    def _point(frame: Frame, uv: tuple[float, float]) -> ReferredPoint:
        px = (uv[0] * frame.width - 0.5, uv[1] * frame.height - 0.5)
        return ReferredPoint(px, uv, 0.9, "ok", 1.0, 1.0, (0.0, 0.0, 1.0))


def question(kind: str) -> Question:
    return Question(kind, "object", 1, f"a {kind}", Answer(()), (), None)


def test_one_question_of_each_group_in_order() -> None:
    kinds = ["two_step", "free_between", "left_of", "right_of", "nth_left", "direct_name"]
    chosen = demo.choose([question(kind) for kind in [*kinds, "nearest_camera", "direct_colour"]])
    assert [item.kind for _, item in chosen] == [
        "direct_name", "left_of", "nearest_camera", "nth_left", "free_between", "two_step",
    ]  # fmt: skip
    assert [group for group, _ in chosen] == [group for group, _ in demo.GROUPS]


def test_a_group_that_is_missing_gives_its_turn_to_another_kind() -> None:
    kinds = ["direct_name", "direct_name", "inside", "under", "inside", "on_top_of"]
    chosen = demo.choose([question(kind) for kind in kinds])
    assert [item.kind for _, item in chosen] == ["direct_name", "inside", "under", "on_top_of"]


def test_scene_and_questions_follow_from_the_seed(
    scene: tuple[Frame, list[tuple[str, Question]]],
) -> None:
    frame, questions = scene
    again, questions_again = demo.unseen_scene(SEED)
    np.testing.assert_array_equal(frame.rgb, again.rgb)
    np.testing.assert_array_equal(frame.depth_m, again.depth_m)
    assert [item.text for _, item in questions] == [item.text for _, item in questions_again]
    assert len({item.kind for _, item in questions}) == 6
    assert (frame.width, frame.height) == demo.SIZE
    assert frame.camera is not None
    assert frame.camera.T_world_cam is not None
    assert frame.depth_m is not None
    assert (frame.depth_m == 0).any()  # a sensor, not the renderer's exact depth


def test_right_and_wrong_are_told_apart(scene: tuple[Frame, list[tuple[str, Question]]]) -> None:
    frame, questions = scene
    knowing = Knowing(questions)
    asked = [demo.Asked(g, q, knowing.refer(frame, q.text)) for g, q in questions]
    assert [item.is_hit for item in asked] == [False, True, True, True, True, True]
    text = demo.as_text(demo.DemoOptions(SEED), frame, asked, dict.fromkeys(
        ("load", "render", "answer", "all"), 1.0))  # fmt: skip
    assert "1. by name: miss" in text
    assert "5 of 6 right" in text
    unreadable = Referral("x", "fake", "unparsable_answer", (), (), "", {})
    absent = Question("absent_name", "absent", 0, "x", Answer(()), (), None)
    item = demo.Asked("", absent, unreadable)
    assert not item.is_hit
    assert demo.verdict(item) == "no answer that can be read"


def test_command_prints_json_and_writes_the_picture(
    scene: tuple[Frame, list[tuple[str, Question]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(demo, "unseen_scene", lambda seed: scene)
    monkeypatch.setattr(demo.Referrer, "from_pretrained", lambda name: Knowing(scene[1]))
    picture = tmp_path / "demo.png"
    main(["demo", "--seed", str(SEED), "--out", str(picture), "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["hits"] == 5
    assert len(printed["questions"]) == 6
    assert printed["picture"] == str(picture)
    assert printed["questions"][0]["referral"]["points"][0]["p_cam_m"] == [0.0, 0.0, 1.0]
    height, width = cv2.imread(str(picture)).shape[:2]
    assert 1.5 < width / height < 2.5


def test_there_is_no_seed_below_nought() -> None:
    with pytest.raises(RoboReferError, match="no seed -1"):
        demo.main(["--seed", "-1"])


def test_sheet_marks_what_is_wrong(scene: tuple[Frame, list[tuple[str, Question]]]) -> None:
    frame, questions = scene
    _, first = questions[0]
    referral = Knowing(questions).refer(frame, first.text)
    assert first.mask is not None
    truth = masks.decode(first.mask)
    right, wrong = (sheet(frame, [Panel(referral, truth, hit)], "x") for hit in (True, False))
    assert (right != wrong).any()
