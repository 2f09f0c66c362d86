"""No shortcuts: without reading the anchor, or without depth, a question is answered by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robo_refer.data.sample import POINTING
from robo_refer_data.audit import GEOMETRIC_IN_THE_IMAGE, RULES, audit, table
from robo_refer_data.questions import ask
from tests.dataset_gen.made_scenes import made_scene


def observe(seed, half, width, height):
    from robo_refer_data.scenes import observe as observe_

    return observe_(seed, half, width, height)


def asked_about(scenes):
    return [
        (scene, ask(scene, np.random.default_rng(scene.seed), 24, POINTING)) for scene in scenes
    ]


def shortcuts(rows):
    return {row.kind: row.exceeding() for row in rows if row.judged and row.exceeding()}


def test_the_decorrelated_half_has_no_shortcuts():
    rows = audit(asked_about(observe(seed, "decorrelated", 96, 72) for seed in range(300)))
    assert {"left_of", "nearest_camera", "two_step", "nearest_to"} <= {row.kind for row in rows}
    assert shortcuts(rows) == {}, table(rows)


@pytest.mark.slow
def test_many_decorrelated_scenes_have_no_shortcuts():
    rows = audit(asked_about(observe(seed, "decorrelated", 128, 96) for seed in range(1000)))
    assert shortcuts(rows) == {}, table(rows)


def test_a_shortcut_is_found():
    """Scenes in which the nearest object is always the lowest."""
    asked = []
    for scene, questions in asked_about(made_scene(seed, "decorrelated") for seed in range(300)):
        lowest = max(scene.objects, key=lambda item: item.point_norm[1])
        biased = [
            replace(question, target_ids=(lowest.id,), tags={})
            for question in questions
            if question.kind == "nearest_camera" and "candidates" not in question.tags
        ]
        asked.append((scene, biased))
    (row,) = audit(asked, min_train=20)
    assert "lowest" in row.exceeding()
    assert "classifier" in row.exceeding()
    assert "lowest" in table([row])


def test_rows_state_their_chance():
    for row in audit(asked_about(made_scene(seed, "decorrelated") for seed in range(60))):
        assert 0 < row.chance <= 1
        assert row.error >= 0
        assert set(RULES) <= set(row.accuracy)
        assert row.judged == (
            row.kind not in GEOMETRIC_IN_THE_IMAGE and not row.kind.startswith("direct")
        )
