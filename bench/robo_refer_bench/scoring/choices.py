"""Text -> which option was chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from robo_refer.parsing.grammar import MAX_ANSWER_CHARACTERS

# "A cup" begins with a letter too, so that a letter alone needs a mark, or the end, behind it.
_LETTER = re.compile(r"(?:\(([A-Z])\)|([A-Z])(?:[.:)]|\s*$|\s*\n))")
_ANNOUNCED = re.compile(r"(?i:answer|option|choice)(?: is|:)?[\s:*]{0,4}(?:\(([A-Z])\)|([A-Z])\b)")


def read_choice(text: str, options: Sequence[str]) -> int | None:
    """Return which option a reply chooses, or None where it does not say, or says two.

    Read in this order: a letter at its beginning ("(B)", "B.", "B) left"), a letter that is
    announced ("the answer is B"), and the one option whose words stand in it. Only the final
    answer is read: what follows the last `</think>`, or stands in the last `<answer>`.

    Args:
        text: the reply.
        options: their texts, in the order of the letters.
    """
    if len(text) > MAX_ANSWER_CHARACTERS:
        return None
    final = _final(text)
    for match in (_LETTER.match(final), _last(_ANNOUNCED, final)):
        if match is not None:
            index = ord(match[1] or match[2]) - ord("A")
            if index < len(options):
                return index
    return _by_words(final, options)


def _final(text: str) -> str:
    start = text.rfind("<answer>")
    if start >= 0:
        return text[start + len("<answer>") :].partition("</answer>")[0].strip()
    _, closed, after = text.rpartition("</think>")
    return after.strip() if closed else text.partition("<think>")[0].strip()


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for match in pattern.finditer(text):
        found = match
    return found


def _by_words(text: str, options: Sequence[str]) -> int | None:
    """Return the one option that is named; a longer option hides a shorter one within it."""
    left = text.lower()
    named: list[int] = []
    for index in sorted(range(len(options)), key=lambda i: -len(options[i])):
        words = re.escape(options[index].strip().lower().rstrip("."))
        if not words:
            continue
        left, count = re.subn(rf"(?<!\w){words}(?!\w)", " ", left)
        if count:
            named.append(index)
    return named[0] if len(named) == 1 else None
