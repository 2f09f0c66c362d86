"""The furniture of Sweet Home 3D: 820 models with real sizes (Debian: sweethome3d-furniture).

Every library is a .sh3f file: a zip with `PluginFurnitureCatalog.properties`, which numbers its
pieces (`name#7`, `model#7`, `width#7` in centimetres, `creator#7`), and their OBJ models, y up.
Nothing of it is copied into a dataset but its picture; licence and creator go with every sample.
"""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer_data.assets.model_files import PARSER_VERSION, Files, parse_model
from robo_refer_data.assets.models import NamedModel, specs_of
from robo_refer_data.assets.spec import AssetSpec, Origin
from robo_refer_data.assets.sweethome3d_names import FACING, NAMES

FOLDER = Path("/usr/share/sweethome3d/furniture")
FOLDER_VARIABLE = "ROBO_REFER_SWEETHOME3D"
CATALOGUE = "PluginFurnitureCatalog.properties"
MAX_SPAN_M = 1.2
MAX_BYTES = 12_000_000  # of an OBJ file: a statue of a million triangles helps nobody

Piece = dict[str, str]


def open_sweethome3d() -> tuple[AssetSpec, ...]:
    """Return the kinds of objects in all libraries; the first time, their models are parsed.

    Raises:
        RoboReferError: MISSING_DEPENDENCY where no library is installed, BAD_FILE where one is
            damaged.
    """
    folder = Path(os.environ.get(FOLDER_VARIABLE, FOLDER))
    libraries = sorted(folder.glob("*.sh3f")) if folder.is_dir() else []
    if not libraries:
        raise RoboReferError(
            ErrorCode.MISSING_DEPENDENCY,
            f"There are no furniture libraries (.sh3f) in {folder}.",
            f"Install them: apt-get install sweethome3d-furniture; or name their folder in "
            f"{FOLDER_VARIABLE}.",
        )
    found = [(path, piece) for path in libraries for piece in _usable(path)]
    models = [_Source(path).model(piece) for path, piece in _with_progress(found)]
    return specs_of(models)


def catalogue(path: Path) -> tuple[Piece, list[Piece]]:
    """Return what a library says of itself, and of each of its pieces (keys as in the file).

    Raises:
        RoboReferError: BAD_FILE where it is no library.
    """
    try:
        with zipfile.ZipFile(path) as library:
            text = library.read(CATALOGUE).decode("latin-1")  # as Java reads .properties
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{path} is not a furniture library: {error}.",
            "Install sweethome3d-furniture anew, or remove the file.",
        ) from error
    whole: Piece = {}
    pieces: dict[int, Piece] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not equals or line.startswith(("#", "!")):
            continue
        name, mark, number = key.strip().partition("#")
        if mark and number.isdigit():
            pieces.setdefault(int(number), {})[name] = _unescaped(value.strip())
        elif not mark:
            whole[name] = _unescaped(value.strip())
    return whole, [piece for _, piece in sorted(pieces.items())]


def _unescaped(value: str) -> str:
    r"""Resolve \uXXXX, the one escape that catalogues use beside umlauts as they are."""
    parts = value.split("\\u")
    return parts[0] + "".join(chr(int(part[:4], 16)) + part[4:] for part in parts[1:])


def _usable(path: Path) -> list[Piece]:
    """Return the pieces that have a name here, with the licence of their library."""
    whole, pieces = catalogue(path)
    with zipfile.ZipFile(path) as library:
        sizes = {info.filename: info.file_size for info in library.infolist()}
    usable = []
    for piece in pieces:
        if piece.get("name") not in NAMES or piece.get("doorOrWindow") == "true":
            continue
        if _size_m(piece).max() <= MAX_SPAN_M and 0 < sizes.get(_model(piece), 0) <= MAX_BYTES:
            licence = " ".join(whole.get("license", "").split())
            usable.append({**piece, "licence": licence, "library": whole.get("name", path.stem)})
    return usable


def _model(piece: Piece) -> str:
    return piece.get("model", "").lstrip("/")


def _size_m(piece: Piece) -> np.ndarray:
    return np.array([float(piece.get(key, "nan")) for key in ("width", "depth", "height")]) / 100


def _with_progress(found: list[tuple[Path, Piece]]) -> list[tuple[Path, Piece]]:
    """Return the same, with a progress bar while it is gone through."""
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise missing_package("tqdm", "data") from error
    # nothing is shown where the cache makes it quick
    return tqdm(found, desc="models", unit="model", delay=2, file=sys.stderr)


@dataclass(frozen=True)
class _Source:
    """One library."""

    path: Path

    def model(self, piece: Piece) -> NamedModel:
        """Return a piece as a model of its real size, parsed."""
        files, key = self._files(_model(piece))
        name = NAMES[piece["name"]]
        rotation = _rotation(piece)
        parsed = parse_model(key, _model(piece), files, "y")
        creator = piece.get("creator", "unknown")
        origin = Origin(piece.get("id", piece["name"]), creator, piece["licence"])
        return NamedModel(
            key,
            name,
            _size_m(piece),
            parsed.colour,
            "",
            origin,
            (0.0, -1.0, 0.0) if name in FACING else None,
            rotation,
        )

    def _files(self, model: str) -> tuple[Files, str]:
        """Return what reads the files in a model's folder, and the hash of all of them."""
        content = hashlib.sha256(f"{PARSER_VERSION} y".encode())
        files = {}
        folder = model.rpartition("/")[0]
        with zipfile.ZipFile(self.path) as library:
            for info in sorted(library.infolist(), key=lambda info: info.filename):
                beside = folder and info.filename.startswith(folder + "/")
                if info.filename == model or (beside and not info.is_dir()):
                    files[info.filename] = partial(_read, self.path, info.filename)
                    content.update(f"{info.filename} {info.CRC} {info.file_size}".encode())
        return files, content.hexdigest()[:32]


def _read(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as library:
        return library.read(name)


def _rotation(piece: Piece) -> np.ndarray:
    """Return the rotation (3, 3), z up, of a piece's `modelRotation` (9 numbers, y up)."""
    if "modelRotation" not in piece:
        return np.eye(3)
    y_up = np.array([float(value) for value in piece["modelRotation"].split()]).reshape(3, 3)
    to_z_up = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    return np.asarray(to_z_up @ y_up @ to_z_up.T)
