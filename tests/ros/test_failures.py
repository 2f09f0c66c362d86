"""Every way in which a question can fail, provoked on the real graph; the node survives all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fake_camera import (
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
from listening import Listening
from node_process import NodeProcess
from rclpy.qos import ReliabilityPolicy
from robo_refer_msgs.action import Refer
from sensor_msgs.msg import CameraInfo, Image

from robo_refer.errors import ErrorCode

ASK_S = 60.0
IMPATIENT_S = 0.3
ON_ITS_WAY = {ErrorCode.NO_IMAGE, ErrorCode.UNSYNCED, ErrorCode.NO_CAMERA_INFO}


@pytest.fixture(autouse=True)
def _survives(process: NodeProcess) -> Iterator[None]:
    yield
    assert process.is_running, process.said()


@pytest.fixture
def patient(node: NodeProcess) -> NodeProcess:
    return node


@pytest.fixture
def impatient(node: NodeProcess) -> NodeProcess:
    """The node, where a test waits for something that will not come."""
    assert not node.set({"image.wait_s": IMPATIENT_S})
    return node


def fails(node: NodeProcess, code: ErrorCode, words: str = "", **goal: Any) -> Refer.Result:
    """Ask, and check code and sentence of the failure; again while messages are on their way."""
    deadline = time.monotonic() + ASK_S
    while True:
        result = node.client.ask("the wall", **goal).raw_result(ASK_S)
        wanted = result.error_code == code and words in result.error_msg
        if wanted or result.error_code not in ON_ITS_WAY or time.monotonic() > deadline:
            break
    assert ErrorCode(result.error_code) is code, result.error_msg
    assert words in result.error_msg
    assert result.error_msg.endswith(".")
    assert result.result.error_code == code
    return result


# The camera


def test_no_image(process: NodeProcess, server: FakeServer) -> None:
    process.start(backend_url=server.url, image__wait_s=IMPATIENT_S)
    fails(process, ErrorCode.NO_IMAGE, "Nothing has arrived on /image: nobody publishes it.")


def test_no_camera_info(impatient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(Shot(info=None))
    fails(impatient, ErrorCode.NO_CAMERA_INFO, "/camera_info")


def test_an_uncalibrated_camera(patient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(Shot(info=CameraInfo(width=WIDTH, height=HEIGHT)))
    fails(patient, ErrorCode.NO_CAMERA_INFO, "K of zeros")


def test_calibration_of_another_size(patient: NodeProcess, camera: FakeCamera) -> None:
    shot = Shot()
    assert shot.info is not None
    shot.info.width = 2 * WIDTH
    camera.publish(shot)
    fails(patient, ErrorCode.BAD_CAMERA)


def test_a_stale_image(impatient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(stamp_ns=camera.now_ns() - 100 * 10**9)
    fails(impatient, ErrorCode.STALE_IMAGE, "s old; 30 s are allowed")
    fails(impatient, ErrorCode.STALE_IMAGE, "s old; 2 s are allowed", max_age_s=2.0)


def test_depth_that_has_stopped(impatient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(stamp_ns=camera.now_ns() - 100 * 10**9)
    fails(impatient, ErrorCode.STALE_IMAGE)
    camera.publish(Shot(depth=None))
    said = "/image that has depth is 1"
    wait_for(lambda: said in impatient.client.ask("the wall").raw_result(ASK_S).error_msg)


def test_an_image_from_the_future(impatient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(stamp_ns=camera.now_ns() + 3600 * 10**9)
    fails(impatient, ErrorCode.STALE_IMAGE, "in the future")


def test_an_image_without_a_stamp(impatient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(stamp_ns=0)
    fails(impatient, ErrorCode.STALE_IMAGE, "no time stamp")


def test_images_that_are_never_of_one_moment(impatient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(Shot(depth_later_s=0.7))
    fails(impatient, ErrorCode.UNSYNCED, "0.700 s apart")


def test_no_depth_image(impatient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(Shot(depth=None))
    fails(impatient, ErrorCode.UNSYNCED, "Nothing has arrived on /depth")


@pytest.mark.parametrize("encoding", ["yuv422", "rgb16", ""])
def test_colour_in_a_wrong_encoding(
    patient: NodeProcess, camera: FakeCamera, encoding: str
) -> None:
    image = colour()
    image.encoding = encoding
    camera.publish(Shot(image=image))
    fails(patient, ErrorCode.BAD_IMAGE, f"encoding '{encoding}'")


def test_depth_in_a_wrong_encoding(patient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(Shot(depth=colour()))
    fails(patient, ErrorCode.BAD_DEPTH, "encoding 'rgb8'")


def test_an_image_with_too_few_bytes(patient: NodeProcess, camera: FakeCamera) -> None:
    image = colour()
    image.data = image.data[:-1]
    camera.publish(Shot(image=image))
    fails(patient, ErrorCode.BAD_IMAGE, "fewer than")


def test_depth_of_another_size(patient: NodeProcess, camera: FakeCamera) -> None:
    z = np.ones((HEIGHT // 2, WIDTH // 2), np.float32)
    half = Image(height=HEIGHT // 2, width=WIDTH // 2, encoding="32FC1", step=WIDTH * 2)
    half.data = z.tobytes()
    camera.publish(Shot(depth=half))
    fails(patient, ErrorCode.BAD_DEPTH, "Register depth to colour")


def test_a_qos_that_does_not_fit_is_said_in_the_log(
    process: NodeProcess, server: FakeServer
) -> None:
    ros = process.client.node
    process.start(backend_url=server.url, image__reliability="reliable", image__wait_s=IMPATIENT_S)
    with FakeCamera(ros, ReliabilityPolicy.BEST_EFFORT):
        wait_for(lambda: "Nothing will arrive on /image" in process.said())
        fails(process, ErrorCode.NO_IMAGE, "offers another QoS (reliability)")


# The target


def test_nothing_there(patient: NodeProcess, camera: FakeCamera, server: FakeServer) -> None:
    server.answer = "<answer>[]</answer>"
    camera.publish()
    result = fails(patient, ErrorCode.NO_TARGET, "sees nothing")
    assert result.result.raw_answer == "<answer>[]</answer>"


def test_a_hole_in_the_depth(patient: NodeProcess, camera: FakeCamera) -> None:
    z = np.ones((HEIGHT, WIDTH), np.float32)
    z[10:40, 15:50] = 0
    shot = Shot()
    assert shot.depth is not None
    shot.depth.data = z.tobytes()
    camera.publish(shot)
    result = fails(patient, ErrorCode.NO_DEPTH, "no depth around it")
    (target,) = result.result.targets
    assert (target.u, target.v) == (WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5)  # the pixel survives
    assert np.isnan(target.position.x)
    assert patient.client.refer("the wall", require_depth=False).position_m is None


def test_depth_without_one_measured_pixel(patient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(Shot(depth=depth(0.0)))
    fails(patient, ErrorCode.BAD_DEPTH)


def test_beyond_the_range(patient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish(Shot(depth=depth(7.5)))
    fails(patient, ErrorCode.NO_DEPTH, "depth.max_m")


def test_out_of_the_workspace(patient: NodeProcess, camera: FakeCamera) -> None:
    assert not patient.set({"workspace.max": [1.0, 1.0, 0.5]})
    camera.publish()
    result = fails(patient, ErrorCode.OUT_OF_WORKSPACE, "0.800")
    assert result.result.targets[0].position.z == pytest.approx(0.8)
    assert not patient.set({"workspace.max": [1.0, 1.0, 2.0]})
    patient.client.refer("the wall")


def test_one_of_several_points_is_out_of_the_workspace(
    patient: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    server.answer = "[(0.25, 0.5), (0.75, 0.5)]"
    assert not patient.set({"workspace.max": [0.0, 1.0, 1.0]})
    camera.publish()
    patient.client.refer("the left half", max_targets=1)
    result = fails(patient, ErrorCode.OUT_OF_WORKSPACE, "Point 2", max_targets=0)
    assert len(result.result.targets) == 2


# Frames


def test_no_transform(patient: NodeProcess, camera: FakeCamera) -> None:
    camera.publish()
    result = fails(patient, ErrorCode.TF_ERROR, "nowhere", target_frame="nowhere")
    assert result.result.targets[0].depth_m == pytest.approx(0.8)


def test_a_transform_that_ends_before_the_image(patient: NodeProcess, camera: FakeCamera) -> None:
    now_ns = camera.now_ns()
    for stamp_ns in (now_ns - 2 * 10**9, now_ns - 10**9):
        camera.transform("past", FRAME, (0.0, 0.0, 0.0), stamp_ns)
    camera.publish(stamp_ns=now_ns)
    result = fails(patient, ErrorCode.TF_ERROR, "", target_frame="past")
    assert "does not exist" not in result.error_msg


def test_a_transform_from_the_future(patient: NodeProcess, camera: FakeCamera) -> None:
    now_ns = camera.now_ns()
    for stamp_ns in (now_ns + 10**9, now_ns + 2 * 10**9):
        camera.transform("future", FRAME, (0.0, 0.0, 0.0), stamp_ns)
    camera.publish(stamp_ns=now_ns)
    result = fails(patient, ErrorCode.TF_ERROR, "", target_frame="future")
    assert "does not exist" not in result.error_msg


def test_frames_of_two_trees(patient: NodeProcess, camera: FakeCamera) -> None:
    camera.transform("moon", "crater", (0.0, 0.0, 0.0), static=True)
    camera.transform("earth", FRAME, (0.0, 0.0, 0.0), static=True)
    camera.publish()
    fails(patient, ErrorCode.TF_ERROR, "", target_frame="crater")


# The request


@pytest.mark.parametrize("instruction", ["", "  \n", "?!", "x" * 10_000])
def test_instructions_that_say_nothing(
    patient: NodeProcess, camera: FakeCamera, instruction: str
) -> None:
    camera.publish()
    result = patient.client.ask(instruction).raw_result(ASK_S)
    assert result.error_code == ErrorCode.BAD_INSTRUCTION


def test_a_goal_with_an_empty_image(patient: NodeProcess) -> None:
    fails(patient, ErrorCode.BAD_IMAGE, use_goal_image=True)


def test_the_point_of_a_failed_question_is_not_published(
    patient: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    from geometry_msgs.msg import PointStamped
    from robo_refer_msgs.msg import ReferResult

    ros = patient.client.node
    with (
        Listening(ros, PointStamped, "/refer/point") as points,
        Listening(ros, ReferResult, "/refer/result") as results,
    ):
        camera.publish()
        results.wait_connected(lambda: patient.client.refer("the wall"))
        stamp = time_message(camera.publish())
        wait_for(lambda: patient.client.refer("the wall").header.stamp == stamp)
        server.answer = "<answer>[]</answer>"
        fails(patient, ErrorCode.NO_TARGET)
        server.answer = "[(0.5, 0.5)]"
        patient.client.refer("the wall")

        def about_this(listening: Listening) -> list[Any]:
            return [said for said in listening.messages if said.header.stamp == stamp]

        wait_for(lambda: len(about_this(results)) >= 3 and len(about_this(points)) >= 2)
        codes = [message.error_code for message in about_this(results)]
        assert codes == [ErrorCode.OK, ErrorCode.NO_TARGET, ErrorCode.OK]
        assert len(about_this(points)) == 2
