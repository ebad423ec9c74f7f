"""Take over the recurrent layers of torch, Keras, ONNX, gluonnlp or mxnet.gluon.rnn.

Writes a file that load_parameters of the layer reads, and prints the layer as the section of a recipe. No pickle is
opened: write .pt and .bin files as .safetensors first.
"""
import pathlib

from gluon_rnn.files import whole

EXAMPLE = "gluon-rnn convert model.safetensors --from torch --output encoder.params"
SOURCES = ("torch", "keras", "onnx", "gluonnlp", "gluon")
_UNEQUAL = "# no single encoder of a recipe: in Python, gluon_rnn.nn.Chain of the blocks"


def run(options):
    """Convert a file, print what it holds as YAML, and write the parameters."""
    output = pathlib.Path(options.output)
    if not output.parent.is_dir():
        raise ValueError(f"--output {options.output}: there is no folder {str(output.parent)!r}")
    if options.source_kind == "gluonnlp" and options.prefix is not None:
        raise ValueError("--prefix: a model of gluonnlp is taken as a whole; leave it out")
    if options.source_kind == "onnx" and options.mode is not None:
        raise ValueError("--mode: a node of ONNX says what it is; leave it out")
    try:
        block, text = (_model if options.source_kind == "gluonnlp" else _layer)(options)
    except ModuleNotFoundError as error:
        if error.name not in ("safetensors", "h5py", "onnx"):
            raise
        raise ValueError(str(error)) from error                           # one sentence, and status 2
    with whole(output) as partial:
        block.save_parameters(str(partial))
    print(f"# parameters: {output}")
    print(text, end="", flush=True)
    return 0


def _layer(options):
    """Return the block of one of the layers' sources, and its YAML."""
    from gluon_rnn.convert.blocks import build, sections
    from gluon_rnn.convert.gluon_checkpoint import read_gluon
    from gluon_rnn.convert.keras_weights import read_keras
    from gluon_rnn.convert.onnx_nodes import read_onnx
    from gluon_rnn.convert.torch_state import read_torch
    from gluon_rnn.convert.weights import check_stack
    read = {"torch": read_torch, "keras": read_keras, "onnx": read_onnx, "gluon": read_gluon}[options.source_kind]
    layers, name = read(options.source, options.mode, options.prefix)
    check_stack(layers, name)
    found = sections(layers)
    return build(layers), _yaml({"encoder": found[0]} if len(found) == 1 else {"blocks": found})


def _model(options):
    """Return the language model of a file of gluonnlp's, and its YAML."""
    from gluon_rnn.convert.blocks import sections
    from gluon_rnn.convert.gluonnlp_models import from_gluonnlp, read_gluonnlp
    layers, ends, _ = read_gluonnlp(options.source, options.mode)
    found, model = sections(layers), from_gluonnlp(options.source, mode=options.mode)
    own = {"embed_size": layers[0].input_size, "tie_weights": "output_weight" not in ends}
    return model, _yaml({"model": {**own, **({"encoder": found[0]} if len(found) == 1 else {"blocks": found})}})


def _yaml(section):
    import yaml
    text = yaml.safe_dump(section, sort_keys=False)
    return f"{_UNEQUAL}\n{text}" if "blocks:" in text else text


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("source", metavar="SOURCE", help=".safetensors, .npz, .keras, .h5, .onnx or .params file")
    parser.add_argument("--from", dest="source_kind", choices=SOURCES, required=True, help="the library that wrote it")
    parser.add_argument("--output", metavar="FILE.params", required=True, help="where the parameters go")
    parser.add_argument("--mode", help="lstm, gru, rnn_tanh, rnn_relu, ...: only where tensors do not tell")
    parser.add_argument("--prefix", nargs="+", help="names of the layers, where a file holds several")
