"""The page: whole in itself, honest about n, and safe from what models write."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.errors import RoboReferError
from robo_refer_bench import page
from robo_refer_bench.cli import main
from robo_refer_bench.page import view
from robo_refer_bench.page.gallery import cards, choose
from robo_refer_bench.page.protocols import beside_published, both_modes
from robo_refer_bench.recordings import Loaded, load
from robo_refer_bench.records import Record
from robo_refer_bench.runner import RunOptions
from robo_refer_bench.scored import score_items
from tests.bench import fakes, squares

SETTINGS = {
    "model": "<b>m</b>", "family": "roborefer", "model_hash": "0", "depth": "own", "think": False,
    "data": {"refspatial_bench/Location": {"name": "x", "hash": "1"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(discs, tmp_path_factory):
    """Two runs on the discs: one that is right, one that refuses."""
    folder = tmp_path_factory.mktemp("runs")
    paths = []
    for name, answer in (("truth", fakes.truth), ("refusal", fakes.refusal)):
        fakes.run(answer, discs, folder / f"{name}.jsonl", RunOptions())
        paths.append(folder / f"{name}.jsonl")
    return paths


class Reader(HTMLParser):
    """Collects what a page would load, and checks that its elements close."""

    VOID = ("meta", "img", "br", "input")

    def __init__(self):
        super().__init__()
        self.loads, self.open, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.loads += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(text):
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def test_a_page_needs_nothing_else_and_shows_both_runs(runs, tmp_path, capsys):
    out, table = tmp_path / "r.html", tmp_path / "r.md"
    main(["report", *map(str, runs), "--out", str(out), "--markdown", str(table), "--gallery", "9"])
    text = out.read_text()
    reader = read(text)
    assert all(source.startswith("data:image/jpeg;base64,") for source in reader.loads)
    shown = [attributes for tag, attributes in reader.tags if tag == "article"]
    assert len(shown) == 9
    # All outcomes of the two are there: both right (absent), only the first right.
    assert {(a["data-r0"], a["data-r1"]) for a in shown} == {("hit", "hit"), ("hit", "miss")}
    assert "100.0 %" in text
    assert "14.3 %" in text  # 12 of 84
    assert "A minus B" in text
    assert "| all | 84 | 100.0 (95.6-100.0) | 14.3 (8.4-23.3) |" in table.read_text()
    assert re.search(r"\| 2 steps \| 24 \|", table.read_text())


def test_what_models_write_is_shown_and_never_run():
    hostile = "<script>alert(1)</script><img src=http://evil/x>"
    asked = [squares.square(0)]
    record = Record("refspatial_bench", "Location", "0", hostile, "roborefer", hostile, hostile)
    settings = SETTINGS | {"model": hostile}
    text = page.html([Loaded(settings, tuple(score_items(asked, [record])))])
    reader = read(text)
    assert sum(tag == "script" for tag, _ in reader.tags) == 1
    assert not any("evil" in source for source in reader.loads)
    assert "&lt;script&gt;alert(1)" in text


def test_long_answers_are_cut_and_many_points_bounded():
    points = tuple((0.001 * n, 0.5) for n in range(900))
    record = Record("refspatial_bench", "Location", "0", "m", "", "", "y" * 90_000, points=points)
    loaded = Loaded(SETTINGS, tuple(score_items([squares.square(0)], [record])))
    (card,) = cards([loaded], 10)
    assert len(card.verdicts[0].answer) < 1000
    assert "90000 characters" in card.verdicts[0].answer
    assert len(card.marks) == 20
    assert [mark.first for mark in card.marks[:2]] == [True, False]


def test_masks_are_drawn_where_they_are():
    loaded = Loaded(SETTINGS, tuple(score_items([squares.square(0)], [])))
    (card,) = cards([loaded], 1)
    corners = [float(number) for number in re.findall(r"[\d.]+", card.outline)]
    xs, ys = corners[::2], corners[1::2]
    assert (card.width, card.height) == (420, 315)
    assert sum(xs) / len(xs) == pytest.approx(squares.CENTRE[0] * card.width, abs=1)
    assert sum(ys) / len(ys) == pytest.approx(squares.CENTRE[1] * card.height, abs=1)
    assert max(xs) - min(xs) == pytest.approx(40 * 420 / 640, abs=2)


def test_questions_without_an_answer_stay_in_the_denominator():
    asked = [squares.square(n) for n in range(4)]
    record = Record("refspatial_bench", "Location", "0", "m", "", "", "", points=(squares.CENTRE,))
    loaded = Loaded(SETTINGS, tuple(score_items(asked, [record])))
    (run,) = view.run_views([loaded])
    assert (run.hits, run.n, run.reasons) == (1, 4, (("no answer", 3),))
    main_chart = view.charts([loaded])[0]
    assert [(bar.count, bar.n) for bar in main_chart.lines[0].bars] == [(1, 4)]


def test_splits_that_repeat_others_are_not_counted_twice():
    asked = [squares.square(n) for n in range(3)]
    unseen = [replace(one, split="Unseen") for one in asked]
    loaded = Loaded(SETTINGS, tuple(score_items([*asked, *unseen], [])))
    assert view.run_views([loaded])[0].n == 3
    names = [line.name for line in view.charts([loaded])[0].lines]
    assert names == ["Location", "Unseen"]


@given(
    outcomes=st.lists(st.tuples(st.sampled_from([True, False, None])), max_size=60),
    most=st.integers(0, 70),
)
def test_every_outcome_has_its_share_of_the_gallery(outcomes, most):
    named = [(("s", "p", str(n)), outcome) for n, outcome in enumerate(outcomes)]
    chosen = choose(named, most)
    assert len(chosen) == min(most, len(named))
    assert chosen == [key for key, _ in named if key in set(chosen)]
    counts = {}
    by_key = dict(named)
    for key in chosen:
        counts[by_key[key]] = counts.get(by_key[key], 0) + 1
    for outcome in set(outcomes):
        fair = min(outcomes.count(outcome), most // len(set(outcomes)))
        assert counts.get(outcome, 0) >= fair


def test_the_released_arithmetic_stands_beside_the_strict_one():
    asked = [squares.square(n) for n in range(2)]
    x, y = squares.CENTRE
    text = f"[({x}, {y}), (0.9, 0.1)]"  # one of two points is right, and it is the first
    records = [Record("refspatial_bench", "Location", "0", "m", "roborefer", "", text)]
    loaded = Loaded(SETTINGS, tuple(score_items(asked, records)))
    (row,) = both_modes([loaded])
    assert (row.strict, row.n, row.official, row.counted) == (50, 2, 50, 1)
    assert "released script" in page.html([loaded])
    assert both_modes([Loaded(SETTINGS | {"family": "robo_refer"}, loaded.scored)]) == []


def test_published_results_stand_beside_a_run_with_their_source():
    loaded = Loaded(SETTINGS, tuple(score_items([squares.square(n) for n in range(3)], [])))
    rows = beside_published([loaded])
    assert {row.split for row in rows} == {"refspatial_bench/Location"}
    assert [row.percent for row in rows] == sorted((row.percent for row in rows), reverse=True)
    ours = [row for row in rows if row.run is not None]
    assert [(row.percent, row.n, row.source) for row in ours] == [(0, 3, "this run")]
    assert all(row.source and row.protocol for row in rows)
    text = page.html([loaded])
    assert "arXiv:2506.04308" in text
    read(text)


def test_pictures_of_several_splits_are_drawn_together():
    asked = [
        replace(one, item=replace(one.item, picture="p"))
        for one in (squares.square(0), squares.square(1))
    ]
    first, second = score_items([asked[0], replace(asked[1], split="Unseen")], [])
    assert first.picture == second.picture
    alone, other = score_items([squares.square(0), replace(squares.square(0), split="Unseen")], [])
    assert alone.picture != other.picture


def test_too_many_runs_are_refused(runs):
    loaded = load(runs[0])
    with pytest.raises(RoboReferError, match="1 to 6"):
        page.html([loaded] * 7)
