"""What all tests share: one thread each, and no GPU tests where there is no GPU."""

from __future__ import annotations

import os

# Two workers with a pool of threads each would fight over the cores. Set before numpy is imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# Tests never load from the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

import hypothesis  # noqa: E402
import pytest  # noqa: E402

# A busy machine is no failure.
hypothesis.settings.register_profile("robo_refer", deadline=None)
hypothesis.settings.load_profile("robo_refer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked `gpu` where there is none."""
    wanting = [item for item in items if "gpu" in item.keywords]
    if wanting and not _has_gpu():
        for item in wanting:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
