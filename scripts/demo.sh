#!/usr/bin/env bash
# Train the quick start, evaluate it, let it write, export it; show three models of the zoo; say where everything is.
#   scripts/demo.sh PYTHON [CONFIG [PREFIX]]
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 config=${2:-configs/quickstart.yaml} prefix=${3:-woman}
output=$(mktemp)
trap 'rm -f "$output"' EXIT
export PYTHONUNBUFFERED=1

echo "== 1/5 training: python -m scripts.train $config"
"$python" -m scripts.train "$config" | tee "$output"
run=$(tail -n 1 "$output")  # train prints the run's folder last
echo "== 2/5 evaluating: python -m scripts.evaluate $run"
"$python" -m scripts.evaluate "$run"
echo "== 3/5 sampling: python -m scripts.generate $run --prefix \"$prefix\" --length 60"
"$python" -m scripts.generate "$run" --prefix "$prefix" --length 60
echo "== 4/5 exporting: python -m scripts.export $run"
"$python" -m scripts.export "$run"
echo "== 5/5 models of the zoo: python -m scripts.demo_zoo"
"$python" -m scripts.demo_zoo runs/zoo
cat <<END
== done; where things are
   $run/report.html   the run on one page: curves, scores, texts, configuration, machine
   $run/config.yaml   the configuration in full
   $run/metrics.csv   one row per epoch, drawn in loss.png
   $run/best, last    checkpoints: of the best epoch, and to go on from (python -m scripts.train $config --resume $run)
   $run/export        the network to deploy: symbol, parameters, manifest.json (gluon_rnn.export.load reads it)
   runs/zoo           a tune in ABC notation, and a picture of attention and of a free run
   next: copy $config, change it, and run python -m scripts.train on the copy
END
