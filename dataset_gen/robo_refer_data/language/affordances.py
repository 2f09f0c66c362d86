"""Objects by what they are for: "the thing you drink from"."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Use:
    """What some objects are for.

    Attributes:
        done: what one does with them, behind "the thing you".
        by: names of objects that are for it.
        also: names of objects that might be used so too: beside one of these it is not said.
    """

    done: str
    by: frozenset[str]
    also: frozenset[str] = frozenset()


USES = (
    Use("drink from", frozenset({"mug", "cup"}), frozenset({"bottle", "can", "teapot", "bowl"})),
    Use("pour tea from", frozenset({"teapot"}), frozenset({"bottle"})),
    Use("write with", frozenset({"pen"}), frozenset({"keyboard", "brush"})),
    Use("cut paper with", frozenset({"scissors"}), frozenset({"knife"})),
    Use("spread butter with", frozenset({"knife"}), frozenset({"spoon", "brush"})),
    Use("eat soup with", frozenset({"spoon"})),
    Use("drive nails with", frozenset({"hammer"}), frozenset({"drill"})),
    Use("turn screws with", frozenset({"screwdriver"}), frozenset({"drill", "knife"})),
    Use("drill holes with", frozenset({"drill"})),
    Use("type on", frozenset({"keyboard", "laptop"}), frozenset({"phone", "remote"})),
    Use("make calls with", frozenset({"phone"}), frozenset({"laptop"})),
    Use("switch channels with", frozenset({"remote"}), frozenset({"phone"})),
    Use("read the time from", frozenset({"clock"}), frozenset({"phone", "laptop"})),
    Use("light a room with", frozenset({"lamp"}), frozenset({"candle"})),
    Use("wipe a table with", frozenset({"sponge"}), frozenset({"brush"})),
    Use("read page by page", frozenset({"book"}), frozenset({"laptop", "phone"})),
    Use("put flowers in", frozenset({"vase"}), frozenset({"bottle", "plant", "mug", "cup", "can"})),
    Use("water now and then", frozenset({"plant"}), frozenset({"vase"})),
)


def uses_of(name: str, others: list[str]) -> list[Use]:
    """Return the uses that single out the object `name` among the names of `others`."""
    return [
        use for use in USES
        if name in use.by and not any(other in use.by | use.also for other in others)
    ]  # fmt: skip
