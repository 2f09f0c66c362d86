from __future__ import annotations

from pathlib import Path

import pytest

from robo_refer_bench.runner import RunOptions
from robo_refer_bench.scored import score_items
from tests.bench import fakes


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a dataset with 12 frames of 7 questions, half of them natural."""
    return fakes.write_discs(tmp_path_factory.mktemp("discs"), 12)


@pytest.fixture
def ask(discs):
    """Run a fake model on the discs: `ask(engine_or_answer, options, out)`; also on `data`."""

    def asked(answer, options=None, out=None, data=discs):
        done = fakes.run(answer, data, out, options or RunOptions())
        return done.recording.settings, score_items(done.asked, done.recording.records)

    return asked
