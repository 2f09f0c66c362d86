"""Which extra brings which optional package, so that its absence is a sentence, not a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from robo_refer.errors import missing_package

EXTRA_OF_MODULE = {
    "embreex": "scenes",
    "numba": "scenes",
    "pycocotools": "scenes",
    "pyarrow": "data",
    "tqdm": "data",
    "jinja2": "bench",
    "mujoco": "physics",
    "trimesh": "meshes",
    "mitsuba": "mitsuba",
    "pyoidn": "mitsuba",
    "fastapi": "serve",
    "prometheus_client": "serve",
    "pydantic": "serve",
    "uvicorn": "serve",
    "gradio": "ui",
    "plotly": "ui",
    "pinocchio": "robots",
    "ray": "ray",
    "rosbags": "bags",
    "PIL": "torch",
    "huggingface_hub": "torch",
    "safetensors": "torch",
    "torch": "torch",
    "transformers": "torch",
    "bitsandbytes": "quantize",
    "vllm": "vllm",
    "accelerate": "train",
    "datasets": "train",
    "onnx": "train",
    "onnxscript": "train",
    "peft": "train",
    "scipy": "train",
    "tensorboard": "train",
    "trl": "train",
}
"""Import name of every optional package -> the extra of `pyproject.toml` that installs it."""


@contextmanager
def missing_dependency() -> Iterator[None]:
    """Turn a failed import of an optional package into MISSING_DEPENDENCY with its pip line.

    Raises:
        RoboReferError: MISSING_DEPENDENCY. Any other ImportError is a bug and passes through.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").split(".")[0]
        if module not in EXTRA_OF_MODULE:
            raise
        raise missing_package(module, EXTRA_OF_MODULE[module]) from error
