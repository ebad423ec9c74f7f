"""The commands that start a training on other machines: by ssh, in Slurm, in Kubernetes."""
import json
import shlex

from gluon_rnn.distributed.local import processes_of
from gluon_rnn.distributed.variables import variables_of

__all__ = ["FORMS", "kubernetes", "slurm", "ssh"]

# The shell here fills in the folder and nothing else; its quotes are for the shell of the host.
_HERE = r"""here=$(printf %s "$PWD" | sed "s/'/'\\\\''/g")"""


def ssh(node, words, hosts):
    """Return a shell script with a line for each process: the scheduler on the first host, the rest in turn.

    Parameters
    ----------
    node : gluon_rnn.distributed.variables.Node
    words : list of str
        Recipe, overrides and options, as `gluon-rnn launch --role` takes them.
    hosts : list of str
    """
    lines, turns = ["#!/bin/sh", "# The working folder has to be on every host, under one path.", _HERE], {}
    for each in processes_of(node):
        turn = turns[each.role] = turns.get(each.role, -1) + 1
        host, command = shlex.quote(hosts[turn % len(hosts)]), shlex.quote(_command(each, words))
        lines.append(f"ssh {host} \"cd '$here' && \"{command} &")
    return "\n".join([*lines, "wait"])


def slurm(node, words, hosts=()):
    """Return a batch script for ``sbatch``: one task for each process, in the order scheduler, servers, workers."""
    first = node.servers + 1
    shared = {key: value for key, value in variables_of(node).items() if key not in ("DMLC_ROLE", "DMLC_PS_ROOT_URI")}
    return f"""#!/bin/bash
#SBATCH --job-name=gluon-rnn
#SBATCH --ntasks={first + node.workers}
#SBATCH --cpus-per-task=1
export {_assignments(shared)}
export DMLC_PS_ROOT_URI=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun --distribution=cyclic bash -c '
  export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK
  if [ "$SLURM_PROCID" -eq 0 ]; then export DMLC_ROLE=scheduler
  elif [ "$SLURM_PROCID" -lt {first} ]; then export DMLC_ROLE=server
  else export DMLC_ROLE=worker DMLC_WORKER_ID=$((SLURM_PROCID - {first})); fi
  exec gluon-rnn launch --role "$DMLC_ROLE" "$@"' launch {shlex.join(words)}"""


def kubernetes(node, words, hosts=()):
    """Return manifests for ``kubectl apply -f``: a service for the scheduler, and a job for each role.

    IMAGE, and a volume claim RUNS that all pods can write to, are left for the user to fill in.
    """
    counts = {"scheduler": 1, "server": node.servers, "worker": node.workers}
    ports = f"[{{name: ps, port: {node.port}}}, {{name: hub, port: {node.port + 1}}}]"
    service = f"""apiVersion: v1
kind: Service
metadata: {{name: gluon-rnn}}
spec: {{clusterIP: None, publishNotReadyAddresses: true, selector: {{gluon-rnn: scheduler}}, ports: {ports}}}"""
    return "\n---\n".join([service, *(_job(node, role, count, words) for role, count in counts.items())])


def _job(node, role, count, words):
    values = {**variables_of(node), "DMLC_ROLE": role, "DMLC_PS_ROOT_URI": "gluon-rnn"}
    values.pop("DMLC_WORKER_ID", None)
    pairs = [f"            - {{name: {name}, value: \"{value}\"}}" for name, value in values.items()]
    if role == "worker":
        field = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
        pairs.append(f"            - {{name: DMLC_WORKER_ID, valueFrom: {{fieldRef: {{fieldPath: \"{field}\"}}}}}}")
    command = json.dumps(["gluon-rnn", "launch", "--role", role, *words], ensure_ascii=False)     # which YAML reads too
    return "\n".join([f"""apiVersion: batch/v1
kind: Job
metadata: {{name: gluon-rnn-{role}}}
spec:
  completions: {count}
  parallelism: {count}
  completionMode: Indexed
  backoffLimit: 0
  template:
    metadata: {{labels: {{gluon-rnn: {role}}}}}
    spec:
      restartPolicy: Never
      volumes: [{{name: runs, persistentVolumeClaim: {{claimName: RUNS}}}}]
      containers:
        - name: {role}
          image: IMAGE
          workingDir: /runs
          command: {command}
          volumeMounts: [{{name: runs, mountPath: /runs}}]
          env:""", *pairs])


def _command(node, words):
    return f"{_assignments(variables_of(node))} gluon-rnn launch --role {node.role} {shlex.join(words)}"


def _assignments(variables):
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())


#: by the names of ``gluon-rnn launch --print``
FORMS = {"ssh": ssh, "slurm": slurm, "kubernetes": kubernetes}
