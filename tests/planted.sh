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
logs=$(mktemp -d "${TMPDIR:-/tmp}/planted.XXXXXX")
regressions() { find tests -name '*regressions' | sort; }
regressions >"$logs/regressions"
# What random tests write down of a planted bug is no regression of the code.
tidy() {
    [[ $BASHPID == $$ ]] || return 0
    regressions | comm -13 "$logs/regressions" - | xargs -r rm
    rm -rf "$logs"
}
trap tidy EXIT
export RUSTC_WORKSPACE_WRAPPER="$PWD/tests/planted-rustc.sh" RUST_BACKTRACE=0
unset DAK_PLANTED

listed() { sed -e '/^#/d' -e '/^$/d' tests/planted.list | grep "^$start"; }

tests=$(listed | awk '{print $2}' | tr ',' '\n' | sort -u)
targets=()
for program in $(sed 's|/.*||' <<<"$tests" | sort -u); do
    [[ $program == lib ]] && targets+=(--lib) || targets+=(--test "$program")
done
declare -A built
while read -r path name; do
    built[$name]=$path
done < <(cargo test --locked --no-run "${targets[@]}" 2>&1 | tee "$logs/build" |
    sed -n -e 's|^ *Executable unittests src/lib.rs (\(.*\))$|\1 lib|p' -e 's|^ *Executable tests/\(.*\)\.rs (\(.*\))$|\2 \1|p')
[[ ${#built[@]} -gt 0 ]] || { cat "$logs/build"; exit 1; }

run() { # program/part+part
    local parts=()
    [[ $1 == */* ]] && IFS=+ read -ra parts <<<"${1#*/}"
    timeout 900 "${built[${1%%/*}]}" "${parts[@]}" >"$logs/run" 2>&1
}

# A part of which the tests are gone would go unseen beside one that still chooses some.
chooses() { # program part
    "${built[$1]}" --list "$2" 2>&1 | grep ': test$' >/dev/null
}

for test in $tests; do
    if [[ $test == */* ]]; then
        for part in $(tr '+' ' ' <<<"${test#*/}"); do
            chooses "${test%%/*}" "$part" || { echo "$test: $part chooses no test"; exit 1; }
        done
    fi
    run "$test" || { cat "$logs/run"; echo "$test fails with nothing planted"; exit 1; }
done

missed=0 caught=0
while read -r name tests what; do
    if ! grep -rqF "(\"$name\"" src; then
        echo "MISSED  $name: nowhere in the code"
        missed=$((missed + 1))
        continue
    fi
    by=
    for test in ${tests//,/ }; do
        DAK_PLANTED=$name run "$test" || { by=$test; break; }
    done
    if [[ -n $by ]]; then
        failed=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$logs/run" | head -1)
        echo "caught  $name: $what (${by%%/*}: ${failed:-aborted})"
        caught=$((caught + 1))
    else
        echo "MISSED  $name: $what"
        missed=$((missed + 1))
    fi
done < <(listed)
echo "$caught caught, $missed missed"
[[ $missed == 0 ]]
