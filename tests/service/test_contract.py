"""The OpenAPI document holds: schemathesis sends what it allows and what it doesn't, and looks at the answers."""

import os
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings

pytest.importorskip("schemathesis", reason="schemathesis isn't installed")

import schemathesis

from tests.service.conftest import Running

EXAMPLES = int(os.environ.get("WILDSR_SCHEMATHESIS_EXAMPLES", "6"))
"""For each operation."""

STREAMS = {"/api/events", "/api/jobs/{job_id}/events"}
"""An event stream without end is no answer that can be compared; its refusals are tested elsewhere."""


@pytest.mark.filterwarnings("ignore")
def test_no_5xx_and_no_status_that_is_not_documented(running: Running, tmp_path: Path) -> None:
    document = requests.get(f"{running.address}/openapi.json", timeout=30).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=running.address)
    seen: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in STREAMS:
            continue
        seen[f"{operation.method.upper()} {operation.path}"] = statuses(operation)
    assert len(seen) >= 12
    assert 201 in seen["POST /api/jobs"] | seen["POST /api/profiles"]


def statuses(operation: "schemathesis.APIOperation") -> set[int]:
    """Send an operation what the document allows and what it doesn't; return the statuses that came."""
    documented = operation.definition.raw["responses"]
    found: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(case=operation.as_strategy())
    def sent(case: "schemathesis.Case") -> None:
        answer = case.call(timeout=30)
        found.add(answer.status_code)
        assert answer.status_code < 500 or (operation.path == "/ready" and answer.status_code == 503)
        assert str(answer.status_code) in documented, (operation.path, answer.status_code, answer.text[:300])

    sent()
    return found
