"""The relation `faced`, our own: `face` from the other side."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.face import decide as face
from robo_refer_data.relations.registry import Truth, relation


@relation(
    "faced",
    "pair",
    "object",
    ("faced by",),
    margin="between 20 and 60 degrees",
    example="is the mug faced by the duck?",
    inverse="face",
    own=True,
)
def decide(facts: Facts) -> Truth:
    """The reference's front points at the subject (see face)."""
    return face(facts).T.copy()
