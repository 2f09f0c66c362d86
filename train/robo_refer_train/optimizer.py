"""Muon for matrices, AdamW for the rest, as one optimiser.

Muon (Jordan et al. 2024) makes every direction of a matrix's update equally large, so that rare
words and rare things are learnt about as fast as common ones. `torch.optim.Muon` orthogonalises in
bfloat16, which CPUs without such units emulate at a tenth of the speed of the whole step; here the
same iteration runs in the parameters' own type, inside AdamW's class, so that groups, states,
schedulers and checkpoints are PyTorch's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW

FAST = 4.0
"""Learning rate of matrices and embeddings over that of the rest. Matrices, because Muon's updates
do not grow with noise; embeddings, because a word is updated only when it is said."""

MATCHED_RMS = 0.2
"""Root mean square of an update, as large as AdamW's (Liu et al. 2025, "Muon is scalable")."""

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class MuonAdamW(AdamW):
    """AdamW that steps the groups marked as matrices with Muon.

    Args:
        named: trainable parameters. Matrices of layers go to Muon; vectors, embeddings (rows are
            words, not directions) and the head over words go to AdamW.
        learning_rate: of vectors and the head; the others' is `FAST` times as large.
    """

    def __init__(
        self,
        named: Iterable[tuple[str, nn.Parameter]],
        *,
        learning_rate: float,
        betas: tuple[float, float],
        weight_decay: float,
    ) -> None:
        matrices, embeddings, others = [], [], []
        for name, parameter in named:
            if "embed_tokens" in name:
                embeddings.append(parameter)
            elif parameter.ndim == 2 and "lm_head" not in name:
                matrices.append(parameter)
            else:
                others.append(parameter)
        groups: list[dict[str, Any]] = [
            {"params": matrices, "matrices": True, "lr": FAST * learning_rate},
            {"params": embeddings, "matrices": False, "lr": FAST * learning_rate},
            {"params": others, "matrices": False},
        ]
        super().__init__(
            [group for group in groups if group["params"]],
            lr=learning_rate,
            betas=betas,
            weight_decay=weight_decay,
        )

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Step the matrices with Muon, then hide them from AdamW's own step."""
        hidden = []
        for group in self.param_groups:
            if group["matrices"]:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._step_matrix(parameter, group["lr"], group["weight_decay"])
                        hidden.append((parameter, parameter.grad))
                        parameter.grad = None
        loss = super().step(closure)
        for parameter, gradient in hidden:
            parameter.grad = gradient
        return loss

    def _step_matrix(self, parameter: nn.Parameter, rate: float, weight_decay: float) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        if gradient is None:
            return
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
            state["step"] = torch.zeros(())  # AdamW looks for one when states are restored
        momentum = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        update = orthogonalised(gradient.lerp(momentum, MOMENTUM))
        parameter.mul_(1 - rate * weight_decay)
        parameter.add_(update, alpha=-rate * MATCHED_RMS * max(parameter.shape) ** 0.5)


def orthogonalised(matrix: torch.Tensor) -> torch.Tensor:
    """Return the matrix with its singular values brought near 1 (Newton-Schulz iteration)."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x
