"""PLAIN: how questions that are answered by pointing are asked, in few words.

A small model learns these words from nothing. `varied` has more of them.
"""

from __future__ import annotations

from robo_refer_data.language.grammar import Grammar

PLAIN: Grammar = {
    "thing": ("object", "thing", "item"),
    "things": ("objects", "things", "items"),
    "link": ("", "", "that is", "which is"),
    # whole instructions; {it}: a noun phrase with its article
    "point": (
        "point to {it}",
        "point at {it}",
        "find {it}",
        "locate {it}",
        "show me {it}",
        "pick up {it}",
        "grab {it}",
        "give me {it}",
        "look for {it}",
        "where is {it}?",
        "can you point to {it}?",
        "can you show me {it}?",
        "can you find {it}?",
    ),
    "point_free": (
        "point to {it}",
        "point at {it}",
        "find {it}",
        "locate {it}",
        "show me {it}",
        "look for {it}",
        "where is {it}?",
        "can you find {it}?",
        "put it in {it}",
        "place it in {it}",
    ),
    # {noun}, {colour} or {material}
    "of_colour": ("the {noun} that is {colour}",),
    "of_material": ("the {noun} made of {material}",),
    # where something is
    "left_of": (
        "directly left of {0}",
        "directly to the left of {0}",
        "just left of {0}",
        "just to the left of {0}",
        "immediately left of {0}",
    ),
    "right_of": (
        "directly right of {0}",
        "directly to the right of {0}",
        "just right of {0}",
        "just to the right of {0}",
        "immediately right of {0}",
    ),
    "front_of": (
        "directly in front of {0}",
        "just in front of {0}",
        "right in front of {0}",
        "immediately in front of {0}",
    ),
    "behind": (
        "directly behind {0}",
        "just behind {0}",
        "right behind {0}",
        "immediately behind {0}",
    ),
    "nearest_to": ("nearest to {0}", "closest to {0}", "nearest {0}"),
    "farthest_from": ("farthest from {0}", "furthest from {0}", "farthest away from {0}"),
    "just_nearer": (
        "just nearer to the camera than {0}",
        "just closer to the camera than {0}",
        "next nearer to the camera than {0}",
    ),
    "on_top_of": ("on top of {0}", "on {0}", "standing on {0}"),
    "inside": ("inside {0}", "in {0}", "inside of {0}"),
    "under": ("under {0}", "underneath {0}", "beneath {0}"),
    "second_nearest": ("second nearest to {0}", "second closest to {0}"),
    "between": ("between {0} and {1}", "in between {0} and {1}"),
    # {head} {rank} {side}
    "first_on_side": (
        "the {side}most {head}",
        "the {head} farthest to the {side}",
        "the first {head} from the {side}",
    ),
    "nth_on_side": (
        "the {rank} {head} from the {side}",
        "the {rank} {head} counting from the {side}",
        "the {rank} {head} counted from the {side}",
    ),
    "nth_of_all": ("the {rank} from the {side}",),
    "nth_from_front": (
        "the {rank} {head} from the front",
        "the {rank} nearest {head}",
        "the {rank} closest {head}",
        "the {rank} nearest {head} to the camera",
        "the {rank} closest {head} to the camera",
    ),
    # superlatives
    "most_nearest_camera": (
        "the {head} nearest to the camera",
        "the {head} closest to the camera",
        "the nearest {head}",
        "the closest {head}",
        "the nearest {head} to the camera",
        "the closest {head} to the camera",
    ),
    "most_farthest_camera": (
        "the {head} farthest from the camera",
        "the {head} furthest from the camera",
        "the farthest {head}",
        "the furthest {head}",
        "the most distant {head}",
        "the {head} farthest away",
    ),
    "most_biggest": ("the biggest {head}", "the largest {head}", "the {head} that is biggest"),
    "most_smallest": ("the smallest {head}", "the {head} that is smallest"),
    "most_tallest": ("the tallest {head}", "the {head} that is tallest"),
    "most_shortest": ("the shortest {head}", "the {head} that is shortest"),
    # of two
    "more_nearest_camera": ("the nearer {head}", "the closer {head}"),
    "more_farthest_camera": ("the farther {head}", "the {head} farther away"),
    "more_biggest": ("the bigger {head}", "the larger {head}"),
    "more_smallest": ("the smaller {head}",),
    "more_tallest": ("the taller {head}",),
    "more_shortest": ("the shorter {head}",),
    # {first} {second}, {word}: one of the three below
    "compared": (
        "which is {word}, {first} or {second}?",
        "which one is {word}, {first} or {second}?",
        "what is {word}, {first} or {second}?",
        "{first} or {second}, which is {word}?",
        "the one that is {word}, {first} or {second}",
        "point to the one that is {word}, {first} or {second}",
    ),
    "word_nearest_camera": ("nearer to the camera", "closer to the camera", "nearer", "closer"),
    "word_tallest": ("taller",),
    "word_biggest": ("bigger", "larger"),
    # free space: {noun} {place}
    "free_noun": (
        "a free spot",
        "an empty spot",
        "a free place",
        "an empty place",
        "free space",
        "empty space",
        "an empty area",
    ),
    # {support}: what things stand on
    "on_support": ("", "", "on the {support}"),
    "free_left": ("to the left of {0}", "left of {0}", "on the left of {0}"),
    "free_right": ("to the right of {0}", "right of {0}", "on the right of {0}"),
    "free_front": ("in front of {0}",),
    "free_behind": ("behind {0}",),
    "free_between": ("between {0} and {1}", "in between {0} and {1}"),
    "free_on": ("on top of {0}", "on {0}"),
    # {front}: the part of an object that points somewhere
    "free_facing": ("where {front} points", "where {front} is pointing"),
    "free_aligned": ("in line with {front}", "on the line of {front}"),
    "front": ("the {part} of {0}",),
    "front_short": ("the {part} of {0}",),
    # {far}: a length
    "free_apart_left": ("{far} to the left of {0}", "{far} left of {0}"),
    "free_apart_right": ("{far} to the right of {0}", "{far} right of {0}"),
    "free_apart_front": ("{far} in front of {0}",),
    "free_apart_behind": ("{far} behind {0}",),
    "both": ("{first} and {second}",),
    "far": ("{cm} centimetres", "{m} metres"),
}
