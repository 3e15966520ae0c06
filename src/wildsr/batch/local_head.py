"""The process that a cluster on this machine hangs on: run by `local_cluster`, as a program and not as a module.

It says the cluster's address, and stops the cluster when its input ends: when it is told to, or whoever started it is
gone. It has a home of its own, `HOME`, which goes with the cluster; neither Ray's log monitor nor its autoscaler's are
started, which a cluster of one machine has no use for, and which would take a share of the cores all the time.
"""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

_ENDING: Final = 2.0
"""Seconds in which its processes must have ended once it has stopped."""


def main() -> None:
    """Start a cluster with `CPUS OBJECT_STORE_BYTES`, and hold it."""
    from ray.cluster_utils import Cluster

    cpus, object_store = (int(one) for one in sys.argv[1:])
    home = Path(os.environ["HOME"])
    (home / "ray").mkdir()  # where `RAY_TMPDIR` says that the cluster's address is noted
    try:
        cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": cpus,
                "object_store_memory": object_store,
                "include_dashboard": False,
                "dashboard_port": None,
                "include_log_monitor": False,
                "no_monitor": True,
                "temp_dir": str(home),
            },
        )
        print(cluster.address, flush=True)
        sys.stdin.read()
        stop(cluster)
    finally:
        for folder in (home, Path(os.environ["TMPDIR"])):
            shutil.rmtree(folder, ignore_errors=True)


def stop(cluster: "Cluster") -> None:
    """Stop a cluster, and what of its processes doesn't end by itself.

    Workers of Ray 2.60 now and then wait forever for themselves while they end (`~CoreWorkerProcessImpl` posts to the
    queue that it has locked), and would stay with all they hold after the cluster is gone.
    """
    import psutil  # Ray brings it

    begun = psutil.Process().children(recursive=True)
    cluster.shutdown()
    for one in psutil.wait_procs(begun, _ENDING)[1]:
        with suppress(psutil.Error):
            one.kill()


if __name__ == "__main__":
    del sys.path[0]  # this folder, whose names are not those of packages
    main()
