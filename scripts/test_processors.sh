#!/usr/bin/env bash
# Run the numerical tests as other processors would: fewer vector instructions, other matrix products, one thread and two.
#   scripts/test_processors.sh PYTHON [SEEDS [FIRST_SEED]]    for example: scripts/test_processors.sh .venv/bin/python 10
# One line a combination; what failed stands behind it, with the seed that repeats it. Status 1 if anything failed.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 seeds=${2:-10} first=${3:-1}
tests=${TESTS:-tests/nn tests/models tests/export}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=0

knows() {   # Whether this processor has the instructions FLAG, as the kernel lists them.
    grep -qsw "$1" /proc/cpuinfo
}

# DNNL_MAX_CPU_ISA bounds oneDNN (MXNet 1.9.1 reads no MKLDNN_MAX_CPU_ISA), OPENBLAS_CORETYPE chooses OpenBLAS's kernels.
run() {     # run NAME FLAG THREADS VARIABLE=VALUE...
    local name=$1 flag=$2 threads=$3 seed log bad=()
    shift 3
    if [ -n "$flag" ] && ! knows "$flag"; then
        echo "$name, $threads thread(s): skipped, this processor has no $flag"
        return
    fi
    local cores=$(( $(nproc) / threads ))
    for seed in $(seq "$first" $(( first + seeds - 1 ))); do
        log="$logs/$seed.log"
        # shellcheck disable=SC2086
        env "$@" OMP_NUM_THREADS="$threads" OPENBLAS_NUM_THREADS="$threads" GLUON_RNN_TEST_SEED="$seed" \
            "$python" -m pytest -q -p no:cacheprovider -n $(( cores > 0 ? cores : 1 )) --dist worksteal $tests \
            > "$log" 2>&1 || bad+=("$seed")
    done
    if [ ${#bad[@]} -eq 0 ]; then
        echo "$name, $threads thread(s): $seeds seed(s) passed"
        return
    fi
    failed=1
    echo "$name, $threads thread(s): FAILED with GLUON_RNN_TEST_SEED=${bad[*]}"
    for seed in "${bad[@]}"; do
        grep -hE "^(FAILED|ERROR)" "$logs/$seed.log" | cut -c1-160 | sed "s/^/    $seed: /" || tail -n 5 "$logs/$seed.log"
    done
}

for threads in 1 2; do
    run "all instructions" "" "$threads" DNNL_MAX_CPU_ISA=ALL
    run "AVX2" avx2 "$threads" DNNL_MAX_CPU_ISA=AVX2
    run "SSE4.1, OpenBLAS of Nehalem" sse4_1 "$threads" DNNL_MAX_CPU_ISA=SSE41 OPENBLAS_CORETYPE=Nehalem
    run "AVX2, OpenBLAS of Haswell" avx2 "$threads" DNNL_MAX_CPU_ISA=AVX2 OPENBLAS_CORETYPE=Haswell
done
exit "$failed"
