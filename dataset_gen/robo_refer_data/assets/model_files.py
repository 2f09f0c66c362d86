"""Meshes that others made: parsed once with trimesh, then kept in the user's cache.

The cache lies in `$XDG_CACHE_HOME/robo-refer/models` (`~/.cache/robo-refer/models`), one .npz per
model, named by the hash of all bytes that it was made of.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer.types import FloatArray
from robo_refer_data.assets.colour_words import dominant_colour
from robo_refer_data.assets.mesh import Mesh
from robo_refer_data.assets.palette import Surface
from robo_refer_data.assets.spec import Part
from robo_refer_data.atomic import write_atomically

PARSER_VERSION = 1  # part of every hash: raise it when the same bytes come out otherwise
MAX_FACES = 200_000
IMAGE_SIDE = 256  # pixels of a stored texture, at most
DEFAULT_RGB = (0.6, 0.6, 0.6)

Files = Mapping[str, Callable[[], bytes]]
"""Names of a model's files -> what reads them; the material library and textures among them."""


@dataclass(frozen=True)
class Model:
    """A parsed model.

    Attributes:
        parts: each with one look, z up, in the units of its file.
        colour: the word for its colour, "" where it has no single one.
    """

    parts: tuple[Part, ...]
    colour: str

    @property
    def bounds(self) -> FloatArray:
        """(2, 3) least and greatest coordinates."""
        vertices = [part.mesh.vertices for part in self.parts]
        low = np.min([v.min(axis=0) for v in vertices], axis=0)
        return np.stack([low, np.max([v.max(axis=0) for v in vertices], axis=0)])

    def placed(self, rotation: FloatArray, size_m: FloatArray) -> tuple[Part, ...]:
        """Return the parts turned and scaled to a box of `size_m` (3,) that stands on z = 0."""
        turned = Model(tuple(_moved(p, p.mesh.turned(rotation)) for p in self.parts), self.colour)
        low, high = turned.bounds
        factors = np.asarray(size_m) / np.maximum(high - low, 1e-9)
        foot = np.array([*((low + high) / 2)[:2], low[2]])
        return tuple(
            _moved(p, p.mesh.moved(-foot).scaled([float(f) for f in factors])) for p in turned.parts
        )


def _moved(part: Part, mesh: Mesh) -> Part:
    return Part(mesh, part.surface)


def cache_folder() -> Path:
    """Return the folder that parsed models are kept in."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "robo-refer" / "models"


@lru_cache(maxsize=256)
def cached_model(key: str) -> Model:
    """Return a model from the cache; `parse_model` put it there."""
    with np.load(cache_folder() / f"{key}.npz", allow_pickle=False) as stored:
        return _from_arrays(stored)


def parse_model(key: str, name: str, files: Files, up: str) -> Model:
    """Return a model, parsed from its files unless the cache has it.

    Args:
        key: hash of all its bytes and of how they are read.
        name: of the mesh file, a key of `files`; its ending tells the format.
        files: all files that it may need.
        up: "y" or "z", the axis that points up in its file.

    Raises:
        RoboReferError: BAD_FILE where it is no mesh or the cache cannot be written,
            MISSING_DEPENDENCY without trimesh.
    """
    path = cache_folder() / f"{key}.npz"
    if not path.exists():
        arrays: dict[str, Any] = _to_arrays(_parsed(name, files, up))
        stored = BytesIO()
        np.savez_compressed(stored, **arrays)
        try:
            write_atomically(path, stored.getvalue())
        except OSError as error:
            raise RoboReferError(
                ErrorCode.BAD_FILE,
                f"{path} cannot be written: {error.strerror}.",
                "Make room, or name another folder for caches in XDG_CACHE_HOME.",
            ) from error
    return cached_model(key)


def _parsed(name: str, files: Files, up: str) -> list[tuple[Mesh, Surface]]:
    try:
        import PIL.Image  # noqa: F401 - trimesh reads textures with it
        import trimesh
    except ImportError as error:
        raise missing_package("trimesh", "meshes") from error
    resolver = _Resolver(files)
    kind = name.rsplit(".", 1)[-1].lower()
    options: dict[str, Any] = {"group_material": True} if kind == "obj" else {}
    try:
        data = BytesIO(files[name]())
        scene = trimesh.load_scene(data, file_type=kind, resolver=resolver, **options)
        meshes = [mesh for mesh in scene.dump() if isinstance(mesh, trimesh.Trimesh)]
        parts = [_part(mesh, up) for mesh in meshes if len(mesh.faces)]
    except Exception as error:  # a parser of foreign files fails in any way it likes
        raise _broken(name, f"{type(error).__name__}: {error}") from error
    count = sum(len(mesh.faces) for mesh, _ in parts)
    if not parts or not all(np.isfinite(mesh.vertices).all() for mesh, _ in parts):
        raise _broken(name, "it holds no triangles, or some without a place")
    if count > MAX_FACES:
        raise _broken(name, f"it has {count} triangles, more than {MAX_FACES}")
    return parts


def _broken(name: str, why: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{name} cannot be used as a mesh: {why.splitlines()[0]}.",
        "Repair it with the program that made it, or take it out of the list of models.",
    )


class _Resolver:
    """Gives trimesh the files beside a mesh, by the names that they have in it."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def get(self, name: str) -> bytes:
        """Return the bytes of a file."""
        plain = name.strip().replace("\\", "/").removeprefix("./")
        for candidate, read in self._files.items():
            if candidate == plain or candidate.rsplit("/", 1)[-1] == plain.rsplit("/", 1)[-1]:
                return read()
        raise FileNotFoundError(name)

    __getitem__ = get


