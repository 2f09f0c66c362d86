"""Images, cameras and poses as ROS messages: the way back of `robo_refer.files.ros_messages`."""

from __future__ import annotations

import cv2
import numpy as np
from geometry_msgs.msg import TransformStamped
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image

from robo_refer.types import CameraModel


def image_message(rgb: NDArray[np.uint8], frame: str = "") -> Image:
    """Return an rgb8 image of (height, width, 3) RGB; its stamp is still zero."""
    height, width = rgb.shape[:2]
    message = Image(height=height, width=width, encoding="rgb8", step=width * 3)
    message.header.frame_id = frame
    message.data = np.ascontiguousarray(rgb).tobytes()
    return message


def depth_message(depth_m: NDArray[np.floating], frame: str = "") -> Image:
    """Return a 32FC1 image of (height, width) metres; its stamp is still zero."""
    height, width = depth_m.shape
    message = Image(height=height, width=width, encoding="32FC1", step=width * 4)
    message.header.frame_id = frame
    message.data = np.ascontiguousarray(depth_m, dtype="<f4").tobytes()
    return message


def camera_message(camera: CameraModel) -> CameraInfo:
    """Return the camera_info of a camera; its stamp is still zero."""
    message = CameraInfo(width=camera.width, height=camera.height)
    message.header.frame_id = camera.frame
    message.distortion_model = "" if camera.distortion_model == "none" else camera.distortion_model
    message.d = list(camera.distortion)
    message.k = camera.K.ravel().tolist()
    message.r = np.eye(3).ravel().tolist()
    message.p = np.column_stack([camera.K, np.zeros(3)]).ravel().tolist()
    return message


def transform_message(
    parent: str, child: str, T_parent_child: NDArray[np.floating]
) -> TransformStamped:
    """Return a 4x4 pose of a frame in its parent; its stamp is still zero."""
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id = parent
    t, q = message.transform.translation, message.transform.rotation
    t.x, t.y, t.z = T_parent_child[:3, 3].tolist()
    turn = cv2.Rodrigues(np.asarray(T_parent_child[:3, :3], np.float64))[0][:, 0]
    angle = float(np.linalg.norm(turn))
    q.x, q.y, q.z = (turn * 0.5 * np.sinc(angle / (2 * np.pi))).tolist()
    q.w = float(np.cos(angle / 2))
    return message
