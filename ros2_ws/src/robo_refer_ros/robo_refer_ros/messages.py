"""An outcome as the messages that the node publishes."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, PointStamped, TransformStamped
from numpy.typing import NDArray
from robo_refer_msgs.msg import ReferResult, ReferTarget
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from robo_refer.geometry import DEPTH_STATUSES
from robo_refer.types import FloatArray, ReferredPoint
from robo_refer_ros.asking import Outcome

HAS_VISION_MSGS = find_spec("vision_msgs") is not None
TF_CHILD = "refer_target"
_NAN = math.nan
_UNKNOWN_COVARIANCE = [-1.0, *[0.0] * 8]
_PINK = ColorRGBA(r=1.0, g=0.16, b=0.47, a=0.9)
_WHITE = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
_MARKER_M = 0.03
_ARROW_M = 0.15
_TEXT_M = 0.04


def duration(seconds: float) -> Duration:
    """Return seconds as a message; less than none is none."""
    nanoseconds = max(0, round(seconds * 1e9))
    return Duration(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


def seconds(message: Duration) -> float:
    """Return a duration in seconds."""
    return message.sec + message.nanosec / 1e9


def rotated_covariance(covariance_m2: FloatArray, T_target_cam: FloatArray) -> NDArray[np.float64]:
    """Return covariances (..., 3, 3) of the camera frame in the target frame."""
    rotation = np.asarray(T_target_cam)[:3, :3]
    return np.asarray(rotation @ np.asarray(covariance_m2) @ rotation.T)


def result(outcome: Outcome) -> ReferResult:
    """Return all that is known of an outcome, successful or not."""
    question, referral, error = outcome.question, outcome.referral, outcome.error
    message = ReferResult(request_id=question.id, instruction=question.instruction)
    if error is not None:
        message.error_code = int(error.code)
        message.error_msg = f"{error.message} {error.remedy}"
    if outcome.capture is not None:
        message.header = outcome.capture.image.header
        message.image_age = duration(outcome.capture.age_s)
    if referral is not None:
        message.targets = [target(outcome, point) for point in referral.points]
        message.raw_answer = referral.raw_answer
        message.model_id = referral.model
        message.inference_time = duration(outcome.model_s)
        message.overhead_time = duration(outcome.overhead_s)
    return message


def target(outcome: Outcome, point: ReferredPoint) -> ReferTarget:
    """Return one point of an outcome."""
    assert outcome.capture is not None
    image = outcome.capture.image.header
    x, y, z = point.p_frame_m or (_NAN, _NAN, _NAN)
    covariance = _UNKNOWN_COVARIANCE
    if point.cov_cam_m2 is not None and outcome.T_target_cam is not None:
        rotated = rotated_covariance(np.array(point.cov_cam_m2), outcome.T_target_cam)
        covariance = rotated.ravel().tolist()
    return ReferTarget(
        header=Header(stamp=image.stamp, frame_id=point.frame or image.frame_id),
        label=outcome.question.instruction,
        u=point.uv_px[0],
        v=point.uv_px[1],
        score=_NAN if point.score is None else point.score,
        depth_status=DEPTH_STATUSES.index(point.depth_status),
        position=Point(x=x, y=y, z=z),
        covariance=covariance,
        depth_m=_NAN if point.depth_m is None else point.depth_m,
        depth_support=point.depth_support,
    )


def best_point(outcome: Outcome) -> PointStamped | None:
    """Return the best point, or None where it has no position or the outcome is a failure."""
    best = _best(outcome)
    if best is None:
        return None
    return PointStamped(header=best.header, point=best.position)


def detections(outcome: Outcome) -> Any:
    """Return a `vision_msgs/Detection3DArray` of all points that have a position."""
    from geometry_msgs.msg import Pose, PoseWithCovariance
    from vision_msgs.msg import (
        BoundingBox3D,
        Detection3D,
        Detection3DArray,
        ObjectHypothesis,
        ObjectHypothesisWithPose,
    )

    array = Detection3DArray(header=_header(outcome))
    for each in _with_position(outcome):
        covariance = np.zeros((6, 6))
        covariance[:3, :3] = each.covariance.reshape(3, 3)
        pose = PoseWithCovariance(pose=Pose(position=each.position), covariance=covariance.ravel())
        score = 0.0 if math.isnan(each.score) else float(each.score)
        hypothesis = ObjectHypothesis(class_id=each.label, score=score)
        array.detections.append(
            Detection3D(
                header=each.header,
                results=[ObjectHypothesisWithPose(hypothesis=hypothesis, pose=pose)],
                bbox=BoundingBox3D(center=Pose(position=each.position)),  # a point has no size
                id=outcome.question.id,
            )
        )
    return array


def markers(outcome: Outcome, lifetime_s: float) -> MarkerArray:
    """Return a sphere at each point, an arrow down to it and the instruction above it."""
    array = MarkerArray(markers=[Marker(header=_header(outcome), action=Marker.DELETEALL)])
    for number, each in enumerate(_with_position(outcome)):
        p = each.position
        above = Point(x=p.x, y=p.y, z=p.z + _ARROW_M)
        sphere = _marker("point", number, each.header, Marker.SPHERE, lifetime_s)
        sphere.pose.position = p
        sphere.scale.x = sphere.scale.y = sphere.scale.z = _MARKER_M
        arrow = _marker("arrow", number, each.header, Marker.ARROW, lifetime_s)
        arrow.points = [above, p]
        arrow.scale.x, arrow.scale.y, arrow.scale.z = 0.008, 0.02, 0.03
        words = _marker("words", number, each.header, Marker.TEXT_VIEW_FACING, lifetime_s)
        words.pose.position = Point(x=above.x, y=above.y, z=above.z + _TEXT_M)
        words.scale.z = _TEXT_M
        words.color = _WHITE
        words.text = each.label
        array.markers += [sphere, arrow, words]
    return array


def target_transform(outcome: Outcome) -> TransformStamped | None:
    """Return the best point as the frame `refer_target`, or None where it has no position."""
    best = _best(outcome)
    if best is None:
        return None
    message = TransformStamped(header=best.header, child_frame_id=TF_CHILD)
    shift = message.transform.translation
    shift.x, shift.y, shift.z = best.position.x, best.position.y, best.position.z
    return message


def _best(outcome: Outcome) -> ReferTarget | None:
    """Return the first point where the outcome is a success and it has a position."""
    points = outcome.referral.points if outcome.referral is not None else ()
    if outcome.error is not None or not points or points[0].p_frame_m is None:
        return None
    return target(outcome, points[0])


def _with_position(outcome: Outcome) -> list[ReferTarget]:
    if outcome.error is not None or outcome.referral is None:
        return []
    points = outcome.referral.points
    return [target(outcome, point) for point in points if point.p_frame_m is not None]


def _header(outcome: Outcome) -> Header:
    best = _best(outcome)
    if best is not None:
        return best.header
    return outcome.capture.image.header if outcome.capture is not None else Header(stamp=Time())


def _marker(space: str, number: int, header: Header, kind: int, lifetime_s: float) -> Marker:
    marker = Marker(header=header, ns=space, id=number, type=kind, action=Marker.ADD)
    marker.lifetime = duration(lifetime_s)
    marker.pose.orientation.w = 1.0
    marker.color = _PINK
    return marker
