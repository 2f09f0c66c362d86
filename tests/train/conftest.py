"""A tiny dataset of coloured discs, and the smallest model that can be trained on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from robo_refer.data import ObjectTruth, Question, Sample, ShardWriter
from robo_refer.data.masks import encode
from robo_refer.types import Answer, CameraModel, Step
from robo_refer_train.config import SftConfig, StageConfig

WIDTH, HEIGHT = 64, 48
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 60, 230)}


def disc_sample(number: int) -> Sample:
    """Return two discs of different colour, the left one nearer."""
    rng = np.random.default_rng(number)
    rgb = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    depth = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    names = rng.permutation(sorted(COLOURS))[:2]
    objects = []
    for place, colour in enumerate(names, start=1):
        centre = (int(rng.integers(10, 24)) + 32 * (place - 1), int(rng.integers(10, 38)))
        shape = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.circle(shape, centre, 6, 1, -1)
        rgb[shape > 0] = COLOURS[colour]
        depth[shape > 0] = 0.5 * place
        objects.append(
            ObjectTruth(
                id=place,
                name="disc",
                colour=str(colour),
                material="paper",
                size_m=np.full(3, 0.1),
                T_world_obj=np.eye(4),
                front_obj=None,
                mask=encode(shape),
                visible_fraction=1.0,
                depth_m=0.5 * place,
                point_norm=((centre[0] + 0.5) / WIDTH, (centre[1] + 0.5) / HEIGHT),
            )
        )
    first, second = objects
    questions = (
        Question(
            "direct_colour",
            "object",
            0,
            f"the {first.colour} disc",
            Answer((first.point_norm,)),
            (1,),
            first.mask,
        ),
        Question(
            "right_of",
            "object",
            1,
            f"the disc right of the {first.colour} disc",
            Answer(
                (second.point_norm,), (Step("position", f"{first.colour} disc", first.point_norm),)
            ),
            (2,),
            second.mask,
            (1,),
        ),
        Question("absent_name", "absent", 0, "the mug", Answer(()), (), None),
    )
    camera = CameraModel(WIDTH, HEIGHT, 60.0, 60.0, 31.5, 23.5, T_world_cam=np.eye(4))
    return Sample(f"d-{number:04d}", rgb, depth, camera, tuple(objects), questions, "discs")


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a dataset with 24 samples."""
    folder = tmp_path_factory.mktemp("discs")
    with ShardWriter(folder) as writer:
        for number in range(24):
            writer.write(disc_sample(number))
    return folder


@pytest.fixture(scope="session")
def mixed_discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a dataset in which every third sample is without depth."""
    folder = tmp_path_factory.mktemp("mixed_discs")
    with ShardWriter(folder) as writer:
        for number in range(24):
            sample = disc_sample(number)
            writer.write(sample if number % 3 else replace(sample, depth_m=None))
    return folder


@pytest.fixture(scope="session")
def policy(discs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random checkpoint that can be trained with rewards."""
    from policies import save_policy

    folder = tmp_path_factory.mktemp("policy")
    return save_policy(tiny_run(discs, folder), folder / "policy")


@pytest.fixture
def tiny_config(discs: Path, tmp_path: Path) -> SftConfig:
    """Two stages of a few steps on the discs."""
    return tiny_run(discs, tmp_path)


def tiny_run(discs: Path, folder: Path) -> SftConfig:
    tower = {
        "stem_channels": (4, 8),
        "stem_blocks": (0, 0, 1),
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    return SftConfig(
        data=(str(discs),),
        output=str(folder / "run"),
        stages=(
            StageConfig("align", 2, 4, "depth_projector", 1.0, warmup_steps=1, decay_steps=1),
            StageConfig("full", 6, 4, "all", 0.7, warmup_steps=1, decay_steps=2),
        ),
        vision=tower,
        depth=tower,
        text={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "intermediate_size": 64,
        },
        canvas_px=(WIDTH, HEIGHT),
        vocab_size=300,
        questions_per_image=3,
        save_steps=3,
        log_steps=1,
        compile=False,
    )
