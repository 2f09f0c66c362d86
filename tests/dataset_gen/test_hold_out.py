from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from robo_refer.errors import RoboReferError
from robo_refer_data.making import make_sample
from robo_refer_data.plan import Plan
from robo_refer_data.relations.mentioned import OPERATIONS


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


@pytest.mark.parametrize(
    "wrong", ["left_of", "left_of:", ":behind", "left_of:behnd", "leftof:behind", "a:b:c"]
)
def test_a_pair_is_two_relations(wrong):
    with pytest.raises(RoboReferError, match="not a pair"):
        Plan(1, hold_out=(wrong,))


def test_every_operation_can_be_held_out():
    plan = Plan(1, seed=5, width=96, height=72, questions=200)
    asked = [q.tags["chain"] for i in range(2) for q in make_sample(plan, i).questions]
    assert {name for chain in asked for name in chain if len(chain) > 1} <= OPERATIONS
