"""The renderer for looks: Mitsuba 3 traces paths, Open Image Denoise cleans, textures stay crisp.

What is seen (depth, instances, surface) is that of the default renderer, to the bit. Mitsuba gets
every part in its mean colour and gives the light: direct, reflected, through clear glass. The
picture is that light, denoised, times the ratio of the exact colour of a pixel to the mean colour
of its parts: on what scatters light evenly that is exact, and no texture is blurred or baked.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer_data.render import embree, kernels
from robo_refer_data.render.albedo import albedos
from robo_refer_data.render.model import Lighting, RenderResult, RenderScene

OLDEST_LLVM = 17  # 14 to 16 abort on processors with AVX-512
LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
PATHS_PER_PIXEL = 8
LONGEST_PATH = 6
KEY_DISTANCE_M = 60.0
F32 = NDArray[np.float32]


def _find_llvm() -> None:
    """Name LLVM's library to Dr.Jit, which Mitsuba compiles with, unless the user did."""
    if "DRJIT_LIBLLVM_PATH" in os.environ:
        return
    found = {}
    for folder in LIBRARIES:
        for path in Path(folder).glob("libLLVM*so*"):
            version = re.search(r"libLLVM(?:-|\.so\.)(\d+)", path.name)
            if version is not None and int(version[1]) >= OLDEST_LLVM:
                found[int(version[1])] = path
    if not found:
        raise RoboReferError(
            ErrorCode.MISSING_DEPENDENCY,
            f"The renderer 'mitsuba' needs LLVM {OLDEST_LLVM} or newer, which is not installed.",
            "Install it: apt-get install libllvm19; or name its library in DRJIT_LIBLLVM_PATH.",
        )
    os.environ["DRJIT_LIBLLVM_PATH"] = str(found[max(found)])


try:
    import mitsuba as mi
    import pyoidn
except ImportError as error:
    raise missing_package("mitsuba", "mitsuba") from error
_find_llvm()
mi.set_variant("llvm_ad_rgb")
mi.set_log_level(mi.LogLevel.Error)


def draw(scene: RenderScene, antialias: int) -> RenderResult:
    """Draw `scene`; see `robo_refer_data.render.render`."""
    seen = embree.samples(scene, antialias)
    exact = albedos(
        seen.part, seen.coordinate, scene.part_looks, scene.part_texture, scene.part_image,
        scene.texels,
    )  # fmt: skip
    means = _mean_colours(scene, seen.part, exact)
    plain = np.where(seen.part[:, None] >= 0, means[seen.part], 1).astype(np.float32)
    shape = (scene.camera.height, scene.camera.width, 3)
    averaged = [_pixels(values, shape, antialias) for values in (exact, plain, seen.normal)]
    light = _light(scene, means)
    clean = pyoidn.denoise(light, albedo=averaged[1], normal=averaged[2], hdr=True)
    linear = np.maximum(clean, 0) * averaged[0] / np.maximum(averaged[1], 1e-3)
    image = kernels.displayed(linear.reshape(-1, 3).astype(np.float32), kernels.display_curve())
    return embree.result_of(scene, image)


def _mean_colours(scene: RenderScene, part: NDArray[np.int32], exact: F32) -> F32:
    """Return (P, 3) linear RGB: what is seen of each part on average, else its first colour."""
    number = len(scene.part_looks)
    hit = part >= 0
    count = np.bincount(part[hit], minlength=number)[:, None]
    sums = [np.bincount(part[hit], weights=exact[hit, k], minlength=number) for k in range(3)]
    mean = np.stack(sums, axis=1) / np.maximum(count, 1)
    return np.clip(np.where(count > 0, mean, scene.part_looks[:, :3]), 0.01, 0.95).astype(
        np.float32
    )


def _pixels(values: F32, shape: tuple[int, int, int], factor: int) -> F32:
    """Return the mean over each pixel's samples, (height, width, 3)."""
    height, width, channels = shape
    blocks = values.reshape(height, factor, width, factor, channels)
    return np.ascontiguousarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _light(scene: RenderScene, means: F32) -> F32:
    """Return the picture of the scene in plain colours, linear and noisy, (height, width, 3)."""
    content: dict[str, Any] = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": LONGEST_PATH, "hide_emitters": True},
        "sensor": _sensor(scene),
        **_emitters(scene),
    }
    normals = kernels.vertex_normals(scene.vertices, scene.faces)
    bounds = np.searchsorted(scene.face_part, np.arange(len(means) + 1))
    for number in range(len(means)):
        faces = scene.faces[bounds[number] : bounds[number + 1]]
        content[f"part{number}"] = _mesh(scene, number, faces, normals, means[number])
    image = mi.render(mi.load_dict(content), spp=PATHS_PER_PIXEL, seed=0)
    return np.ascontiguousarray(np.asarray(image)[..., :3], dtype=np.float32)


