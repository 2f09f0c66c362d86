"""Miniature copies of the published suites, in their exact layouts, with pictures made here."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

WIDTH, HEIGHT = 40, 30
SUFFIX = "Your answer should be a list of tuples."


def picture(seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)


def left_half(size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """Return a mask of the left half of the picture."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    mask[:, : size[0] // 2] = 255
    return mask


def encoded(image: np.ndarray, extension: str = ".png") -> bytes:
    return cv2.imencode(extension, image)[1].tobytes()


def write_bytes(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_json(path: Path, values: Any) -> None:
    write_bytes(path, json.dumps(values).encode())


def write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=2)


def cell(image: np.ndarray) -> dict[str, Any]:
    """Return a picture as the hub stores it."""
    return {"bytes": encoded(image), "path": "0.png"}


def question(number: int, task: str = "Location") -> dict[str, Any]:
    return {
        "id": number,
        "object": f"mug {number}",
        "prompt": f"Please point out mug {number}.",
        "suffix": SUFFIX,
        "rgb_path": f"image/{number}.png",
        "mask_path": f"mask/{number}.png",
        "category": task.lower(),
        "step": 1 + number % 3,
    }


def refspatial_folder(root: Path, count: int = 4, splits: Sequence[str] = ("Location",)) -> Path:
    for split in splits:
        for number in range(count):
            write_bytes(root / split / f"image/{number}.png", encoded(picture(number)))
            write_bytes(root / split / f"mask/{number}.png", encoded(left_half()))
        write_json(root / split / "question.json", [question(n, split) for n in range(count)])
    return root


def refspatial_parquet(root: Path, count: int = 4) -> Path:
    rows = []
    for number in range(count):
        row = question(number)
        del row["rgb_path"], row["mask_path"], row["category"]
        rows.append(row | {"image": cell(picture(number)), "mask": cell(left_half())})
    write_parquet(root / "data/location-00000-of-00001.parquet", rows)
    return root


def expand(root: Path) -> Path:
    refspatial_folder(root, 2)
    path = root / "Location/question.json"
    rows = json.loads(path.read_text())
    write_json(path, [row | {"scene": "indoor"} for row in rows])
    return root


def where2place(root: Path) -> Path:
    rows = []
    for number in range(2):
        name = f"where2place_{number}.jpg"
        write_bytes(root / "images" / name, encoded(picture(number), ".jpg"))
        write_bytes(root / "masks" / f"{number:02d}.jpg", encoded(left_half(), ".jpg"))
        rows.append(
            {"question_id": number, "image": name, "text": "Find free space.", "category": "seen"}
        )
    write_bytes(root / "point_questions.jsonl", "\n".join(map(json.dumps, rows)).encode())
    return root


def robospatial_home(root: Path) -> Path:
    square = "[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]"
    for split, answer in (("context", square), ("compatibility", "no"), ("configuration", "Yes")):
        row = {
            "category": split,
            "question": "Where is free space?",
            "answer": answer,
            "img": cell(picture()),
            "depth_image": cell(picture(1)),
            "mask": cell(left_half()),
        }
        write_parquet(root / f"data/{split}-00000-of-00001.parquet", [row, row])
    return root


def cv_bench(root: Path) -> Path:
    def row(number: int, task: str) -> dict[str, Any]:
        return {
            "idx": number,
            "type": "2D",
            "task": task,
            "image": cell(picture(number)),
            "question": "Where is the mug?",
            "choices": ["above", "below"],
            "answer": "(B)",
            "prompt": "Where is the mug? Select from the following choices.\n(A) above\n(B) below",
            "source": "COCO",
        }

    write_parquet(root / "test_2d.parquet", [row(0, "Relation"), row(1, "Count")])
    write_parquet(root / "test_3d.parquet", [row(2, "Depth"), row(3, "Distance")])
    return root


