"""Putting objects onto a table: standing, stacked, inside, leaning, below one another."""

from __future__ import annotations

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.assets import Asset
from robo_refer_data.assets.mesh import rotation
from robo_refer_data.scenes import choose
from robo_refer_data.scenes.footprint import Footprint, is_free, is_inside
from robo_refer_data.scenes.layout import PlacedObject, pose

Rng = np.random.Generator
MARGIN_M = 0.008  # kept between footprints
CHANCE_SHARE = 0.12  # of objects that go on, in or under whatever suits, if anything does


class Tabletop:
    """Puts objects onto one table, keeping track of who stands where.

    Args:
        rng: where all choices come from.
        half_x: half extent of the table's top around the origin, metres.
        half_y: the same along y.
        height_m: of the top above the floor.
        focus: (2,) where objects gather, metres.
        spread_m: how far from `focus` they may stand, along both axes or each (2,).
        room_m: free height above the top.
        held: how many things go into one vessel; those above the first must fall into it.
    """

    def __init__(
        self,
        rng: Rng,
        half_x: float,
        half_y: float,
        height_m: float,
        focus: FloatArray,
        spread_m: float | FloatArray,
        room_m: float = np.inf,
        held: int = 1,
    ) -> None:
        self.rng = rng
        self.half_x, self.half_y, self.height_m = half_x, half_y, height_m
        self.focus, self.spread_m = focus, spread_m
        self.room_m, self.held = room_m, held
        self.inside: dict[int, list[float]] = {}  # heights of the things in every vessel
        self.objects: list[PlacedObject] = []
        self.footprints: list[Footprint] = []
        self.used: set[int] = set()  # objects that already carry, hold or lean something

    def place(self, asset: Asset, wish: str = "") -> bool:
        """Put an object down as wished ("on", "in", "leaning", "under"), else on the table."""
        if not wish and self.rng.random() < CHANCE_SHARE:
            wish = ("on", "in", "under")[int(self.rng.integers(3))]
        ways = {
            "on": self._stack,
            "in": self._put_in,
            "leaning": self._lean,
            "under": self._put_under,
        }
        return (wish in ways and ways[wish](asset)) or self._stand(asset)

    def _add(
        self, asset: Asset, rotation_wo: FloatArray, centre: FloatArray, support: int, kind: str
    ) -> None:
        number = len(self.objects) + 1
        self.objects.append(
            PlacedObject(number, asset, pose(rotation_wo, centre), 1.0, support, kind)
        )

    def _stand(self, asset: Asset) -> bool:
        kind = choose.resting_pose(self.rng, asset)
        extents = choose.resting_extents(asset, kind)
        disc = asset.spec.round and kind != "side" and asset.size_m[0] < 1.15 * asset.size_m[1]
        if extents[2] > self.room_m:
            return False
        for _ in range(40):
            x, y = self.focus + self.spread_m * self.rng.uniform(-1, 1, 2)
            yaw = self.rng.uniform(-np.pi, np.pi)
            spot = Footprint(x, y, extents[0] / 2, extents[1] / 2, yaw, disc)
            if self._fits(spot, self.footprints):
                self.footprints.append(spot)
                centre = np.array([x, y, self.height_m + extents[2] / 2])
                self._add(asset, choose.pose_rotation(kind, yaw), centre, 0, "on")
                return True
        return False

    def _fits(self, spot: Footprint, others: list[Footprint]) -> bool:
        on_table = is_inside(spot, self.half_x, self.half_y)
        return on_table and is_free(spot, others, MARGIN_M)

    def _hosts(self, asset: Asset) -> list[PlacedObject]:
        """Return placed upright objects that nothing is on, in or against yet, in random order."""
        hosts = [o for o in self.objects if o.id not in self.used and o.T_world_obj[2, 2] > 0.99]
        order = self.rng.permutation(len(hosts))
        return [hosts[i] for i in order if hosts[i].asset is not asset]

    def _reaches(self, host: PlacedObject, extra_m: float) -> bool:
        """Return whether something of height `extra_m` fits on top of `host`."""
        top = host.T_world_obj[2, 3] + host.size_m[2] / 2
        return bool(top + extra_m <= self.height_m + self.room_m)

    def _stack(self, asset: Asset) -> bool:
        """Stand an object on the flat top of another."""
        kind = choose.resting_pose(self.rng, asset)
        extents = choose.resting_extents(asset, kind)
        for host in self._hosts(asset):
            top = host.asset.shape.flat_top_m
            if top is None or extents[0] > 1.02 * top[0] or extents[1] > 1.02 * top[1]:
                continue
            if (
                host.support_kind != "on"
                or extents[2] > 0.26
                or not self._reaches(host, extents[2])
            ):
                continue
            room = np.maximum(np.array(top) - extents[:2], 0) / 2 * 0.8
            offset = np.array([*(self.rng.uniform(-1, 1, 2) * room), 0.0])
            lift = host.size_m[2] / 2 + extents[2] / 2
            centre = host.T_world_obj[:3, 3] + host.T_world_obj[:3, :3] @ offset + [0, 0, lift]
            yaw = float(np.arctan2(host.T_world_obj[1, 0], host.T_world_obj[0, 0]))
            self.used.add(host.id)
            self._add(asset, choose.pose_rotation(kind, yaw), centre, host.id, "on")
            return True
        return False

    def _put_in(self, asset: Asset) -> bool:
        """Put a small thing into a bowl, or stand a stick in a cup."""
        for host in self._hosts(asset):
            cavity = host.asset.shape.cavity
            if cavity is None:
                continue
            axis = -host.asset.centre_m  # the builder's origin, in the object's frame
            axis_xy = host.T_world_obj[:3, :3] @ np.array([axis[0], axis[1], 0.0])
            floor = host.T_world_obj[:3, 3] + axis_xy + [0, 0, cavity.floor_m - host.size_m[2] / 2]
            below = self.inside.get(host.id, [])
            if asset.spec.stick and cavity.rim_m - cavity.floor_m > 0.06:
                if below or not self._reaches(host, 0.5 * asset.size_m[0]):
                    continue
                self._stick_in(asset, host, floor, cavity.radius_m, cavity.rim_m - cavity.floor_m)
                return True
            reach = 0.5 * float(np.hypot(asset.size_m[0], asset.size_m[1]))
            deep = cavity.rim_m - cavity.floor_m > 0.9 * asset.size_m[2]
            if not asset.spec.small or reach > cavity.radius_m or (deep and cavity.radius_m < 0.05):
                continue
            room = max(cavity.radius_m - reach, 0.0) * 0.6
            shift = self.rng.uniform(-room, room, 2)
            lift = sum(below) + 0.001 + 0.003 * len(below)
            centre = floor + np.array([*shift, asset.size_m[2] / 2 + lift])
            yaw = self.rng.uniform(-np.pi, np.pi)
            self.inside[host.id] = [*below, float(asset.size_m[2])]
            if len(below) + 1 >= self.held:
                self.used.add(host.id)
            self._add(asset, rotation("z", yaw), centre, host.id, "in")
            return True
        return False

    def _stick_in(
        self, asset: Asset, host: PlacedObject, floor: FloatArray, radius: float, depth: float
    ) -> None:
        """Stand a stick in a deep cup, its foot on one side and its shaft on the other's rim."""
        thick = 0.5 * float(asset.size_m[1:].max())
        foot, rim = -0.3 * radius, max(radius - thick, 0.3 * radius)
        tilt = np.arctan2(depth, rim - foot)
        heading = self.rng.uniform(-np.pi, np.pi)
        end_up = -1.0 if asset.spec.name in ("pen", "screwdriver") else 1.0  # tips point down
        along = rotation("z", heading) @ np.array([np.cos(tilt), 0, np.sin(tilt)])
        rotation_wo = rotation("z", heading) @ rotation("y", -tilt)
        if end_up < 0:
            rotation_wo = rotation_wo @ rotation("z", np.pi)
        start = floor + rotation("z", heading) @ np.array([foot, 0, thick * 0.6])
        self.used.add(host.id)
        self._add(asset, rotation_wo, start + along * asset.size_m[0] / 2, host.id, "in")

    def _lean(self, asset: Asset) -> bool:
        """Lean a flat thing against the side of an upright box."""
        if not asset.spec.slab or asset.size_m[2] > 0.045:
            return False
        for host in self._hosts(asset):
            if host.asset.spec.name != "box" or host.support_id != 0:
                continue
            length, thick, height = asset.size_m[0], asset.size_m[2], host.size_m[2]
            # it tips over the edge unless its middle lies below the edge
            steepest = min(np.arcsin(min(height / (0.55 * length), 1.0)), np.radians(72))
            if steepest < np.radians(30):
                continue
            tilt = self.rng.uniform(max(np.radians(30), steepest - 0.4), steepest)
            touches_face = length * np.sin(tilt) <= height
            base = length * np.cos(tilt) if touches_face else height / np.tan(tilt)
            side = int(self.rng.integers(4))
            yaw = (
                float(np.arctan2(host.T_world_obj[1, 0], host.T_world_obj[0, 0])) + side * np.pi / 2
            )
            face = host.size_m[side % 2] / 2 + 0.001
            outward = np.array([np.cos(yaw), np.sin(yaw), 0.0])
            ground = host.T_world_obj[:3, 3] * [1, 1, 0] + [0, 0, self.height_m]
            foot = ground + (face + base) * outward
            up = -np.cos(tilt) * outward + np.array([0, 0, np.sin(tilt)])
            normal = np.sin(tilt) * outward + np.array([0, 0, np.cos(tilt)])
            centre = foot + up * length / 2 + normal * thick / 2
            half = (base + thick * np.sin(tilt)) / 2
            middle = ground + (face + half) * outward
            spot = Footprint(middle[0], middle[1], half, asset.size_m[1] / 2, yaw)
            others = [
                f for k, f in enumerate(self.footprints) if abs(f.x - host.T_world_obj[0, 3]) > 1e-9
            ]
            if not is_inside(spot, self.half_x, self.half_y) or not is_free(spot, others, MARGIN_M):
                continue
            self.footprints.append(spot)
            self.used.add(host.id)
            self._add(
                asset,
                np.stack([up, np.cross(normal, up), normal], axis=1),
                centre,
                host.id,
                "leaning",
            )
            return True
        return False

    def _put_under(self, asset: Asset) -> bool:
        """Stand an object below a bench."""
        kind = choose.resting_pose(self.rng, asset)
        extents = choose.resting_extents(asset, kind)
        for host in self.objects:
            room = host.asset.shape.shelter_m
            if room is None or host.support_id != 0:
                continue
            if extents[0] > 0.9 * room[0] or extents[1] > room[1] or extents[2] > 0.95 * room[2]:
                continue
            if any(self._below(host, other) for other in self.objects if other is not host):
                continue
            slack = 0.45 * (room[0] - extents[0])
            offset = np.array([self.rng.uniform(-slack, slack), 0.0, 0.0])
            yaw = float(np.arctan2(host.T_world_obj[1, 0], host.T_world_obj[0, 0]))
            centre = host.T_world_obj[:3, 3] + host.T_world_obj[:3, :3] @ offset
            centre[2] = self.height_m + extents[2] / 2
            self._add(asset, choose.pose_rotation(kind, yaw), centre, 0, "on")
            return True
        return False

    @staticmethod
    def _below(host: PlacedObject, other: PlacedObject) -> bool:
        """Return whether an object stands under `host`."""
        local = host.T_world_obj[:3, :3].T @ (other.T_world_obj[:3, 3] - host.T_world_obj[:3, 3])
        inside = bool((np.abs(local[:2]) < host.size_m[:2] / 2).all())
        return inside and bool(local[2] < 0)
