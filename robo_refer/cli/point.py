"""`robo-refer point`: answers an instruction about an image, in pixels and in metres."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
import tyro
from numpy.typing import NDArray

from robo_refer.cli.report import report
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.depth_file import DepthUnit
from robo_refer.files.frame_files import load_frame
from robo_refer.tokens import normalise_instruction


@dataclass(frozen=True)
class PointOptions:
    """Answer an instruction about an image: a pixel and, with depth and camera, a 3D point."""

    instruction: tyro.conf.Positional[str]
    """What to point at, for example "the red mug" or "a free place left of the bowl"."""

    rgb: Path
    """Colour image: PNG, JPEG, TIFF, BMP or WebP, 8 bits a channel."""

    depth: Path | None = None
    """Depth registered to the image: 16-bit PNG in mm, 32-bit float TIFF or .npy in metres.
    Without it the answer is a pixel."""

    camera: Path | None = None
    """Intrinsics: JSON with fx fy cx cy width height, and T_world_cam (4x4) where it is known.
    Or a ROS camera_info as .yaml."""

    depth_unit: DepthUnit | None = None
    """Unit of the depth file, where its encoding does not say it."""

    model: str = "nano"
    """"nano", the folder of a checkpoint, or the address of a server (http://...)."""

    depth_model: str = ""
    """For a converted 2B or 8B where there is no depth file: take depth from this model.
    A folder, or a name on the hub such as depth-anything/Depth-Anything-V2-Large-hf."""

    quantize: Literal["int8", "int4"] | None = None
    """Load the language model of a converted 2B or 8B in 8 or 4 bits."""

    think: bool = False
    """Reason before answering, even when the question looks direct."""

    as_json: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Print the whole answer as JSON."""

    out: Path | None = None
    """Write a picture of the answer (.png or .jpg)."""


def main(argv: list[str]) -> None:
    """Run `robo-refer point` with the arguments after its name."""
    options = tyro.cli(
        PointOptions,
        args=argv,
        prog="robo-refer point",
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    # What can fail fast does so before a model is loaded.
    normalise_instruction(options.instruction)
    if options.out is not None:
        _check_picture_path(options.out)
    frame = load_frame(options.rgb, options.depth, options.camera, options.depth_unit)

    from robo_refer.referrer import Referrer

    referrer = Referrer.from_pretrained(
        options.model, depth_model=options.depth_model, quantize=options.quantize
    )
    referral = referrer.refer(frame, options.instruction, think=options.think)
    if options.out is not None:
        from robo_refer.viz.draw import annotate

        write_picture(options.out, annotate(frame, [referral]))
    if options.as_json:
        print(json.dumps(referral.as_dict()))
    else:
        print(report(frame, referral))
        if options.out is not None:
            print(f"  picture  {options.out}")


def write_picture(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write (height, width, 3) RGB to a .png or .jpg file.

    Raises:
        RoboReferError: BAD_FILE when it cannot be written.
    """
    _check_picture_path(path)
    _, data = cv2.imencode(path.suffix.lower(), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    try:
        path.write_bytes(data.tobytes())
    except (OSError, ValueError) as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"The picture {path} cannot be written: {getattr(error, 'strerror', None) or error}.",
            "Name a place where you may write.",
        ) from None


def _check_picture_path(path: Path) -> None:
    if path.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"The picture {path} is neither .png nor .jpg.",
            "Give it one of these endings.",
        )
    if not path.absolute().parent.is_dir():
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"There is no folder {path.absolute().parent} for the picture.",
            "Make it first.",
        )
