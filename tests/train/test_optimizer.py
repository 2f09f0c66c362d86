"""Muon for matrices, AdamW for the rest."""

from __future__ import annotations

import io

import torch
from torch import nn

from robo_refer_train.optimizer import FAST, MATCHED_RMS, MuonAdamW, orthogonalised


def small_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.ModuleDict(
        {"embed_tokens": nn.Embedding(7, 6), "layer": nn.Linear(6, 4), "lm_head": nn.Linear(6, 7)}
    )


def optimizer_of(model: nn.Module, rate: float = 1e-2) -> MuonAdamW:
    return MuonAdamW(
        model.named_parameters(), learning_rate=rate, betas=(0.9, 0.97), weight_decay=0.0
    )


def step(model: nn.Module, optimizer: MuonAdamW) -> None:
    tokens = model["embed_tokens"](torch.arange(7))
    loss = model["lm_head"](tokens).square().mean() + model["layer"](tokens).sin().mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()


def test_orthogonalised_keeps_directions_and_evens_their_sizes() -> None:
    torch.manual_seed(1)
    for shape in ((6, 9), (9, 6), (5, 5)):
        matrix = torch.randn(shape)
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        result = orthogonalised(matrix)
        sizes = torch.linalg.svdvals(result)
        assert sizes.min() > 0.5
        assert sizes.max() < 1.4
        assert torch.diag(left.T @ result @ right.T).min() > 0.5  # the same directions


def test_only_matrices_of_layers_go_to_muon() -> None:
    model = small_model()
    optimizer = optimizer_of(model)
    groups = {bool(group["matrices"]): group for group in optimizer.param_groups[:1]}
    assert [p.shape for p in groups[True]["params"]] == [(4, 6)]
    rates = {p: group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert rates[model["layer"].weight] == rates[model["embed_tokens"].weight] == FAST * 1e-2
    assert rates[model["lm_head"].weight] == rates[model["layer"].bias] == 1e-2


def test_an_update_is_as_large_as_matched() -> None:
    model = small_model()
    before = model["layer"].weight.detach().clone()
    step(model, optimizer_of(model))
    change = (model["layer"].weight - before) / (FAST * 1e-2)
    assert 0.4 * MATCHED_RMS < change.square().mean().sqrt() < 1.6 * MATCHED_RMS


def test_states_come_back_from_a_checkpoint() -> None:
    model, twin = small_model(), small_model()
    optimizer = optimizer_of(model)
    for _ in range(3):
        step(model, optimizer)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    twin.load_state_dict(model.state_dict())
    restored = optimizer_of(twin)
    restored.load_state_dict(torch.load(file, weights_only=True))
    for one, other in ((model, optimizer), (twin, restored)):
        step(one, other)
    for first, second in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(first, second)
