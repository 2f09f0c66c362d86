"""The scene as a point cloud, with the referred points and how uncertain they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from robo_refer.geometry import unproject
from robo_refer.types import Frame, Referral, ReferredPoint

MAX_POINTS = 12_000
SIGMAS = 2.0
"""Half axes of the drawn ellipsoid, in standard deviations."""

_RESOLUTION = 16
_MARK = "#c8102e"


def cloud(frame: Frame, referral: Referral) -> go.Figure | None:
    """Return the scene in the camera's frame, or None without depth or camera.

    x is right, y forward and z up on the page: (x, z, -y) of the optical frame.
    """
    if frame.depth_m is None or frame.camera is None:
        return None
    points_m, colours = _scene(frame)
    marks = [point for point in referral.points if point.p_cam_m is not None]
    traces: list[Any] = [
        go.Scatter3d(
            **_axes(points_m), mode="markers", name="scene", hoverinfo="skip",
            marker={"size": 1.6, "color": [f"rgb({r},{g},{b})" for r, g, b in colours]},
        )
    ]  # fmt: skip
    for number, point in enumerate(marks, start=1):
        traces += _mark(point, str(number))
    figure = go.Figure(traces)
    hidden = {"showticklabels": False, "title": "", "showbackground": False}
    figure.update_layout(
        scene={
            "aspectmode": "data", "xaxis": hidden, "yaxis": hidden, "zaxis": hidden,
            "camera": {"eye": {"x": 0.15, "y": -1.35, "z": 0.75}},
        },
        margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False, height=420,
    )  # fmt: skip
    return figure


def _scene(frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return (n, 3) metres and (n, 3) colours of a regular sample of the measured pixels."""
    assert frame.depth_m is not None
    assert frame.camera is not None
    step = max(1, int(np.ceil(np.sqrt(frame.width * frame.height / MAX_POINTS))))
    v, u = np.mgrid[0 : frame.height : step, 0 : frame.width : step].reshape(2, -1)
    depth_m = frame.depth_m[v, u]
    measured = np.isfinite(depth_m) & (depth_m > 0)
    # A wall far behind would make the table a speck.
    measured &= depth_m <= 1.8 * np.median(depth_m[measured])
    u, v, depth_m = u[measured], v[measured], depth_m[measured]
    points_m = unproject(np.column_stack([u, v]).astype(float), depth_m, frame.camera)
    return np.asarray(points_m), frame.rgb[v, u]


def _mark(point: ReferredPoint, label: str) -> list[Any]:
    centre = np.asarray(point.p_cam_m, float)
    traces: list[Any] = [
        go.Scatter3d(
            **_axes(centre[None]), mode="markers+text", text=[label], textposition="top center",
            marker={"size": 6, "color": _MARK}, textfont={"size": 16, "color": _MARK},
            name=f"point {label}", hovertext=", ".join(f"{value:.3f} m" for value in centre),
        )
    ]  # fmt: skip
    if point.cov_cam_m2 is not None:
        values, vectors = np.linalg.eigh(np.asarray(point.cov_cam_m2))
        around, down = np.meshgrid(
            np.linspace(0, 2 * np.pi, _RESOLUTION), np.linspace(0, np.pi, _RESOLUTION)
        )
        sphere = np.stack([np.cos(around) * np.sin(down), np.sin(around) * np.sin(down),
                           np.cos(down)])  # fmt: skip
        radii = SIGMAS * np.sqrt(np.maximum(values, 0))
        shell = np.einsum("ij,jkl->kli", vectors * radii, sphere) + centre
        flat = _axes(shell.reshape(-1, 3))
        traces.append(go.Mesh3d(**flat, alphahull=0, opacity=0.35, color=_MARK, hoverinfo="skip"))
    return traces


def _axes(points_m: NDArray[np.float64]) -> dict[str, Any]:
    return {"x": points_m[:, 0], "y": points_m[:, 2], "z": -points_m[:, 1]}
