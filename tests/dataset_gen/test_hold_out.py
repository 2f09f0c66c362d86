from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from robo_refer.errors import RoboReferError
from robo_refer_data.making import make_sample
from robo_refer_data.plan import Plan


def test_held_out_pairs_are_not_asked_and_all_else_stays():
    plan = Plan(1, seed=3, width=96, height=72, questions=40, families=("object",))
    every = make_sample(plan, 0).questions
    pairs = {f"{a}:{b}" for q in every for a, b in pairwise(q.tags["chain"])}
    assert pairs
    gone = sorted(pairs)[0]
    kept = make_sample(replace(plan, hold_out=(gone,)), 0).questions
    assert [q.text for q in kept] == [
        q.text for q in every if gone not in {f"{a}:{b}" for a, b in pairwise(q.tags["chain"])}
    ]
    assert len(kept) < len(every)


def test_a_pair_is_two_names():
    with pytest.raises(RoboReferError, match="not a pair"):
        Plan(1, hold_out=("left_of",))
