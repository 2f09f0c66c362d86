"""The source `web`: filters, models by name, kept stages, and 3D from what they say."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from made_frames import BLOCKS, CAMERA, camera_pose, cast

from robo_refer.data import read_samples
from robo_refer.data.images import encode_rgb
from robo_refer.engines.chat_endpoint import ChatEndpoint
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import FloatArray
from robo_refer_data import cli
from robo_refer_data.sample_checks import stored_problems
from robo_refer_data.sources import vision
from robo_refer_data.sources.focal import exif_focal_px
from robo_refer_data.sources.judge import UNFIT, UNREADABLE
from robo_refer_data.sources.source import CERTAIN, WITHOUT_GRAVITY, LeftOutError
from robo_refer_data.sources.stages import Stages
from robo_refer_data.sources.web import WebSource, plainly_bad
from robo_refer_data.sources.web_config import read_config

RGB, DEPTH_M, INSTANCE = cast(BLOCKS, camera_pose(40))
MODELS = {"detector": "d", "segmenter": "s", "depth": "m", "names": ["mug", "box", "bowl"]}


def error_of(call: Callable[[], object]) -> RoboReferError:
    with pytest.raises(RoboReferError) as caught:
        call()
    return caught.value


def config_file(folder: Path, **options: object) -> Path:
    path = folder / "web.yaml"
    path.write_text(yaml.safe_dump({**MODELS, **options}))
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "some").mkdir(parents=True)
    (folder / "some" / "blocks.png").write_bytes(encode_rgb(RGB))
    (folder / "dark.png").write_bytes(encode_rgb(RGB // 10))
    return folder


class Truthful:
    """Stands for all models at once: what they would say if they were perfect."""

    calls: list[str]

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = []
        monkeypatch.setattr(vision.Detector, "boxes", self.boxes)
        monkeypatch.setattr(vision.Segmenter, "masks", self.masks)
        monkeypatch.setattr(vision.DepthModel, "depth", self.depth)

    def boxes(self, rgb: np.ndarray, names: list[str]) -> tuple[FloatArray, FloatArray, list[str]]:
        self.calls.append("boxes")
        found = []
        for number in range(1, len(BLOCKS) + 1):
            rows, columns = np.nonzero(number == INSTANCE)
            found.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        said = [block.name for block in BLOCKS]
        # The first one is found twice, and one thing is hardly believed in.
        boxes = np.array([*found, np.array(found[0]) + 1, [0, 0, 40, 40]], float)
        return boxes, np.array([0.9, 0.8, 0.7, 0.5, 0.1]), [*said, "bowl", "mug"]

    def masks(self, rgb: np.ndarray, boxes_px: FloatArray) -> np.ndarray:
        self.calls.append("masks")
        return np.stack([number == INSTANCE for number in range(1, len(boxes_px) + 1)])

    def depth(self, rgb: np.ndarray) -> tuple[FloatArray, float | None]:
        self.calls.append("depth")
        return DEPTH_M, CAMERA.fx


def test_what_perfect_models_say_becomes_the_scene(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Truthful().install(monkeypatch)
    seen = WebSource(pictures, tmp_path / "out", config_file(tmp_path)).see("some/blocks.png")
    assert seen.meta == {"up": "plane", "focal_from": "model", "depth": "estimated"}
    assert seen.families == CERTAIN
    objects = {item.name: item for item in seen.observation.objects}
    assert set(objects) == {"box", "mug", "bowl"}
    for block in BLOCKS:
        item, true = objects[block.name], np.array(block.high) - block.low
        # From one side; a box turned against the axes of the table would come out larger.
        np.testing.assert_allclose(item.size_m, true, atol=0.03)
        assert (item.support_id, item.colour) == (
            0, {"box": "red", "mug": "blue", "bowl": "yellow"}[block.name],
        )  # fmt: skip
    assert (seen.observation.surface & (INSTANCE == 0)).sum() > 0.9 * (INSTANCE == 0).sum()


def test_stages_are_kept_and_only_what_changed_is_repeated(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = Truthful()
    models.install(monkeypatch)
    out = tmp_path / "out"

    def look(**options: object) -> list[str]:
        models.calls.clear()
        WebSource(pictures, out, config_file(tmp_path, **options)).see("some/blocks.png")
        return list(models.calls)

    assert look() == ["boxes", "masks", "depth"]
    assert look() == []
    assert look(horizontal_fov_deg=70) == []
    assert look(box_score=0.75) == ["boxes", "masks"]
    (out / "stages" / "depth" / "some" / "blocks.png.json").write_text('{"key": ')  # cut off
    assert look(box_score=0.75) == ["depth"]
    assert look(depth="another") == ["boxes", "masks", "depth"]
    assert look(depth="another") == []
    (pictures / "some" / "blocks.png").write_bytes(encode_rgb(RGB // 2))  # another of its name
    assert look(depth="another") == ["boxes", "masks", "depth"]


def test_a_stage_is_a_file_per_image(tmp_path: Path) -> None:
    stages = Stages(tmp_path)
    assert stages.run("boxes", "a/b.png", [1], lambda: (1, 2)) == [1, 2]
    assert stages.run("boxes", "a/b.png", [1], lambda: 1 / 0) == [1, 2]
    assert [path.name for path in (tmp_path / "boxes" / "a").iterdir()] == ["b.png.json"]


@pytest.mark.parametrize(
    ("rgb", "reason"),
    [
        (RGB, None),
        (RGB // 10, "too dark"),
        (np.full((90, 400, 3), 128, np.uint8), "too long and narrow"),
        (np.random.default_rng(0).integers(0, 255, (60, 80, 1)).repeat(3, 2), "black and white"),
    ],
)
def test_useless_pictures_are_named_by_their_pixels(rgb: np.ndarray, reason: str | None) -> None:
    assert plainly_bad(rgb.astype(np.uint8)) == reason


def test_a_filtered_picture_is_left_out(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Truthful().install(monkeypatch)
    source = WebSource(pictures, tmp_path, config_file(tmp_path, tagger="t"))
    with pytest.raises(LeftOutError, match="dark"):
        source.see("dark.png")
    wanted = "a page of text"
    monkeypatch.setattr(
        vision.Tagger, "scores", lambda _, __, texts: [float(text == wanted) for text in texts]
    )
    with pytest.raises(LeftOutError, match=wanted):
        source.see("some/blocks.png")


@pytest.mark.parametrize(
    ("reply", "objection"),
    [
        ("a table with a mug | Yes", ""),
        ("an oil painting | of a table | **No**.", UNFIT),
        ("Yes", UNREADABLE),
        ("a table | perhaps", UNREADABLE),
        ("", UNREADABLE),
    ],
)
def test_a_judge_is_read_strictly_and_asked_once(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: str, objection: str
) -> None:
    Truthful().install(monkeypatch)
    asked: list[object] = []
    monkeypatch.setattr(
        ChatEndpoint, "complete", lambda _, parts, **options: asked.append(parts) or reply
    )
    options = {"judge_url": "http://127.0.0.1:1/v1", "judge_model": "j"}
    for _ in range(2):
        source = WebSource(pictures, tmp_path / "out", config_file(tmp_path, **options))
        if objection:
            with pytest.raises(LeftOutError, match=objection):
                source.see("some/blocks.png")
        else:
            source.see("some/blocks.png")
    assert len(asked) == 1


def test_the_focal_length_is_read_from_exif(tmp_path: Path) -> None:
    from PIL import ExifTags, Image

    image, details = Image.fromarray(RGB), Image.Exif()
    details.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 28
    image.save(tmp_path / "with.jpg", exif=details)
    image.save(tmp_path / "without.jpg")
    assert exif_focal_px(tmp_path / "with.jpg") == pytest.approx(28 / 36 * 320)
    assert exif_focal_px(tmp_path / "without.jpg") is None
    whole = (tmp_path / "with.jpg").read_bytes()
    start = whole.index(b"Exif\0\0") + 6
    for place in range(start, start + 60):  # damaged anywhere, it is no error
        (tmp_path / "bad.jpg").write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        with warnings.catch_warnings(action="ignore"):
            found = exif_focal_px(tmp_path / "bad.jpg")
        assert found is None or found > 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("detector: d", "lacks segmenter, depth, names"),
        ("- d", "no named options"),
        (yaml.safe_dump({**MODELS, "detecter": "d"}), "no option 'detecter'"),
        (yaml.safe_dump({**MODELS, "tags": "many"}), "tags is 'many'"),
        (yaml.safe_dump({**MODELS, "names": ["Mug"]}), "lower case"),
        (yaml.safe_dump({**MODELS, "box_share": 2}), "out of range"),
        (yaml.safe_dump({**MODELS, "judge_url": "http://127.0.0.1"}), "go together"),
    ],
)
def test_wrong_configs_are_plain_errors(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "web.yaml").write_text(text)
    error = error_of(lambda: read_config(tmp_path / "web.yaml"))
    assert error.code is ErrorCode.BAD_REQUEST
    assert said in error.message
    assert error_of(lambda: read_config(None)).code is ErrorCode.BAD_REQUEST
    assert error_of(lambda: read_config(tmp_path / "no.yaml")).code is ErrorCode.BAD_FILE


def test_a_model_that_is_not_there_is_a_plain_error(tmp_path: Path) -> None:
    error = error_of(lambda: vision.DepthModel(str(tmp_path), "cpu").depth(RGB))
    assert error.code is ErrorCode.BAD_CHECKPOINT


@pytest.mark.slow
def test_real_model_classes_end_to_end(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Random weights know nothing; but every class, file and shape is that of the real ones."""
    import tiny_vision as tiny

    models = tmp_path / "models"
    relative = vision.DepthModel(tiny.save_depth(models / "relative", metric=False), "cpu")
    assert error_of(lambda: relative.depth(RGB)).code is ErrorCode.BAD_REQUEST
    options = {
        "detector": tiny.save_detector(models / "detector"),
        "segmenter": tiny.save_segmenter(models / "segmenter"),
        "depth": tiny.save_depth(models / "depth"),
        "tagger": tiny.save_tagger(models / "tagger"),
        "names": list(tiny.WORDS),
        "tags": 4,
        "box_score": 0.01,
    }
    arguments = ["source", "web", str(pictures), "--out", str(tmp_path / "out"), "--json"]
    cli.main([*arguments, "--config", str(config_file(tmp_path, **options))])
    printed = json.loads(capsys.readouterr().out)
    assert printed["scenes"] + sum(printed["left_out"].values()) == 2
    assert printed["left_out"]["too dark"] == 1
    for sample in read_samples(tmp_path / "out"):
        assert sample.meta["focal_from"] == "config"
        assert not list(stored_problems(sample))
    stages = {path.name for path in (tmp_path / "out" / "stages").iterdir()}
    assert stages == {"filter", "tags", "boxes", "masks", "depth"}
    seen = WebSource(pictures, tmp_path / "out", tmp_path / "web.yaml").see("some/blocks.png")
    assert len(seen.observation.objects) >= 2
    # Depth of random weights is flat and faces the camera: a wall, by which nothing is up.
    assert (seen.meta["up"], seen.relations) == ("assumed", WITHOUT_GRAVITY)
