"""Both scoring modes, on answers whose official score was seen from the released script."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.errors import RoboReferError
from robo_refer.parsing import FAMILIES
from robo_refer_bench.families import RELEASED, family_of
from robo_refer_bench.records import Record
from robo_refer_bench.scoring import official, strict
from robo_refer_bench.scoring.choices import read_choice
from robo_refer_bench.suites.base import BoxTruth, Item, MaskTruth, PolygonTruth
from robo_refer_bench.suites.bitmask import BitMask
from tests.bench import made_suites as made

MASK = made.left_half()
ITEM = Item("1", "Point.", MaskTruth(lambda: BitMask.of(MASK)), lambda: None)


def answer(text: str, family: str = "roborefer", **more) -> Record:
    size = (made.WIDTH, made.HEIGHT)
    return Record("s", "t", "1", "m", family, "", text, image_size=size, **more)


# text, family, official score (None: left out of the denominator), strict score.
CASES = [
    # both agree
    ("[(0.2, 0.5)]", "roborefer", 1, 1),
    ("[(0.8, 0.5)]", "roborefer", 0, 0),
    ("nothing", "roborefer", 0, 0),
    ("[(10, 5)]", "roborefer", 1, 1),
    # points of the reasoning are averaged in
    ("<think>[Position] [a]: [(0.8, 0.2)]</think><answer>[(0.2, 0.5)]</answer>",
     "roborefer", 0.5, 1),
    ("<think>[Position] [a]: [(0.2, 0.2)]</think><answer>[(0.8, 0.5)]</answer>",
     "roborefer", 0.5, 0),
    # several points: their share, or the first
    ("[(0.2, 0.5), (0.8, 0.5), (0.9, 0.5)]", "roborefer", 1 / 3, 1),
    # the last column and row are 1.0, or off the image
    ("[(0.2, 1.0)]", "roborefer", 0, 1),
    # whole numbers are pixels even between 0 and 1
    ("[(0, 1)]", "roborefer", 1, 1),
    ("[(1, 0)]", "roborefer", 1, 0),
    # formats that the script's pattern does not know
    ("[( 0.2 , 0.5 )]", "roborefer", 0, 1),
    ("[(.2, .5)]", "roborefer", 0, 1),
    ("[0.2, 0.5]", "roborefer", 0, 1),
    ("0.2, 0.5", "roborefer", 0, 1),
    # a box counts with all its pixels, or its centre
    ("(0.25, 0.0, 0.75, 1.0)", "roborefer", 0.5, 0),
    ("(0.0, 0.0, 0.75, 1.0)", "roborefer", 2 / 3, 1),
    ("(5, 5, 10, 10)", "roborefer", 0, 1),
    # what raises in the script leaves the denominator
    ("(0.75, 0.0, 0.25, 1.0)", "roborefer", None, 0),
    ("(0.2, 0.5) (0.9, 0.9, 0.1, 0.1)", "roborefer", None, 1),
    # Qwen is asked for JSON and read as pixel tuples
    ('```json\n[{"point_2d": [10, 15]}]\n```', "qwen", 0, 1),
    ("(10, 15)", "qwen", 1, 1),
    ('[{"point_2d": [250, 500]}]', "qwen3", 0, 1),
    # Molmo: a lone point has no number
    ('<point x="20" y="50" alt="a">a</point>', "molmo", 0, 1),
    ('<points x1="20" y1="50" x2="80" y2="50" alt="a">a</points>', "molmo", 0.5, 1),
    # Gemini: only in a fence, and what is no list raises
    ('```json\n[{"point": [500, 200]}]\n```', "gemini", 1, 1),
    ('[{"point": [500, 200]}]', "gemini", 0, 1),
    ('```json\n[{"point": ["a", 200]}]\n```', "gemini", None, 0),
    ("```json\n5\n```", "gemini", None, 0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "family", "as_released", "as_meant"), CASES)
def test_the_two_modes(text, family, as_released, as_meant):
    found = official(answer(text, family), ITEM)
    assert found.counted == (as_released is not None)
    assert found.score == (as_released or 0)
    meant = strict(answer(text, family), ITEM)
    assert meant.counted
    assert meant.score == as_meant


def test_numbers_too_large_for_the_script_end_it():
    for text, family in (("(99999999999999999999, 1)", "roborefer"), ("(0.5, 3)", "qwen")):
        found = official(answer(text, family), ITEM)
        assert (found.score, found.reason, found.counted) == (0, "script_stops", True)


@given(
    st.lists(st.tuples(*[st.integers(-3, 45)] * 4), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(-5, 50), st.integers(-5, 50)), max_size=3),
)
def test_boxes_count_as_if_every_pixel_was_written(boxes, pixels):
    """In pixels, so that nothing is scaled: brute force over every pixel of every box."""
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in boxes]
    text = " ".join(str(value) for value in [*boxes, *pixels])
    points = [
        *pixels,
        *((x, y) for a, b, c, d in boxes for y in range(b, d) for x in range(a, c)),
    ]
    inside = [0 <= x < made.WIDTH and 0 <= y < made.HEIGHT and bool(MASK[y, x]) for x, y in points]
    found = official(answer(text, "qwen"), ITEM)
    assert found.counted
    assert found.score == pytest.approx(np.mean(inside) if points else 0)


def test_strict_takes_the_points_that_the_engine_read():
    record = answer("on another canvas (0.9, 0.9)", points=((0.2, 0.5),))
    assert strict(record, ITEM).score == 1
    assert strict(answer("", points=()), ITEM).reason == "refused"


def test_what_went_wrong_is_a_miss_with_its_reason():
    assert strict(None, ITEM).reason == "no_answer"
    assert strict(answer("", status="backend_timeout"), ITEM).reason == "backend_timeout"
    assert strict(answer("hm"), ITEM).reason == "unparsable_answer"
    assert strict(answer("(0.2, 0.5)", "roborefer"), ITEM).score == 1


@pytest.mark.parametrize(
    "text",
    [
        "(0.2, 0.5)" * 10_000,
        "(" + "1" * 1_000_000,
        "x" * 1_000_000,
        "(" * 300_000,
        '<points x1="' + "1" * 500_000,
        "```json\n" + "[" * 100_000 + "\n```",
        "(1," * 200_000,
    ],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_no_answer_is_too_long(text, family):
    """Patterns that are slow on such texts would take hours here."""
    assert strict(answer(text, family), ITEM).score in (0, 1)
    if family in RELEASED:
        assert 0 <= official(answer(text, family), ITEM).score <= 1


def test_ten_thousand_points_count_by_their_share():
    text = "(0.2, 0.5)" * 9_000 + "(0.8, 0.5)" * 1_000
    assert official(answer(text), ITEM).score == 0.9


def test_boxes_and_polygons():
    box = Item("1", "p", BoxTruth((10, 10, 20, 20), (40, 30)), lambda: None)
    assert strict(answer("[(0.25, 0.34)]"), box).score == 1
    assert strict(answer("[(0.5, 0.34)]"), box).score == 1  # on the edge
    assert strict(answer("[(0.51, 0.34)]"), box).score == 0
    triangle = Item("1", "p", PolygonTruth(((0, 0), (1, 0), (0, 1))), lambda: None)
    assert strict(answer("[(0.3, 0.3)]"), triangle).score == 1
    assert strict(answer("[(0.6, 0.6)]"), triangle).score == 0
    with pytest.raises(RoboReferError, match="scores masks only"):
        official(answer("[(0.3, 0.3)]"), box)


def test_families_are_told_by_name_as_the_script_does():
    assert family_of("RoboRefer-8B-SFT-Depth") == "roborefer"
    assert family_of("Gemini25Pro") == "gemini"
    assert family_of("Qwen3-VL-2B") == "qwen3"
    assert family_of("Qwen2.5-VL-7B") == "qwen"
    with pytest.raises(RoboReferError, match="does not tell"):
        family_of("Llama")
    with pytest.raises(RoboReferError, match="does not know"):
        official(answer("", "robobrain25"), ITEM)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("(B)", 1),
        ("B", 1),
        ("B.", 1),
        ("B) below", 1),
        ("The answer is (A).", 0),
        ("Answer: B", 1),
        ("It is below the table.", 1),
        ("<think>maybe (A)</think> (B)", 1),
        ("<think>so</think><answer>A</answer>", 0),
        ("above or below", None),
        ("A cup stands there", None),
        ("", None),
        ("(D)", None),
        ("<think>(A)", None),
        ("a" * 200_000, None),
    ],
)
def test_choices(text, chosen):
    assert read_choice(text, ("above", "below")) == chosen


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("Answer: A. Option B is farther from the camera.", 0),
        ("The answer is (A). Choice C is wrong because it is farther.", 0),
        ("Option B is nearer, so the answer is option A.", 0),
        ("I choose option B.", 1),
        ("Option A is wrong, option B is right.", None),
        ("The answer is A. No, the answer is B.", None),
        ("The answer is (A). Again: the answer is **A**.", 0),
        ("**B**", 1),
        ("**Answer:** **B**", 1),
        (r"\boxed{B}", 1),
        (r"It stands lower, so $\boxed{\text{B}}$. Option A is higher.", 1),
        (r"\boxed{below}", 1),
        ("(b)", 1),
        ("b", 1),
        ("(c) beside", 2),
        ("The answer I give is B.", None),
        (r"\boxed{" * 10_000, None),
    ],
)
def test_what_is_announced_as_the_answer_outranks_other_options(text, chosen):
    assert read_choice(text, ("above", "below", "beside")) == chosen


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("Yes, there is no obstacle.", 0),
        ("No, but yes to the other.", 1),
        ("**Yes**\n\nNo obstacle is there.", 0),
        ("The answer is yes, no obstacle is there.", 0),
        ("No obstacle is there, yes.", None),
        ("Yes or no", None),
        ("There is no obstacle", 1),
        ("not at all", None),
    ],
)
def test_a_leading_yes_or_no_is_the_answer(text, chosen):
    assert read_choice(text, ("yes", "no")) == chosen
    assert read_choice(text, ("No", "Yes.")) == (None if chosen is None else 1 - chosen)


def test_a_longer_option_hides_a_shorter_one_in_it():
    assert read_choice("to the left of it", ("left", "left of it")) == 1
    assert read_choice("Yes, it fits.", ("yes", "no")) == 0
    assert read_choice("No.", ("yes", "no")) == 1
