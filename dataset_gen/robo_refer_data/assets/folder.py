"""A folder of meshes (.glb, .obj, .stl, .ply) with a YAML file of their names and sizes.

    # assets.yaml
    creator: YCB                     # for all, each model may have its own
    licence: CC BY 4.0
    models:
      - {file: mug.glb, name: mug, size_m: [0.12, 0.09, 0.08]}   # x, y and height
      - {file: ball/textured.obj, name: tennis ball, size_m: 0.067, colour: yellow}

`size_m` is three extents, or the longest one. Optional: `colour` (else measured), `material`,
`up` ("y", the default for .glb and .obj, or "z"), `turn_deg` (about the vertical, by 90s),
`front` (a vector, z up), `weight`, `licence`, `creator`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.assets.mesh import rotation
from robo_refer_data.assets.model_files import PARSER_VERSION, Files, parse_model
from robo_refer_data.assets.models import NamedModel, specs_of
from robo_refer_data.assets.palette import COLOURS, FINISH
from robo_refer_data.assets.spec import AssetSpec, Origin

LIST = "assets.yaml"
UP = {".glb": "y", ".obj": "y", ".stl": "z", ".ply": "z"}
KNOWN = {"file", "name", "size_m", "colour", "material", "up", "turn_deg", "front", "weight",
         "licence", "creator"}  # fmt: skip
EXAMPLE = "{file: mug.glb, name: mug, size_m: [0.12, 0.09, 0.08]}"


def open_folder(folder: Path) -> tuple[AssetSpec, ...]:
    """Return the kinds of objects in a folder; every mesh in its list is parsed and checked.

    Raises:
        RoboReferError: BAD_REQUEST where there is no such folder, BAD_FILE where the list or a mesh
            cannot be used.
    """
    if not folder.is_dir():
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is no source of assets and no folder called '{folder}'.",
            "Give parametric, sweethome3d, or a folder of meshes.",
        )
    path = folder / LIST
    if not path.is_file():
        raise _bad(path, "is missing", f"Write it; a line of it is  - {EXAMPLE}")
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise _bad(path, f"is not YAML ({reason})", "Correct it.") from error
    rows = listed.get("models") if isinstance(listed, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise _bad(path, "has no list 'models'", f"Add one; a line of it is  - {EXAMPLE}")
    common = {"licence": listed.get("licence"), "creator": listed.get("creator")}
    return specs_of([_Row(path, {**common, **row}).model() for row in rows])


def _bad(path: Path, what: str, remedy: str) -> RoboReferError:
    return RoboReferError(ErrorCode.BAD_FILE, f"{path} {what}.", remedy)


@dataclass(frozen=True)
class _Row:
    """One entry of the list, not yet trusted."""

    path: Path
    row: dict[str, Any]

    def model(self) -> NamedModel:
        unknown = sorted(str(key) for key in self.row if key not in KNOWN)
        if unknown:
            raise self._wrong(f"has an unknown key {unknown[0]!r}", f"Use {', '.join(KNOWN)}.")
        name, file = self._word("name"), self.path.parent / self._word("file")
        if file.suffix.lower() not in UP or not file.is_file():
            known = ", ".join(UP)
            raise self._wrong(f"names {file}, which is not there", f"Name a file that is: {known}.")
        size = self._numbers("size_m", (1, 3))
        if size is None or (size <= 0).any() or (size > 5).any():
            raise self._wrong("has no size in metres", f"Give it its size_m, as in {EXAMPLE}.")
        up = str(self.row.get("up", UP[file.suffix.lower()]))
        if up not in ("y", "z"):
            raise self._wrong(f"has 'up: {up}'", "Write y or z.")
        files = _files(file)
        key = _key(files, up)
        parsed = parse_model(key, file.name, files, up)
        turn = self._numbers("turn_deg", (1,))
        if turn is not None and turn[0] % 90:
            raise self._wrong(f"has turn_deg {turn[0]:g}", "Turn it by a multiple of 90 degrees.")
        standing = rotation("z", 0.0 if turn is None else float(np.radians(turn[0])))
        if size.size == 1:
            low, high = parsed.bounds
            extents = np.abs(standing) @ (high - low)  # of multiples of 90 degrees
            size = extents * float(size[0]) / float(extents.max())
        front = self._numbers("front", (3,))
        if front is not None and not front.any():
            raise self._wrong("has a front that points nowhere", "Write a vector, z up.")
        weight = self._numbers("weight", (1,))
        if weight is not None and weight[0] <= 0:
            raise self._wrong(f"has weight {weight[0]:g}", "Write a number above 0, or none.")
        inside = file.is_relative_to(self.path.parent)
        return NamedModel(
            key,
            name,
            size,
            self._one_of("colour", {*COLOURS, ""}, parsed.colour),
            self._one_of("material", set(FINISH), ""),
            Origin(str(file.relative_to(self.path.parent)) if inside else file.name,
                   self._credit("creator"), self._credit("licence")),
            None if front is None else tuple(front / np.linalg.norm(front)),
            standing,
            1.0 if weight is None else float(weight[0]),
        )  # fmt: skip

    def _wrong(self, what: str, remedy: str) -> RoboReferError:
        called = self.row.get("name") or self.row.get("file") or "a model without name"
        return _bad(self.path, f"is wrong: '{called}' {what}", remedy)

    def _word(self, key: str) -> str:
        value = self.row.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(f"has no {key}", f"Give every model its {key}, as in {EXAMPLE}.")
        return value.strip() if key == "file" else value.strip().lower()

    def _credit(self, key: str) -> str:
        value = self.row.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong(f"has the {key} {value!r}", "Write it as text, in quotes.")
        return value or ""

    def _numbers(self, key: str, lengths: tuple[int, ...]) -> np.ndarray | None:
        if self.row.get(key) is None:
            return None
        try:
            values = np.atleast_1d(np.array(self.row[key], dtype=float))
        except (TypeError, ValueError):
            values = np.array([])
        if values.size not in lengths or not np.isfinite(values).all():
            raise self._wrong(f"has {key} {self.row[key]!r}", f"Write numbers, as in {EXAMPLE}.")
        return values

    def _one_of(self, key: str, words: set[str], otherwise: str) -> str:
        word = self.row.get(key, otherwise)
        if word not in words:
            known = ", ".join(sorted(words - {""}))
            raise self._wrong(f"has the {key} {word!r}", f"Choose among: {known}.")
        return str(word)


def _files(mesh: Path) -> Files:
    """Return what reads a mesh and, for .obj, the materials and pictures that it names."""
    paths = {mesh.name: mesh}
    if mesh.suffix.lower() == ".obj":
        for library in _mentioned(mesh, rb"^mtllib\s+(.+?)\s*$"):
            paths[library] = mesh.parent / library
            for picture in _mentioned(mesh.parent / library, rb"^\s*map_\w+\s+(.+?)\s*$"):
                paths[picture] = mesh.parent / picture
    return {name: path.read_bytes for name, path in paths.items() if path.is_file()}


def _mentioned(path: Path, pattern: bytes) -> list[str]:
    if not path.is_file():
        return []
    found = re.findall(pattern, path.read_bytes(), re.MULTILINE)
    return [name.decode("utf-8", "replace").strip('"') for name in found]


def _key(files: Files, up: str) -> str:
    content = hashlib.sha256(f"{PARSER_VERSION} {up}".encode())
    for name, read in sorted(files.items()):
        content.update(name.encode() + b"\0" + hashlib.sha256(read()).digest())
    return content.hexdigest()[:32]
