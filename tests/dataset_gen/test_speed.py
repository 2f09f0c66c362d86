"""The speed benchmark: what it counts, and its peer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.speed import CLEVR_PER_CPU_S, _clevr_scenes, question_speed


def test_rates_are_counted_and_compared() -> None:
    found = question_speed(scenes=2, rounds=1)
    assert 0 < found.with_steps_per_cpu_s <= found.questions_per_cpu_s
    assert found.ratio == pytest.approx(found.with_steps_per_cpu_s / CLEVR_PER_CPU_S)
    assert not found.clevr_measured


def test_a_folder_that_is_no_copy_of_clevr_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RoboReferError) as caught:
        question_speed(scenes=2, rounds=1, clevr=tmp_path)
    assert caught.value.code is ErrorCode.BAD_FILE


@pytest.mark.parametrize("wrong", [{"scenes": 0}, {"rounds": 0}])
def test_nothing_to_measure_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(RoboReferError) as caught:
        question_speed(**wrong)
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_scenes_for_clevr_have_true_relationships() -> None:
    for scene in _clevr_scenes(3, np.random.default_rng(0))["scenes"]:
        assert 3 <= len(scene["objects"]) <= 10
        for left, right in (("left", "right"), ("front", "behind")):
            for anchor, others in enumerate(scene["relationships"][left]):
                assert all(anchor in scene["relationships"][right][other] for other in others)
