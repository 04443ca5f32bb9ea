#!/usr/bin/env bash
# Plants the bugs of tests/planted.list one by one and sees that the tests notice each.
#
#   tests/planted.sh                   all of them
#   tests/planted.sh store-            those whose names start so
#
# One build: a wrapper around rustc sets the cfg for this crate alone, so dependencies are those of ordinary builds.
set -euo pipefail
cd "$(dirname "$0")/.."

start="${1:-}"
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export RUSTC_WORKSPACE_WRAPPER="$PWD/tests/planted-rustc.sh"
unset DAK_PLANTED

listed() { sed -e '/^#/d' -e '/^$/d' tests/planted.list | grep "^$start"; }

programs=$(listed | awk '{print $2}' | tr ',' '\n' | sort -u)
targets=()
for program in $programs; do
    [[ $program == lib ]] && targets+=(--lib) || targets+=(--test "$program")
done

run() { # program
    local target=(--test "$1")
    [[ $1 == lib ]] && target=(--lib)
    RUST_BACKTRACE=0 timeout 600 cargo test --locked --quiet "${target[@]}" >"$logs/$1" 2>&1
}

cargo test --locked --quiet --no-run "${targets[@]}"
for program in $programs; do
    run "$program" || { cat "$logs/$program"; echo "$program fails with nothing planted"; exit 1; }
done

missed=0 caught=0
while read -r name programs what; do
    if ! grep -rqF "is(\"$name\")" src; then
        echo "MISSED  $name: nowhere in the code"
        missed=$((missed + 1))
        continue
    fi
    by=
    for program in ${programs//,/ }; do
        DAK_PLANTED=$name run "$program" || { by=$program; break; }
    done
    if [[ -n $by ]]; then
        failed=$(sed -n 's/^    \([a-z_0-9:]*\)$/\1/p' "$logs/$by" | sort -u | head -1)
        echo "caught  $name: $what ($by: ${failed:-aborted})"
        caught=$((caught + 1))
    else
        echo "MISSED  $name: $what"
        missed=$((missed + 1))
    fi
done < <(listed)
echo "$caught caught, $missed missed"
[[ $missed == 0 ]]
