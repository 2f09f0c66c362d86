"""Between answers: the target is followed from capture to capture, or dropped with a reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from fake_camera import FakeCamera, Shot, time_message
from fake_server import FakeServer
from geometry_msgs.msg import PointStamped
from listening import Listening
from node_process import NodeProcess
from robo_refer_msgs.msg import ReferResult, Track
from robo_refer_ros.camera.convert import camera_message, depth_message, image_message

from robo_refer.types import CameraModel

WIDTH, HEIGHT, HALF = 160, 120, 24
CAMERA = CameraModel(WIDTH, HEIGHT, 150.0, 150.0, 79.5, 59.5, frame="eye")
RNG = np.random.default_rng(4)
TABLE = cv2.GaussianBlur(RNG.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 2.0)
BOX = cv2.GaussianBlur(RNG.integers(0, 255, (2 * HALF, 2 * HALF, 3), np.uint8), (0, 0), 1.5)
TABLE_M, BOX_M, HAND_M = 1.0, 0.8, 0.5
FRAME_NS = 33_000_000
U, V = 80, 60


def scene(u: int, covered: bool = False) -> Shot:
    """A textured box on a table, centred at (u, V), or a hand in front of all."""
    rgb, depth_m = TABLE.copy(), np.full((HEIGHT, WIDTH), TABLE_M, np.float32)
    box = slice(V - HALF, V + HALF), slice(u - HALF, u + HALF)
    rgb[box], depth_m[box] = BOX, BOX_M
    if covered:
        depth_m[:] = HAND_M
    return Shot(image_message(rgb, "eye"), depth_message(depth_m, "eye"), camera_message(CAMERA))


def pointing_at(u: int) -> str:
    """Return the model's answer for the box there."""
    return f"[({(u + 0.5) / WIDTH:.3f}, {(V + 0.5) / HEIGHT:.3f})]"


@dataclass
class Followed:
    """What arrives, and the camera's clock."""

    camera: FakeCamera
    points: Listening
    tracks: Listening
    results: Listening
    stamp_ns: int

    def shows(self, shot: Shot) -> Track:
        """Publish the next frame, and return what is said of it."""
        self.stamp_ns += FRAME_NS
        # An image from the future would be refused.
        time.sleep(max(0.0, (self.stamp_ns - self.camera.now_ns()) / 1e9))
        self.camera.publish(shot, self.stamp_ns)
        stamp = time_message(self.stamp_ns)
        return self.tracks.wait(lambda track: track.target.header.stamp == stamp)


@contextmanager
def following(
    node: NodeProcess, camera: FakeCamera, server: FakeServer, **values: object
) -> Iterator[Followed]:
    """Ask about the box, with tracking on."""
    wanted = {"tracking.enable": True} | {f"tracking.{name}": v for name, v in values.items()}
    assert not node.set(wanted)
    server.answer = pointing_at(U)
    ros = node.client.node
    with (
        Listening(ros, PointStamped, "/refer/tracked_point") as points,
        Listening(ros, Track, "/refer/track") as tracks,
        Listening(ros, ReferResult, "/refer/result") as results,
    ):
        stamp_ns = camera.publish(scene(U))
        results.wait_connected(lambda: node.client.refer("the box"))
        yield Followed(camera, points, tracks, results, stamp_ns)


def test_it_is_followed_at_the_cameras_rate(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    with following(node, camera, server, replan_m=1.0) as followed:
        for number in range(1, 7):
            track = followed.shows(scene(U + 2 * number))
            assert (track.lost, track.replan) == ("", False)
            assert track.target.u == pytest.approx(U + 2 * number, abs=0.5)
            assert track.age.nanosec == pytest.approx(number * FRAME_NS, abs=1e6)
            assert track.target.label == "the box"
        point = followed.points.wait(
            lambda message: message.header.stamp == time_message(followed.stamp_ns)
        )
        x = (U + 12 - CAMERA.cx) / CAMERA.fx * BOX_M
        assert point.header.frame_id == "eye"
        assert point.point.x == pytest.approx(x, abs=0.004)
        assert point.point.z == pytest.approx(BOX_M, abs=0.001)


def test_a_covered_target_is_dropped_with_the_reason(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    with following(node, camera, server) as followed:
        followed.shows(scene(U))
        points = len(followed.points.messages)
        assert followed.shows(scene(U, covered=True)).lost == "depth_jump"
        assert len(followed.points.messages) == points
        followed.tracks.messages.clear()
        camera.publish(scene(U), followed.stamp_ns + FRAME_NS)
        assert not followed.tracks.arrives(1.0), "nothing is followed any more"


def test_a_target_that_leaves_the_workspace_is_dropped(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    edge_m = (U + 3 - CAMERA.cx) / CAMERA.fx * BOX_M
    assert not node.set({"workspace.max": [edge_m, 9.0, 9.0]})
    with following(node, camera, server, replan_m=1.0) as followed:
        assert followed.shows(scene(U + 2)).lost == ""
        inside_ns = followed.stamp_ns
        lost = followed.shows(scene(U + 4))
        assert lost.lost == "out_of_workspace"
        assert np.isnan(lost.target.position.x)
        assert lost.target.u == pytest.approx(U + 4, abs=0.5)
        last = followed.points.wait(lambda message: message.header.stamp == time_message(inside_ns))
        assert followed.points.messages[-1] is last
        followed.tracks.messages.clear()
        camera.publish(scene(U), followed.stamp_ns + FRAME_NS)
        assert not followed.tracks.arrives(1.0), "nothing is followed any more"


def test_a_target_that_moved_is_asked_for_again(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    with following(node, camera, server, replan_m=0.02) as followed:
        moved = U + 8
        server.answer = pointing_at(moved)
        assert not followed.shows(scene(U + 2)).replan
        assert followed.shows(scene(moved)).replan
        again = followed.results.wait(lambda result: result.request_id.endswith("-replan"))
        assert again.instruction == "the box"
        assert again.error_code == 0
        assert again.targets[0].u == pytest.approx(moved, abs=0.1)
        track = followed.shows(scene(moved))
        while not track.request_id.endswith("-replan"):  # it begins when the answer is published
            track = followed.shows(scene(moved))
        assert not track.replan


def test_without_the_parameter_nothing_is_followed(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    with Listening(node.client.node, Track, "/refer/track") as tracks:
        stamp_ns = camera.publish(scene(U))
        node.client.refer("the box")
        camera.publish(scene(U), stamp_ns + FRAME_NS)
        assert not tracks.arrives(1.0)
