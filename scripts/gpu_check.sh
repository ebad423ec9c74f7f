#!/usr/bin/env bash
# All that concerns a GPU, in one table and under ten minutes: what is there, the tests of `-m gpu` by part, and the speed.
#   scripts/gpu_check.sh [DEVICE]    default gpu(0); "cpu(1)" and "pretended" are dry runs without a GPU
# PYTHON names the interpreter (python), OUT a folder that keeps the logs. Status 1 if anything failed.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python} device=${1:-gpu(0)} out=${OUT:-$(mktemp -d)} failed=0 rows=()
mkdir -p "$out"
export GLUON_RNN_TEST_DEVICE=$device NVIDIA_TF32_OVERRIDE=0

row() {      # row WHAT RESULT
    rows+=("$(printf '%-22s %s' "$1" "$2")")
    echo "${rows[-1]}"
}

part() {     # part NAME SECONDS TESTS...: run tests, note how many passed
    local name=$1 limit=$2 begun=$SECONDS log="$out/$1.log" result
    shift 2
    timeout "$limit" "$python" -m pytest -q -p no:cacheprovider --tb=short "${marks[@]}" "$@" > "$log" 2>&1
    local status=$?
    result=$(grep -E "^[0-9]+ (passed|failed|skipped|deselected|error)" "$log" | tail -n 1 | sed 's/ in .*//')
    if [ "$status" -ne 0 ]; then
        failed=1
        result="FAILED: ${result:-no end within $limit s}, see $log"
        grep -E "^(FAILED|ERROR)" "$log" | cut -c1-150
    fi
    row "$name" "$result ($(( SECONDS - begun )) s)"
}

environment=$("$python" - "$device" 2>&1 <<'PY'
import sys
from gluon_rnn import runtime
import mxnet as mx
found = mx.runtime.Features()
if sys.argv[1] != "pretended":
    runtime.devices(sys.argv[1])
print(f"MXNet {mx.__version__}", *(name for name in ("CUDA", "CUDNN", "NCCL", "DIST_KVSTORE") if found.is_enabled(name)),
      f"{mx.context.num_gpus() if found.is_enabled('CUDA') else 0} GPU(s)")
PY
) || { echo "${environment##*$'\n'}"; exit 1; }
row environment "${environment##*$'\n'}"
row card "$(nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader 2>/dev/null || echo 'none that nvidia-smi knows')"
case $device in gpu*) marks=(-m gpu) ;; *) marks=() ;; esac

part encoders 240 tests/devices/test_encoders.py
part tasks-and-bundles 240 tests/devices/test_tasks.py -k trains_as
part resume 60 tests/devices/test_tasks.py -k goes_on
part devices 60 tests/test_runtime.py
[ "$device" = pretended ] && device="cpu(1)"
timeout 120 "$python" -m scripts.device_speed "$device" > "$out/speed.log" 2>&1 || { failed=1; tail -n 1 "$out/speed.log"; }
while read -r name rest; do row "step of $name" "$rest"; done < <(grep " ms " "$out/speed.log" || true)

printf '\n%s\n' "---- $device, $SECONDS s ----"
printf '%s\n' "${rows[@]}"
exit "$failed"
