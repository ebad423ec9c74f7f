"""Answer over HTTP with a bundle, a run or a model of the zoo.

POST /predict takes {"items": [...]} or {"item": ...}, a websocket at /stream one step after the other; / is a page to
try the model. Items that come together go through the model in one call. It needs the extra, pip install
'gluon_rnn[serve]'.
"""
import dataclasses
import os

EXAMPLE = "gluon-rnn serve runs/quickstart-1 --port 0 --check"

#: options that are limits: name -> type, placeholder, help
_LIMITS = {
    "max_batch": (int, "N", "items that one call of the model takes"),
    "max_wait": (float, "MS", "milliseconds that an item waits for others to share its call"),
    "max_queue": (int, "N", "items that wait; more are refused with 503"),
    "max_body": (int, "BYTES", "size of a request"),
    "max_items": (int, "N", "items of a request"),
    "max_length": (int, "N", "characters of a text, steps of a series, tokens to write"),
    "session_timeout": (float, "S", "seconds after which an unused stream is given up"),
    "max_sessions": (int, "N", "streams at a time"),
}
_DEFAULTS = "defaults: --max-batch 64 --max-wait 5 --max-queue 1024 --max-body 1000000 --max-items 256 " \
            "--max-length 10000 --session-timeout 300 --max-sessions 256"

_SHAPES = "128"     # of each operator


def run(options):
    """Serve until the process is told to end; with ``--check`` only ask the server once how it is."""
    from gluon_rnn import serve
    serve.check_installed()
    from gluon_rnn.serve import server
    # by default MXNet keeps what oneDNN made for every shape that it has met, and requests bring ever new shapes
    os.environ.setdefault("MXNET_MKLDNN_CACHE_NUM", _SHAPES)
    limits = limits_of(options)
    with server.bind(options.host, options.port) as listening:            # first: to load the model takes longer
        app = serve.build_app(serve.open_model(options.model, limits), limits)
        if options.check:
            print(_health(app, listening), flush=True)
            return 0
        about = app.state.serving.health()
        print(f"serving {about['name']} ({about['task']}, {about['model']}) on {server.address_of(listening)}",
              flush=True)
        server.run(app, listening)
    return 0


def limits_of(options):
    """Return the `gluon_rnn.serve.Limits` of a command line."""
    from gluon_rnn.serve import Limits
    given = {name: getattr(options, name) for name in _LIMITS if getattr(options, name) is not None}
    if "max_wait" in given:
        given["max_wait"] /= 1000
    return dataclasses.replace(Limits(), **given)


def _health(app, listening):
    """Return what a server that runs for this one question says of itself."""
    import urllib.request

    from gluon_rnn.serve import server
    with server.running(app, listening=listening) as address, \
            urllib.request.urlopen(f"{address}/health", timeout=60) as answer:
        return answer.read().decode()


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("model", metavar="NAME_OR_DIR", help="folder of a bundle or a run, or zoo model")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1, which only this "
                                                            "machine reaches; 0.0.0.0 is open to the network)")
    parser.add_argument("--port", type=int, default=8000, help="default 8000; 0 takes a free one")
    parser.add_argument("--check", action="store_true", help="load the model, serve, ask /health once and end")
    limits = parser.add_argument_group("limits", _DEFAULTS)
    for name, (kind, placeholder, text) in _LIMITS.items():
        limits.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=placeholder, help=text)
