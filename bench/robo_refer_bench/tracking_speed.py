"""What following a target costs a frame, against asking the model again.

python -m robo_refer_bench.tracking_speed
"""

from __future__ import annotations

import sys
from statistics import median, quantiles
from time import process_time

import numpy as np
import tyro

from robo_refer.cli.main import run_command
from robo_refer.referrer import Referrer
from robo_refer.tracking import TargetTracker
from robo_refer.types import Frame
from robo_refer_bench.drawn import drawn_frame

FRAMES = 200
ANSWERS = 5
INSTRUCTION = "the green box"  # which is there: what is not, nano refuses


def main() -> None:
    """Print CPU milliseconds of a tracker's step and of an answer of nano, at 640x480."""
    first = drawn_frame()
    referrer = Referrer.from_pretrained("nano")
    referral = referrer.refer(first, INSTRUCTION)
    start = next((point for point in referral.points if point.depth_m is not None), None)
    if start is None:
        raise SystemExit("nano does not point at anything measured in this frame.")
    tracker = TargetTracker(first, start)
    steps = []
    for number in range(1, FRAMES):
        frame = _shifted(first, number)
        begun = process_time()
        track = tracker.step(frame)
        steps.append(1000 * (process_time() - begun))
        if track.lost is not None:
            raise SystemExit(f"Lost after {number} frames: {track.lost}.")
    answers = []
    for _ in range(ANSWERS):
        begun = process_time()
        referrer.refer(first, INSTRUCTION)
        answers.append(1000 * (process_time() - begun))
    print(
        f"tracker: median {median(steps):.2f}, p95 {quantiles(steps, n=20)[-1]:.2f} CPU ms a frame"
    )
    print(f"nano:    median {median(answers):.1f} CPU ms an answer")
    print(f"ratio:   {median(answers) / median(steps):.0f}x")


def _shifted(frame: Frame, number: int) -> Frame:
    """Return the frame as a slowly swaying camera would see it."""
    dx = round(8 * np.sin(number / 15))
    depth_m = None if frame.depth_m is None else np.roll(frame.depth_m, dx, axis=1)
    return Frame(np.roll(frame.rgb, dx, axis=1), depth_m, frame.camera, number / 30)


if __name__ == "__main__":
    run_command(lambda argv: tyro.cli(main, args=argv), sys.argv[1:])
