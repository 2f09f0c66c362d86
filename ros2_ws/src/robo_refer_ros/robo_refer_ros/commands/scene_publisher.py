"""Publishes a recorded RGB-D frame as a camera would, and where the camera is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.frame_files import load_frame
from robo_refer.types import Frame
from robo_refer_ros.camera.convert import (
    camera_message,
    depth_message,
    image_message,
    transform_message,
)
from robo_refer_ros.commands.bringup import bringup_share
from robo_refer_ros.running import serve


def load_scene(folder: Path) -> Frame:
    """Return the frame of a folder with color.png, depth.png (millimetres) and camera.json.

    Raises:
        RoboReferError: BAD_FILE, BAD_IMAGE, BAD_DEPTH or BAD_CAMERA, naming the file.
    """
    return load_frame(folder / "color.png", folder / "depth.png", folder / "camera.json")


class ScenePublisher(Node):
    """Publishes image, depth, camera_info, and the camera's place on /tf_static.

    Parameters: `scene` (folder; "" is the one that comes with robo_refer_bringup), `rate_hz`, and
    `frame`, that the camera's pose in the file is given in.
    """

    def __init__(self) -> None:
        super().__init__("scene_publisher")
        folder = str(self.declare_parameter("scene", "").value)
        rate_hz = float(self.declare_parameter("rate_hz", 10.0).value)
        parent = str(self.declare_parameter("frame", "base_link").value)
        if not rate_hz > 0:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST, f"rate_hz is {rate_hz:g}.", "Give images a second, above 0."
            )
        scene = load_scene(Path(folder) if folder else bringup_share() / "scene")
        assert scene.camera is not None
        assert scene.depth_m is not None
        self._messages = (
            camera_message(scene.camera),
            depth_message(scene.depth_m, scene.camera.frame),
            image_message(scene.rgb, scene.camera.frame),
        )
        self._publishers_of_camera = (
            self.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data),
            self.create_publisher(Image, "depth", qos_profile_sensor_data),
            self.create_publisher(Image, "image", qos_profile_sensor_data),
        )
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._tf = self.create_publisher(TFMessage, "/tf_static", latched)
        pose = scene.camera.T_world_cam
        here = np.eye(4) if pose is None else pose
        transform = transform_message(parent, scene.camera.frame, here)
        self._tf.publish(TFMessage(transforms=[transform]))
        self.create_timer(1.0 / rate_hz, self._publish)

    def _publish(self) -> None:
        stamp = self.get_clock().now().to_msg()
        for message, publisher in zip(self._messages, self._publishers_of_camera, strict=True):
            message.header.stamp = stamp
            publisher.publish(message)


def main() -> None:
    """Publish until interrupted."""
    serve(ScenePublisher, lambda node: None, lambda node: None)


if __name__ == "__main__":
    main()
