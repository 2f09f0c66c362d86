"""`robo-refer ros speed`: what the node costs beside the model, and whether it lasts."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from geometry_msgs.msg import PointStamped
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from robo_refer_msgs.srv import LiftPoints
from sensor_msgs.msg import CameraInfo, Image

from robo_refer.cli.main import run_command
from robo_refer.errors import RoboReferError
from robo_refer_ros.camera.convert import camera_message, depth_message, image_message
from robo_refer_ros.client import ReferClient, code_of
from robo_refer_ros.commands.bringup import bringup_share
from robo_refer_ros.commands.demo import INSTRUCTION, running
from robo_refer_ros.commands.launch_options import LaunchOptions, node_setup
from robo_refer_ros.commands.scene_publisher import load_scene
from robo_refer_ros.messages import seconds

FPS = 30.0
_PAUSE_S = 0.35
_MAX_AGE_S = 0.3
_WARM_UP_S = 10.0
_READY_S = 120.0


@dataclass(frozen=True)
class SpeedOptions:
    """Measure the node with nano on the recorded 640x480 scene."""

    shots: int = 100
    """Images for the latency, and calls of LiftPoints."""

    seconds: float = 600.0
    """How long 30 RGB-D frames a second are sent while a question is always being answered."""

    pixels: int = 1000
    """Pixels of one call of LiftPoints."""

    as_json: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Print the numbers as JSON."""


class Camera:
    """Publishes the recorded scene on request."""

    def __init__(self, node: Node) -> None:
        scene = load_scene(bringup_share() / "scene")
        assert scene.camera is not None
        assert scene.depth_m is not None
        frame = scene.camera.frame
        qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._node = node
        self._sent = [
            (camera_message(scene.camera), node.create_publisher(CameraInfo, "camera_info", qos)),
            (depth_message(scene.depth_m, frame), node.create_publisher(Image, "depth", qos)),
            (image_message(scene.rgb, frame), node.create_publisher(Image, "image", qos)),
        ]

    def publish(self) -> float:
        """Publish one frame; return when it was complete, in seconds of `time.perf_counter`."""
        stamp = self._node.get_clock().now().to_msg()
        for message, publisher in self._sent:
            message.header.stamp = stamp
            publisher.publish(message)
        return time.perf_counter()

    def wait_connected(self) -> None:
        """Return when somebody receives all of it."""
        while not all(publisher.get_subscription_count() for _, publisher in self._sent):
            time.sleep(0.05)


@dataclass
class Endurance:
    """What was seen while questions were asked without a pause."""

    ages_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    frames: int = 0


def main(argv: list[str]) -> None:
    """Run the three measurements and print them."""
    options = tyro.cli(SpeedOptions, args=argv, prog="robo-refer ros speed")
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    # Points in the camera's frame: nobody publishes transforms here.
    setup = node_setup(LaunchOptions(), bringup_share())
    os.environ.update(setup.environment)
    words = [*setup.ros_arguments(), "-p", "target_frame:=''", "-p", "image.wait_s:=5.0"]
    with running("robo_refer_ros", words) as process, ReferClient() as client:
        client.wait_until_ready(_READY_S)
        camera = Camera(client.node)
        camera.wait_connected()
        times = latency(client, camera, options.shots)
        lifting_ms = lift_times(client, camera, options)
        seen = endurance(client, camera, process.pid, options.seconds)
    numbers = {
        **{f"{part}_ms": _percentiles(values) for part, values in times.items()},
        f"lift_{options.pixels}_ms": _percentiles(lifting_ms),
        "endurance": summary(seen, options.seconds),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(numbers, indent=None if options.as_json else 2))


