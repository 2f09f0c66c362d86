"""Items by picture, and whose depth is shown with each: its own, none, or that of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Frame
from robo_refer_bench.asking import Work
from robo_refer_bench.clients.base import Asked

DepthChoice = Literal["own", "none", "shuffled"]

Picture = Sequence[Asked]


def by_picture(asked: Sequence[Asked]) -> list[list[Asked]]:
    """Return the items of every picture together, in the order in which pictures first appear."""
    pictures: dict[tuple[str, str, str], list[Asked]] = {}
    for one in asked:
        name = one.item.picture or one.item.id
        pictures.setdefault((one.suite, one.split, name), []).append(one)
    return list(pictures.values())


def work(asked: Sequence[Asked], depth: DepthChoice, limit: int | None = None) -> list[Work]:
    """Return what is to be asked, picture by picture.

    Args:
        asked: all items.
        depth: whose depth is shown. "shuffled" goes round: every picture gets that of the one
            before it among those of its split, half and size (the first that of the last),
            whatever the limit, so that a shorter run is the beginning of a longer one.
        limit: how many items of every split at most, None for all.

    Raises:
        RoboReferError: BAD_REQUEST when nothing is left to ask. Asking raises it for a picture
            that no other has the size of.
    """
    if limit is not None and limit < 1:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"The limit is {limit} questions.", "Ask at least one."
        )
    pictures = by_picture(asked)
    chosen = set(map(id, asked if limit is None else first_of_every_split(asked, limit)))
    found: list[Work] = []
    for picture, load in zip(pictures, _loaders(pictures, depth), strict=True):
        if items := tuple(one for one in picture if id(one) in chosen):
            found.append(Work(items, load))
    if not found:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, "There are no questions to ask.", "Choose other data."
        )
    return found


def first_of_every_split(asked: Sequence[Asked], limit: int) -> list[Asked]:
    """Return the first `limit` items of every split."""
    splits: dict[tuple[str, str], list[Asked]] = {}
    for one in asked:
        splits.setdefault((one.suite, one.split), []).append(one)
    return [one for items in splits.values() for one in items[:limit]]


def _loaders(pictures: Sequence[Picture], depth: DepthChoice) -> list[Callable[[], Frame]]:
    own = [picture[0].item.frame for picture in pictures]
    if depth == "own":
        return list(own)
    if depth == "none":
        return [partial(_without_depth, load) for load in own]
    rounds: dict[tuple[str, str, str], list[int]] = {}
    for place, picture in enumerate(pictures):
        first = picture[0]
        half = str(first.item.tags.get("half", ""))
        rounds.setdefault((first.suite, first.split, half), []).append(place)
    loaders = list(own)
    for places in rounds.values():
        for order in range(len(places)):
            loaders[places[order]] = partial(_with_other_depth, own, places, order)
    return loaders


def _without_depth(load: Callable[[], Frame]) -> Frame:
    return replace(load(), depth_m=None)


def _with_other_depth(
    loaders: Sequence[Callable[[], Frame]], places: Sequence[int], order: int
) -> Frame:
    """Return the frame at `places[order]` with the depth of the nearest one before it that fits."""
    frame = loaders[places[order]]()
    for back in range(1, len(places)):
        depth_m = loaders[places[order - back]]().depth_m
        if depth_m is not None and depth_m.shape == frame.rgb.shape[:2]:
            return replace(frame, depth_m=depth_m)
    raise RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"No other {frame.width}x{frame.height} picture has depth that this one could be given.",
        "Shuffle depth on data with more scenes.",
    )
