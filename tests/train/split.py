"""`python split.py ...` is `robo-refer ...` with weights split over the processes of a CPU.

accelerate splits weights over accelerators alone, and on a CPU would leave the launcher's FSDP out
without a word. torch itself can split them here: the processes only have to pass for accelerators
while accelerate decides. DeepSpeed splits them anywhere, but leaves weights as small as a test's
whole, and wants to compile what nothing here uses.

`python split.py DATA POLICY OUTPUT` is `python policies.py ...` likewise.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import policies
import pytest
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DeepSpeedPlugin, DistributedType
from torch.distributed.tensor import DTensor

from robo_refer.cli.main import main
from robo_refer_train import words

LAUNCHERS = Path(__file__).parents[2] / "train" / "configs" / "accelerate"
NEEDS_DEEPSPEED = pytest.mark.skipif(
    find_spec("deepspeed") is None, reason="DeepSpeed is not installed: pip install deepspeed"
)

_begin, _step = AcceleratorState.__init__, words.WordTrainer.training_step
_configure = DeepSpeedPlugin.__post_init__


def launcher(config: str) -> tuple[str, ...]:
    """Return what runs this script in two processes, by a launcher's config that ships."""
    return (
        *("-m", "accelerate.commands.launch", "--config_file", str(LAUNCHERS / config)),
        *("--num_processes", "2", "--main_process_port", "0", "--mixed_precision", "no"),
        __file__,
    )


def begin(self: AcceleratorState, *args: Any, **options: Any) -> None:
    shared = PartialState._shared_state
    if shared.get("distributed_type") is DistributedType.MULTI_CPU:
        shared["distributed_type"] = DistributedType.MULTI_GPU
    _begin(self, *args, **options)


def configure(self: DeepSpeedPlugin) -> None:
    _configure(self)
    self.deepspeed_config["zero_optimization"]["stage3_param_persistence_threshold"] = 0


def step(self: words.WordTrainer, model: Any, *args: Any, **options: Any) -> Any:
    if self.is_deepspeed_enabled:
        stage = int(os.environ["ACCELERATE_DEEPSPEED_ZERO_STAGE"])
        assert model.zero_optimization_stage() == stage
        assert all((parameter.numel() == 0) == (stage == 3) for parameter in model.parameters())
    else:
        assert all(isinstance(parameter, DTensor) for parameter in model.parameters())
    return _step(self, model, *args, **options)


def without_compiler() -> None:
    """Keep DeepSpeed from compiling its communication by shared memory, where gloo is used."""
    os.environ["DS_ACCELERATOR"] = "cpu"
    import deepspeed

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


if __name__ == "__main__":
    AcceleratorState.__init__ = begin
    DeepSpeedPlugin.__post_init__ = configure
    words.WordTrainer.training_step = step
    if "ACCELERATE_USE_DEEPSPEED" in os.environ:
        without_compiler()
    if sys.argv[1] == "train":
        main()
    else:
        policies.main(*sys.argv[1:])
