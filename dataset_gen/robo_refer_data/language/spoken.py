"""How questions that are answered in words are asked: a grammar of small parts.

`GRAMMAR` maps a symbol to its alternatives, in which `<symbol>` stands for another symbol and
`{slot}` for what the caller fills in. An alternative that is written twice is twice as likely.
"""

from __future__ import annotations

import re

import numpy as np

GRAMMAR: dict[str, tuple[str, ...]] = {
    # parts
    "please": ("", "", "please "),
    "stop": ("", "", "."),
    "look": ("", "", "", "looking at the scene, ", "in this picture, ", "in this scene, "),
    "can_you": ("please", "", ""),
    # {first} {says} {second}
    "yes_no": (
        "<look>is {first} {says} {second}?",
        "<look>is {first} {says} {second}?",
        "<look>is {first} {says} {second}?",
        "<claim> {first} is {says} {second}?",
        "<claim> {first} is {says} {second}?",
        "<please><check> <whether> {first} is {says} {second}<stop>",
        "<ability> <check> <whether> {first} is {says} {second}?",
        "yes or no: is {first} {says} {second}?",
        "is {first} {says} {second}, yes or no?",
    ),
    "claim": (
        "is it true that",
        "is it right that",
        "is it the case that",
        "can you confirm that",
        "could you confirm that",
        "would you say that",
        "do you agree that",
        "am i right that",
    ),
    "check": ("tell me", "check", "say", "find out", "let me know", "see", "decide"),
    "whether": ("whether", "if"),
    "ability": ("can you", "could you"),
    "true_false": (
        "{first} is {says} {second}. true or false?",
        "{first} is {says} {second}: true or false?",
        "<look>true or false: {first} is {says} {second}<stop>",
        "true or false? {first} is {says} {second}<stop>",
        "<please><judge> true or false: {first} is {says} {second}<stop>",
        "is it true or false that {first} is {says} {second}?",
    ),
    "judge": ("say", "answer", "answer with", "reply with"),
    # {says} {anchor} {options}
    "choice": (
        "<asked> is {says} {anchor}? {options}",
        "<asked> is {says} {anchor}? {options}",
        "<asked> is {says} {anchor}: {options}",
        "<please><choose> <what> is {says} {anchor}: {options}",
        "<please><choose> the <one> that is {says} {anchor}: {options}",
        "<please><choose> the <one> that is {says} {anchor}. {options}",
        "{options}: <asked_after> is {says} {anchor}?",
        "{options}. <asked_after> is {says} {anchor}?",
        "from {options}, <choose> the one that is {says} {anchor}<stop>",
        "one of these is {says} {anchor}. which? {options}",
    ),
    "asked": (
        "which of these",
        "which one",
        "what",
        "which option",
        "which of the following",
        "of the following, which",
        "of these, which one",
        "among these, which one",
    ),
    "asked_after": ("which", "which one", "which of them", "which of these", "what"),
    "choose": ("choose", "pick", "select", "name", "find"),
    "what": ("what", "which one", "which of these"),
    "one": ("one", "one", "option"),
    # {first} {second}
    "fact": (
        "<where> {first} <relative> {second}?",
        "<where> {first} <relative> {second}?",
        "<place_of> {first} <relative> {second}?",
        "how does {first} <compares> {second}?",
        "<can_you> <describe> how {first} <compares_s> {second}<stop>",
        "<can_you> <describe> where {first} is <relative> {second}<stop>",
        "<please><describe> <place> of {first} <relative> {second}<stop>",
        "<please><describe> the <kind>relation of {first} to {second}<stop>",
        "<please><describe> the <kind>relation between {first} and {second}<stop>",
        "<please>compare {first} <with> {second}<stop>",
        "<please>compare the <place_and_size> of {first} and {second}<stop>",
        "<say_what> {first} and {second}?",
        "<please>say something true about {first} and {second}<stop>",
    ),
    "where": (
        "where is",
        "where do you see",
        "how do you see",
        "<look>where is",
        "what can you say of",
    ),
    "place_of": ("what is <place> of", "what is <place> of"),
    "place": ("the position", "the place", "the location"),
    "relative": (
        "relative to",
        "in relation to",
        "with respect to",
        "with regard to",
        "compared with",
        "as seen from",
    ),
    "compares": ("compare with", "compare to", "relate to", "lie relative to"),
    "compares_s": ("compares with", "compares to", "relates to", "lies relative to"),
    "describe": ("describe", "explain", "tell me", "state", "say"),
    "kind": ("", "spatial "),
    "with": ("with", "to"),
    "place_and_size": ("place and size", "position and size", "size and place"),
    "say_what": ("what can you say about", "what is true of", "what do you know about"),
    # {question} {clause} {measure} {unit}, of which some may be missing
    "numeric_question": ("<look>{question}?", "<look>{question}?", "roughly {question}?"),
    "numeric_clause": (
        "<ability> <inform> {clause}?",
        "<please><inform> {clause}<stop>",
        "<please><estimate> {clause}<stop>",
        "<wish> {clause}<stop>",
        "do you know {clause}?",
    ),
    "numeric_measure": (
        "<look>what is {measure}<unit>?",
        "<look>what is {measure}<unit>?",
        "<please><estimate> {measure}<unit><stop>",
        "<ability> <estimate> {measure}<unit>?",
        "<please><give> {measure} <as_number><stop>",
        "<wish> {measure}<unit><stop>",
    ),
    "inform": ("tell me", "say", "work out"),
    "estimate": ("estimate", "measure", "judge"),
    "give": ("give me", "state", "tell me"),
    "as_number": ("as a number", "in {unit}", "with its unit"),
    "unit": ("", "", " in {unit}"),
    "wish": ("i need to know", "i want to know", "i would like to know"),
    # {things} {where}
    "counting": (
        "<look>how many {things} are {where}?",
        "<look>how many {things} are {where}?",
        "how many {things} do you <see> {where}?",
        "<please>count the {things} that are {where}<stop>",
        "<please>count the {things} {where}<stop>",
        "<please>count how many {things} are {where}<stop>",
        "<ability> count the {things} {where}?",
        "<ability> <inform> how many {things} are {where}?",
        "what is the number of {things} <that_are>{where}?",
        "<please><give> the number of {things} <that_are>{where}<stop>",
        "<please>tell me how many {things} are {where}<stop>",
        "<wish> how many {things} are {where}<stop>",
        "the number of {things} <that_are>{where}<stop>",
    ),
    "see": ("see", "see", "find", "count"),
    "that_are": ("", "that are "),
}

_SYMBOL = re.compile(r"<(\w+)>")


def worded(rng: np.random.Generator, symbol: str, **slots: str) -> str:
    """Return a random text of a symbol of `GRAMMAR`, with its slots filled."""

    def alternative(match: re.Match[str]) -> str:
        options = GRAMMAR[match[1]]
        return _SYMBOL.sub(alternative, options[int(rng.integers(len(options)))])

    text = _SYMBOL.sub(alternative, f"<{symbol}>")
    return " ".join(text.format(**slots).split())
