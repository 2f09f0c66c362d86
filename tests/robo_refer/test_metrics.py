"""Hits and right answers, and intervals checked against exact values."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.data import Question, masks
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import px_to_norm
from robo_refer.metrics import is_hit, mcnemar, paired_bootstrap, score_answer, wilson
from robo_refer.types import Answer, Step

MASK = np.zeros((3, 4), bool)
MASK[2, 3] = MASK[0, 1] = True
RLE = masks.encode(MASK)

sizes = st.tuples(st.integers(1, 50), st.integers(1, 50))
outcomes = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


@pytest.mark.parametrize("mask", [MASK, MASK.astype(np.uint8) * 255, RLE])
def test_edges_of_the_image(mask: masks.Rle) -> None:
    assert is_hit((1.0, 1.0), mask)
    assert is_hit((0.75, 2 / 3 + 1e-9), mask)
    assert not is_hit((0.7499, 1.0), mask)
    assert is_hit((0.25, 0.0), mask)
    assert not is_hit((0.5, 0.0), mask)
    for outside in ((1.0001, 1.0), (1.0, 1.0001), (-0.0001, 0), (math.nan, 0), (math.inf, 0)):
        assert not is_hit(outside, mask)


@given(sizes, st.data())
def test_every_place_within_a_pixel_is_that_pixel(
    size: tuple[int, int], data: st.DataObject
) -> None:
    height, width = size
    u, v = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    mask = np.zeros(size, bool)
    mask[v, u] = True
    for du, dv in itertools.product((-0.499, 0, 0.499), repeat=2):
        assert is_hit(px_to_norm((u + du, v + dv), width, height), mask)
    for du, dv in ((-0.501, 0), (0.501, 0), (0, -0.501), (0, 0.501)):
        assert not is_hit(px_to_norm((u + du, v + dv), width, height), mask)


def question(mask: masks.Rle | None) -> Question:
    return Question("kind", "object", 0, "it", Answer(()), (), mask)


def test_the_first_final_point_decides() -> None:
    hit, miss = (1.0, 1.0), (0.0, 0.0)
    there, absent = question(RLE), question(None)
    assert score_answer(Answer((hit, miss)), there)
    assert not score_answer(Answer((miss, hit)), there)
    assert not score_answer(Answer((miss,), (Step("position", "it", hit),)), there)
    assert not score_answer(Answer(()), there)
    assert score_answer(Answer(()), absent)
    assert not score_answer(Answer((hit,)), absent)
    assert not score_answer(None, there)
    assert not score_answer(None, absent)


def test_wilson_against_published_values() -> None:
    # Newcombe 1998, Table I, method 3.
    for hits, count, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        interval = wilson(hits, count)
        assert interval.estimate == hits / count
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_wilson_contains_the_estimate_and_is_symmetric(first: int, second: int) -> None:
    count = first + second
    interval, mirrored = wilson(first, count), wilson(second, count)
    assert 0 <= interval.low <= interval.high <= 1
    if count:
        assert interval.low <= interval.estimate <= interval.high
    assert interval.low == pytest.approx(1 - mirrored.high)


@given(outcomes)
def test_mcnemar_is_the_exact_binomial_test(pairs: list[tuple[bool, bool]]) -> None:
    first, second = zip(*pairs, strict=True)
    only_first = sum(a > b for a, b in pairs)
    only_second = sum(a < b for a, b in pairs)
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    assert mcnemar(first, second) == pytest.approx(min(1, 2 * tail / 2**n))
    assert mcnemar(second, first) == mcnemar(first, second)


def test_mcnemar_of_many_items() -> None:
    same = [True] * 5000
    assert mcnemar(same, same) == 1
    assert mcnemar([True] * 9 + same, [False] * 9 + same) == pytest.approx(2 / 2**9)
    assert mcnemar([True, False] * 2500, [False, True] * 2500) == 1
    assert mcnemar([True] * 4000, [False] * 4000) == 0  # underflows, quietly
    arrays = np.ones(200, bool), np.zeros(200, bool)
    assert mcnemar(*arrays) == pytest.approx(2 / 2**200)


@given(outcomes)
def test_bootstrap_is_antisymmetric_and_repeatable(pairs: list[tuple[bool, bool]]) -> None:
    first, second = zip(*pairs, strict=True)
    interval = paired_bootstrap(first, second, resamples=300)
    mirrored = paired_bootstrap(second, first, resamples=300)
    assert interval == paired_bootstrap(first, second, resamples=300)
    assert interval.estimate == pytest.approx(np.mean(first) - np.mean(second))
    assert interval.low <= interval.high
    assert (interval.low, interval.high) == pytest.approx((-mirrored.high, -mirrored.low))


def test_bootstrap_interval_is_that_of_the_normal_approximation() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.random(1000) < 0.7, rng.random(1000) < 0.6
    interval = paired_bootstrap(first, second)
    half = 1.96 * (first.astype(float) - second).std() / np.sqrt(1000)
    assert interval.low == pytest.approx(interval.estimate - half, abs=0.004)
    assert interval.high == pytest.approx(interval.estimate + half, abs=0.004)


def test_bootstrap_by_image_knows_that_copies_are_no_news() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.random(100) < 0.7, rng.random(100) < 0.5
    single = paired_bootstrap(first, second)
    copies = np.repeat(first, 9), np.repeat(second, 9)
    grouped = paired_bootstrap(*copies, groups=np.repeat(np.arange(100), 9).tolist())
    naive = paired_bootstrap(*copies)
    assert grouped.high - grouped.low == pytest.approx(single.high - single.low, rel=0.1)
    assert naive.high - naive.low < 0.5 * (grouped.high - grouped.low)


def test_unpaired_and_empty_scores_are_refused() -> None:
    for call in (
        lambda: wilson(3, 2),
        lambda: wilson(-1, 2),
        lambda: mcnemar([True], []),
        lambda: paired_bootstrap([1.0], [1.0, 0.0]),
        lambda: paired_bootstrap([], []),
        lambda: paired_bootstrap([1.0], [1.0], groups=[]),
    ):
        with pytest.raises(RoboReferError) as caught:
            call()
        assert caught.value.code is ErrorCode.BAD_REQUEST


def test_geometry_parsing_and_metrics_need_only_numpy_and_opencv() -> None:
    code = (
        "import sys, robo_refer.geometry, robo_refer.parsing, robo_refer.metrics; "
        "import numpy as np; robo_refer.metrics.is_hit((0.5, 0.5), np.ones((2, 2))); "
        "heavy = {'pyarrow', 'pycocotools', 'scipy', 'torch', 'onnxruntime'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
