#!/usr/bin/env bash
# Changes the code in each small way that cargo-mutants knows, one by one, and lists the changes that no test notices.
#
#   tests/mutants.sh                            agent, content, mail, bundle and store, which takes days
#   tests/mutants.sh content mail               these parts
#   tests/mutants.sh agent -- --shard 3/50      some of them, by any option of `cargo mutants`: --file, --re, --in-diff, --iterate
#
# Bugs that somebody would write stand in tests/planted; these are all the others. A part meets only the tests that are
# about it. They work in a copy; target/mutants/PART/mutants.out/missed.txt is what to read. See .cargo/mutants.toml.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo-mutants >/dev/null || cargo install --locked cargo-mutants

parts=() options=()
while [[ $# -gt 0 && $1 != -- ]]; do
    parts+=("$1")
    shift
done
[[ ${1:-} != -- ]] || options=("${@:2}")
[[ ${#parts[@]} -gt 0 ]] || parts=(agent content mail bundle store)

# One for all copies, so that dependencies are built once.
export CARGO_TARGET_DIR=$PWD/target/mutants/build CARGO_PROFILE_DEV_DEBUG=0
# Without the edges the crate builds three times as fast.
core=(--no-default-features)
found=0
for part in "${parts[@]}"; do
    case $part in
        agent) build=("${core[@]}") tests=(--lib --test agent --test summary -- --skip sim::) ;;
        content) build=("${core[@]}") tests=(--lib --test codec -- --skip sim:: --skip agent:: --skip mail:: --skip store::) ;;
        mail) build=() tests=(--lib --test store -- mail:: index::) ;;
        bundle) build=("${core[@]}") tests=(--lib --test codec -- --skip sim:: --skip agent::) ;;
        store) build=() tests=(--lib --test store --test disk -- --skip sim:: --skip agent:: --skip node:: --skip net::) ;;
        *) echo "$part: not one of agent, content, mail, bundle, store"; exit 2 ;;
    esac
    mkdir -p "target/mutants/$part"
    cargo mutants --file "src/$part.rs" --file "src/$part/**" --output "target/mutants/$part" "${build[@]}" "${options[@]}" \
        -- "${tests[@]}" || found=$?
done
exit $found
