"""The words that a checkpoint's tokenizer must know: placeholders, grammar pieces, numbers.

Every number of an answer is one token. There are `BINS` of them, evenly spaced, and their centres
have exactly three decimals, so that what is printed is what was meant: 0.002, 0.006 ... 0.998.
The second number of a pair carries its comma (", 0.633"): x and y are then different words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Answer, Step

IMAGE = "<image>"
DEPTH = "<depth>"
PAD = "<pad>"
END = "<eos>"
ASK = "<ask>"
REASON = "<reason>"
CONTROL_TOKENS = (PAD, END, IMAGE, DEPTH, ASK, REASON)

GRAMMAR_TOKENS = (
    "<think>\n",
    "[Position] [",
    "[Orientation] [",
    "[Size] [",
    "]: [(",
    "]: (",
    "]: ",
    ")]\n",
    ")\n",
    "\n",
    ", -",
    "-",
    "</think>\n<answer>[(",
    "</think>\n<answer>[]</answer>",
    ")]</answer>",
    "[(",
    ")]",
    "<answer>[]</answer>",
)

BINS = 250
FIRST_TOKENS = tuple(f"{0.002 + 0.004 * k:.3f}" for k in range(BINS))
SECOND_TOKENS = tuple(f", {value}" for value in FIRST_TOKENS)

MAX_INSTRUCTION_CHARS = 2000
MAX_TEXT_TOKENS, MAX_NEW_TOKENS = 256, 160
"""Of an instruction and of an answer, beside the tokens of image and depth."""

_FORBIDDEN = re.compile(r"[<>\[\](){}]")
# What RoboRefer's clients write behind every instruction; nano knows one format only.
_FORMAT_REQUEST = re.compile(r"your answer should be formatted as .*", re.DOTALL)


def room(seen: int) -> int:
    """Return how many tokens a decoder's cache must hold, `seen` of them of image and depth."""
    return seen + MAX_TEXT_TOKENS + MAX_NEW_TOKENS


def quantise(value: float) -> float:
    """Return the bin centre nearest to `value`, which is clipped to [0, 1]."""
    index = min(max(int(value * BINS), 0), BINS - 1)
    return round(0.002 + 0.004 * index, 3)


def _signed(value: float) -> float:
    return quantise(value) if value >= 0 else -quantise(-value)


def quantise_answer(answer: Answer) -> Answer:
    """Return the answer with every number moved to its bin, as a model can write it."""
    steps = tuple(
        Step(step.kind, step.target, tuple(_signed(value) for value in step.value))
        for step in answer.steps
    )
    return Answer(tuple((quantise(x), quantise(y)) for x, y in answer.points), steps)


def check_instruction(text: str) -> str:
    """Return the instruction as it is.

    Raises:
        RoboReferError: BAD_INSTRUCTION when it is empty, too long, or not valid Unicode.
    """
    _check_form(text)
    _check_words(text)
    return text


def normalise_instruction(text: str) -> str:
    """Return the instruction as nano sees it: NFKC, lower case, single spaces, no markup.

    Brackets are removed because the answer's grammar is written with them: an instruction must
    not be able to spell a control token.

    Raises:
        RoboReferError: BAD_INSTRUCTION when it is empty, too long, or not valid Unicode.
    """
    _check_form(text)
    plain = _FORMAT_REQUEST.sub(" ", unicodedata.normalize("NFKC", text).lower())
    plain = _FORBIDDEN.sub(" ", plain)
    plain = " ".join(plain.split()).rstrip(" .!?;:,")
    _check_words(plain)
    return plain


def prompt(instruction: str, *, image_tokens: int, depth_tokens: int, reason: bool = False) -> str:
    """Return the whole prompt: image tokens, depth tokens (0 without depth), then the text.

    The order is RoboRefer's: all RGB features, then all depth features, then the instruction.
    """
    visual = IMAGE * image_tokens + DEPTH * depth_tokens
    return f"{visual}{normalise_instruction(instruction)}{REASON if reason else ASK}"


def all_added_tokens() -> Sequence[str]:
    """Return every token that a tokenizer must hold besides its words, in a fixed order."""
    return (*CONTROL_TOKENS, *GRAMMAR_TOKENS, *FIRST_TOKENS, *SECOND_TOKENS)


def _check_form(text: str) -> None:
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise RoboReferError(
            ErrorCode.BAD_INSTRUCTION,
            "The instruction is not valid Unicode text.",
            "Encode it as UTF-8.",
        )
    if len(text) > MAX_INSTRUCTION_CHARS:
        raise RoboReferError(
            ErrorCode.BAD_INSTRUCTION,
            f"The instruction has {len(text)} characters; the limit is {MAX_INSTRUCTION_CHARS}.",
            "Say it in a sentence.",
        )


def _check_words(text: str) -> None:
    if not any(char.isalnum() for char in text):
        raise RoboReferError(
            ErrorCode.BAD_INSTRUCTION,
            "The instruction is empty.",
            'Say what to look for, for example "the red mug".',
        )
