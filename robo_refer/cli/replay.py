"""`robo-refer ros replay`: answers an instruction about a recorded bag, without ROS.

A moment that cannot be answered about, say of a covered camera, gets a line that says why.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import tyro

from robo_refer.cli.packages import missing_dependency
from robo_refer.cli.point import write_picture
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.tokens import normalise_instruction

if TYPE_CHECKING:
    from robo_refer.files.bag import Recorded

_OF_A_MOMENT = (ErrorCode.BAD_IMAGE, ErrorCode.BAD_DEPTH)


@dataclass(frozen=True)
class ReplayOptions:
    """Answer an instruction about a recorded bag: one JSON line for each frame.

    Example: robo-refer ros replay table.mcap --instruction "the red mug" --pictures answers
    """

    bag: tyro.conf.Positional[Path]
    """Folder of a ROS 2 bag, or its .mcap or .db3 file, or a .bag of ROS 1."""

    instruction: str
    """What to point at."""

    image: str = ""
    """Topic of the colour image; empty: the only one that fits."""

    depth: str = ""
    """Topic of the depth registered to it; empty: the only one that fits."""

    camera_info: str = ""
    """Topic of the calibration; empty: the one beside the image."""

    rectified: bool = False
    """The image is undistorted: use P of the calibration instead of K and D."""

    slop_s: float = 0.02
    """Largest difference of stamps of colour and depth, seconds."""

    every_s: float = 1.0
    """Seconds between frames that are answered about; 0 answers about all."""

    model: str = "nano"
    """"nano", the folder of a checkpoint, or the address of a server (http://...)."""

    think: bool = False
    """Reason before answering, even when the question looks direct."""

    out: Path | None = None
    """File for the lines; without it they are printed."""

    pictures: Path | None = None
    """Folder for a picture of each answer, named by its time."""


def main(argv: list[str]) -> None:
    """Run `robo-refer ros replay` with the arguments after its name."""
    options = tyro.cli(
        ReplayOptions,
        args=argv,
        prog="robo-refer ros replay",
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    normalise_instruction(options.instruction)
    with missing_dependency():
        from robo_refer.files.bag import BagOptions, read_bag
    from robo_refer.referrer import Referrer
    from robo_refer.viz.draw import annotate

    topics = BagOptions(
        options.image, options.depth, options.camera_info, options.slop_s, options.rectified
    )
    moments = _every(read_bag(options.bag, topics), options.every_s)
    first = next(moments)  # what is wrong with the bag is said before a model is loaded
    if options.pictures is not None:
        _make_folder(options.pictures)
    referrer = Referrer.from_pretrained(options.model)
    answered, failure = 0, None
    with _lines(options.out) as lines:
        for moment in chain([first], moments):
            try:
                frame = moment.frame()
                referral = referrer.refer(frame, options.instruction, think=options.think)
            except RoboReferError as error:
                if error.code not in _OF_A_MOMENT:
                    raise
                failure, said = error, error.as_dict()
            else:
                answered += 1
                said = referral.as_dict()
                if options.pictures is not None:
                    path = options.pictures / f"{moment.stamp_s:.3f}.png"
                    write_picture(path, annotate(frame, [referral]))
            line = {"stamp_s": moment.stamp_s, **said}
            print(json.dumps(line), file=lines, flush=True)
    if failure is not None and not answered:
        raise failure


def _every(moments: Iterator[Recorded], every_s: float) -> Iterator[Recorded]:
    """Yield moments at least so many seconds apart; a clock that jumps back starts anew."""
    last_s: float | None = None
    for moment in moments:
        if last_s is None or not 0 <= moment.stamp_s - last_s < every_s:
            last_s = moment.stamp_s
            yield moment


@contextmanager
def _lines(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        file = path.open("w")
    except (OSError, ValueError) as error:
        raise _not_written(path, error) from None
    with file:
        yield file


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _not_written(path, error) from None


def _not_written(path: Path, error: Exception) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.",
        "Name a place where you may write.",
    )
