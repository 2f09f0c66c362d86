"""On a real camera's frame, a 3D point lies on the surface that was measured there."""

from __future__ import annotations

import numpy as np
import pytest

from robo_refer.geometry.camera import project
from tests.e2e import real_frame

pytestmark = pytest.mark.skipif(
    not real_frame.FOLDER.is_dir(),
    reason="the photograph is not redistributed; set ROBO_REFER_REAL_DATA to its folder",
)


def test_every_point_lies_on_the_measured_surface() -> None:
    frame = real_frame.load()
    assert frame.depth_m is not None
    assert frame.camera is not None
    referrals = real_frame.answers(frame)
    lifted = [r.points[0] for r in referrals if r.points and r.points[0].p_cam_m is not None]
    assert len(lifted) >= 5, "most answers must come with a 3D point"
    for point in lifted:
        assert point.p_cam_m is not None
        u, v = project(np.array([point.p_cam_m]), frame.camera)[0]
        assert (u, v) == pytest.approx(point.uv_px, abs=0.01)
        row, column = round(point.uv_px[1]), round(point.uv_px[0])
        window = frame.depth_m[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5]
        measured = window[window > 0]
        assert np.abs(measured - point.p_cam_m[2]).min() < 0.005
        assert point.p_cam_m[2] > 0.2