def _part(mesh: Any, up: str) -> tuple[Mesh, Surface]:
    vertices = np.asarray(mesh.vertices, dtype=float)
    if up == "y":
        vertices = vertices[:, [0, 2, 1]] * [1.0, -1.0, 1.0]
    uv = getattr(mesh.visual, "uv", None)
    surface = _surface(mesh, uv is not None)
    kept = None if uv is None or surface.image is None else np.asarray(uv, dtype=np.float32)
    return Mesh(vertices, np.asarray(mesh.faces, dtype=np.int32), kept), surface


def _surface(mesh: Any, has_uv: bool) -> Surface:
    """Return the look of a mesh: its material's colour, and its picture if it has one."""
    material = getattr(mesh.visual, "material", None)
    if material is None:  # coloured at its vertices or faces, or not at all
        defined = getattr(mesh.visual, "kind", None) is not None
        rgb = np.asarray(mesh.visual.face_colors)[:, :3].mean(axis=0) / 255 if defined else None
        return Surface(DEFAULT_RGB if rgb is None else _rgb(rgb))
    factor = getattr(material, "baseColorFactor", None)  # glTF: multiplies the picture
    base = getattr(material, "diffuse", None) if factor is None else factor
    rgb = np.ones(3) if base is None else np.asarray(base, dtype=float)[:3]
    rgb = rgb / 255 if rgb.max() > 1.0 else rgb
    picture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    rough = getattr(material, "roughnessFactor", None)
    gloss = 0.3 if rough is None else 0.8 * (1 - float(rough))
    metal = float((getattr(material, "metallicFactor", None) or 0.0) > 0.7)
    if picture is None:
        return Surface(_rgb(rgb), gloss=gloss, metal=metal)
    side = max(picture.size)
    scale = min(IMAGE_SIDE / side, 1.0)
    size = [max(round(scale * extent), 1) for extent in picture.size]
    pixels = np.asarray(picture.convert("RGB").resize(size), dtype=np.uint8)
    if factor is not None:
        pixels = (pixels * rgb).clip(0, 255).astype(np.uint8)
    mean = _rgb(pixels.reshape(-1, 3).mean(axis=0) / 255)
    return Surface(mean, gloss=gloss, metal=metal, image=pixels if has_uv else None)


def _rgb(values: NDArray[Any]) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in np.clip(values, 0, 1))
    return red, green, blue


def _to_arrays(parts: list[tuple[Mesh, Surface]]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {"count": np.array(len(parts))}
    for k, (mesh, surface) in enumerate(parts):
        arrays[f"vertices{k}"] = mesh.vertices.astype(np.float32)
        arrays[f"faces{k}"] = mesh.faces
        arrays[f"look{k}"] = np.array([*surface.colour, surface.gloss, surface.metal], np.float32)
        if mesh.uv is not None and surface.image is not None:
            arrays[f"uv{k}"], arrays[f"image{k}"] = mesh.uv, surface.image
    arrays["colour"] = np.array(dominant_colour(parts))
    return arrays


def _from_arrays(stored: Any) -> Model:
    parts = []
    for k in range(int(stored["count"])):
        uv = stored.get(f"uv{k}")
        image = stored.get(f"image{k}")
        mesh = Mesh(stored[f"vertices{k}"].astype(float), stored[f"faces{k}"], uv)
        red, green, blue, gloss, metal = (float(v) for v in stored[f"look{k}"])
        look = Surface((red, green, blue), gloss=gloss, metal=metal, image=image)
        parts.append(Part(mesh, look))
    return Model(tuple(parts), str(stored["colour"]))
