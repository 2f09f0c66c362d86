"""The node's publishers."""

from __future__ import annotations

from geometry_msgs.msg import PointStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from robo_refer_msgs.msg import ReferResult
from sensor_msgs.msg import Image
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from robo_refer_ros import messages
from robo_refer_ros.asking import Outcome
from robo_refer_ros.camera.convert import image_message
from robo_refer_ros.settings import Settings


class Outputs:
    """Publishes outcomes.

    Args:
        node: that publishes.
        settings: the parameters.
    """

    def __init__(self, node: Node, settings: Settings) -> None:
        self._node, self._lifetime_s = node, settings.markers.lifetime_s
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._result = node.create_publisher(ReferResult, "~/result", 10)
        self._point = node.create_publisher(PointStamped, "~/point", 1)
        self._markers = node.create_publisher(MarkerArray, "~/markers", latched)
        self._annotated = node.create_publisher(Image, "~/annotated", qos_profile_sensor_data)
        self._publishers = [self._result, self._point, self._markers, self._annotated]
        self._detections = self._tf = None
        if messages.HAS_VISION_MSGS:
            from vision_msgs.msg import Detection3DArray

            self._detections = node.create_publisher(Detection3DArray, "~/detections", 10)
            self._publishers.append(self._detections)
        if settings.tf.publish:
            self._tf = node.create_publisher(TFMessage, "/tf", 100)
            self._publishers.append(self._tf)

    def publish(self, outcome: Outcome, result: ReferResult) -> None:
        """Publish an outcome on all topics that it concerns; the point first.

        Args:
            outcome: what became of a question.
            result: the same as a message.
        """
        point = messages.best_point(outcome)
        if point is not None:
            self._point.publish(point)
        self._result.publish(result)
        if point is not None and self._detections is not None:
            self._detections.publish(messages.detections(outcome))
        transform = messages.target_transform(outcome)
        if transform is not None and self._tf is not None:
            self._tf.publish(TFMessage(transforms=[transform]))
        # After a failure nothing must look as if it were the answer.
        self._markers.publish(messages.markers(outcome, self._lifetime_s))
        if outcome.frame is not None and self._annotated.get_subscription_count():
            self._annotated.publish(_annotated(outcome))

    def close(self) -> None:
        """Take all topics back."""
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)


def _annotated(outcome: Outcome) -> Image:
    from robo_refer.viz.draw import annotate

    assert outcome.frame is not None
    assert outcome.capture is not None
    referrals = [] if outcome.referral is None else [outcome.referral]
    picture = image_message(annotate(outcome.frame, referrals))
    picture.header = outcome.capture.image.header
    return picture
