"""Where the test package keeps the descriptions of UR5 and G1."""

from __future__ import annotations

import sys
from pathlib import Path

_SHARED = Path("cmeel.prefix/share/example-robot-data/robots")


def robot_file(name: str) -> Path:
    """Return the path of a URDF, for example "ur_description/urdf/ur5_robot.urdf"."""
    found = [Path(folder) / _SHARED / name for folder in sys.path if folder]
    return next(path for path in found if path.is_file())


UR5 = "ur_description/urdf/ur5_robot.urdf"
G1 = "g1_description/urdf/g1_29dof_rev_1_0.urdf"
