"""`Facts`: the numbers about the objects of one scene that all relations are decided on."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray
from robo_refer_data.observation import Observation

IntArray = NDArray[np.intp]

# Corners, face centres and centre of a box, in units of its half extents.
_BOX_PROBES = np.array(
    [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    + [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1], [0, 0, 0]],
    dtype=float,
)


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
        rows, columns = np.nonzero(instance)
        labels = instance[rows, columns]
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
