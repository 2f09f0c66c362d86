"""The default renderer: an exact z-buffer for what is seen, Embree rays for shadow and ambient
occlusion, compiled kernels for light and texture.

Depth, instance and surface are exact at pixel centres. Colour is anti-aliased where it matters:
every pixel that differs from a neighbour is drawn again with `antialias` x `antialias` samples
and averaged, the others are flat enough for one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore import EmbreeDevice
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from robo_refer_data.render import kernels, raster
from robo_refer_data.render.model import Lighting, RenderResult, RenderScene

LIGHT_SAMPLES = 1  # rays per pixel to the key light, and as many into the sky
OCCLUSION_REACH_M = 0.25
_CURVE = kernels.display_curve()
CONTRAST = 18.0  # of 255: a smaller step between neighbours needs no extra samples


@dataclass(frozen=True)
class Hits:
    """What N rays hit: triangle and part index (-1: nothing), z depth, and the surface there."""

    directions: NDArray[np.float32]
    triangle: NDArray[np.int32]
    part: NDArray[np.int32]
    depth: NDArray[np.float32]
    point: NDArray[np.float32]
    normal: NDArray[np.float32]
    coordinate: NDArray[np.float32]


def draw(scene: RenderScene, antialias: int) -> RenderResult:
    """Draw `scene`; see `robo_refer_data.render.render`."""
    width, height = scene.camera.width, scene.camera.height
    view = _View.of(scene)
    lights = _light_rows(scene.lighting)
    u, v = _pixel_centres(width, height)
    hits = _surface(scene, view, view.visible(scene, 1), u, v)
    key, sky = _light(scene, hits)
    image = _shade(scene, hits, key, sky, lights)
    if antialias > 1:
        rough = kernels.rough_pixels(image, hits.part, hits.normal, width, CONTRAST)
        offset_u, offset_v = _sub_offsets(antialias)
        sub_u = (u[rough, None] + offset_u).ravel()
        sub_v = (v[rough, None] + offset_v).ravel()
        fine = view.visible(scene, antialias)
        seen = fine[_fine_index(width, antialias, rough)]
        sub = _surface(scene, view, seen, sub_u, sub_v)
        sub_key, sub_sky = kernels.borrow_light(
            rough, antialias**2, sub.part, sub.point, sub.normal,
            hits.part, hits.point, hits.normal, key, sky, width,
        )  # fmt: skip
        samples = _shade(scene, sub, sub_key, sub_sky, lights)
        image[rough] = samples.reshape(len(rough), antialias**2, 3).mean(axis=1)
    return _result(scene, hits, image)


def samples(scene: RenderScene, factor: int) -> Hits:
    """Return what `factor` x `factor` rays through every pixel hit, in rows of the finer image."""
    view = _View.of(scene)
    width, height = factor * scene.camera.width, factor * scene.camera.height
    fine_u, fine_v = _pixel_centres(width, height)
    shift = np.float32((factor - 1) / 2)  # pixel centres are at integers
    u, v = (fine_u - shift) / np.float32(factor), (fine_v - shift) / np.float32(factor)
    return _surface(scene, view, view.visible(scene, factor), u, v)


def result_of(scene: RenderScene, image: NDArray[np.float32]) -> RenderResult:
    """Return what is seen of a scene, with an image (N, 3) in 0..255 that was drawn elsewhere."""
    return _result(scene, samples(scene, 1), image)


def first_hits(scene: RenderScene) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the part (-1: nothing) and the depth (0: nothing) at each pixel centre, row-major."""
    view = _View.of(scene)
    triangle = view.visible(scene, 1)
    u, v = _pixel_centres(scene.camera.width, scene.camera.height)
    depth, _, _ = raster.meet(triangle, u, v, view.points, scene.faces, view.intrinsics)
    part = np.where(triangle >= 0, scene.face_part[triangle], -1).astype(np.int32)
    return part, np.where(part >= 0, depth, 0).astype(np.float32)


@dataclass(frozen=True)
class _View:
    """The scene as the camera sees it: vertices in its frame, their normals in the world's."""

    points: NDArray[np.float64]
    normals: NDArray[np.float32]
    intrinsics: NDArray[np.float64]
    rotation: NDArray[np.float64]
    eye: NDArray[np.float64]

    @classmethod
    def of(cls, scene: RenderScene) -> _View:
        camera = scene.camera
        assert camera.T_world_cam is not None
        rotation = np.ascontiguousarray(camera.T_world_cam[:3, :3], dtype=np.float64)
        eye = np.ascontiguousarray(camera.T_world_cam[:3, 3], dtype=np.float64)
        points = raster.camera_points(scene.vertices, rotation, eye)
        normals = kernels.vertex_normals(scene.vertices, scene.faces)
        intrinsics = np.array([camera.fx, camera.fy, camera.cx, camera.cy])
        return cls(points, normals, intrinsics, rotation, eye)

    def visible(self, scene: RenderScene, factor: int) -> NDArray[np.int32]:
        """Return the triangle at each pixel of an image `factor` times as large."""
        fx, fy, cx, cy = self.intrinsics
        shift = (factor - 1) / 2  # pixel centres are at integers
        larger = np.array([factor * fx, factor * fy, factor * cx + shift, factor * cy + shift])
        width, height = factor * scene.camera.width, factor * scene.camera.height
        return raster.visible_triangles(self.points, scene.faces, larger, width, height)


