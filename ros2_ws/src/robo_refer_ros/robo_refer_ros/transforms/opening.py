"""Where one frame was in another at a moment: through tf2 where it is installed, else our listener.

Both give the same answers and the same errors; which one is used is said in the log at start.
"""

from __future__ import annotations

from importlib.util import find_spec

from rclpy.node import Node

from robo_refer_ros.transforms.source import TransformSource
from robo_refer_ros.transforms.tf2 import Tf2Source


def open_transform_source(node: Node, cache_s: float) -> TransformSource:
    """Return what this installation offers, listening already."""
    if find_spec("tf2_ros") is not None:
        return Tf2Source(node, cache_s)
    # What it stands on, pytransform3d, is only installed where tf2 is not.
    from robo_refer_ros.transforms.listener import TransformListener

    return TransformListener(node, cache_s)
