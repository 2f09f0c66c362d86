"""Letting a layout come to rest under gravity, and reading from contacts what supports what.

MuJoCo simulates rigid bodies (colliders in `colliders`) from the poses they were put down in.
What has not come to rest within two seconds, or has fallen off, is taken out. On one machine the
same layout always settles in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import missing_package
from robo_refer.types import FloatArray
from robo_refer_data.scenes.colliders import Box, Collider, asset_colliders, mesh_colliders
from robo_refer_data.scenes.layout import Layout, PlacedObject, pose

try:
    import mujoco
except ImportError as error:
    raise missing_package("mujoco", "physics") from error

STEP_S = 0.004
LONGEST_S = 2.0
FREE_S = 0.5  # after which motion is damped, so that what rolls comes to rest
DAMPING = 0.9  # of velocities, per step
LOOK_STEPS = 20  # between looks at what moves
AT_REST_M = 0.0003  # what no part moves further than between two looks is at rest
MOVING_M = 0.0015  # what moves further in the end is taken out
FALL_M = 0.12  # what sank further fell off or tipped over an edge
PENETRATION_M = 0.002  # what overlaps by more than this is taken out
DENSITY = 400.0  # kg/m^3
# Stiff and rough, and what rolls or spins is slowed a little: small things come to rest.
CONTACT = {
    "friction": [0.9, 0.005, 0.0005],
    "condim": 6,
    "density": DENSITY,
    "solref": [2 * STEP_S, 1.0],
    "solimp": [0.95, 0.99, 0.0005, 0.5, 2.0],
}
CARRIED_SHARE = 0.8  # of an object's weight that what it stands on carries


@dataclass(frozen=True)
class Settled:
    """A layout at rest.

    Attributes:
        layout: with the poses, and the supports, after settling.
        taken_out: how many objects fell off or did not come to rest.
        deepest_m: the deepest overlap of two colliders.
        moving_m: how far the least calm part of an object still moved in the last 80 ms.
    """

    layout: Layout
    taken_out: int
    deepest_m: float
    moving_m: float


def settle(layout: Layout) -> Settled:
    """Return `layout` at rest; objects keep their order and are numbered anew."""
    taken_out = 0
    while True:
        world = _World(layout)
        world.run()
        lost = world.lost()
        if not lost:
            objects = [world.at_rest(index) for index in range(len(layout.objects))]
            at_rest = replace(layout, objects=objects)
            return Settled(
                at_rest, taken_out, world.deepest_m(), float(world.moving_m.max(initial=0.0))
            )
        taken_out += len(lost)
        kept = [world.moved(k) for k in range(len(layout.objects)) if k not in lost]
        layout = replace(layout, objects=_renumbered(kept))


def _renumbered(objects: list[PlacedObject]) -> list[PlacedObject]:
    number = {placed.id: index + 1 for index, placed in enumerate(objects)}
    return [
        replace(placed, id=number[placed.id], support_id=number.get(placed.support_id, 0))
        for placed in objects
    ]


class _World:
    """One simulation. Body k + 1 is object k; body 0 is everything that does not move."""

    def __init__(self, layout: Layout) -> None:
        self.objects = layout.objects
        spec = mujoco.MjSpec()
        spec.option.timestep = STEP_S
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        spec.option.noslip_iterations = 3
        spec.option.impratio = 5
        for number, prop in enumerate(layout.props):
            transform = np.eye(4) if prop.T_world_prop is None else prop.T_world_prop
            _add(spec, spec.worldbody, mesh_colliders(prop.mesh), transform, f"prop{number}")
        for placed in layout.objects:
            body = spec.worldbody.add_body(
                pos=placed.T_world_obj[:3, 3], quat=_quaternion(placed.T_world_obj[:3, :3])
            )
            body.add_freejoint()
            colliders = asset_colliders(placed.asset)
            _add(spec, body, colliders, np.eye(4), f"object{placed.id}")
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self.body = self.model.geom_bodyid
        self.moving_m: FloatArray = np.zeros(len(self.objects))

    def run(self) -> None:
        """Simulate until everything rests, or for the longest time."""
        for step in range(int(LONGEST_S / STEP_S)):
            if step % LOOK_STEPS == 0:
                before = self.data.qpos.copy()
            mujoco.mj_step(self.model, self.data)
            if step * STEP_S > FREE_S:
                self.data.qvel *= DAMPING
            if step % LOOK_STEPS == LOOK_STEPS - 1:
                self.moving_m = self._shifts(before)
                if self.moving_m.max(initial=0.0) < AT_REST_M or self._fallen().any():
                    break
        mujoco.mj_forward(self.model, self.data)

    def _shifts(self, before: NDArray[np.float64]) -> FloatArray:
        """Return (objects,) how far a part of each moved since `before`, metres."""
        then, now = before.reshape(-1, 7), self.data.qpos.reshape(-1, 7)
        way = np.sqrt(((now[:, :3] - then[:, :3]) ** 2).sum(axis=1))
        turned = np.abs((now[:, 3:] * then[:, 3:]).sum(axis=1))
        half_diagonals = [0.5 * np.sqrt((placed.size_m**2).sum()) for placed in self.objects]
        return np.asarray(way + 2 * np.arccos(np.minimum(turned, 1.0)) * half_diagonals)

    def deepest_m(self) -> float:
        """Return the deepest overlap of two colliders, metres."""
        return float(-np.minimum(self.data.contact.dist, 0.0).min(initial=0.0))

    def lost(self) -> set[int]:
        """Return the objects to take out: they fell, still move, or overlap too much."""
        fallen = self._fallen()
        # while something falls others may move: they get another run
        gone = fallen if fallen.any() else self.moving_m > MOVING_M
        lost = {int(k) for k in np.flatnonzero(gone)}
        for contact in self.data.contact:
            if contact.dist < -PENETRATION_M:
                lost.add(int(max(self.body[contact.geom1], self.body[contact.geom2])) - 1)
        return lost

    def _fallen(self) -> NDArray[np.bool_]:
        start = np.array([placed.T_world_obj[2, 3] for placed in self.objects])
        return np.asarray(start - self.data.xpos[1:, 2] > FALL_M)

    def moved(self, index: int) -> PlacedObject:
        """Return an object where it is now."""
        rotation = self.data.xmat[index + 1].reshape(3, 3).copy()
        transform = pose(rotation, self.data.xpos[index + 1])
        return replace(self.objects[index], T_world_obj=transform)

    def at_rest(self, index: int) -> PlacedObject:
        """Return an object where it came to rest, with what supports it."""
        support, kind = self._support(index)
        return replace(self.moved(index), support_id=support, support_kind=kind)

    def _support(self, index: int) -> tuple[int, str]:
        """Return the id of what carries an object, and how ("on", "in", "leaning")."""
        for host, placed in enumerate(self.objects):
            if host != index and placed.asset.shape.cavity is not None and self._holds(host, index):
                return host + 1, "in"
        lifts = self._lifts(index)
        if not len(lifts):
            return 0, "on"
        carrier = int(lifts.argmax())
        if lifts[carrier] >= CARRIED_SHARE * lifts.sum():
            return carrier, "on"
        # two carry it: it leans against the object among them that carries most
        lifts[0] = 0
        return int(lifts.argmax()), "leaning"

    def _lifts(self, index: int) -> FloatArray:
        """Return (bodies,) how much of an object's weight each body carries, newtons."""
        lifts = np.zeros(len(self.objects) + 1)
        force: NDArray[np.float64] = np.zeros(6)
        for number, contact in enumerate(self.data.contact):
            first, second = self.body[contact.geom1], self.body[contact.geom2]
            if index + 1 not in (first, second):
                continue
            mujoco.mj_contactForce(self.model, self.data, number, force)
            frame = contact.frame.reshape(3, 3)  # rows: the normal from first to second, tangents
            upward = float(force[:3] @ frame[:, 2]) * (1 if second == index + 1 else -1)
            lifts[first if second == index + 1 else second] += max(upward, 0.0)
        return lifts

    def _holds(self, host: int, guest: int) -> bool:
        """Return whether a vessel is upright and has the guest's lowest part inside."""
        placed, cavity = self.objects[host], self.objects[host].asset.shape.cavity
        assert cavity is not None
        rotation = self.data.xmat[host + 1].reshape(3, 3)
        if rotation[2, 2] < 0.9:
            return False
        local = rotation.T @ (self._corners(guest) - self.data.xpos[host + 1]).T
        x, y = local[:2] + placed.asset.centre_m[:2, None]
        z = local[2] + placed.size_m[2] / 2
        low = z.argsort()[:4]  # the corners of the box's lower side
        centre = np.hypot(x[low].mean(), y[low].mean())
        reach = 0.5 * float(placed.size_m[:2].min())
        return bool(centre < reach and 0.0 < z[low].mean() < cavity.rim_m)

    def _corners(self, index: int) -> FloatArray:
        half = self.objects[index].size_m / 2
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        rotation = self.data.xmat[index + 1].reshape(3, 3)
        return np.asarray((signs * half) @ rotation.T + self.data.xpos[index + 1])


def _add(spec: Any, body: Any, colliders: list[Collider], T_body: FloatArray, name: str) -> None:
    """Add colliders to a body, displaced by `T_body`."""
    quaternion = _quaternion(T_body[:3, :3])
    for number, collider in enumerate(colliders):
        if isinstance(collider, Box):
            body.add_geom(
                type=mujoco.mjtGeom.mjGEOM_BOX, size=collider.half, quat=quaternion,
                pos=T_body[:3, :3] @ collider.centre + T_body[:3, 3], **CONTACT,
            )  # fmt: skip
            continue
        mesh = f"{name}-{number}"
        spec.add_mesh(name=mesh, uservert=collider.points.ravel())
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh, quat=quaternion,
            pos=T_body[:3, 3], **CONTACT,
        )  # fmt: skip


def _quaternion(rotation: FloatArray) -> FloatArray:
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(rotation, dtype=float).ravel())
    return quaternion
