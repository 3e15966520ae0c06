"""A cluster on this machine, in a process that is killed: it ends, and leaves nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("ray", reason="needs the extra batch")

_DRIVER = """
import os, sys, time
before = dict(os.environ)
from wildsr.batch.local_cluster import local_cluster
from wildsr.batch.run import begun_counter
assert "ray" not in sys.modules, "it is imported while the cluster starts"
with local_cluster(cpus=1, object_store=80_000_000):
    import psutil, ray
    counter = begun_counter()
    counted = [ray.get(counter.begin.remote(*one)) for one in (("a", None), ("a", None), ("b", "a"), ("a", None))]
    assert counted == [1, 2, 1, 1], counted
    assert os.environ["HOME"] == before["HOME"]
    class Hanging:  # as Ray's workers do now and then: after it has told the cluster that it ends
        def __init__(self, told):
            import atexit, pathlib
            atexit.register(lambda: (pathlib.Path(told).touch(), time.sleep(600)))
        def begun(self): return os.getpid()
    hanging = ray.remote(num_cpus=0)(Hanging).remote(sys.argv[1])
    ray.get(hanging.begun.remote())
    running = psutil.Process().children(recursive=True)
    del hanging
    while not os.path.exists(sys.argv[1]): time.sleep(.05)
    names = [" ".join(one.cmdline()) for one in running]
    assert not any("log_monitor" in one or "monitor.py" in one for one in names), names
    (its,) = [one for one in running if "ray::Begun" in one.cmdline()[0]]
    loaded = {one.path for one in its.memory_maps()}
    assert not any("openvino" in one or "pandas" in one for one in loaded)
    def write():
        import tempfile
        return tempfile.mkdtemp()
    assert ray.get(ray.remote(num_cpus=0)(write).remote()).startswith(os.environ["TMPDIR"] + "/wildsr-batch-")
    print(*[one.pid for one in running], flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.e2e
def test_it_ends_with_the_process_that_started_it_and_leaves_nothing(tmp_path: Path) -> None:
    home = Path("/tmp") if len(str(tmp_path)) > 24 else tmp_path  # sockets lie deep in it
    before = set(home.glob("wildsr-ray-*"))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", _DRIVER, str(tmp_path / "told")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as driver:
        assert driver.stdout is not None
        started = [int(one) for one in driver.stdout.readline().split()]
        folders = set(home.glob("wildsr-ray-*")) - before | set(tmp_path.glob("wildsr-batch-*"))
        driver.kill()
        said = driver.communicate()[1]
    assert len(started) >= 5, said
    assert len(folders) == 2
    end = time.monotonic() + 90
    while time.monotonic() < end and any(map(psutil.pid_exists, started)):
        time.sleep(0.2)
    assert not [one for one in started if psutil.pid_exists(one)]
    assert not [one for one in folders if one.exists()]
