from __future__ import annotations

from pathlib import Path

import pytest

from robo_refer_bench.runner import RunOptions, run
from robo_refer_bench.scored import score_items
from robo_refer_bench.selection import Part
from robo_refer_bench.suites.generated import GENERATED
from tests.bench import fakes


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a dataset with 12 frames of 7 questions, half of them natural."""
    return fakes.write_discs(tmp_path_factory.mktemp("discs"), 12)


@pytest.fixture
def ask(discs):
    """Run a fake model on the discs: `ask(engine_or_answer, options, out)`; also on `data`."""

    def asked(answer, options=None, out=None, data=discs):
        engine = answer if isinstance(answer, fakes.FakeEngine) else fakes.FakeEngine(answer, data)
        parts = [Part(GENERATED, "all", data)]
        done = run(parts, fakes.client(engine), options or RunOptions(), out)
        return done.recording.settings, score_items(done.asked, done.recording.records)

    return asked
