from __future__ import annotations

from pathlib import Path

import pytest

from robo_refer.referrer import Referrer
from robo_refer_bench.runner import RunOptions, run_with
from tests.bench import fakes


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a dataset with 12 frames of 7 questions, half of them natural."""
    return fakes.write_discs(tmp_path_factory.mktemp("discs"), 12)


@pytest.fixture
def ask(discs):
    """Run a fake model on the discs: `ask(engine_or_answer, options, out)`."""

    def run(answer, options=None, out=None):
        engine = answer if isinstance(answer, fakes.FakeEngine) else fakes.FakeEngine(answer, discs)
        return run_with(
            discs, lambda: Referrer(engine), "fake", "0" * 16, options or RunOptions(), out
        )

    return run
