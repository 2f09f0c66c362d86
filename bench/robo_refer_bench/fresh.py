"""What only a fresh process can tell: its peak memory for one answer, the time of an import."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import CameraModel, Frame

IMPORTS = ("import robo_refer", "from robo_refer import Referrer")
_TIMEOUT_S = 300


def peak_rss_mb(model: str, frame: Frame, instruction: str, think: bool) -> float:
    """Return the peak resident memory, MB (1e6 bytes), of a process that answers once.

    Raises:
        RoboReferError: UNKNOWN with the process's last line when it fails, or when it hangs.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.npz"
        camera = frame.camera
        if frame.depth_m is None or camera is None:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST, "The frame has no depth or camera.", "Give both."
            )
        intrinsics = [camera.fx, camera.fy, camera.cx, camera.cy]
        np.savez(path, rgb=frame.rgb, depth_m=frame.depth_m, intrinsics=intrinsics)
        arguments = [model, str(path), instruction, str(int(think))]
        report = _python(["-m", "robo_refer_bench.fresh", *arguments])
    return float(json.loads(report)["peak_rss_mb"])


def import_seconds(statement: str, repeats: int = 5) -> float:
    """Return the median seconds of an import statement in fresh processes, once Python runs."""
    code = f"from time import perf_counter as t; s = t(); {statement}; print(t() - s)"
    return median(float(_python(["-c", code])) for _ in range(repeats))


def _python(arguments: list[str]) -> str:
    """Run this interpreter with this process's import path, and return its last line."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RoboReferError(
            ErrorCode.UNKNOWN,
            f"A measuring process did not end within {_TIMEOUT_S} s.",
            "Measure on an idle machine.",
        ) from error
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    if done.returncode != 0 or not lines:
        raise RoboReferError(
            ErrorCode.UNKNOWN,
            f"A measuring process failed: {lines[-1] if lines else 'no output'}",
            "Run the same model with 'robo-refer point' to see why.",
        )
    return lines[-1]


def own_peak_rss_mb() -> float:
    """Return this process's peak resident memory, MB.

    Linux hands the parent's peak down through fork into `ru_maxrss`; `VmHWM` belongs to this
    program alone, and is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def _answer_once(model: str, path: Path, instruction: str, think: bool) -> None:
    from robo_refer import Referrer

    with np.load(path) as stored:
        rgb, depth_m = stored["rgb"], stored["depth_m"]
        fx, fy, cx, cy = (float(value) for value in stored["intrinsics"])
    height, width = depth_m.shape
    frame = Frame(rgb, depth_m, CameraModel(width, height, fx, fy, cx, cy))
    Referrer.from_pretrained(model).refer(frame, instruction, think)
    print(json.dumps({"peak_rss_mb": own_peak_rss_mb()}))


if __name__ == "__main__":
    _answer_once(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4] == "1")
