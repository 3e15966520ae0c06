"""Requests that tests of the service make again and again."""

import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import requests
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

Answer = dict[str, object]


def picture(seed: int = 0, size: tuple[int, int] = (32, 24), kind: str = "png") -> bytes:
    """Return a small photo as a file's bytes."""
    width, height = size
    values = np.random.default_rng(seed).integers(
        60, 190, (max(1, height // 4), max(1, width // 4), 3), np.uint8
    )
    out = io.BytesIO()
    Image.fromarray(values).resize(size, Image.Resampling.BICUBIC).save(out, kind)
    return out.getvalue()


def bring(
    address: str,
    *files: tuple[str, bytes],
    path: str = "/api/jobs",
    token: str | None = None,
    **fields: str | list[str],
) -> requests.Response:
    """Upload photos."""
    return requests.post(
        address + path,
        files=[("file", one) for one in files],
        data=fields,
        headers=bearer(token),
        timeout=60,
    )


def bearer(token: str | None) -> dict[str, str]:
    """Return the header of a token."""
    return {} if token is None else {"authorization": f"Bearer {token}"}


def ids(response: requests.Response) -> list[str]:
    """Return the ids of the jobs an upload became."""
    assert response.status_code == 201, response.text
    return [job["id"] for job in response.json()["jobs"]]


def ended(address: str, job_id: str, *, token: str | None = None, seconds: float = 120) -> Answer:
    """Wait until a job is in a final state; return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job: Answer = requests.get(f"{address}/api/jobs/{job_id}", headers=bearer(token), timeout=30).json()
        if job["state"] in ("done", "failed", "cancelled"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"job {job_id} did not end")


def events(address: str, job_id: str) -> list[Answer]:
    """Return the events of a job, until its stream ends."""
    with requests.get(f"{address}/api/jobs/{job_id}/events", stream=True, timeout=60) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines(decode_unicode=True) if line.startswith("data: ")]
    return [json.loads(line[6:]) for line in lines]


def stored(folder: Path) -> list[str]:
    """Return the folders of jobs that are there."""
    return sorted(one.name for one in (folder / "jobs").iterdir())


def serious(page: "Page", axe: str) -> list[str]:
    """Return what axe finds against WCAG 2.1 A and AA on a page that weighs more than a nuisance."""
    page.evaluate(axe)
    result = page.evaluate(
        "() => axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
    )
    assert len(result["passes"]) > 10
    bad = [one for one in result["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in bad]
