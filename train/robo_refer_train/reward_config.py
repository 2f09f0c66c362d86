"""Settings of rewards: their weights, the judge, and how one is trained. Imports little."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAPER_WEIGHTS = {
    "outcome_format": 1.0,
    "point": 1.0,
    "process_format": 0.25,
    "process_accuracy": 0.25,
}
"""RoboRefer (arXiv:2506.04308): r = R_OF + R_P + 0.25 R_PF + 0.25 R_Acc."""


@dataclass(frozen=True)
class JudgeConfig:
    """A judge: a language model on this machine, or one behind a server.

    Attributes:
        model: folder of an instruct language model; with `url`, its name on that server; ""
            is no judge.
        adapter: folder of a LoRA made by 'robo-refer train judge'; only without `url`.
        url: base address of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1.
        api_key_env: name of the environment variable that holds the server's key.
        timeout_s: seconds for one grade of a server.
        concurrent: requests to the server at a time, or answers per batch of a local model.
        cache: SQLite file that keeps grades from run to run; "" keeps them for one run.
    """

    model: str = ""
    adapter: str = ""
    url: str = ""
    api_key_env: str = ""
    timeout_s: float = 60.0
    concurrent: int = 8
    cache: str = ""


NO_JUDGE = JudgeConfig()


@dataclass(frozen=True)
class JudgeTraining:
    """How a judge's LoRA is fitted.

    Attributes:
        model: Folder of the frozen instruct language model.
        pairs: JSON lines: {"instruction", "chosen", "rejected"} and, where known, "reference".
        output: Folder for the adapter, checkpoints and the report; a killed run goes on there.
        rank: Of the LoRA, on all linear layers.
        learning_rate: Highest, cosine to 0.
        epochs: Passes over the pairs.
        batch_pairs: Pairs per step.
        held_out: Share of the instructions whose pairs are never trained on and make the report.
        save_steps: Steps between checkpoints.
        seed: Of the split, the order and the LoRA.
    """

    model: Path
    pairs: Path
    output: Path
    rank: int = 16
    learning_rate: float = 1e-4
    epochs: float = 1.0
    batch_pairs: int = 8
    held_out: float = 0.1
    save_steps: int = 100
    seed: int = 0