def _mesh(
    scene: RenderScene, number: int, faces: NDArray[np.int32], normals: F32, colour: F32
) -> Any:
    used, local = np.unique(faces, return_inverse=True)
    properties = mi.Properties()
    properties["surface"] = mi.load_dict(_surface(scene, number, colour))
    mesh = mi.Mesh(
        f"part{number}", len(used), len(faces), has_vertex_normals=True, props=properties
    )
    parameters = mi.traverse(mesh)
    parameters["vertex_positions"] = scene.vertices[used].ravel()
    parameters["vertex_normals"] = normals[used].ravel()
    parameters["faces"] = local.astype(np.uint32).ravel()
    parameters.update()
    return mesh


def _surface(scene: RenderScene, number: int, colour: F32) -> dict[str, Any]:
    """Return what a part does with light."""
    gloss, metal = (float(value) for value in scene.part_looks[number, 7:9])
    rgb = {"type": "rgb", "value": [float(value) for value in colour]}
    if scene.part_clear[number]:
        through = {"type": "rgb", "value": [0.45 + 0.55 * float(value) for value in colour]}
        return {"type": "thindielectric", "int_ior": 1.5, "specular_transmittance": through}
    rough = max(1.0 - 0.9 * gloss, 0.1)
    look = {"type": "principled", "base_color": rgb, "metallic": metal, "roughness": rough,
            "specular": 0.5 if gloss > 0.05 else 0.0}  # fmt: skip
    return {"type": "twosided", "bsdf": look}


def _sensor(scene: RenderScene) -> dict[str, Any]:
    camera = scene.camera
    assert camera.T_world_cam is not None
    turn = np.diag([-1.0, -1.0, 1.0, 1.0])  # Mitsuba's cameras have x left, y up, z forward
    width, height = camera.width, camera.height
    return {
        "type": "perspective",
        "fov": float(np.degrees(2 * np.arctan(0.5 * width / camera.fx))),
        "fov_axis": "x",
        "principal_point_offset_x": ((width - 1) / 2 - camera.cx) / width,
        "principal_point_offset_y": ((height - 1) / 2 - camera.cy) / height,
        "near_clip": 0.02,
        "to_world": mi.ScalarTransform4f(camera.T_world_cam @ turn),
        "film": {"type": "hdrfilm", "width": width, "height": height, "pixel_format": "rgb",
                 "rfilter": {"type": "box"}},
        "sampler": {"type": "independent"},
    }  # fmt: skip


def _emitters(scene: RenderScene) -> dict[str, Any]:
    """Return the lights: a far ball for the key light, a sky, and the fill light."""
    light, camera = scene.lighting, scene.camera
    assert camera.T_world_cam is not None
    centre = camera.T_world_cam[:3, 3] + KEY_DISTANCE_M * light.key_dir
    radius = KEY_DISTANCE_M * np.sin(np.arctan(light.key_radius))
    # the irradiance pi * key_rgb lights a white surface like key_rgb does in the default renderer
    radiance = light.key_rgb * (KEY_DISTANCE_M / radius) ** 2
    return {
        "key": {"type": "sphere", "center": centre.tolist(), "radius": float(radius),
                "emitter": {"type": "area",
                            "radiance": {"type": "rgb", "value": radiance.tolist()}}},
        "fill": {"type": "directional", "direction": (-light.fill_dir).tolist(),
                 "irradiance": {"type": "rgb", "value": (np.pi * light.fill_rgb).tolist()}},
        "sky": {"type": "envmap", "bitmap": _sky(light),
                "to_world": mi.ScalarTransform4f().rotate([1, 0, 0], 90)},
    }  # fmt: skip


def _sky(light: Lighting) -> Any:
    """Return a map of the ambient light: from the ground's below to the sky's above."""
    up = np.cos(np.linspace(0, np.pi, 16))[:, None, None]
    share = np.clip(0.5 + 2.0 * up, 0, 1)
    rows = share * light.sky_rgb + (1 - share) * light.ground_rgb
    return mi.Bitmap(np.repeat(rows, 32, axis=1).astype(np.float32))
