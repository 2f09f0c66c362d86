"""`python split.py ...` is `robo-refer ...` with weights split over the processes of a CPU.

accelerate splits weights over accelerators alone, and on a CPU would leave the launcher's FSDP out
without a word. torch itself can split them here: the processes only have to pass for accelerators
while accelerate decides.
"""

from __future__ import annotations

import sys
from typing import Any

from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType
from torch.distributed.tensor import DTensor

from robo_refer.cli.main import main
from robo_refer_train import words

_begin, _step = AcceleratorState.__init__, words.WordTrainer.training_step


def begin(self: AcceleratorState, *args: Any, **options: Any) -> None:
    shared = PartialState._shared_state
    if shared.get("distributed_type") is DistributedType.MULTI_CPU:
        shared["distributed_type"] = DistributedType.MULTI_GPU
    _begin(self, *args, **options)


def step(self: words.WordTrainer, model: Any, *args: Any, **options: Any) -> Any:
    assert all(isinstance(parameter, DTensor) for parameter in model.parameters())
    return _step(self, model, *args, **options)


if __name__ == "__main__":
    AcceleratorState.__init__ = begin
    words.WordTrainer.training_step = step
    main(sys.argv[1:])
