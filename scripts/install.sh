#!/usr/bin/env bash
# Create a virtual environment and install gluon_rnn with what it needs, leaving the source where it is.
#   scripts/install.sh VENV [EXTRAS [PYTHON]]    for example: scripts/install.sh .venv dev
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 extras=${2:-} python=${3:-}
python=${python:-$(scripts/find_python.sh)}
started=$SECONDS
pip() { "$venv/bin/python" -m pip --disable-pip-version-check -qq "$@"; }

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import pip' 2> /dev/null; then
    echo "== creating $venv with $("$python" --version) ($python)"
    "$python" -m venv --clear "$venv"
fi
echo "== installing MXNet 1.9.1, gluonnlp (compiled here), NumPy 1, pandas and the rest into $venv: one to three minutes"
pip install --editable ".${extras:+[$extras]}"
"$venv/bin/python" - <<'END'
import gluon_rnn, numpy
try:
    import mxnet
except OSError as error:  # a slim system may lack the compilers' run-time libraries
    raise SystemExit(f"MXNet does not load: {error} (on Debian and Ubuntu: apt install libgomp1 libquadmath0)")
print(f"== gluon_rnn {gluon_rnn.__version__}, MXNet {mxnet.__version__} and NumPy {numpy.__version__} are ready;",
      f"threads: {gluon_rnn.runtime.physical_cores()}")
END
echo "== installed in $((SECONDS - started)) seconds"
