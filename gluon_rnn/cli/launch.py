"""Train in several processes, here or on several machines.

Worker 0 writes the run. By default scheduler, servers and workers of MXNet's KVStore are started on this machine;
--print gives the commands for others, and --role is what those start: one process, by the variables DMLC_*.
"""
import argparse
import sys

from gluon_rnn.cli import train

EXAMPLE = "gluon-rnn launch --workers 2 --servers 1 --print ssh --hosts first,second quickstart training.epochs=2"
INTERMIXED = True                                                 # options may stand between the keys


def run(options):
    """Start the processes, print how to, or be one of them."""
    recipe, overrides = train.recipe_of(options)
    if options.resume is not None and options.role is None:       # not in a process: this loads MXNet, as what it is
        from gluon_rnn.training import folder
        folder.recipe_of(options.resume)
    words = [*options.words, *_kvstore(recipe, overrides), *(["--dry-run"] if options.dry_run else []),
             *(["--resume", str(options.resume)] if options.resume else [])]
    if options.role is not None:
        return _be(options, words)
    from gluon_rnn.distributed import commands, local
    from gluon_rnn.distributed.variables import Node
    hosts = [host for host in options.hosts.split(",") if host]
    node = Node("scheduler", hosts[0] if hosts else "127.0.0.1", options.port or (9091 if options.form else
                local.free_port()), options.workers, options.servers, None, options.timeout, options.patience)
    if options.form is None:
        return local.run(node, words)
    if options.form == "ssh" and not hosts:
        raise ValueError("--print ssh needs --hosts, names of machines with a comma between them")
    print(commands.FORMS[options.form](node, words, hosts))
    return 0


def _kvstore(recipe, overrides):
    """Return the override dist_sync where neither others nor the recipe choose a KVStore of several processes."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from gluon_rnn.recipe_files import read_yaml
    key = "training.kvstore"
    if any(text.startswith(f"{key}=") for text in overrides):
        return []
    try:
        chosen = OmegaConf.select(read_yaml(recipe), key)
    except OmegaConfBaseException:                                # such as a list for a section: the workers say it
        return []
    return [f"{key}=dist_sync"] if chosen in (None, "local") else []


def _be(options, words):
    """Be one process of the training; it ends at once where it failed, since ps-lite waits for the others."""
    import os

    from gluon_rnn.cli.process import run_command
    from gluon_rnn.distributed import node
    from gluon_rnn.distributed.variables import node_of
    os.environ["DMLC_ROLE"] = options.role                        # which MXNet reads while it is imported
    here = node_of()
    if here.role != "worker":
        return node.serve(here)
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    member = node.join(here)
    try:
        run_command(lambda words: _train(parser.parse_intermixed_args(words), member), words)
    except SystemExit as ended:
        if ended.code in (0, None):
            return 0
        sys.stdout.flush()
        os._exit(ended.code)


def _train(options, member):
    from gluon_rnn.training import Interrupted
    try:
        return train.run(options, member)
    except Interrupted as stopped:                                # all workers stop, each after the same step
        if member.rank:
            sys.exit(stopped.exit_status)                         # the first says so
        raise
    except Exception as error:
        member.fail(" ".join(str(error).split()) or type(error).__name__)
        raise


def _count(text):
    number = int(text)
    if not 1 <= number <= 1024:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 1024, got {text}")
    return number


def add_arguments(parser):
    """Add the options of this command to a parser."""
    train.add_arguments(parser)
    parser.add_argument("--workers", type=_count, default=2, metavar="N", help="processes that train; default: 2")
    parser.add_argument("--servers", type=_count, default=1, metavar="N",
                        help="processes that add gradients up; default: 1")
    parser.add_argument("--print", dest="form", choices=("ssh", "slurm", "kubernetes"),
                        help="print what starts the processes on other machines, and start nothing")
    parser.add_argument("--hosts", default="", metavar="A,B", help="machines for ssh; the first has the scheduler")
    parser.add_argument("--port", type=int, metavar="P",
                        help="of the scheduler, the next one being used too; default: 9091, or a free one here")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="S",
                        help="seconds of silence after which a process counts as gone; default: 30")
    parser.add_argument("--patience", type=float, default=300.0, metavar="S",
                        help="seconds that all processes have to come within; default: 300")
    parser.add_argument("--role", choices=("scheduler", "server", "worker"),
                        help="be this one process, by the variables DMLC_PS_ROOT_URI, DMLC_PS_ROOT_PORT, "
                             "DMLC_NUM_WORKER, DMLC_NUM_SERVER and DMLC_WORKER_ID")
