"""`Referrer`: the public entry, from a frame and an instruction to a `Referral`."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import isfile  # unlike Path's, it says no to every name that is none
from pathlib import Path
from time import perf_counter
from typing import Any

from robo_refer import checkpoint_files as files
from robo_refer.engines.base import Engine, Generation, Request, Timings
from robo_refer.engines.onnx_engine import OnnxEngine
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry.lift import LiftOptions, lift_point
from robo_refer.types import Frame, Referral, ReferredPoint, Step

BUNDLED = {"nano": Path(__file__).parent / "assets" / "nano"}


class Referrer:
    """Answers instructions about frames.

    Args:
        engine: what writes the answers.
        lift: how pixels become 3D points.
    """

    def __init__(self, engine: Engine, lift: LiftOptions | None = None) -> None:
        self.engine = engine
        self.lift = lift if lift is not None else LiftOptions()

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | Path = "nano",
        lift: LiftOptions | None = None,
        **options: Any,
    ) -> Referrer:
        """Load "nano", or a folder: an ONNX export, or a checkpoint with safetensors (torch).

        An http address stands for the model behind `robo-refer serve` there.

        Args:
            name_or_path: which model.
            lift: how pixels become 3D points.
            options: of a converted 2B or 8B: `depth_model` and `quantize`, see
                `engines.torch_tiled_engine.TorchTiledEngine`.

        Raises:
            RoboReferError: BAD_CHECKPOINT when it is missing or damaged, MISSING_DEPENDENCY when
                a torch checkpoint is given and torch is not installed, BAD_REQUEST when options
                are given to a model that has none.
        """
        folder = BUNDLED.get(str(name_or_path), Path(name_or_path))
        if isfile(folder / files.TILING):
            from robo_refer.engines.torch_tiled_engine import TorchTiledEngine

            return cls(TorchTiledEngine(folder, **options), lift)
        if given := [name for name, value in options.items() if value]:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"The model '{name_or_path}' has no option {' or '.join(given)}.",
                "It is for checkpoints written by 'robo-refer model convert'.",
            )
        if str(name_or_path).startswith(("http://", "https://")):
            from robo_refer.engines.http_call import HttpCaller
            from robo_refer.engines.http_engine import QueryEngine

            return cls(QueryEngine(HttpCaller(str(name_or_path))), lift)
        if isfile(folder / files.ONNX_CONFIG):
            return cls(OnnxEngine(folder), lift)
        if isfile(folder / files.TORCH_CONFIG):
            from robo_refer.engines.torch_engine import TorchEngine

            return cls(TorchEngine(folder), lift)
        raise RoboReferError(
            ErrorCode.BAD_CHECKPOINT,
            f"There is no model '{name_or_path}'.",
            f"Use one of {', '.join(BUNDLED)}, the folder of a checkpoint or an ONNX export, "
            "or the address of a server.",
        )

    def refer(self, frame: Frame, instruction: str, think: bool = False) -> Referral:
        """Return the answer to one instruction.

        Args:
            frame: what is seen. Without depth or camera the answer stays in 2D.
            instruction: any text, for example "the second mug from the left".
            think: ask for written reasoning, also where the question looks direct.

        Raises:
            RoboReferError: BAD_INSTRUCTION, BAD_DEPTH (nothing measured).
        """
        return self.refer_many(frame, [instruction], think)[0]

    def refer_many(
        self, frame: Frame, instructions: Sequence[str], think: bool = False
    ) -> list[Referral]:
        """Return the answers to several instructions; the frame is encoded once for all."""
        return self.answer([Request(frame, text, think) for text in instructions])

    def answer(self, requests: Sequence[Request]) -> list[Referral]:
        """Return the answers to requests about any frames; each frame is encoded once."""
        start = perf_counter()
        timings = self.engine.timings = Timings()
        generations = self.engine.generate(requests)
        count = max(1, len(requests))
        seconds = {
            "preprocess": timings.preprocess / count,
            "model": (perf_counter() - start - timings.preprocess) / count,
        }
        return [
            self._referral(request, generation, seconds)
            for request, generation in zip(requests, generations, strict=True)
        ]

    def _referral(
        self, request: Request, generation: Generation, seconds: dict[str, float]
    ) -> Referral:
        start, frame = perf_counter(), request.frame
        status = "ok"
        points: tuple[ReferredPoint, ...] = ()
        steps: tuple[Step, ...] = ()
        try:
            answer = self.engine.read(generation.text, frame)
        except RoboReferError as error:
            status = error.code.name.lower()
        else:
            steps = answer.steps
            scores = _last_scores(generation, len(answer.points))
            points = tuple(
                lift_point(frame, point, score, self.lift)
                for point, score in zip(answer.points, scores, strict=True)
            )
            status = _status(frame, points)
        return Referral(
            instruction=request.instruction,
            model=self.engine.name,
            status=status,
            points=points,
            steps=steps,
            raw_answer=generation.text,
            seconds={**seconds, "lift": perf_counter() - start},
        )


def _last_scores(generation: Generation, count: int) -> list[float | None]:
    """Return the scores of the last `count` number pairs: an answer's points come last.

    A number that was spelled out, not written as one word, has no score: None, never a lost point.
    """
    padded = [*[None] * count, *generation.point_scores]
    return padded[len(padded) - count :]


def _status(frame: Frame, points: Sequence[ReferredPoint]) -> str:
    """Return "ok", or why the answer is less than what was asked for."""
    if not points:
        return ErrorCode.NO_TARGET.name.lower()
    wants_3d = frame.depth_m is not None and frame.camera is not None
    if wants_3d and points[0].p_cam_m is None:
        return ErrorCode.NO_DEPTH.name.lower()
    return "ok"
