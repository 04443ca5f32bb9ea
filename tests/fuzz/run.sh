#!/usr/bin/env bash
# Fuzzes every target, or those named, for so many seconds each, on a stable compiler.
#
#   cargo install cargo-fuzz                       once
#   tests/fuzz/run.sh 600                          every target for ten minutes
#   tests/fuzz/run.sh 3600 bundle frame cells hoard agent
#
# Corpora grow in tests/fuzz/corpus and are kept from run to run, never committed. An input that breaks something is
# left in tests/fuzz/artifacts; keep it as tests/fuzz/found/TARGET-what-it-was, and `cargo test --test fuzzed` tries it.
set -euo pipefail
cd "$(dirname "$0")"

seconds="${1:?for how many seconds each}"
shift
[[ $# -gt 0 ]] && targets=("$@") || targets=(bundle frame receipt message cells hoard ticket scenario trace agent config api)

# Without a sanitizer, as those need a nightly compiler: the coverage that guides the search does not.
fuzz() { # verb target arguments…
    local features=()
    [[ $2 == config || $2 == api ]] && features=(--features node)
    cargo fuzz "$1" --fuzz-dir . --sanitizer none "${features[@]}" "${@:2}"
}

failed=0
for target in "${targets[@]}"; do
    fuzz build "$target" >/dev/null
    # Inputs up to 4 KiB reach everything here; the size limits themselves have tests of their own.
    DAK_FUZZ_SEEDS=corpus/$target fuzz run "$target" -- -runs=0 >/dev/null 2>&1
    log=$(mktemp)
    if fuzz run "$target" -- -max_total_time="$seconds" -max_len=4096 -timeout=30 -print_final_stats=1 >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        reached=$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$log" | tail -1)
        echo "$target: $runs executions in ${seconds} s, $reached edges reached, nothing found"
    else
        tail -40 "$log"
        echo "$target: FAILED; see tests/fuzz/artifacts/$target"
        failed=1
    fi
    rm "$log"
done
exit $failed
