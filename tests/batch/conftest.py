"""A tiny model, a folder of small pictures, and a store that speaks S3 on loopback and fails now and then."""

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import requests
from PIL import Image

from tests.engine.tiny import save, tiny_compact
from wildsr.engine import Upscaler
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

if TYPE_CHECKING:
    from wildsr.batch import Plan


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "tiny.onnx")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_photos(tmp_path / "photos", 12)


def tiny_model(path: Path) -> Path:
    save(tiny_compact(), path)
    onnx.save(
        embed_spec(onnx.load(path), ModelSpec(id="tiny", architecture="graph", halo=6, halo_exact=6)), path
    )
    return path


def make_photos(folder: Path, count: int) -> Path:
    """PNG and JPEG in two sub-folders, 30 wide, each a row higher than the one before."""
    for number in range(count):
        path = folder / ("a" if number % 2 else "b") / f"{number}.{'png' if number % 3 else 'jpg'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (20 + number, 30, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    return folder


def with_tiles(plan: "Plan", pixels: int) -> "Plan":
    """The same plan with tiles of at most so many pixels, far below what memory is ever short of."""
    from wildsr.batch.step import settings_digest

    work = replace(plan.work, tile_pixels=pixels)
    upscaler = Upscaler(work.model, work.settings, tile_pixels=pixels)
    return replace(plan, work=replace(work, digest=settings_digest(upscaler, work.size, work.options)))


@dataclass
class Store:
    """An S3 service."""

    url: str
    fail_every: int = 0
    """Each so-manieth call is answered with 503; 0: none."""

    fail_share: float = 0.0
    """Share of calls, at random, answered so."""

    dice: random.Random = field(default_factory=lambda: random.Random(0))
    calls: int = 0
    failed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fails(self) -> bool:
        with self.lock:
            self.calls += 1
            fails = self.fail_every > 0 and self.calls % self.fail_every == 0
            fails = fails or self.dice.random() < self.fail_share
            self.failed += fails
            return fails


Wsgi = Callable[[dict[str, object], Callable[..., object]], Iterable[bytes]]


@pytest.fixture(scope="module")
def s3_server() -> Iterator[Store]:
    pytest.importorskip("s3fs", reason="needs s3fs")
    pytest.importorskip("moto", reason="needs moto")
    pytest.importorskip("flask_cors", reason="needs moto's server")
    with serving_s3() as store:
        yield store


@contextmanager
def serving_s3() -> Iterator[Store]:
    """moto's server on loopback; clients of this process and its children use it."""
    from moto.moto_server import werkzeug_app as moto
    from werkzeug.serving import make_server

    inner: Wsgi = moto.DomainDispatcherApplication(moto.create_backend_app)
    store = Store(url="")

    def app(environ: dict[str, object], start: Callable[..., object]) -> Iterable[bytes]:
        if store.fails():
            start("503 Slow Down", [("Content-Type", "text/plain")])
            return [b"slow down"]
        return inner(environ, start)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    store.url = f"http://127.0.0.1:{server.server_port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": store.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }.items():
            patch.setenv(name, value)
        yield store
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def s3(s3_server: Store) -> Iterator[Store]:
    """The store, with one empty bucket, `bucket`."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir("bucket")
    yield s3_server
    s3_server.fail_every = 0
    requests.post(f"{s3_server.url}/moto-api/reset", timeout=60)
    s3fs.S3FileSystem.clear_instance_cache()
