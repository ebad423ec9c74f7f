"""The variables of the environment that say what a process of a distributed training is: ps-lite's, and a few more.

========================  ================================================================================
``DMLC_ROLE``             scheduler, server or worker
``DMLC_PS_ROOT_URI``      address of the scheduler's machine
``DMLC_PS_ROOT_PORT``     its port; the next one is the hub's, see `gluon_rnn.distributed.hub`
``DMLC_NUM_WORKER``       how many workers
``DMLC_NUM_SERVER``       how many servers
``DMLC_WORKER_ID``        the worker's rank, from 0; without it ranks are given in the order of arrival
``GLUON_RNN_TIMEOUT``     seconds of silence after which a process counts as gone, default 30
``GLUON_RNN_PATIENCE``    seconds that all have to come within, default 300
========================  ================================================================================
"""
import os
from dataclasses import dataclass
from typing import Optional

from gluon_rnn.config import ConfigError

__all__ = ["ROLES", "Node", "node_of", "variables_of"]

ROLES = ("scheduler", "server", "worker")


@dataclass(frozen=True)
class Node:
    """One process among the others."""

    role: str
    root: str
    port: int
    workers: int
    servers: int
    rank: Optional[int] = None
    timeout: float = 30.0
    patience: float = 300.0

    @property
    def hub(self):
        """Address and port of the hub."""
        return self.root, self.port + 1

    @property
    def name(self):
        """What messages call it."""
        return self.role if self.rank is None else f"{self.role} {self.rank}"


def node_of(environ=os.environ):
    """Return the `Node` that variables describe; ConfigError where one is missing or is no number in its range."""
    role = environ.get("DMLC_ROLE")
    if role not in ROLES:
        raise ConfigError(f"DMLC_ROLE must be one of {', '.join(ROLES)}, got {role!r}; start the processes with "
                          "gluon-rnn launch")
    root = environ.get("DMLC_PS_ROOT_URI")
    if not root:
        raise ConfigError("DMLC_PS_ROOT_URI is not set; give it the address of the scheduler's machine")
    workers = _number(environ, "DMLC_NUM_WORKER", int, 1)
    rank = _number(environ, "DMLC_WORKER_ID", int, 0) if environ.get("DMLC_WORKER_ID") else None
    if rank is not None and rank >= workers:
        raise ConfigError(f"DMLC_WORKER_ID must be below DMLC_NUM_WORKER, which is {workers}, got {rank}; number the "
                          "workers from 0")
    return Node(role, root, _number(environ, "DMLC_PS_ROOT_PORT", int, 1), workers,
                _number(environ, "DMLC_NUM_SERVER", int, 1), rank if role == "worker" else None,
                _number(environ, "GLUON_RNN_TIMEOUT", float, 1, "30"),
                _number(environ, "GLUON_RNN_PATIENCE", float, 1, "300"))


def variables_of(node):
    """Return the variables that describe `node`, a dict of str."""
    found = {"DMLC_ROLE": node.role, "DMLC_PS_ROOT_URI": node.root, "DMLC_PS_ROOT_PORT": str(node.port),
             "DMLC_NUM_WORKER": str(node.workers), "DMLC_NUM_SERVER": str(node.servers),
             "GLUON_RNN_TIMEOUT": f"{node.timeout:g}", "GLUON_RNN_PATIENCE": f"{node.patience:g}"}
    return found if node.rank is None else {**found, "DMLC_WORKER_ID": str(node.rank)}


def _number(environ, name, kind, least, default=None):
    text = environ.get(name, default)
    try:
        number = kind(text)
    except (TypeError, ValueError):
        number = None
    if number is None or not least <= number < 2**31:
        raise ConfigError(f"{name} must be a number of at least {least}, got {text!r}; set it for every process, or "
                          "start them with gluon-rnn launch")
    return number
