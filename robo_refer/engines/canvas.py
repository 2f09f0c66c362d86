"""What engines share whose model sees one letterboxed canvas of fixed size, as nano does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from robo_refer.engines.base import Generation, Request, Timings, by_frame
from robo_refer.parsing import parse
from robo_refer.preprocess import Letterbox, PreprocessSpec, depth_array, image_array
from robo_refer.tokens import normalise_instruction
from robo_refer.types import Answer, Frame, Step


class CanvasEngine(ABC):
    """Draws frames on the canvas, every frame once, and maps answers back to the image."""

    name: str
    spec: PreprocessSpec
    timings: Timings

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one greedy answer per request; see `Engine.generate`."""
        for request in requests:
            normalise_instruction(request.instruction)
        answers: dict[int, Generation] = {}
        for places in by_frame(requests):
            about = [requests[place] for place in places]
            start = perf_counter()
            image, depth = self.canvas(about[0].frame)
            self.timings.preprocess += perf_counter() - start
            answers.update(zip(places, self.answer(image, depth, about), strict=True))
        return [answers[place] for place in range(len(requests))]

    def canvas(self, frame: Frame) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return the (3, height, width) canvases of colour and depth that the towers see.

        Raises:
            RoboReferError: BAD_DEPTH when there is depth and not one pixel is measured.
        """
        depth = None if frame.depth_m is None else depth_array(frame.depth_m, self.spec)
        return image_array(frame.rgb, self.spec), depth

    @abstractmethod
    def answer(
        self,
        image: NDArray[np.float32],
        depth: NDArray[np.float32] | None,
        requests: Sequence[Request],
    ) -> list[Generation]:
        """Return the answers to requests about one frame, which is encoded once.

        Args:
            image, depth: its (3, height, width) canvases.
            requests: what is asked; their frame is that of the canvases.
        """

    def read(self, text: str, frame: Frame) -> Answer:
        """Return the parsed answer; the model wrote it in the canvas's coordinates."""
        written = parse(text)
        box = Letterbox(frame.width, frame.height, self.spec.width, self.spec.height)
        steps = tuple(
            Step(s.kind, s.target, box.to_image((s.value[0], s.value[1])))
            if s.kind == "position"
            else s
            for s in written.steps
        )
        return Answer(tuple(box.to_image(point) for point in written.points), steps)
