"""`Facts`: the numbers about the objects of one scene that all relations are decided on."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray
from robo_refer_data.observation import Observation

IntArray = NDArray[np.intp]

LEVEL = 0.7
"""Of a front that points along the ground: the share of it that is horizontal."""

# Corners, face centres and centre of a box, in units of its half extents.
_BOX_PROBES = np.array(
    [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    + [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1], [0, 0, 0]],
    dtype=float,
)


SAME_LEVEL_M = 0.03  # what is higher stands on something else, such as a riser on a desk


def rows_and_columns(flat: IntArray, width: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the rows and columns of indices into a flattened image; much faster than divmod."""
    places = flat.astype(np.int32)
    rows = places // np.int32(width)
    return rows, places - rows * np.int32(width)


class Facts:
    """Per-object arrays of a scene, all in the order of `observation.objects`.

    Attributes:
        ids, names, colours, materials: as in `ObjectTruth`.
        u, v: centroid of the visible pixels, normalised to [0, 1], x right and y down.
        area: visible pixels over the pixels of the image.
        depth: median z of the visible pixels in the camera frame, metres.
        unlisted_u: centroids (x, normalised) of visible things too small to be referred to.
    """

    def __init__(self, observation: Observation) -> None:
        objects = observation.objects
        self.observation = observation
        self.n = len(objects)
        self.ids = [int(item.id) for item in objects]
        self.names = [item.name for item in objects]
        self.colours = [item.colour for item in objects]
        self.materials = [item.material for item in objects]
        self.index_of = {id_: index for index, id_ in enumerate(self.ids)}
        self.depth = np.array([item.depth_m for item in objects], dtype=float)
        self._measure_pixels(observation.instance)

    def _measure_pixels(self, instance: NDArray[np.int32]) -> None:
        height, width = instance.shape
        labels = instance.ravel()
        flat = np.flatnonzero(labels != 0)  # several times faster than finding rows and columns
        labels = labels[flat]
        rows, columns = rows_and_columns(flat, width)
        length = max(int(labels.max(initial=0)), max(self.ids, default=0)) + 1
        count = np.bincount(labels, minlength=length)
        safe = np.maximum(count, 1)
        mean_u = (np.bincount(labels, weights=columns, minlength=length) / safe + 0.5) / width
        mean_v = (np.bincount(labels, weights=rows, minlength=length) / safe + 0.5) / height
        listed = np.array(self.ids, dtype=int)
        self.u, self.v = mean_u[listed], mean_v[listed]
        self.area = count[listed] / (height * width)
        present = np.flatnonzero(count)
        self.unlisted_ids = np.setdiff1d(present, listed)
        self.unlisted_u = mean_u[self.unlisted_ids]

    @cached_property
    def T_cam_world(self) -> FloatArray:
        """World to camera, 4x4."""
        pose = self.observation.camera.T_world_cam
        if pose is None:
            raise ValueError("An observation must carry the pose of its camera.")
        return np.linalg.inv(pose)

    @cached_property
    def visible_cam(self) -> FloatArray:
        """(n, 3) centroid of the visible pixels at the median depth, camera frame, metres."""
        camera = self.observation.camera
        u_px = self.u * camera.width - 0.5
        v_px = self.v * camera.height - 0.5
        x = (u_px - camera.cx) / camera.fx * self.depth
        y = (v_px - camera.cy) / camera.fy * self.depth
        return np.stack([x, y, self.depth], axis=1)

    @cached_property
    def poses(self) -> FloatArray:
        """(n, 4, 4) poses of the box centres, world frame."""
        return np.array([item.T_world_obj for item in self.observation.objects]).reshape(-1, 4, 4)

    @cached_property
    def sizes(self) -> FloatArray:
        """(n, 3) box extents along the objects' own axes, metres."""
        return np.array([item.size_m for item in self.observation.objects]).reshape(-1, 3)

    @cached_property
    def centre_world(self) -> FloatArray:
        """(n, 3) box centres, world frame, metres."""
        return self.poses[:, :3, 3]

    @cached_property
    def distance(self) -> FloatArray:
        """(n, n) distances between box centres, metres."""
        difference = self.centre_world[:, None] - self.centre_world[None]
        distance: FloatArray = np.sqrt((difference**2).sum(-1))
        return distance

    @cached_property
    def image_distance(self) -> FloatArray:
        """(n, n) distances between centroids in the image, in image widths."""
        aspect = self.observation.camera.height / self.observation.camera.width
        u, v = self.u, self.v * aspect
        distance: FloatArray = np.hypot(u[None] - u[:, None], v[None] - v[:, None])
        return distance

    @cached_property
    def box_points(self) -> FloatArray:
        """(n, 15, 3) corners, face centres and centre of every box, world frame, metres."""
        local = _BOX_PROBES[None] * (self.sizes / 2)[:, None]
        rotated: FloatArray = np.einsum("nij,nkj->nki", self.poses[:, :3, :3], local)
        rotated += self.centre_world[:, None]
        return rotated

    @cached_property
    def gap(self) -> FloatArray:
        """(n, n) approximate distance between the boxes' surfaces, metres; 0 where they meet.

        The nearest of 15 points of one box to the other box, taken both ways.
        """
        relative = self.box_points[:, :, None] - self.centre_world[None, None]
        local = np.einsum("akbi,bij->akbj", relative, self.poses[:, :3, :3])
        outside = np.maximum(np.abs(local) - (self.sizes / 2)[None, None], 0.0)
        one_way = np.sqrt((outside**2).sum(-1)).min(axis=1)
        either: FloatArray = np.minimum(one_way, one_way.T)
        return either

    @cached_property
    def heights(self) -> list[float]:
        """Vertical extent of the boxes in the world, metres."""
        z = self.box_points[:, :8, 2]
        return [float(value) for value in z.max(axis=1) - z.min(axis=1)]

    @cached_property
    def bottoms(self) -> FloatArray:
        """Lowest z of the boxes in the world, metres."""
        lowest: FloatArray = self.box_points[:, :8, 2].min(axis=1)
        return lowest

    @cached_property
    def tops(self) -> FloatArray:
        """Highest z of the boxes in the world, metres."""
        highest: FloatArray = self.box_points[:, :8, 2].max(axis=1)
        return highest

    @cached_property
    def widths(self) -> FloatArray:
        """Extent of the boxes along the camera's x axis, metres."""
        across = self.box_points[:, :8] @ self.T_cam_world[0, :3]
        width: FloatArray = across.max(axis=1) - across.min(axis=1)
        return width

    @cached_property
    def ground_axes(self) -> FloatArray:
        """(2, 2) rows: right and forward of the camera on the ground, in world x and y."""
        return np.stack([self.right_world[:2], self.forward_world[:2]])

    @cached_property
    def footprints(self) -> list[NDArray[np.float32]]:
        """Convex footprint of every object, (k, 2) right and forward in metres."""
        corners = (self.box_points[:, :8, :2] @ self.ground_axes.T).astype(np.float32)
        return [cv2.convexHull(points)[:, 0] for points in corners]

    @cached_property
    def overlap(self) -> FloatArray:
        """(n, n) area in which two footprints overlap over the smaller one's area, 0 to 1."""
        outlines = self.footprints
        areas = [max(cv2.contourArea(outline), 1e-9) for outline in outlines]
        share = np.zeros((self.n, self.n))
        for a in range(self.n):
            for b in range(a):
                common = cv2.intersectConvexConvex(outlines[a], outlines[b])[0]
                share[a, b] = share[b, a] = min(common / min(areas[a], areas[b]), 1.0)
        return share

    @cached_property
    def middle_outside(self) -> FloatArray:
        """(n, n) how far the subject's box centre lies outside the reference's box, metres."""
        offset = self.centre_world[:, None] - self.centre_world[None]
        local = np.einsum("abi,bij->abj", offset, self.poses[:, :3, :3])
        beyond = np.maximum(np.abs(local) - (self.sizes / 2)[None], 0.0)
        distance: FloatArray = np.sqrt((beyond**2).sum(-1))
        return distance

    def supported(self, kind: str) -> NDArray[np.bool_]:
        """Return (n, n): whether the reference supports the subject in this way."""
        held = np.zeros((self.n, self.n), bool)
        for index, item in enumerate(self.observation.objects):
            support = self.index_of.get(item.support_id)
            if support is not None and item.support_kind == kind:
                held[index, support] = True
        return held

    @cached_property
    def on_table(self) -> NDArray[np.bool_]:
        """Which objects stand on the main support itself."""
        objects, outline = self.observation.objects, self.observation.table_outline
        stands = np.array([o.support_id == 0 and o.support_kind == "on" for o in objects], bool)
        if outline is None or not len(objects):
            return stands
        return stands & (np.abs(self.bottoms - outline[:, 2].mean()) < SAME_LEVEL_M)

    @cached_property
    def fronts_world(self) -> FloatArray:
        """(n, 3) unit vectors of the objects' fronts, world frame; NaN for things without one."""
        fronts = np.full((self.n, 3), np.nan)
        for index, item in enumerate(self.observation.objects):
            if item.front_obj is not None:
                fronts[index] = self.poses[index, :3, :3] @ np.asarray(item.front_obj)
        return fronts

    def front_cam(self, index: int) -> tuple[float, float, float]:
        """Return where an object's front points, a unit vector in the camera frame.

        The object must have one.
        """
        assert self.observation.objects[index].front_obj is not None
        x, y, z = (float(value) for value in self.T_cam_world[:3, :3] @ self.fronts_world[index])
        return (x, y, z)

    @cached_property
    def points_level(self) -> NDArray[np.bool_]:
        """Which objects have a front that points along the ground, to within 45 degrees."""
        return np.hypot(self.fronts_world[:, 0], self.fronts_world[:, 1]) >= LEVEL

    def standing_on(self, index: int) -> IntArray:
        """Return the objects that an object supports."""
        ids = [item.support_id for item in self.observation.objects]
        return np.flatnonzero(np.array(ids) == self.ids[index])

    @cached_property
    def bearing_deg(self) -> FloatArray:
        """(n, n) angle seen from above between the subject's front and the reference, degrees.

        NaN for things without a front that points along the ground: what lies on its back faces
        nothing on the table.
        """
        offset = self.centre_world[None, :, :2] - self.centre_world[:, None, :2]
        front = np.where(self.points_level[:, None], self.fronts_world[:, :2], np.nan)[:, None]
        lengths = np.sqrt((offset**2).sum(-1)) * np.sqrt((front**2).sum(-1))
        cosine = (offset * front).sum(-1) / np.where(lengths > 1e-6, lengths, np.nan)
        bearing: FloatArray = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
        return bearing

    @cached_property
    def extents(self) -> list[float]:
        """Largest extent of the boxes along their own axes, metres."""
        return [float(max(size)) for size in self.sizes]

    @cached_property
    def volumes(self) -> list[float]:
        """Volume of the boxes, cubic metres."""
        return [float(value) for value in self.sizes.prod(axis=1)]

    @cached_property
    def depths(self) -> list[float]:
        """`depth` as a list."""
        return [float(value) for value in self.depth]

    @cached_property
    def log_depth(self) -> list[float]:
        """Natural logarithm of `depth`: equal steps are equal ratios."""
        return [float(value) for value in np.log(self.depth)]

    @cached_property
    def forward_world(self) -> FloatArray:
        """Horizontal unit vector away from the camera, world frame.

        Taken from the camera's x axis, so that it also holds for a camera looking straight down.
        """
        right = self.right_world
        return np.array([-right[1], right[0], 0.0])

    @cached_property
    def right_world(self) -> FloatArray:
        """The camera's x axis laid on the horizontal plane, unit vector, world frame."""
        pose = self.observation.camera.T_world_cam
        if pose is None:
            raise ValueError("An observation must carry the pose of its camera.")
        right = np.array([pose[0, 0], pose[1, 0], 0.0])
        return right / max(float(np.linalg.norm(right)), 1e-9)

    def matching(self, name: str = "", colour: str = "", material: str = "") -> list[int]:
        """Return the indices of the objects with these attributes ("" = any)."""
        return [
            index
            for index in range(self.n)
            if (not name or self.names[index] == name)
            and (not colour or self.colours[index] == colour)
            and (not material or self.materials[index] == material)
        ]
