"""A G1 in a process of its own: `python fake_g1.py FOLDER`.

FOLDER/mode says what its arm does: follow, limp (does not move), mute (falls silent as soon as it
is commanded). FOLDER/program is the state of its controller: a number, mute, or error.
FOLDER/events gets a line for every command that it was given. Its left arm and its waist are turned
a little.
"""

from __future__ import annotations

import json
import struct
import sys
from contextlib import suppress
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from unitree_api.msg import Request, Response
from unitree_hg.msg import LowCmd, LowState

ARM = slice(22, 29)
OTHERS = slice(12, 22)
SHARED = slice(12, 29)
OTHERS_RAD = tuple(round(0.05 + 0.01 * number, 2) for number in range(10))
MODE_MACHINE = 5


class FakeG1(Node):
    """Obeys what the files in its folder say."""

    def __init__(self, folder: Path) -> None:
        super().__init__("fake_g1")
        self._folder = folder
        self._state = LowState(mode_machine=MODE_MACHINE)
        for motor, angle in zip(self._state.motor_state[OTHERS], OTHERS_RAD, strict=True):
            motor.q = angle
        self._states = self.create_publisher(LowState, "/lowstate", qos_profile_sensor_data)
        self._responses = self.create_publisher(Response, "/api/sport/response", 10)
        self.create_subscription(LowCmd, "/arm_sdk", self._on_command, 100)
        self.create_subscription(Request, "/api/sport/request", self._on_request, 10)
        self._commanded = False
        self.create_timer(0.02, self._publish)

    def _says(self, name: str) -> str:
        return (self._folder / name).read_text().strip()

    def _publish(self) -> None:
        if not (self._commanded and self._says("mode") == "mute"):
            self._states.publish(self._state)

    def _on_command(self, command: LowCmd) -> None:
        arm = command.motor_cmd[ARM]
        weight = command.motor_cmd[29].q
        self._commanded = weight > 0
        event = {
            "event": "command",
            "weight": weight,
            "q": [motor.q for motor in arm],
            "others": [motor.q for motor in command.motor_cmd[OTHERS]],
            "kp": min(motor.kp for motor in command.motor_cmd[SHARED]),
            "modes": [motor.mode for motor in command.motor_cmd],
            "mode_machine": command.mode_machine,
            "is_intact": command.crc == checksum(command),
        }
        with (self._folder / "events").open("a") as file:
            file.write(json.dumps(event) + "\n")
        if self._says("mode") == "follow" and weight == 1.0:
            for mine, motor in zip(self._state.motor_state[ARM], arm, strict=True):
                mine.q = motor.q

    def _on_request(self, request: Request) -> None:
        program = self._says("program")
        if request.header.identity.api_id != 7001 or program == "mute":
            return
        response = Response(data=json.dumps({"data": int(program)}) if program != "error" else "")
        response.header.identity = request.header.identity
        response.header.status.code = 3104 if program == "error" else 0
        self._responses.publish(response)
        response.header.identity.id += 1  # what somebody else asked is answered right after
        response.data = ""
        self._responses.publish(response)


def checksum(command: LowCmd) -> int:
    """Compute what the robot expects, bit by bit, over the message as C lays it out."""
    data = struct.pack("<2B2x", command.mode_pr, command.mode_machine)
    for m in command.motor_cmd:
        data += struct.pack("<B3x5fI", m.mode, m.q, m.dq, m.tau, m.kp, m.kd, m.reserve)
    data += struct.pack("<4I", *command.reserve)
    crc = 0xFFFFFFFF
    for word in struct.unpack(f"<{len(data) // 4}I", data):
        for place in range(31, -1, -1):
            top = crc >> 31
            crc = (crc << 1) & 0xFFFFFFFF
            if top != (word >> place) & 1:
                crc ^= 0x04C11DB7
    return crc


def main() -> None:
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(FakeG1(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
