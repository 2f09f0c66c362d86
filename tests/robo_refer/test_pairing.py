"""Colour and depth of one moment."""

from __future__ import annotations

import numpy as np
import pytest

from robo_refer.pairing import Pairing

MS = 10**6


def test_of_one_moment_whichever_comes_first() -> None:
    pairing: Pairing[str] = Pairing(0.02, 10)
    pairing.add_depth(100 * MS, "depth")
    assert pairing.newest is None
    pairing.add_colour(100 * MS, "colour")
    assert pairing.newest is not None
    assert (pairing.newest.colour.image, pairing.newest.depth.image) == ("colour", "depth")
    pairing.add_colour(133 * MS, "next colour")
    assert pairing.newest.colour.image == "colour"
    pairing.add_depth(133 * MS, "next depth")
    assert pairing.newest.depth.image == "next depth"
    assert pairing.count == 2


def test_the_closest_wins() -> None:
    pairing: Pairing[str] = Pairing(0.02, 10)
    pairing.add_colour(100 * MS, "colour")
    for stamp, name in ((85, "far"), (103, "near"), (95, "farther")):
        pairing.add_depth(stamp * MS, name)
    assert pairing.newest is not None
    assert pairing.newest.depth.image == "near"
    assert pairing.count == 1


def test_moments_never_mix() -> None:
    pairing: Pairing[str] = Pairing(0.02, 10)
    pairing.add_colour(100 * MS, "colour")
    pairing.add_depth(121 * MS, "depth")
    assert pairing.newest is None
    assert pairing.smallest_gap_s == pytest.approx(0.021)


def test_an_image_of_the_future_does_not_hide_those_that_follow() -> None:
    pairing: Pairing[str] = Pairing(0.02, 10)
    for stamp, name in ((5_000, "future"), (100, "now"), (133, "next")):
        pairing.add_colour(stamp * MS, name)
        pairing.add_depth(stamp * MS, name)
        assert pairing.newest is not None
        assert pairing.newest.colour.image == name


@pytest.mark.parametrize("seed", range(10))
def test_two_streams_out_of_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairing: Pairing[int] = Pairing(0.012, 8)
    events = [(n, kind) for n in range(60) for kind in ("colour", "depth")]
    order = np.argsort([n + rng.uniform(0, 3) for n, _ in events])
    newest = -1
    for place in order:
        n, kind = events[place]
        if kind == "colour":
            pairing.add_colour(n * 33 * MS, n)
        else:
            pairing.add_depth((n * 33 + 4) * MS, n)
        if pairing.newest is not None:
            assert pairing.newest.colour.image == pairing.newest.depth.image
            assert pairing.newest.colour.image >= newest
            newest = pairing.newest.colour.image
    assert newest == 59
