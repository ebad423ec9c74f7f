"""Measure speed or memory of layers, delay networks, training steps, inference, or a language model.

Every peer runs in a process of its own and they take turns, so that all the rows come from one run.
"""
import contextlib
import os
import platform
import subprocess
import sys
import tempfile

from gluon_rnn.benchmark import delays, inference, language_model, layers, memory, ratios, steps
from gluon_rnn.benchmark.peers import Peer, PeerError
from gluon_rnn.runtime import physical_cores, report

EXAMPLE = "gluon-rnn benchmark layers --quick --repeat 1 --peers gluon --threads 1"
PEERS = ["gluon", "gluon-default-threads", "torch", "ours", "symbol-bundle", "onnx-bundle", "onnx-by-hand"]


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("what", choices=list(COMMANDS))
    parser.add_argument("--quick", action="store_true", help="a few rows and three repeats: a look, not a result")
    parser.add_argument("--repeat", type=int, help="timings per row and peer; the median counts (default 7)")
    parser.add_argument("--passes", type=int, default=1, metavar="N",
                        help="delays, tasks: make the table N times, each with new processes, and then that of the "
                             "medians; for machines that are slow or fast for minutes")
    parser.add_argument("--peers", type=lambda text: text.split(","),
                        help=f"any of {','.join(PEERS)}; by default all that start")
    parser.add_argument("--threads", type=int, default=physical_cores(), help="threads of each peer (default: cores)")
    parser.add_argument("--torch-python", default=sys.executable, metavar="PATH",
                        help="the interpreter that has PyTorch, if it is another one")
    parser.add_argument("--recipes", type=lambda text: text.split(","), default=steps.RECIPES, metavar="NAME,...",
                        help="steps: packaged recipes or YAML files, whose data are there (default: seven of them)")
    parser.add_argument("--csv", metavar="FILE", help="layers, delays, tasks, inference: write the rows there too")


def check(options):
    """End with a message where options do not go together, and fill in how often a row is timed."""
    for name in options.peers or []:
        if name not in PEERS:
            options.parser.error(f"--peers: unknown peer {name!r}; known: {', '.join(PEERS)}")
    if options.passes != 1 and options.what not in ("delays", "tasks"):
        options.parser.error(f"--passes is for delays and tasks, not for {options.what}; leave it out")
    if options.passes < 1:
        options.parser.error(f"--passes must be at least 1, got {options.passes}")
    options.repeat = options.repeat or (3 if options.quick else 7)


def start(options, stack, names):
    """Return ours and the peers `names`, running; one that was not asked for by name may be missing, with a word."""
    first, *names = names if "ours" in names else ["ours", *names]
    peers = [stack.enter_context(Peer(first, options.threads))]
    for name in names:
        try:
            python = options.torch_python if name == "torch" else None
            peers.append(stack.enter_context(Peer(name, options.threads, python)))
        except PeerError as error:
            if options.peers:
                raise
            print(f"left out: {error}", file=sys.stderr)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > 0.5:
        print(f"warning: {load:.1f} processors were busy in the last minute; if other programs go on so, threads that "
              "wait for each other make every number here worthless: measure on a quiet machine", file=sys.stderr)
    print(f"# {platform.machine()}, {options.threads} threads, float32, median of {options.repeat}; "
          + "; ".join(f"{peer.name} {peer.about['version']} (threads {peer.about['threads']})" for peer in peers))
    return peers


def run_layers(options):
    """Print the table of the recurrent layers as its rows come in, and the summary."""
    with contextlib.ExitStack() as stack:
        peers = start(options, stack, options.peers or PEERS[:3])
        names, peak = [peer.name for peer in peers], layers.peak(peers)
        print(f"# {layers.NUM_LAYERS} layers, input_size = H, milliseconds; measured peak {peak / 1e9:.0f} GFLOP/s")
        print(layers.header(names), flush=True)
        rows = []
        for row in layers.run(peers, layers.cases(layers.QUICK_SHAPES if options.quick else None), options.repeat):
            rows.append(row)
            print(layers.line(row, names, peak), flush=True)
        print(layers.summary(rows, names))
        if options.csv:
            layers.write_csv(options.csv, rows, names, peak)


def run_delays(options):
    """Print the table of the delay networks and loops."""
    run_table(options, delays, "# milliseconds; beside each row the form of the network that is fastest in PyTorch")


