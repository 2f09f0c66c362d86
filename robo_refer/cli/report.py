"""A `Referral` as a few lines that a person reads."""

from __future__ import annotations

import numpy as np

from robo_refer.types import DepthStatus, Frame, Referral, ReferredPoint, Step

_DEPTH_WORDS: dict[DepthStatus, str] = {
    "ok": "measured",
    "none": "nothing measured near this pixel",
    "hole_filled": "taken from the neighbours of a hole",
    "out_of_range": "outside the range that can be trusted",
    "ambiguous": "on an edge between near and far",
    "estimated": "estimated, not measured",
}


def report(frame: Frame, referral: Referral) -> str:
    """Return the answer as an indented block: pixel, 3D point, confidence, reasoning, time."""
    lines = [f'"{referral.instruction}"']
    if not referral.points:
        lines.append(f"  answer   {_no_answer(referral.status)}")
    for point in referral.points:
        lines += point_lines(frame, point)
    lines += step_lines(frame, referral.steps)
    lines.append(f"  time     {_time(referral)}")
    return "\n".join(lines)


def point_lines(frame: Frame, point: ReferredPoint) -> list[str]:
    """Return the lines about one point: pixel and confidence, then metres or why there are none."""
    u, v = point.uv_px
    confidence = "" if point.score is None else f"   confidence {point.score:.2f}"
    lines = [f"  pixel    {u:.0f}, {v:.0f}{confidence}"]
    if point.p_cam_m is None:
        return [*lines, f"  3D       {_why_flat(frame, point)}"]
    lines.append(f"  camera   {_metres(point.p_cam_m)}   x right, y down, z forward")
    if point.p_frame_m is not None:
        lines.append(f"  {point.frame or 'world':<7}  {_metres(point.p_frame_m)}")
    quality = _DEPTH_WORDS[point.depth_status]
    if point.cov_cam_m2 is not None:
        spread = float(np.sqrt(max(np.linalg.eigvalsh(np.array(point.cov_cam_m2))[-1], 0.0)))
        quality += f", ±{spread * 1000:.0f} mm"
    return [*lines, f"  depth    {quality}, {point.depth_support:.0%} of its window valid"]


def step_lines(frame: Frame, steps: tuple[Step, ...]) -> list[str]:
    """Return one line per reasoning step, numbered."""
    return [
        f"  {'because' if index == 0 else '':<7}  {index + 1}. {_step(frame, step)}"
        for index, step in enumerate(steps)
    ]


def _no_answer(status: str) -> str:
    if status == "no_target":
        return "nothing in the image matches this"
    if status == "unparsable_answer":
        return "none: what the model wrote cannot be read (see raw_answer with --json)"
    return f"none: {status}"


def _why_flat(frame: Frame, point: ReferredPoint) -> str:
    if frame.depth_m is None:
        return "needs depth: add --depth (and --camera)"
    if frame.camera is None:
        return "needs the intrinsics: add --camera"
    return f"none: {_DEPTH_WORDS[point.depth_status]}"


def _metres(values: tuple[float, float, float]) -> str:
    return "  ".join(f"{value:7.3f}" for value in values) + " m"


def _step(frame: Frame, step: Step) -> str:
    if step.kind == "position":
        u = step.value[0] * frame.width - 0.5
        v = step.value[1] * frame.height - 0.5
        return f"{step.target} at {u:.0f}, {v:.0f}"
    if step.kind == "size":
        return f"{step.target} is {step.value[0]:.2f} m large"
    return f"{step.target} faces ({', '.join(f'{value:.2f}' for value in step.value)})"


def _time(referral: Referral) -> str:
    parts = ", ".join(f"{name} {value * 1000:.0f}" for name, value in referral.seconds.items())
    total = sum(referral.seconds.values())
    return f"{total * 1000:.0f} ms with {referral.model}" + (f" ({parts})" if parts else "")
