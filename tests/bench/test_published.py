from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.errors import RoboReferError
from robo_refer_bench import cli
from robo_refer_bench.power import power
from robo_refer_bench.published import published
from robo_refer_bench.suites import SUITES


def test_every_number_has_a_source_and_belongs_to_a_suite():
    rows = published()
    assert len(rows) > 200
    for row in rows:
        assert 0 < row.percent <= 100
        assert row.source
        assert row.protocol
        assert row.split in (*SUITES[row.suite].splits, "mean")


def test_the_headline_numbers(capsys):
    cli.main(["published", "refspatial_bench", "--json"])
    rows = json.loads(capsys.readouterr().out)
    (row,) = [r for r in rows if r["model"] == "RoboRefer-2B-RFT" and r["split"] == "Unseen"]
    assert row["percent"] == 41.56  # 32 of 77
    assert (row["n"], row["low"], row["high"]) == (77, 31.2, 52.7)


def test_a_hundred_items_do_not_tell_the_paper_s_models_apart():
    """RFT against SFT of the 2B model: +5, +6 and +7.79 points on 100, 100 and 77 items."""
    for n, share, difference in ((100, 0.5, 0.05), (100, 0.5, 0.06), (77, 0.4, 0.0779)):
        assert power(n, share).unpaired > 2 * difference
        assert power(n, share).paired > difference
    assert power(2000, 0.5).paired < 0.04


@given(st.integers(1, 10_000), st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_more_items_show_more(n, share, disagreement):
    few, many = power(n, share, disagreement), power(4 * n, share, disagreement)
    assert many.unpaired == pytest.approx(few.unpaired / 2)
    assert many.paired <= few.paired <= disagreement
    assert many.high - many.low <= few.high - few.low + 1e-9


def test_impossible_numbers():
    with pytest.raises(RoboReferError, match="not items and shares"):
        power(0, 0.5)
    with pytest.raises(RoboReferError):
        power(100, 1.5)
