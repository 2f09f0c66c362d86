"""Whatever the description allows, and much that it does not, is answered without a failure."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error

from tests.robo_refer.serve.serving import PATIENCE_S, ColourEngine, serving


@pytest.mark.slow
def test_nothing_makes_the_server_fail() -> None:
    asked = set()
    with serving(ColourEngine()) as url:
        described = schemathesis.openapi.from_url(f"{url}/openapi.json")
        for found in described.get_all_operations():
            operation = found.ok()
            asked.add(operation.path)
            for mode in schemathesis.GenerationMode:
                _fuzz(operation, mode)
    assert {"/query", "/v1/chat/completions", "/v1/refer"} <= asked


def _fuzz(operation: Any, mode: schemathesis.GenerationMode) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def fuzz(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=[not_a_server_error], timeout=PATIENCE_S)

    # An operation without input has nothing that could be wrong.
    with contextlib.suppress(Unsatisfiable):
        fuzz()


def test_every_route_is_described_with_its_errors() -> None:
    with serving(ColourEngine()) as url:
        described = httpx2.get(f"{url}/openapi.json", timeout=PATIENCE_S).json()
    assert set(described["paths"]) == {
        "/", "/health", "/v1/models", "/query", "/v1/chat/completions", "/v1/refer",
    }  # fmt: skip
    for path in ("/query", "/v1/chat/completions", "/v1/refer"):
        route = described["paths"][path]["post"]
        assert route["description"]
        assert {"400", "413", "429"} <= set(route["responses"])