def run_tasks(options):
    """Print how much of the batches is padding, and the table of training steps."""
    from gluon_rnn.benchmark import tasks
    for name, waste, unbucketed in tasks.padding(tasks.QUICK_CASES if options.quick else tasks.CASES):
        print(f"# padding, {name}: {waste:.1%} of the steps in bucketed batches, {unbucketed:.1%} in unbucketed ones")
    run_table(options, tasks,
              "# training steps: forward, backward, gradient norm, clipping, Adam; tokens without padding")


def run_table(options, table, note):
    """Print a `table` (a module) as its rows come in; behind several passes also that of the medians of each row."""
    passes = [run_pass(options, table, note) for _ in range(options.passes)]
    rows, names = ratios.medians(passes), list(passes[0][0]["seconds"])
    if len(passes) > 1:
        print(f"# medians of {len(passes)} passes, and the least and the largest ratio")
        print(table.header(names))
        for row in rows:
            print(table.line(row, names), ratios.spread(row, names))
        print(ratios.summary(rows, names))
    if options.csv:
        table.write_csv(options.csv, rows, names)


def run_pass(options, table, note):
    """Print a `table` with peers of its own, and return its rows."""
    with contextlib.ExitStack() as stack:
        peers = start(options, stack, ["torch"])
        names, rows = [peer.name for peer in peers], []
        print(f"{note}\n{table.header(names)}", flush=True)
        for row in table.run(peers, table.QUICK_CASES if options.quick else table.CASES, options.repeat):
            rows.append(row)
            print(table.line(row, names), flush=True)
        print(ratios.summary(rows, names), flush=True)
    return rows


def run_language_model(options):
    """Print training tokens per second, ours beside PyTorch's."""
    with contextlib.ExitStack() as stack:
        peers = start(options, stack, ["torch"])
        case = language_model.CASE
        print(f"# tied {case['layers']} x {case['H']} LSTM, vocabulary {case['V']}, batch {case['N']}, bptt "
              f"{case['T']}, dropout {case['dropout']}, SGD with clipping; synthetic token ids")
        print(language_model.table(language_model.run(peers, options.repeat)))
        print("# output layers, Adam; adaptive: cutoffs 1000, 5000, 15000 and half the dimensions each; targets by "
              "Zipf's law; times full: of the same peer")
        print(language_model.table_of_outputs(language_model.run_outputs(
            peers, options.repeat, language_model.cases(shapes=[(35, 20)]) if options.quick else None)))


def run_inference(options):
    """Print the table of inference: milliseconds of a call, the median and the 99th percentile."""
    with contextlib.ExitStack() as stack:
        peers = start(options, stack, options.peers or inference.PEERS)
        names, rows = [peer.name for peer in peers], []
        print(f"# two layers, 200 units; ratios are of medians\n{inference.header(names)}", flush=True)
        for row in inference.run(peers, inference.QUICK_CASES if options.quick else inference.CASES, options.repeat):
            rows.append(row)
            print(inference.line(row, names), flush=True)
        print(inference.summary(rows, names))
        if options.csv:
            inference.write_csv(options.csv, rows, names)


def run_memory(options):
    """Print what a language model on a synthetic corpus has resident, by the size of the corpus."""
    print(memory.header())
    with tempfile.TemporaryDirectory() as folder:
        for memory_map in (False, True):
            print(f"# ids in {'memory-mapped files' if memory_map else 'memory'}", flush=True)
            sizes = [10**5, 10**6] if options.quick else [10**6, 10**7]
            for tokens, found in memory.run(folder, sizes, memory_map=memory_map):
                print(memory.line(tokens, found), flush=True)


def run_steps(options):
    """Print where the time of a training step goes, for each recipe."""
    print(steps.header())
    for recipe, found in steps.run(options.recipes, 4 if options.quick else 40):
        print(steps.line(recipe, found), flush=True)


COMMANDS = {"layers": run_layers, "delays": run_delays, "tasks": run_tasks, "inference": run_inference,
            "language_model": run_language_model, "memory": run_memory, "steps": run_steps}


def run(options):
    """Measure what the command line asks for; return the exit status."""
    check(options)
    print("\n".join(f"# {line}" for line in report().splitlines()), flush=True)
    try:
        COMMANDS[options.what](options)
    except (PeerError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
