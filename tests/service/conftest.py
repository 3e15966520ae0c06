"""A service with a tiny real model, and stores without one."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the serve extra isn't installed")

from tests.engine.tiny import save, tiny_compact
from tests.models.two_ends import save_ends
from tests.service.serving import served
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec
from wildsr.service.access import Access
from wildsr.service.jobs import JobStore
from wildsr.service.server import Service, create_service
from wildsr.service.settings import Quotas, ServiceSettings, Timing
from wildsr.service.speeds import known_speeds
from wildsr.service.tables import open_database

FAST = Timing(lease=3.0, beat=0.1, upload_pause=1.0, stop=10.0)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service that runs in this process, with workers of its own."""

    address: str
    service: Service
    settings: ServiceSettings


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Files of two tiny models, ×4 and ×2."""
    folder = tmp_path_factory.mktemp("models")
    return tuple(
        str(
            save(
                embed_spec(
                    tiny_compact(scale=scale, seed=scale),
                    ModelSpec(id=name, architecture="graph", scale=scale, halo=6, halo_exact=6),
                ),
                folder / f"{name}.onnx",
            )
        )
        for name, scale in (("tiny", 4), ("tiny-x2", 2))
    )


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, models: tuple[str, ...]) -> Iterator[Running]:
    """A service with one worker, open to this machine."""
    settings = ServiceSettings(
        folder=tmp_path_factory.mktemp("service"),
        models=models,
        threads=1,
        timing=FAST,
        quotas=Quotas(max_mp=1.0, max_result_mp=4.0, max_upload_mb=2.0, reserve_gb=0.0),
    )
    before = os.environ.get("WILDSR_OFFLINE")
    os.environ["WILDSR_OFFLINE"] = "1"
    try:
        service = create_service(settings, Access())
        with served(service.app) as address:
            while not known_speeds(service.store.database):  # until the worker has loaded its model
                time.sleep(0.05)
            yield Running(address=address, service=service, settings=settings)
    finally:
        os.environ.pop("WILDSR_OFFLINE")
        if before is not None:
            os.environ["WILDSR_OFFLINE"] = before


@pytest.fixture
def unattended(tmp_path: Path, models: tuple[str, ...]) -> Iterator[Running]:
    """A service open to this machine, whose only worker is the test."""
    settings = ServiceSettings(folder=tmp_path / "service", models=models, workers=0, timing=FAST)
    service = create_service(settings, Access())
    with served(service.app) as address:
        yield Running(address=address, service=service, settings=settings)


@pytest.fixture
def with_dial(tmp_path: Path, models: tuple[str, ...]) -> Iterator[Running]:
    """A service of a model with two ends and one without, whose only worker is the test."""
    settings = ServiceSettings(
        folder=tmp_path / "service",
        models=(str(save_ends(tmp_path / "ends")), models[0]),
        workers=0,
        threads=1,
        timing=FAST,
    )
    service = create_service(settings, Access())
    with served(service.app) as address:
        yield Running(address=address, service=service, settings=settings)


@pytest.fixture
def idle(tmp_path: Path, models: tuple[str, ...]) -> Iterator[Running]:
    """A service that takes jobs in and has no worker."""
    settings = ServiceSettings(
        folder=tmp_path / "service",
        models=models,
        workers=0,
        timing=FAST,
        quotas=Quotas(
            max_upload_mb=0.2, max_files=3, max_queue=8, max_client_gb=0.0005, reserve_gb=0.0, max_streams=2
        ),
    )
    service = create_service(settings, Access(tokens=TOKENS))
    with served(service.app) as address:
        yield Running(address=address, service=service, settings=settings)


TOKENS = ("token-of-the-first-person", "token-of-the-second-one")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty jobs table."""
    database = open_database(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    yield JobStore(database)
    database.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core (MPL-2.0), fetched for tests only."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm isn't installed; axe-core comes from it")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run(
        [npm, "install", "--no-save", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"],
        cwd=folder, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    source = folder / "node_modules" / "axe-core" / "axe.min.js"
    if done.returncode != 0 or not source.is_file():
        pytest.skip("axe-core can't be fetched from npm here")
    return source.read_text(encoding="utf-8")
