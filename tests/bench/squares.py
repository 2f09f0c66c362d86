"""Questions about grey pictures with one right square each, for clients that ask servers."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from robo_refer.types import CameraModel, Frame
from robo_refer_bench.asking import Work
from robo_refer_bench.clients import Asked
from robo_refer_bench.suites.base import ChoiceTruth, Item, MaskTruth, PlaceTruth
from robo_refer_bench.suites.bitmask import BitMask

WIDTH, HEIGHT = 640, 480
CENTRE = (0.25, 0.75)
"""Where the square is, in [0, 1]; it has 40 pixels a side."""


def _mask() -> BitMask:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    u, v = round(CENTRE[0] * WIDTH), round(CENTRE[1] * HEIGHT)
    mask[v - 20 : v + 20, u - 20 : u + 20] = 255
    return BitMask.of(mask)


def _frame() -> Frame:
    return Frame(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), np.ones((HEIGHT, WIDTH), np.float32))


def square(number: int) -> Asked:
    """Return a question that is answered by a point."""
    item = Item(
        str(number), f"Point out square {number}.", MaskTruth(_mask), _frame,
        target=f"square {number}", suffix="Answer with tuples.", steps=1 + number % 3,
    )  # fmt: skip
    return Asked("refspatial_bench", "Location", item)


def choice(number: int) -> Asked:
    """Return a question that is answered by an option; the second is right."""
    truth = ChoiceTruth(("left", "right"), 1)
    item = Item(str(number), "Which side?", truth, _frame, suffix="Answer with the letter.")
    return Asked("cv_bench", "2D", item)


def place(number: int) -> Asked:
    """Return a question that is answered by a place: a metre in front of the camera."""
    truth = PlaceTruth(lambda p: abs(p[2] - 1.0) < 0.01, "a metre ahead")
    camera = CameraModel(WIDTH, HEIGHT, 600.0, 600.0, 319.5, 239.5, T_world_cam=np.eye(4))
    item = Item(str(number), "Put it there.", truth, lambda: replace(_frame(), camera=camera))
    return Asked("open6dor", "level1", item)


def work(items: list[Asked]) -> list[Work]:
    """Return items as the runner hands them out, each with a picture of its own."""
    return [Work((one,), one.item.frame) for one in items]


def seen_size(body: Any) -> tuple[int, int]:
    """Return the (width, height) of the picture in a request of the OpenAI chat protocol."""
    url = body["messages"][0]["content"][0]["image_url"]["url"]
    data = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
    height, width = cv2.imdecode(data, cv2.IMREAD_COLOR).shape[:2]
    return width, height


def said(body: Any) -> str:
    """Return the text of such a request."""
    return str(body["messages"][0]["content"][-1]["text"])


def chat(text: str) -> dict[str, Any]:
    """Return a reply of that protocol."""
    return {"choices": [{"message": {"content": text}}]}
