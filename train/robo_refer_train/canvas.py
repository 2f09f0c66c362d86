"""Where the canvas shows a picture: truth in the picture's coordinates, moved to the canvas's.

Pixels are letterboxed, and engines map what a model wrote back to the picture. So what is learnt
has to lie where the canvas shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robo_refer.preprocess import Letterbox, PreprocessSpec
from robo_refer.types import Answer, FloatArray, Step


@dataclass(frozen=True)
class OnCanvas:
    """A picture on the canvas.

    Attributes:
        box: how the picture, its height scaled, lies on the canvas.
        squash: what its height was scaled by.
        fills: whether it would fill the canvas if its height were not scaled.
    """

    box: Letterbox
    squash: float
    fills: bool

    @classmethod
    def of(cls, size: tuple[int, int], spec: PreprocessSpec, squash: float = 1.0) -> OnCanvas:
        """Return how a picture of (width, height) pixels lies on a checkpoint's canvas."""
        (width, height), canvas = size, (spec.width, spec.height)
        return cls(
            Letterbox(width, squashed_height(height, squash), *canvas),
            squash,
            fills=Letterbox(width, height, *canvas).inner_size == canvas,
        )

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Map (x, y) in [0, 1] of the picture to [0, 1] of the canvas."""
        if self.fills:  # not by the box, which rounds: rows stay those that runs began with
            return x, (y - 0.5) * self.squash + 0.5
        return self.box.to_canvas((x, y))

    def answer(self, answer: Answer) -> Answer:
        """Return an answer about the picture as a model writes it, in the canvas's coordinates."""
        if self.fills and self.squash == 1.0:
            return answer
        steps = tuple(
            Step(s.kind, s.target, self.point(s.value[0], s.value[1]))
            if s.kind == "position"
            else s
            for s in answer.steps
        )
        return Answer(tuple(self.point(*point) for point in answer.points), steps)

    def cells(self, rows: int, columns: int) -> tuple[FloatArray, FloatArray]:
        """Return x (columns,) and y (rows,) of the centres of a grid of cells over the canvas.

        They are coordinates of the picture: in [0, 1) where a cell shows it, outside on the border.
        """
        x, y = (np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows
        if self.fills:
            return x, (y - 0.5) / self.squash + 0.5
        (x0, y0), (width, height) = self.box.corner, self.box.inner_size
        return (
            (x * self.box.canvas_width - x0) / width,
            (y * self.box.canvas_height - y0) / height,
        )


def squashed_height(height: int, factor: float) -> int:
    """Return the height of a picture after it was scaled by a factor, pixels."""
    return height if factor == 1.0 else max(2, 2 * round(height * factor / 2))
