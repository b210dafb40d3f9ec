"""`hsu cluster`: the lines that start a cluster, by Dask's own deployers."""

from __future__ import annotations

import click

_QUEUE = """\
# pip install dask-jobqueue, in this environment; python -i cluster.py, and leave it open
import dask
from dask_jobqueue import {kind}Cluster

if __name__ == "__main__":
    dask.config.set({{"distributed.scheduler.allowed-failures": 2}})  # a third dead worker is a run's last
    cluster = {kind}Cluster(
        queue="normal",
        cores=8,  # a job has as many processes as cores: each makes one run at a time
        processes=8,
        memory="32GB",
        walltime="04:00:00",
        job_script_prologue=["export HSU_DATA_DIR=$HOME/scenes"],
        # a process on a card: cores=1, processes=1,
        # job_extra_directives=["{card}"], worker_extra_args=["--resources", "GPU=1"],
    )
    cluster.scale(jobs=10)
    print(f"hsu sweep --budget 4h --scheduler {{cluster.scheduler_address}}")
"""

_K8S = """\
# pip install dask-kubernetes, here; its operator must be in the cluster: helm install --generate-name
#   --repo https://helm.dask.org --create-namespace -n dask-operator dask-kubernetes-operator
# IMAGE has this checkout and its environment; python -i cluster.py, and leave it open
from dask_kubernetes.operator import KubeCluster

if __name__ == "__main__":
    cluster = KubeCluster(
        name="hsu",
        image="IMAGE",
        n_workers=10,
        worker_command="dask-worker --nthreads 1",  # on cards: --nthreads 1 --resources GPU=1
        resources={"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "4Gi"}},
        env={
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2",  # a third dead worker is a run's last
            "HSU_DATA_DIR": "/scenes",
            "HSU_COMMIT": "COMMIT",
        },
    )
    print(f"hsu sweep --budget 4h --scheduler {cluster.scheduler_address}")
"""

#: What starts a cluster, by the name of what it runs on.
LINES = {
    "slurm": _QUEUE.format(kind="SLURM", card="--gres=gpu:1"),
    "pbs": _QUEUE.format(kind="PBS", card="-l ngpus=1"),
    "k8s": _K8S,
}


@click.command("cluster")
@click.argument("kind", type=click.Choice(list(LINES)))
def show_cluster(kind: str) -> None:
    """Print the lines of Python that start workers on KIND, with Dask's own deployer.

    Put them into a file, fill in your queue or image, and run it: it prints the address for --scheduler.
    Workers need this project at the same commit, with the same libraries, and the scenes; they need no folder
    in common. Each has one thread.

    \b
    Examples
      hsu cluster slurm > cluster.py && python -i cluster.py
      hsu sweep desk --budget 4h --scheduler tcp://node7:8786
      HSU_SCHEDULER=tcp://node7:8786 hsu run undip --profile desk
    """
    if kind == "k8s":
        from hsu_lib.runs.provenance import commit

        click.echo(LINES[kind].replace("COMMIT", commit() or "COMMIT"), nl=False)
        return
    click.echo(LINES[kind], nl=False)


#: What the module adds to `hsu`.
COMMANDS = (show_cluster,)
