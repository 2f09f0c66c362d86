"""The recorded behaviour of the released code, and its tiny checkpoints converted once."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file

KINDS = ("lite2b", "s2_8b")


@cache
def fixture_root() -> Path:
    """Return the folder of the recordings; without it skip, and in CI fail."""
    checkout = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("ROBO_REFER_SHARED", checkout.parent / "shared"))
    root = shared / "fixtures" / "nvila"
    if not root.is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"there is no {root}")
    return root


def released(kind: str) -> Path:
    """Return the folder of a tiny checkpoint in the released layout."""
    return fixture_root() / kind / "checkpoint"


@dataclass(frozen=True)
class Case:
    """One question as the released code saw and answered it."""

    kind: str
    name: str
    told: dict[str, Any]

    def pictures(self, suffix: str = "") -> list[NDArray[np.uint8]]:
        folder = fixture_root() / "images"
        return [
            np.asarray(Image.open(folder / f"{name}{suffix}.png")) for name in self.told["images"]
        ]

    @property
    def has_depth(self) -> bool:
        return self.told["mode"] == "rgbd"

    def tensors(self) -> dict[str, Any]:
        return load_file(fixture_root() / self.kind / f"case_{self.name}.safetensors")


def recorded(kind: str) -> dict[str, Any]:
    return json.loads((fixture_root() / kind / "cases.json").read_text())


def cases(kind: str) -> list[Case]:
    return [Case(kind, name, told) for name, told in recorded(kind)["cases"].items()]