def _fine_index(width: int, factor: int, pixels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return where the factor x factor samples of `pixels` lie in the larger image, row-major."""
    v, u = np.divmod(pixels.astype(np.int64), width)
    corner = (v * factor) * (width * factor) + u * factor
    step = np.arange(factor)
    offsets = (step[:, None] * (width * factor) + step).ravel()
    return (corner[:, None] + offsets).ravel()


@lru_cache(maxsize=1)
def _device(pid: int) -> EmbreeDevice:
    """Return this process's Embree device: one made before a fork must not be used after it."""
    return EmbreeDevice()


def _result(scene: RenderScene, hits: Hits, image: NDArray[np.float32]) -> RenderResult:
    shape = (scene.camera.height, scene.camera.width)
    hit = hits.part >= 0
    part = np.maximum(hits.part, 0)
    instance = np.where(hit, scene.part_instance[part], 0)
    surface = hit & scene.part_surface[part] & (hits.normal[:, 2] > 0.95)
    return RenderResult(
        rgb=np.clip(image + 0.5, 0, 255).astype(np.uint8).reshape(*shape, 3),
        depth_m=np.where(hit, hits.depth, 0).astype(np.float32).reshape(shape),
        instance=instance.astype(np.int32).reshape(shape),
        surface=surface.reshape(shape),
    )


def _surface(
    scene: RenderScene,
    view: _View,
    triangle: NDArray[np.int32],
    u: NDArray[np.float32],
    v: NDArray[np.float32],
) -> Hits:
    """Return the surface where the rays through (u, v) meet their triangles."""
    depth, second, third = raster.meet(triangle, u, v, view.points, scene.faces, view.intrinsics)
    directions = kernels.camera_rays(u, v, view.intrinsics, view.rotation)
    part = np.where(triangle >= 0, scene.face_part[triangle], -1).astype(np.int32)
    point, normal, coordinate = kernels.surface_points(
        triangle, second, third, depth, directions, view.eye,
        scene.faces, view.normals, scene.local,
    )  # fmt: skip
    return Hits(directions, triangle, part, depth, point, normal, coordinate)


def _light(scene: RenderScene, hits: Hits) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how open each pixel is to the key light and to the sky, (N,) in [0, 1]."""
    tracer = EmbreeScene(_device(os.getpid()))
    TriangleMesh(tracer, scene.vertices, scene.faces)
    discs, domes = _light_patterns(LIGHT_SAMPLES)
    width = scene.camera.width
    origins, directions, lengths = kernels.light_rays(
        hits.triangle, hits.point, hits.normal, width,
        discs * np.float32(scene.lighting.key_radius), domes,
        scene.lighting.key_dir.astype(np.float32), LIGHT_SAMPLES, OCCLUSION_REACH_M,
    )  # fmt: skip
    blocked = tracer.run(origins, directions, dists=lengths, query="OCCLUDED")
    return kernels.smooth_light(
        blocked, LIGHT_SAMPLES, width, hits.triangle, hits.point, hits.normal, hits.depth
    )


def _shade(
    scene: RenderScene,
    hits: Hits,
    key: NDArray[np.float32],
    sky: NDArray[np.float32],
    lights: NDArray[np.float32],
) -> NDArray[np.float32]:
    return kernels.shade(
        hits.part, hits.directions, hits.normal, hits.coordinate, key, sky,
        scene.part_looks, scene.part_texture, scene.part_image, scene.texels, lights, _CURVE,
    )  # fmt: skip


def _light_rows(light: Lighting) -> NDArray[np.float32]:
    rows = (light.key_dir, light.key_rgb, light.fill_dir, light.fill_rgb)
    return np.array([*rows, light.sky_rgb, light.ground_rgb], dtype=np.float32)


@lru_cache(maxsize=8)
def _pixel_centres(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    return u.ravel(), v.ravel()


@lru_cache(maxsize=8)
def _sub_offsets(antialias: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    step = (np.arange(antialias, dtype=np.float32) + np.float32(0.5)) / antialias - 0.5
    v, u = np.meshgrid(step, step, indexing="ij")
    return u.ravel().astype(np.float32), v.ravel().astype(np.float32)


@lru_cache(maxsize=4)
def _light_patterns(samples: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return well-spread points in the unit disc and cosine-weighted directions about z.

    The R2 sequence (Roberts 2018), dealt to the pixels of the pattern so that neighbours
    complement each other.
    """
    count = kernels.SPOTS * samples
    index = np.arange(count)
    first = (0.5 + 0.7548776662466927 * index) % 1.0
    second = (0.5 + 0.5698402909980532 * index) % 1.0
    order = (index * 7) % count  # 7 and 16 share no factor
    radius, angle = np.sqrt(first)[order], (2 * np.pi * second)[order]
    discs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    up = np.sqrt(np.maximum(1 - radius**2, 0.0))
    domes = np.concatenate([discs, up[:, None]], axis=1)
    return discs.astype(np.float32), domes.astype(np.float32)
