"""Which objects a scene holds: names, colours, materials, resting poses."""

from __future__ import annotations

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.assets import Asset, AssetSpec, build_asset
from robo_refer_data.assets.library import Library
from robo_refer_data.assets.mesh import rotation

Rng = np.random.Generator
REPEAT_SHARE = 0.1  # of objects that copy a name already there, in another colour
ARRANGEMENT_SHARES = {"on": 0.45, "in": 0.45, "leaning": 0.2, "under": 0.12}  # of scenes
HOSTS = {
    "on": ("book", "book", "box", "box", "shelf"),
    "in": ("bowl", "bowl", "basket", "basket", "plate", "tray", "cup", "mug"),
    "leaning": ("box",),
    "under": ("shelf",),
}
SHARED_SHARE = 0.5  # of objects that take a colour already there, if they come in it


def pick_specs(rng: Rng, library: Library, count: int) -> list[AssetSpec]:
    """Return kinds of `count` objects; some appear several times."""
    edges = np.cumsum([spec.weight for spec in library.specs])
    chosen: list[AssetSpec] = []
    for _ in range(count):
        if chosen and rng.random() < REPEAT_SHARE:
            chosen.append(chosen[int(rng.integers(len(chosen)))])
        else:
            chosen.append(library.specs[int(np.searchsorted(edges, rng.uniform(0, edges[-1])))])
    return chosen


def pick_arrangements(rng: Rng, library: Library) -> list[tuple[AssetSpec, AssetSpec, str]]:
    """Return (host, guest, "on" | "in" | "leaning" | "under") to set up."""
    wishes = []
    for kind, share in ARRANGEMENT_SHARES.items():
        if rng.random() < share:
            hosts = [spec for name in HOSTS[kind] for spec in library.named(name)]
            if not hosts:
                continue
            host = hosts[int(rng.integers(len(hosts)))]
            guests = [spec for spec in library.specs if _suits(kind, host.name, spec)]
            if guests:
                wishes.append((host, guests[int(rng.integers(len(guests)))], kind))
    return wishes


def _suits(kind: str, host: str, spec: AssetSpec) -> bool:
    """Return whether things of this kind are put on, in, against or under `host`."""
    if kind == "in":
        return spec.stick if host in ("cup", "mug") else spec.small
    if kind == "leaning":
        return spec.slab
    return spec.name not in ("shelf", "laptop", "keyboard", "tray", "basket", "lamp", host)


def pick_colour(rng: Rng, spec: AssetSpec, taken: list[tuple[str, str]]) -> str:
    """Return a colour word for `spec`, given the (name, colour) pairs already in the scene.

    Another object of the same name mostly has another colour, and colours are often shared
    between names: so neither word alone tells what is meant.
    """
    own = {colour for name, colour in taken if name == spec.name}
    fresh = [colour for colour in spec.colours if colour not in own]
    options = fresh if fresh and rng.random() < 0.92 else list(spec.colours)
    shared = [colour for colour in options if any(colour == other for _, other in taken)]
    if shared and rng.random() < SHARED_SHARE:
        options = shared
    return options[int(rng.integers(len(options)))]


def make(rng: Rng, spec: AssetSpec, taken: list[tuple[str, str]]) -> Asset:
    """Build an object of a kind and note its name and colour in `taken`."""
    colour = pick_colour(rng, spec, taken)
    material = spec.materials[int(rng.integers(len(spec.materials)))]
    taken.append((spec.name, colour))
    return build_asset(spec, rng, colour, material)


def resting_pose(rng: Rng, asset: Asset) -> str:
    """Return one of the asset's resting poses."""
    left = rng.random()
    for kind, share in asset.spec.poses.items():
        left -= share
        if left < 0:
            return kind
    return next(iter(asset.spec.poses))


def pose_rotation(kind: str, yaw_rad: float) -> FloatArray:
    """Return the 3x3 rotation of a resting pose, turned by a yaw about the vertical."""
    lie = {"upright": 0.0, "side": np.pi / 2, "flip": np.pi}[kind]
    return rotation("z", yaw_rad) @ rotation("x", lie)


def resting_extents(asset: Asset, kind: str) -> FloatArray:
    """Return (3,) extents along x, y, z of the asset in a resting pose before its yaw, metres."""
    x, y, z = asset.size_m
    return np.array([x, z, y]) if kind == "side" else np.array([x, y, z])
