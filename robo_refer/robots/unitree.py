"""Unitree's low-level command (`unitree_hg/LowCmd`) as fields, bytes and checksum.

The checksum is a CRC-32 (polynomial 0x04C11DB7, initial value all ones, no reflection, no final
inversion) over the message's little-endian 32-bit words in C layout, without the checksum itself;
so documented by Unitree's SDK 2. Every command is built anew: a reused message may carry padding
that breaks it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

MOTORS = 35
_MOTOR = "B3x5fI"
_LAYOUT = struct.Struct("<2B2x" + _MOTOR * MOTORS + "5I")
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class MotorCommand:
    """One motor: enabled (mode 1), where it shall be, and how hard it tries.

    Attributes:
        q_rad, dq_rad_s, tau_nm: wanted angle, speed, torque.
        kp, kd: gains of the motor's own control loop.
    """

    mode: int = 0
    q_rad: float = 0.0
    dq_rad_s: float = 0.0
    tau_nm: float = 0.0
    kp: float = 0.0
    kd: float = 0.0


@dataclass(frozen=True)
class LowCommand:
    """A whole command; `mode_machine` must repeat what the robot's last state said."""

    mode_machine: int
    motors: tuple[MotorCommand, ...] = field(default=(MotorCommand(),) * MOTORS)
    mode_pr: int = 0

    def checksum(self) -> int:
        """Return the CRC that the robot expects."""
        values: list[int | float] = [self.mode_pr, self.mode_machine]
        for m in self.motors:
            values += [m.mode, m.q_rad, m.dq_rad_s, m.tau_nm, m.kp, m.kd, 0]
        data = _LAYOUT.pack(*values, 0, 0, 0, 0, 0)
        return crc32_words(struct.unpack(f"<{len(data) // 4 - 1}I", data[:-4]))


def crc32_words(words: tuple[int, ...]) -> int:
    """Return the CRC-32 over 32-bit words, most significant bit first.

    zlib computes the same polynomial from the least significant bit on, so the bits of every byte
    and those of the result are turned round.
    """
    data = struct.pack(f">{len(words)}I", *words).translate(_TURNED)
    turned = zlib.crc32(data) ^ 0xFFFFFFFF
    return int.from_bytes(turned.to_bytes(4, "little").translate(_TURNED), "big")
