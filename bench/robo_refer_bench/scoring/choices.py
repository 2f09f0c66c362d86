"""Text -> which option was chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from robo_refer.parsing.grammar import MAX_ANSWER_CHARACTERS

# "A cup" begins with a letter too, so that a letter alone needs a mark, or the end, behind it.
_LETTER = re.compile(r"\(([A-Za-z])\)|([A-Z])(?:[.:)]|\s*$|\s*\n)|([a-z])[.)]?\s*$")

_NAMED = r"(?:\(([A-Za-z])\)|([A-Z])\b)"
_ANSWER = re.compile(
    rf"(?i:answer)(?i: is|:)?[\s:]{{0,4}}(?i:(?:the )?(?:option|choice)[\s:]{{0,4}})?{_NAMED}"
)
_OPTION = re.compile(rf"(?i:option|choice)(?i: is|:)?[\s:]{{0,4}}{_NAMED}")

# "No obstacle is there" says nothing yet, so that a "no" needs a mark, or the end, behind it.
_YES_OR_NO = re.compile(
    r"(?:(?:the |my )?(?:final |correct )?answer(?: is|:)[\s:]{0,4})?"
    r"(yes\b(?!/| or | and )|no(?=[,.;:!]|\s*$|\s*\n))",
    re.IGNORECASE,
)

_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_FONT = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\{([^{}]*)\}")


def read_choice(text: str, options: Sequence[str]) -> int | None:
    r"""Return which option a reply chooses, or None where it does not say, or says two.

    Read in this order: a letter at its beginning ("(B)", "B.", "B) left"), a letter that is
    announced as the answer ("the answer is B") or, where none is, as an option ("I choose option
    B"), a yes or no at its beginning, and the one option whose words stand in it. Announcements
    that disagree choose nothing. Only the final answer is read: what follows the last `</think>`,
    or stands in the last `<answer>`, without stars; what is in a `\boxed{}` is an answer.

    Args:
        text: the reply.
        options: their texts, in the order of the letters.
    """
    if len(text) > MAX_ANSWER_CHARACTERS:
        return None
    final = _plain(_final(text))
    first = _LETTER.match(final)
    ranks: tuple[Iterable[re.Match[str]], ...] = (
        [first] if first else [],
        _ANSWER.finditer(final),
        _OPTION.finditer(final),
    )
    for found in ranks:
        chosen = {place for match in found if (place := _place(match)) < len(options)}
        if chosen:
            return chosen.pop() if len(chosen) == 1 else None
    words = [option.strip().lower().rstrip(".") for option in options]
    said = _YES_OR_NO.match(final)
    if said is not None and said[1].lower() in words:
        return words.index(said[1].lower())
    return _by_words(final, words)


def _place(match: re.Match[str]) -> int:
    letter = next(group for group in match.groups() if group)
    return ord(letter.upper()) - ord("A")


def _plain(text: str) -> str:
    """Return a text without Markdown's stars and LaTeX's fonts, and what is boxed announced."""
    text = _FONT.sub(r"\1", text.replace("*", ""))
    return _BOXED.sub(r" answer: \1 ", text).strip()


def _final(text: str) -> str:
    start = text.rfind("<answer>")
    if start >= 0:
        return text[start + len("<answer>") :].partition("</answer>")[0].strip()
    _, closed, after = text.rpartition("</think>")
    return after.strip() if closed else text.partition("<think>")[0].strip()


def _by_words(text: str, options: Sequence[str]) -> int | None:
    """Return the one option, in lower case, that is named; a longer one hides one within it."""
    left = text.lower()
    named: list[int] = []
    for index in sorted(range(len(options)), key=lambda i: -len(options[i])):
        words = re.escape(options[index])
        if not words:
            continue
        left, count = re.subn(rf"(?<!\w){words}(?!\w)", " ", left)
        if count:
            named.append(index)
    return named[0] if len(named) == 1 else None
