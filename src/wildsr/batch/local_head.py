"""The process that a cluster on this machine hangs on: run by `local_cluster`, as a program and not as a module.

It says the cluster's address, and stops the cluster when its input ends: when it is told to, or whoever started it is
gone. It has a home of its own, `HOME`, which goes with the cluster; neither Ray's log monitor nor its autoscaler's are
started, which a cluster of one machine has no use for, and which would take a share of the cores all the time.
"""

import os
import shutil
import sys
from pathlib import Path


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
        cluster.shutdown()
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    del sys.path[0]  # this folder, whose names are not those of packages
    main()