def blink(root: Path) -> Path:
    for split in ("Relative_Depth", "Spatial_Relation"):
        row = {
            "idx": f"val_{split}_1",
            "question": "Which point is closer?",
            "prompt": "Which point is closer?\n(A) A is closer\n(B) B is closer",
            "image_1": cell(picture()),
            "choices": ["A is closer", "B is closer"],
            "answer": "(A)",
        }
        write_parquet(root / split / "val-00000-of-00001.parquet", [row])
    return root


def sat(root: Path) -> Path:
    row = {
        "image_bytes": [cell(picture(0)), cell(picture(1))],
        "question": "Did the camera turn?",
        "answers": ["left", "right"],
        "question_type": "egomotion",
        "correct_answer": "left",
    }
    write_parquet(root / "SAT_test.parquet", [row])
    return root


def embspatial(root: Path) -> Path:
    row = {
        "question_id": "mp3d_0",
        "question": "How are they arranged?",
        "relation": "left",
        "data_source": "mp3d",
        "answer_options": ["left of", "right of", "above", "under"],
        "answer": 2,
        "image": base64.b64encode(encoded(picture(), ".jpg")).decode(),
        "objects": {},
    }
    write_json(root / "embspatial_bench.json", [row])
    return root


def refcoco(root: Path) -> Path:
    row = {
        "question_id": "1",
        "image": cell(picture()),
        "question": "Describe it.",
        "answer": ["the left mug", "mug on the left"],
        "bbox": [0.0, 0.0, 20.0, 30.0],
        "file_name": "COCO_1.jpg",
    }
    write_parquet(root / "RefCOCO/data/val-00000-of-00001-ab12.parquet", [row])
    return root


def roborefit(root: Path) -> Path:
    write_bytes(root / "final_dataset/testA/image/0000000.png", encoded(picture()))
    row = {
        "num": 0,
        "text": "pick up the mug.",
        "bbox": [0, 0, 20, 30],
        "rgb_path": "final_dataset\\testA\\image\\0000000.png",
        "depth_path": "final_dataset\\testA\\depth\\0000000.png",
        "mask_path": "final_dataset\\testA\\mask\\0000000.png",
    }
    write_json(root / "final_dataset/testA/roborefit_testA.json", [row])
    return root


def screenspot_v2(root: Path) -> Path:
    write_bytes(root / "screenspotv2_image/web_1.png", encoded(picture()))
    row = {
        "img_filename": "web_1.png",
        "bbox": [0, 0, 20, 30],
        "instruction": "close the window",
        "data_type": "icon",
        "data_source": "windows",
    }
    write_json(root / "screenspot_web_v2.json", [row])
    return root


def screenspot_pro(root: Path) -> Path:
    write_bytes(root / "images/vscode_mac/s.png", encoded(picture()))
    row = {
        "img_filename": "vscode_mac/s.png",
        "bbox": [0, 0, 20, 30],
        "instruction": "open a file",
        "id": "vscode_0",
        "application": "vscode",
        "group": "Dev",
        "ui_type": "icon",
        "img_size": [WIDTH, HEIGHT],
    }
    write_json(root / "annotations/vscode_mac.json", [row])
    return root


def open6dor(root: Path) -> Path:
    for relation, anchors in (("left", 1), ("between", 2)):
        folder = root / "task_refine_pos" / relation / "Place_the_mug" / "20240824-1_no_interaction"
        write_bytes(folder / "isaac_render-rgb-0-1.png", encoded(picture(size=(60, 40))))
        np.save(folder / "isaac_render-depth-0-1.npy", np.full((40, 60), -1.0, np.float32))
        rows = [[0.5, 0.2 * n, 0.3, *[0.0] * 10] for n in range(anchors)]
        config = {
            "instruction": "Place the mug to the left of the box on the table. ",
            "target_obj_name": "mug",
            "position_tag": relation,
            "init_obj_pos": [*rows, [0.4, 0.1, 0.3, *[0.0] * 10]],
        }
        write_json(folder / "task_config_new5.json", config)
    return root
