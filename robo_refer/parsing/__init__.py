"""Text to answers and back: the strict grammar, and readers for other families' formats."""

from robo_refer.parsing.grammar import MAX_ANSWER_CHARACTERS, format_answer, parse
from robo_refer.parsing.readers import READERS, Reader

__all__ = ["MAX_ANSWER_CHARACTERS", "READERS", "Reader", "format_answer", "parse"]
