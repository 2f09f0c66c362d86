"""What the node answers, by all its doors, about a fake camera and a fake server."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from fake_camera import (
    CAMERA,
    DEPTH_M,
    FRAME,
    HEIGHT,
    WIDTH,
    FakeCamera,
    Shot,
    colour,
    depth,
    time_message,
    wait_for,
)
from fake_server import FakeServer
from geometry_msgs.msg import PointStamped
from lifecycle_msgs.msg import Transition
from listening import Listening
from node_process import CALL_S, NodeProcess
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from robo_refer_msgs.msg import ReferResult, ReferTarget
from robo_refer_msgs.srv import LiftPoints, ReferOnce
from robo_refer_ros.camera.convert import camera_message, depth_message
from sensor_msgs.msg import Image
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import Marker, MarkerArray

from robo_refer.errors import ErrorCode
from robo_refer.geometry import lift_pixels


def expected(x: float, y: float, z: float = DEPTH_M) -> Any:
    u, v = x * WIDTH - 0.5, y * HEIGHT - 0.5
    return pytest.approx(
        ((u - CAMERA.cx) / CAMERA.fx * z, (v - CAMERA.cy) / CAMERA.fy * z, z), abs=1e-5
    )


def xyz(point: Any) -> tuple[float, float, float]:
    return point.x, point.y, point.z


def test_an_action_goal_gets_a_point(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    server.answer = "[(0.75, 0.25)]"
    stamp_ns = camera.publish()
    stages: list[str] = []
    found = node.client.refer("the wall", on_stage=stages.append)
    assert found.position_m is not None
    assert tuple(found.position_m) == expected(0.75, 0.25)
    assert found.header.frame_id == FRAME
    assert found.header.stamp == time_message(stamp_ns)
    target = found.targets[0]
    assert (target.u, target.v) == (0.75 * WIDTH - 0.5, 0.25 * HEIGHT - 0.5)
    assert target.label == "the wall"
    assert np.linalg.eigvalsh(target.covariance.reshape(3, 3)).min() > 0
    assert stages == ["waiting_image", "inferring", "transforming"]
    assert found.message.raw_answer == "[(0.75, 0.25)]"
    assert found.message.error_code == ErrorCode.OK


def test_a_service_call_gets_the_same(node: NodeProcess, camera: FakeCamera) -> None:
    camera.publish()
    ros = node.client.node
    client = ros.create_client(ReferOnce, "/refer/refer_once")
    response = node.call(client, ReferOnce.Request(instruction="the wall"))
    ros.destroy_client(client)
    assert (response.error_code, response.error_msg) == (ErrorCode.OK, "")
    assert xyz(response.result.targets[0].position) == expected(0.5, 0.5)


def test_an_instruction_on_the_topic_is_answered_on_all_topics(
    node: NodeProcess, camera: FakeCamera
) -> None:
    ros = node.client.node
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    words = ros.create_publisher(String, "/instruction", 1)
    with (
        Listening(ros, ReferResult, "/refer/result") as results,
        Listening(ros, PointStamped, "/refer/point") as points,
        Listening(ros, MarkerArray, "/refer/markers", latched) as markers,
        Listening(ros, Image, "/refer/annotated", qos_profile_sensor_data) as pictures,
    ):
        wait_for(words.get_subscription_count)
        topics = (results, points, markers, pictures)
        # Volatile topics lose what is published before both sides have found each other.
        for _ in range(10):
            camera.publish()
            words.publish(String(data="the wall"))
            if pictures.arrives(5.0) and all(topic.messages for topic in topics):
                break
        result = results.wait(lambda message: message.instruction == "the wall")
        point = points.wait()
        shown = markers.wait(lambda message: len(message.markers) > 1).markers
        picture = pictures.wait()
    ros.destroy_publisher(words)
    assert result.error_code == ErrorCode.OK
    assert result.request_id.startswith("topic-")
    assert point.header == result.targets[0].header
    assert xyz(point.point) == expected(0.5, 0.5)
    assert [marker.action for marker in shown] == [Marker.DELETEALL, *[Marker.ADD] * 3]
    assert {marker.type for marker in shown[1:]} == {
        Marker.SPHERE, Marker.ARROW, Marker.TEXT_VIEW_FACING,
    }  # fmt: skip
    assert shown[1].lifetime.sec == 20
    assert (picture.encoding, picture.width) == ("rgb8", picture.step // 3)
    assert len(picture.data) == picture.step * picture.height


def test_detections_for_those_who_know_vision_msgs(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    server.answer = "[(0.25, 0.5), (0.75, 0.5)]"
    with Listening(node.client.node, Detection3DArray, "/refer/detections") as detections:
        camera.publish()
        detections.wait_connected(lambda: node.client.refer("both halves", max_targets=0))
        array = detections.wait()
    assert array.header.frame_id == FRAME
    assert [xyz(each.bbox.center.position) for each in array.detections] == [
        expected(0.25, 0.5),
        expected(0.75, 0.5),
    ]
    (result,) = array.detections[0].results
    assert result.hypothesis.class_id == "both halves"
    assert result.pose.covariance[0] > 0


def test_many_points_and_at_most_so_many(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    server.answer = "[(0.25, 0.5), (0.5, 0.5), (0.75, 0.5)]"
    camera.publish()
    assert [len(node.client.refer("halves", max_targets=n).targets) for n in (1, 2, 0)] == [1, 2, 3]


def test_the_images_of_a_goal_are_answered_about(node: NodeProcess, server: FakeServer) -> None:
    image, z = colour(), depth(1.5)
    image.header.stamp = time_message(1_000_000_000)  # long ago: whoever sends it knows its age
    info = camera_message(CAMERA)
    goal = {"use_goal_image": True, "image": image, "depth": z, "camera_info": info}
    found = node.client.refer("the wall", **goal)
    assert found.position_m is not None
    assert tuple(found.position_m) == expected(0.5, 0.5, 1.5)
    assert found.header.stamp == image.header.stamp
    del goal["depth"]
    flat = node.client.ask("the wall", **goal).raw_result(30)
    assert flat.error_code == ErrorCode.NO_DEPTH
    assert len(flat.result.targets) == 1


def test_a_camera_without_depth_gives_pixels(process: NodeProcess, server: FakeServer) -> None:
    # Its topics are its own: this node must never have seen depth.
    server.reset()
    process.start(backend_url=server.url)
    with FakeCamera(process.client.node) as camera:
        camera.publish(Shot(depth=None))
        found = process.client.refer("the wall", require_depth=False)
    assert found.position_m is None
    target = found.targets[0]
    assert target.depth_status == ReferTarget.DEPTH_NONE
    assert math.isnan(target.position.x)
    assert target.covariance[0] == -1
    assert target.header.frame_id == FRAME


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 6])
def test_rows_may_be_padded_and_numbers_of_either_order(
    node: NodeProcess, camera: FakeCamera, big_endian: bool, padding: int
) -> None:
    millimetres = np.full((HEIGHT, WIDTH), 700, ">u2" if big_endian else "<u2")
    rows = np.full((HEIGHT, WIDTH * 2 + padding), 255, np.uint8)
    rows[:, : WIDTH * 2] = millimetres.view(np.uint8).reshape(HEIGHT, -1)
    z = Image(
        height=HEIGHT, width=WIDTH, encoding="16UC1", step=WIDTH * 2 + padding,
        is_bigendian=int(big_endian), data=rows.tobytes(),
    )  # fmt: skip
    camera.publish(Shot(depth=z))
    found = node.client.refer("the wall")
    assert found.position_m is not None
    assert tuple(found.position_m) == expected(0.5, 0.5, 0.7)


def test_everything_is_of_one_capture(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    server.hang()
    first_ns = camera.publish()
    pending = node.client.ask("the wall")
    assert server.asked.wait(30)
    camera.publish(Shot(depth=depth(2.0)))  # while the model thinks, the camera has moved on
    server.release()
    found = pending.result(30)
    assert found.position_m is not None
    assert tuple(found.position_m) == expected(0.5, 0.5, DEPTH_M)
    assert found.header.stamp == time_message(first_ns)


def test_points_in_another_frame(process: NodeProcess, server: FakeServer) -> None:
    server.reset()
    process.start(
        backend_url=server.url, target_frame="base_link", tf__publish=True, tf__timeout_s=20.0
    )
    with (
        FakeCamera(process.client.node) as camera,
        Listening(process.client.node, TFMessage, "/tf", publishers=2) as transforms,
    ):
        camera.transform("base_link", FRAME, (1.0, 2.0, 3.0), static=True)
        camera.publish()
        transforms.wait_connected(lambda: process.client.refer("the wall"))
        found = process.client.refer("the wall")
        x, y, z = (float(value) for value in expected(0.5, 0.5).expected)
        assert found.header.frame_id == "base_link"
        assert found.position_m == pytest.approx((1 + x, 2 + y, 3 + z), abs=1e-5)
        (sent,) = transforms.wait().transforms
        assert (sent.header.frame_id, sent.child_frame_id) == ("base_link", "refer_target")
        assert xyz(sent.transform.translation) == pytest.approx(tuple(found.position_m))
        assert process.client.refer("the wall", target_frame=FRAME).header.frame_id == FRAME


def test_pixels_are_lifted_without_a_model(node: NodeProcess, camera: FakeCamera) -> None:
    rng = np.random.default_rng(0)
    z = rng.uniform(0.5, 0.6, (HEIGHT, WIDTH)).astype(np.float32)
    z[20:40, 20:40] = np.nan
    shot = Shot()
    assert shot.depth is not None
    shot.depth.data = z.tobytes()
    camera.publish(shot)
    uv = rng.uniform(0, (WIDTH - 1, HEIGHT - 1), (200, 2))
    ros = node.client.node
    client = ros.create_client(LiftPoints, "/refer/lift_points")
    response = node.call(client, LiftPoints.Request(uv_px=uv.ravel().tolist()))
    odd = node.call(client, LiftPoints.Request(uv_px=[1.0, 2.0, 3.0]))
    all_of_it = node.call(client, LiftPoints.Request(uv_px=[1.0, 2.0] * (WIDTH * HEIGHT)))
    more = node.call(client, LiftPoints.Request(uv_px=[1.0, 2.0] * (WIDTH * HEIGHT + 1)))
    ros.destroy_client(client)
    lifted = lift_pixels(z, CAMERA, uv)
    assert response.header.frame_id == FRAME
    np.testing.assert_allclose(np.reshape(response.points_m, (-1, 3)), lifted.p_cam_m)
    np.testing.assert_array_equal(response.depth_status, lifted.status)
    assert {ReferTarget.DEPTH_OK, ReferTarget.DEPTH_NONE} <= set(response.depth_status)
    covariances = np.reshape(response.covariances_m2, (-1, 3, 3))
    known = np.isfinite(lifted.p_cam_m[:, 0])
    np.testing.assert_allclose(covariances[known], lifted.cov_cam_m2[known])
    assert (covariances[~known, 0, 0] == -1).all()
    assert odd.error_code == ErrorCode.BAD_REQUEST
    assert len(all_of_it.depth_status) == WIDTH * HEIGHT
    assert more.error_code == ErrorCode.BAD_REQUEST
    assert "3073 pixels" in more.error_msg


def test_depth_of_another_size_is_not_lifted(node: NodeProcess, camera: FakeCamera) -> None:
    half = depth_message(np.ones((HEIGHT // 2, WIDTH // 2), np.float32), FRAME)
    camera.publish(Shot(depth=half))
    ros = node.client.node
    client = ros.create_client(LiftPoints, "/refer/lift_points")
    response = node.call(client, LiftPoints.Request(uv_px=[1.0, 2.0]))
    ros.destroy_client(client)
    assert response.error_code == ErrorCode.BAD_DEPTH, response.error_msg


def test_lifting_does_not_wait_for_a_camera_that_is_left(
    process: NodeProcess, server: FakeServer
) -> None:
    process.start(backend_url=server.url, image__wait_s=10 * CALL_S)
    ros = process.client.node
    client = ros.create_client(LiftPoints, "/refer/lift_points")
    assert client.wait_for_service(CALL_S)
    request = LiftPoints.Request(uv_px=[1.0, 2.0])
    lifting = process.client.side.call(lambda: client.call_async(request))
    process.state()  # a moment in which it begins to wait
    assert process.change(Transition.TRANSITION_DEACTIVATE)
    wait_for(lifting.done)
    assert lifting.result().error_code in (ErrorCode.CANCELLED, ErrorCode.NOT_ACTIVE)
    ros.destroy_client(client)


def test_health_is_said_every_second(node: NodeProcess, camera: FakeCamera) -> None:
    with Listening(node.client.node, DiagnosticArray, "/diagnostics") as health:
        camera.publish()
        node.client.refer("the wall")
        (status,) = health.wait(lambda message: "model p95 ms" in str(message)).status
        count = len(health.messages)
        wait_for(lambda: len(health.messages) >= count + 2)
    values = {each.key: each.value for each in status.values}
    assert values["state"] == "active"
    assert values["image topic"] == "/image"
    assert float(values["model p95 ms"]) > 0
    assert int(values["answered"]) >= 1