def latency(client: ReferClient, camera: Camera, shots: int) -> dict[str, list[float]]:
    """Return milliseconds of every shot: the model, the node beside it, and the middleware.

    The node waits for an image when it is published. The middleware is what is left of the way
    from the publisher of the image to a subscriber of the point.
    """
    arrived = threading.Event()
    at = [0.0]

    def on_point(_: PointStamped) -> None:
        at[0] = time.perf_counter()
        arrived.set()

    points = client.node.create_subscription(PointStamped, "/refer/point", on_point, 1)
    times: dict[str, list[float]] = {"model": [], "node": [], "middleware": []}
    for number in range(shots + 3):
        time.sleep(_PAUSE_S)  # what was published last is too old by now
        arrived.clear()
        waiting = threading.Event()
        pending = client.ask(
            INSTRUCTION, max_age_s=_MAX_AGE_S, on_stage=lambda _, waiting=waiting: waiting.set()
        )
        waiting.wait(_READY_S)
        sent = camera.publish()
        try:
            said = pending.result(_READY_S).message
        except RoboReferError as error:
            print(f"not counted: {error}", file=sys.stderr)
            continue
        if arrived.wait(_READY_S) and number >= 3:  # the first ones warm up
            model, node = seconds(said.inference_time) * 1e3, seconds(said.overhead_time) * 1e3
            times["model"].append(model)
            times["node"].append(node)
            times["middleware"].append((at[0] - sent) * 1e3 - model - node)
    client.node.destroy_subscription(points)
    return times


def lift_times(client: ReferClient, camera: Camera, options: SpeedOptions) -> list[float]:
    """Return milliseconds of whole service calls that lift many pixels."""
    service = client.node.create_client(LiftPoints, "/refer/lift_points")
    service.wait_for_service(_READY_S)
    uv = np.random.default_rng(0).uniform(0, (639, 479), (options.pixels, 2))
    request = LiftPoints.Request(uv_px=uv.ravel().tolist())
    request.max_image_age.sec = 60
    camera.publish()
    times = []
    for number in range(options.shots + 3):
        done = threading.Event()
        start = time.perf_counter()
        calling = client.side.call(lambda: service.call_async(request))
        calling.add_done_callback(lambda _, done=done: done.set())
        done.wait(_READY_S)
        if number >= 3:
            times.append((time.perf_counter() - start) * 1e3)
        assert calling.result().error_code == 0, calling.result().error_msg
    client.node.destroy_client(service)
    return times


def endurance(client: ReferClient, camera: Camera, pid: int, duration_s: float) -> Endurance:
    """Send 30 frames a second and ask one question after the other."""
    seen, stop = Endurance(), threading.Event()

    def ask_on() -> None:
        while not stop.is_set():
            try:
                result = client.ask(INSTRUCTION).raw_result(_READY_S)
            except RoboReferError as error:  # one lost question is counted, and the next one asked
                seen.failed[error.code.name] += 1
                continue
            seen.ages_ms.append(seconds(result.result.image_age) * 1e3)
            if result.error_code:
                seen.failed[code_of(result.error_code).name] += 1
            else:
                seen.answered += 1

    asking = threading.Thread(target=ask_on)
    asking.start()
    start = next_frame = time.perf_counter()
    next_look = start + _WARM_UP_S
    while (now := time.perf_counter()) < start + duration_s:
        camera.publish()
        seen.frames += 1
        if now >= next_look:
            seen.memory_mb.append(memory_mb(pid))
            next_look += 1.0
        next_frame += 1 / FPS
        time.sleep(max(0.0, next_frame - time.perf_counter()))
    stop.set()
    asking.join(_READY_S)
    return seen


def summary(seen: Endurance, duration_s: float) -> dict[str, Any]:
    """Return the endurance in numbers: the first tenth beside the last."""
    tenth = max(1, len(seen.ages_ms) // 10)
    part = max(1, len(seen.memory_mb) // 10)
    return {
        "seconds": duration_s,
        "frames_per_s": round(seen.frames / duration_s, 2),
        "answered": seen.answered,
        "failed": dict(seen.failed),
        "image_age_p95_ms": [
            round(float(np.percentile(ages, 95)), 1)
            for ages in (seen.ages_ms[:tenth], seen.ages_ms[-tenth:])
            if ages
        ],
        "memory_mb": [
            round(float(np.median(values)), 1)
            for values in (seen.memory_mb[:part], seen.memory_mb[-part:])
            if values
        ],
    }


def memory_mb(pid: int) -> float:
    """Return the memory of a process and all that it has started, without shared pages twice."""
    total = 0.0
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        total += sum(memory_mb(int(child)) for child in path.read_text().split())
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (line,) = [line for line in rollup.splitlines() if line.startswith("Pss:")]
    return total + int(line.split()[1]) / 1024


def _percentiles(values: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, [50, 95])
    return {"n": len(values), "p50": round(float(p50), 2), "p95": round(float(p95), 2)}


if __name__ == "__main__":
    run_command(main, sys.argv[1:])
