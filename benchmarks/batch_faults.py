"""What `wildsr batch` makes of failures, many times each: nothing lost, nothing half, the bytes of `wildsr upscale`.

    python -m benchmarks.batch_faults --runs 10

Forty small pictures, two of them broken, a tiny model, two machines of one core (processes of this one, by
`ray.cluster_utils`). Kinds: `actor` (a worker gets SIGKILL at a random moment), `node` (a whole machine does, and
another comes), `store` (S3 on loopback, 5 % of all calls answered with 503), `driver` (SIGKILL at a random moment,
then the same command), each beside the broken pictures. Prints one line a run and a table.
"""

import argparse
import logging
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import ray
import requests
from ray.cluster_utils import Cluster
from tests.batch.conftest import Store, make_photos, serving_s3, tiny_model
from tests.batch.on_ray import actors, check

from wildsr.batch import Record, place_of, plan_batch, read_all, upscale_batch
from wildsr.batch.local_cluster import ENVIRONMENT
from wildsr.engine import Settings, upscale_folder

SETTINGS = Settings(precision="fp32", threads=1, max_memory=1.5)
KINDS = ("actor", "node", "store", "driver")


@dataclass
class Scene:
    """What all runs share."""

    folder: Path
    photos: Path
    model: Path
    expected: dict[str, bytes]
    cluster: Cluster
    store: Store
    dice: random.Random


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, ray {ray.__version__}")
    with tempfile.TemporaryDirectory(prefix="wildsr-") as name, serving_s3() as store:
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        try:
            scene = set_up(Path(name), cluster, store, random.Random(given.seed))
            tables = [repeat(kind, given.runs, scene) for kind in given.kinds]
        finally:
            ray.shutdown()
            cluster.shutdown()
    print(
        "\n| kind | runs | as expected | disturbances | most attempts | seconds a run |\n|--|--|--|--|--|--|"
    )
    print("\n".join(tables))


def set_up(folder: Path, cluster: Cluster, store: Store, dice: random.Random) -> Scene:
    photos, model = make_photos(folder / "photos", 38), tiny_model(folder / "tiny.onnx")
    (photos / "cut.png").write_bytes((photos / "a" / "1.png").read_bytes()[:200])
    (photos / "text.jpg").write_text("no picture")
    out = folder / "alone"
    list(upscale_folder(photos, out, model=model, settings=SETTINGS, recursive=True))
    expected = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.png")}
    return Scene(folder, photos, model, expected, cluster, store, dice)


def repeat(kind: str, runs: int, scene: Scene) -> str:
    good, disturbed, attempts, seconds = 0, 0, 1, []
    for number in range(runs):
        begun = time.monotonic()
        records, disturbances, out = {
            "actor": kill_actor,
            "node": kill_node,
            "store": fail_store,
            "driver": kill_driver,
        }[kind](scene, f"{kind}-{number}")
        seconds.append(time.monotonic() - begun)
        attempts = max([attempts, *(one.attempts for one in records)])
        disturbed += disturbances
        try:
            check(records, place_of(out), scene.expected)
        except AssertionError as error:
            print(f"{kind} {number}: NOT as expected: {error}", flush=True)
        else:
            good += 1
            print(f"{kind} {number}: {disturbances} disturbances, {seconds[-1]:.0f} s", flush=True)
    mean = sum(seconds) / len(seconds)
    return f"| {kind} | {runs} | {good} | {disturbed} | {attempts} | {mean:.0f} |"


def kill_actor(scene: Scene, name: str) -> tuple[list[Record], int, str]:
    killed: list[int] = []

    def kill() -> None:
        workers = actors()
        if workers:
            victim = scene.dice.choice(workers)
            killed.append(victim.pid)
            victim.kill()

    records = disturbed(scene, str(scene.folder / name), kill)
    return records, len(killed), str(scene.folder / name)


def kill_node(scene: Scene, name: str) -> tuple[list[Record], int, str]:
    killed: list[int] = []

    def kill() -> None:
        victim = scene.dice.choice(scene.cluster.list_all_nodes()[1:])
        scene.cluster.remove_node(victim, allow_graceful=False)
        scene.cluster.add_node(num_cpus=1)
        killed.append(1)

    records = disturbed(scene, str(scene.folder / name), kill)
    return records, len(killed), str(scene.folder / name)


def disturbed(scene: Scene, out: str, disturb: Callable[[], None]) -> list[Record]:
    """Run, and disturb once at a random picture of the first half."""
    moment = scene.dice.randint(1, 20)

    def watch(record: Record, done: int, total: int) -> None:
        if done == moment:
            disturb()

    plan = plan_batch(str(scene.photos), out, model=str(scene.model), settings=SETTINGS, workers=2)
    return upscale_batch(plan, watch=watch)


def fail_store(scene: Scene, name: str) -> tuple[list[Record], int, str]:
    requests.post(f"{scene.store.url}/moto-api/reset", timeout=60)
    import s3fs

    s3fs.S3FileSystem(skip_instance_cache=True).mkdir("bucket")
    for path in scene.photos.rglob("*.*"):
        place_of("s3://bucket/in").publish(path, path.relative_to(scene.photos).as_posix())
    scene.store.failed, scene.store.fail_share = 0, 0.05
    try:
        plan = plan_batch(
            "s3://bucket/in", f"s3://bucket/{name}", model=str(scene.model), settings=SETTINGS, workers=2
        )
        records = upscale_batch(plan)
    finally:
        scene.store.fail_share = 0
    return records, scene.store.failed, f"s3://bucket/{name}"


def kill_driver(scene: Scene, name: str) -> tuple[list[Record], int, str]:
    out = scene.folder / name
    command = [
        sys.executable, "-m", "wildsr", "batch", str(scene.photos), str(out), "-m", str(scene.model),
        "--precision", "fp32", "--max-memory", "1.5", "--workers", "2", "--address", scene.cluster.address,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        while not list(out.rglob("*_x4.png")) and driver.poll() is None:
            time.sleep(0.02)
        time.sleep(scene.dice.random())
        killed = driver.poll() is None
        psutil.Process(driver.pid).kill()
    plan = plan_batch(str(scene.photos), str(out), model=str(scene.model), settings=SETTINGS, workers=2)
    upscale_batch(plan)
    return list(read_all(place_of(str(out))).values()), int(killed), str(out)


if __name__ == "__main__":
    main()
