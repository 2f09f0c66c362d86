"""Text to answers and back: the strict grammar, and readers for other families' formats."""

from robo_refer.parsing.families import FAMILIES, Family, Task, family
from robo_refer.parsing.grammar import MAX_ANSWER_CHARACTERS, format_answer, parse
from robo_refer.parsing.readers import READERS, Reader

__all__ = [
    "FAMILIES",
    "MAX_ANSWER_CHARACTERS",
    "READERS",
    "Family",
    "Reader",
    "Task",
    "family",
    "format_answer",
    "parse",
]
