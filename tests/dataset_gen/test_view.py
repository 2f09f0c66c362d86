"""The page: all that is in the dataset is in it, exactly, and nothing of it gets out."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robo_refer.data import masks
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import format_answer
from robo_refer.types import Answer
from robo_refer_data.outline import svg_path
from robo_refer_data.view import write_page
from tests.dataset_gen.made_dataset import made_samples, with_question, write_samples

EVIL = "the </script><b>mug</b><!-- & <script>alert(1)</script> {{data}} “”\u2028"
SAMPLES = made_samples()


class Tags(HTMLParser):
    """Counts the elements of a page, and keeps what the element with id `data` holds."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.data = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self._inside = ("id", "data") in attrs

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.data += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def parsed(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the elements of a page as a browser reads it, and its scenes."""
    tags = Tags()
    tags.feed(path.read_text("utf-8"))
    return tags.names, json.loads(tags.data)


def filled(path: str, shape: tuple[int, int]) -> np.ndarray:
    """Return the pixels whose centres a path covers by the even-odd rule."""
    covered = np.zeros(shape, bool)
    x = y = 0
    for command, number, second in re.findall(r"([MHVZ])(\d*) ?(\d*)", path):
        if command == "M":
            x, y = int(number), int(second)
            first = x, y
        elif command == "H":
            x = int(number)
        else:
            end = int(number) if command == "V" else first[1]
            if command == "Z":
                assert x == first[0] or y == first[1]
            # A vertical edge turns over everything to its right.
            covered[min(y, end) : max(y, end), x:] ^= True
            y = end
    return covered


def error_of(call: Callable[[], object]) -> RoboReferError:
    with pytest.raises(RoboReferError) as caught:
        call()
    return caught.value


@settings(deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_an_outline_covers_exactly_the_pixels_of_its_mask(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(filled(svg_path(mask), mask.shape), mask)


def test_the_page_holds_what_the_dataset_holds(tmp_path: Path) -> None:
    folder = write_samples(tmp_path / "set", SAMPLES)
    page = write_page(folder, tmp_path / "new" / "page.html", samples=3)
    assert page == tmp_path / "new" / "page.html"
    _, scenes = parsed(page)
    assert [scene["id"] for scene in scenes] == [sample.id for sample in SAMPLES[:3]]
    for scene, sample in zip(scenes, SAMPLES, strict=False):
        assert scene["half"] == sample.meta["half"]
        shape = (sample.camera.height, sample.camera.width)
        for shown, question in zip(scene["questions"], sample.questions, strict=True):
            assert [shown[name] for name in ("kind", "family", "hops", "text")] == [
                question.kind,
                question.family,
                question.hops,
                question.text,
            ]
            if question.reply:
                assert shown["answer"].endswith(question.reply)
            else:
                assert shown["answer"] == format_answer(question.answer)
            assert [step["id"] for step in shown["steps"]] == list(question.step_ids)
            if question.mask is None:
                assert shown["path"] == ""
            else:
                truth = masks.decode(question.mask)
                np.testing.assert_array_equal(filled(shown["path"], shape), truth)


def test_images_are_inside(tmp_path: Path) -> None:
    folder = write_samples(tmp_path / "set", SAMPLES)
    scene = parsed(write_page(folder, tmp_path / "page.html"))[1][0]
    for name, width in (("rgb", 160), ("depth", 480)):
        head, data = scene[name].split(",")
        assert head == "data:image/webp;base64"
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (width * 3 // 4, width, 3)


def test_text_of_the_dataset_stays_text(tmp_path: Path) -> None:
    clean = write_page(write_samples(tmp_path / "clean", SAMPLES), tmp_path / "clean.html")
    evil = [with_question(sample, 0, text=EVIL, kind=EVIL) for sample in SAMPLES]
    folder = write_samples(tmp_path / "<b>&{{data}}", evil)
    page = write_page(folder, tmp_path / "page.html")
    names, scenes = parsed(page)
    assert names == parsed(clean)[0]
    assert all(scene["questions"][0]["text"] == EVIL for scene in scenes)
    text = page.read_text("utf-8")
    assert "&lt;b&gt;&amp;{{data}}" in text
    assert text.count("</script>") == 2


def test_the_page_refers_to_nothing_outside(tmp_path: Path) -> None:
    page = write_page(write_samples(tmp_path / "set", SAMPLES), tmp_path / "page.html")
    text = page.read_text("utf-8")
    code = re.sub(r"data:image/webp;base64,[\w+/=]*", "", text)
    assert "http" not in code.replace("http-equiv", "")
    assert "default-src 'none'" in code
    assert not re.search(r"@import|\bfetch\(|innerHTML|<link|<iframe|url\(", code)


def test_what_is_wrong_is_shown(tmp_path: Path) -> None:
    number = next(n for n, q in enumerate(SAMPLES[0].questions) if q.family == "object")
    wrong = with_question(SAMPLES[0], number, answer=Answer(((float("nan"), 0.5),)))
    folder = write_samples(tmp_path / "set", [wrong])
    question = parsed(write_page(folder, tmp_path / "page.html"))[1][0]["questions"][number]
    assert "grammar" in question["answer"]
    assert question["points"] == [[None, 0.5]]


def test_a_page_can_begin_at_any_sample(tmp_path: Path) -> None:
    folder = write_samples(tmp_path / "set", SAMPLES)
    _, scenes = parsed(write_page(folder, tmp_path / "page.html", 1, first=SAMPLES[2].id))
    assert [scene["id"] for scene in scenes] == [SAMPLES[2].id]


def test_what_cannot_be_shown_is_an_error(tmp_path: Path) -> None:
    folder = write_samples(tmp_path / "set", SAMPLES)
    page = tmp_path / "page.html"
    assert error_of(lambda: write_page(folder, page, 0)).code is ErrorCode.BAD_REQUEST
    assert error_of(lambda: write_page(folder, page, first="x")).code is ErrorCode.BAD_REQUEST
    assert error_of(lambda: write_page(tmp_path / "no", page)).code is ErrorCode.BAD_FILE
    empty = write_samples(tmp_path / "empty", [])
    assert error_of(lambda: write_page(empty, page)).code is ErrorCode.BAD_FILE
    assert not page.exists()
    assert error_of(lambda: write_page(folder, folder)).code is ErrorCode.BAD_FILE
    inside = folder / "manifest.json" / "page.html"
    assert error_of(lambda: write_page(folder, inside)).code is ErrorCode.BAD_FILE
