"""What a world is, and what all furnished worlds share: supports, filling them, a camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from robo_refer.types import CameraModel, FloatArray
from robo_refer_data.assets import Asset
from robo_refer_data.assets.library import Library
from robo_refer_data.assets.mesh import Mesh, box
from robo_refer_data.assets.palette import Surface
from robo_refer_data.scenes import choose
from robo_refer_data.scenes.footprint import Footprint
from robo_refer_data.scenes.layout import Layout, PlacedObject, Prop, camera_at
from robo_refer_data.scenes.placing import Tabletop

Rng = np.random.Generator
TRIES = 3  # layouts drawn until one holds as many objects as asked for
HELD = 3  # things that are dropped into one vessel
FREE_SHARE = 2.8  # area that objects are spread over, relative to their footprints


@dataclass(frozen=True)
class World:
    """A kind of place.

    Attributes:
        compose: (rng, library, (fewest, most) objects, width, height) -> Layout; the furniture
            stands against a wall, y = 0, and the camera looks from the side of negative y.
        physics: whether objects are put down roughly and must settle.
        capacity_m2: the least area that its supports offer.
        span_m: the longest side of an object that has a place there.
    """

    compose: Callable[[Rng, Library, tuple[int, int], int, int], Layout]
    physics: bool
    capacity_m2: float
    span_m: float


@dataclass(frozen=True)
class Support:
    """A level rectangle that things are put on.

    Attributes:
        centre_m: (3,) the middle of its top, world frame.
        half_m: (x, y) half extents.
        room_m: free height above.
        focus_m: (x, y) where objects gather, from its middle.
        blocked: what stands there already, in coordinates from its middle.
    """

    centre_m: tuple[float, float, float]
    half_m: tuple[float, float]
    room_m: float = 2.0
    focus_m: tuple[float, float] = (0.0, 0.0)
    blocked: tuple[Footprint, ...] = ()


def made_assets(rng: Rng, library: Library, objects: tuple[int, int]) -> list[tuple[Asset, str]]:
    """Return built objects, each with how it is to be put down ("" for anyhow)."""
    count = int(rng.integers(objects[0], objects[1] + 1))
    taken: list[tuple[str, str]] = []
    arrangements = choose.pick_arrangements(rng, library)[: count // 2]
    wanted = [(host, "") for host, _, _ in arrangements]
    wanted += [(guest, kind) for _, guest, kind in arrangements]
    more = choose.pick_specs(rng, library, count - len(wanted))
    wanted += [(spec, "in" if spec.small and rng.random() < 0.4 else "") for spec in more]
    return [(choose.make(rng, spec, taken), wish) for spec, wish in wanted]


def spread_m(assets: Sequence[tuple[Asset, str]]) -> float:
    """Return half the side of the square that these objects are spread over, metres."""
    area = sum(float(asset.size_m[0] * asset.size_m[1]) for asset, _ in assets)
    return max(0.14 + 0.017 * len(assets), 0.5 * float(np.sqrt(FREE_SHARE * area)))


def fill(
    rng: Rng,
    assets: Sequence[tuple[Asset, str]],
    supports: Sequence[Support],
    spread: float,
) -> list[PlacedObject]:
    """Return the objects put down on the supports, the larger ones getting more of them.

    Several tries are made; the first that places all, else the one that places most, counts.
    """
    best: list[PlacedObject] = []
    for _ in range(TRIES):
        placed = _filled(rng, assets, supports, spread)
        best = max(best, placed, key=len)
        if len(best) == len(assets):
            break
    return best


def _filled(
    rng: Rng, assets: Sequence[tuple[Asset, str]], supports: Sequence[Support], spread: float
) -> list[PlacedObject]:
    tops = []
    for support in supports:
        reach = np.minimum(spread, support.half_m)
        focus = np.array(support.focus_m)
        top = Tabletop(rng, *support.half_m, 0.0, focus, reach, support.room_m, HELD)
        top.footprints += support.blocked
        tops.append(top)
    areas = np.array([support.half_m[0] * support.half_m[1] for support in supports])
    for asset, wish in assets:
        # a guest goes to where a host may be: the supports are tried in random order
        order = rng.permutation(len(tops)) if wish else _weighted_order(rng, areas)
        any(tops[k].place(asset, wish) for k in order)
    objects: list[PlacedObject] = []
    for top, support in zip(tops, supports, strict=True):
        first = len(objects)
        for item in top.objects:
            T_world_obj = item.T_world_obj.copy()
            T_world_obj[:3, 3] += support.centre_m
            host = item.support_id + first if item.support_id else 0
            moved = replace(item, id=item.id + first, T_world_obj=T_world_obj, support_id=host)
            objects.append(moved)
    return objects


def _weighted_order(rng: Rng, weights: FloatArray) -> list[int]:
    return [int(k) for k in np.argsort(rng.exponential(size=len(weights)) / weights)]


def view(
    rng: Rng,
    target: Sequence[float],
    reach: float,
    azimuth_deg: tuple[float, float],
    pitch_deg: tuple[float, float],
    width: int,
    height: int,
) -> CameraModel:
    """Return a camera that looks at `target` from afar enough to see `reach` metres around it.

    Args:
        rng: where all choices come from.
        target: (3,) world frame, metres.
        reach: metres to the left and right of the target that are seen.
        azimuth_deg: range of the heading to the right of the y axis.
        pitch_deg: range of the angle by which it looks down.
        width: of the image, pixels.
        height: of the image, pixels.
    """
    yaw, pitch = np.radians(rng.uniform(*azimuth_deg)), np.radians(rng.uniform(*pitch_deg))
    hfov, roll = np.radians(rng.uniform(48, 72)), np.radians(rng.uniform(-6, 6))
    forward = np.array([np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), -np.sin(pitch)])
    distance = max(reach / np.tan(hfov / 2) * rng.uniform(1.0, 1.25) + 0.3 * reach, 0.4)
    shift = reach * rng.uniform(-0.1, 0.1, 3)
    return camera_at(np.add(target, shift) - distance * forward, forward, roll, hfov, width, height)


def slab(
    size: Sequence[float] | FloatArray,
    foot: Sequence[float],
    surface: Surface,
    is_surface: bool = False,
) -> Prop:
    """Return a box of `size` (3,) whose bottom centre lies at `foot`, world frame, metres.

    Its texture is centred on it.
    """
    T_world_prop = np.eye(4)
    T_world_prop[:3, 3] = foot
    mesh: Mesh = box([float(extent) for extent in size])
    return Prop(mesh, surface, T_world_prop, is_surface)


def rectangle(support: Support) -> FloatArray:
    """Return the outline (4, 3) of a support's top, world frame."""
    x, y = support.half_m
    corners = np.array([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]])
    return np.asarray(corners + support.centre_m)
