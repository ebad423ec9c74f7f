"""Metadata and dependencies of gluon_rnn; pyproject.toml holds the settings of tools only."""
import os
import pathlib
import re

from setuptools import find_packages, setup

# What reading and scoring some kinds of data takes: CoNLL-U, BLEU, pieces of words, F1, sound features,
# edit distances, ABC tunes.
EXTRAS = {
    "data": ["conllu>=4.5,<7", "sacrebleu>=2.3,<3", "sentencepiece>=0.2,<0.3", "scikit-learn>=1.6,<2",
             "librosa>=0.10,<0.12", "soundfile>=0.12,<1", "rapidfuzz>=3,<4"],
    "music": ["music21>=8.1,<11"],
    # Opset 17, and an LSTM operator that takes rows of length 0.
    "onnx": ["onnx>=1.15,<2", "onnxruntime>=1.17,<2"],
    # Files of torch and Keras, without pickle.
    "convert": ["safetensors>=0.4,<1", "h5py>=3.8,<4"],
    # A second reader of files of word vectors; releases before take no SciPy of today.
    "vectors": ["gensim>=4.4,<5"],
    # A framework, its server with a parser of HTTP in C, websockets, metrics.
    "serve": ["fastapi>=0.115,<1", "uvicorn>=0.30,<1", "httptools>=0.6,<1", "websockets>=13,<18",
              "prometheus_client>=0.20,<1"],
    "tensorboard": ["tensorboardX>=2.6,<3"],
}
HERE = pathlib.Path(__file__).parent


def read_version():
    """Return the version written in the package, without importing it (its dependencies may not be there yet)."""
    text = (HERE / "gluon_rnn" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)[1]


def mxnet_requirement(environ=os.environ):
    """Return the list of the requirement for MXNet: that build of it which ``GLUON_RNN_MXNET`` names.

    ``mxnet-cu112`` and the like are packages of their own with the same Python package `mxnet` in them, so that the
    CPU build must not come too. ``none`` requires none, for a build that is there already.
    """
    build = environ.get("GLUON_RNN_MXNET") or "mxnet"
    if build == "none":
        return []
    if not re.fullmatch(r"mxnet(-cu\d+)?", build):
        raise ValueError(f"GLUON_RNN_MXNET must be mxnet, a CUDA build such as mxnet-cu112, or none, got {build!r}; "
                         "set it to one of these, or leave it out for the CPU build")
    return [f"{build}==1.9.1"]


def read_description():
    """Return the README, or nothing where only the package itself was copied."""
    readme = HERE / "README.md"
    return readme.read_text(encoding="utf-8") if readme.exists() else ""


setup(
    name="gluon_rnn",
    version=read_version(),
    description="Networks with memory for MXNet Gluon: fast recurrent layers, language models, one-command training",
    long_description=read_description(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    # The recipes and their figures live in configs/ of the repository, and are installed inside the package.
    packages=[*find_packages(include=["gluon_rnn", "gluon_rnn.*"]), "gluon_rnn.configs"],
    package_dir={"gluon_rnn.configs": "configs"},
    package_data={"gluon_rnn.configs": ["*.yaml", "*/*.yaml", "results.csv"],
                  "gluon_rnn.model_zoo": ["*/*.yaml", "*/*.json", "*/*.params"],
                  "gluon_rnn.public_data": ["manifest.yaml"],
                  "gluon_rnn.report": ["templates/*"],
                  "gluon_rnn.serve": ["page.html"]},
    entry_points={"console_scripts": ["gluon-rnn = gluon_rnn.cli.main:start"]},
    python_requires=">=3.9,<3.13",
    # MXNet 1.9.1 and gluonnlp 0.10 are the last releases of their lines; NumPy 2 breaks both. Lower bounds are the
    # first releases that the code was written for, upper bounds the next release that may break it.
    install_requires=[
        *mxnet_requirement(),
        "gluonnlp==0.10.0",
        "numpy>=1.24,<2",
        "pydantic>=2.5,<3",
        "omegaconf>=2.3,<3",
        "tqdm>=4.60,<5",
        "requests>=2.28,<3",
        "filelock>=3.12,<4",
        "pyyaml>=6,<7",
        "pandas>=1.5,<4",
        "scipy>=1.10,<2",
        "threadpoolctl>=3,<4",
        "matplotlib>=3.6,<4",
        "argcomplete>=3,<4",
        "jinja2>=3.1,<4",
        "setuptools>=65",  # MXNet imports distutils, which Python 3.12 has only through setuptools
    ],
    extras_require={
        **EXTRAS,
        # The site: pages, API reference, and what executes the tutorials and what they use.
        "docs": ["mkdocs>=1.6,<2", "mkdocs-material>=9.5,<10", "mkdocstrings[python]>=0.30,<2",
                 "mkdocstrings-python>=1.18,<3", "jupytext>=1.16,<2",
                 "nbclient>=0.10,<1", "nbconvert>=7.16,<8", "ipykernel>=6.29,<8", *EXTRAS["data"]],
        # The tests read and write every format, ask other libraries for a second opinion, and servers over HTTP.
        "dev": ["pytest>=8,<10", "pytest-xdist>=3.5,<4", "pytest-cov>=5,<8", "hypothesis>=6.80,<7", "ruff>=0.6,<1",
                "wheel>=0.40,<1", "httpx>=0.27,<1",
                *sum(EXTRAS.values(), [])],
    },
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.9",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
