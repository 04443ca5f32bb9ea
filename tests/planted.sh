#!/usr/bin/env bash
# Plants the bugs of tests/planted one by one and sees that the tests which tests/planted.list names notice each.
#
#   tests/planted.sh                   all of them
#   tests/planted.sh store- seal-      those whose names start so
#   tests/planted.sh --check           plants nothing, but says whether every patch still applies and stands in the list
#
# Those that browsers notice want DAK_BROWSER, and `npm ci` in src/web/page and tests/page; without they are left out.
# Bugs are planted in a copy, target/planted/tree, so nothing here changes; what is built of it stays for the next one.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$PWD/target/planted
tree=$work/tree
# `git apply` means the files where it stands, whether they are a checkout or not.
apply() { GIT_CEILING_DIRECTORIES=$work git apply "$@"; }
listed() { # starts of names
    local start starts=()
    for start in "$@"; do starts+=(-e "^$start"); done
    sed -e '/^#/d' -e '/^$/d' tests/planted.list | grep "${starts[@]:-.}"
}

check() {
    local wrong=0 name
    while read -r name; do
        echo "$name: in tests/planted.list or in tests/planted, not in both"
        wrong=1
    done < <(comm -3 <(listed | awk '{print $1}' | sort) <(basename -s .patch tests/planted/*.patch | sort) | tr -d '\t')
    for patch in tests/planted/*.patch; do
        apply --check "$patch" || { echo "$patch does not apply"; wrong=1; }
    done
    return $wrong
}
check
[[ ${1:-} == --check ]] && exit

# All of the copy is newer than what was built of the one before, which may have had a bug in it.
rm -rf "$tree" && mkdir -p "$tree"
for entry in * .[!.]*; do
    case $entry in target* | .git) ;; *) cp -r "$entry" "$tree" ;; esac
done
cd "$tree"

export CARGO_TARGET_DIR=$work/build CARGO_INCREMENTAL=1 CARGO_PROFILE_DEV_DEBUG=0 RUST_BACKTRACE=0
declare -A built

build() { # programs
    local core=() all=() program
    for program in "$@"; do
        case $program in
            core) core+=(--lib) ;;
            agent | codec | summary) core+=(--test "$program") ;;
            lib) all+=(--lib) ;;
            *) all+=(--test "$program") ;;
        esac
    done
    # Without the edges the crate is built in a third of the time.
    [[ ${#core[@]} == 0 ]] || build_by core --no-default-features "${core[@]}" || return 1
    [[ ${#all[@]} == 0 ]] || build_by lib "${all[@]}"
}

build_by() { # what the library's own tests are called then, options of cargo
    local program path
    cargo test --locked --no-run "${@:2}" >"$work/log" 2>&1 || return 1
    while read -r path program; do
        built[$program]=$path
    done < <(sed -n -e 's|^ *Executable unittests src/lib.rs (\(.*\))$|\1 '"$1"'|p' \
        -e 's|^ *Executable tests/\(.*\)\.rs (\(.*\))$|\2 \1|p' "$work/log")
}

# What browsers run is made of its sources first.
page() { # name
    ! grep -q '^+++ b/src/web/page/' "tests/planted/$1.patch" || (cd src/web/page && npm run --silent build >/dev/null)
}

programs() { tr ',' '\n' <<<"$1" | sed 's|/.*||' | sort -u; }

run() { # program/part+part
    local parts=()
    [[ $1 == */* ]] && IFS=+ read -ra parts <<<"${1#*/}"
    timeout 300 "${built[${1%%/*}]}" "${parts[@]}" >"$work/log" 2>&1
}

# A part of which the tests are gone would go unseen beside one that still chooses some.
chooses() { # program part
    "${built[$1]}" --list "$2" 2>&1 | grep ': test$' >/dev/null
}

tests=$(listed "$@" | awk '{print $2}' | tr ',' '\n' | sort -u) || { echo "no bug's name starts so: $*"; exit 1; }
build $(programs "$tests") || { cat "$work/log"; exit 1; }
for test in $tests; do
    if [[ $test == */* ]]; then
        for part in $(tr '+' ' ' <<<"${test#*/}"); do
            chooses "${test%%/*}" "$part" || { echo "$test: $part chooses no test"; exit 1; }
        done
    fi
    run "$test" || { cat "$work/log"; echo "$test fails with nothing planted"; exit 1; }
done

missed=0 caught=0
while read -r name tests what; do
    # Stories that no browser tells notice nothing.
    if [[ $tests =~ (page|phone)/ && ! -x ${DAK_BROWSER:-} ]]; then
        echo "SKIPPED $name: DAK_BROWSER names no browser"
        continue
    fi
    apply "tests/planted/$name.patch"
    by=
    if page "$name" && build $(programs "$tests"); then
        for test in ${tests//,/ }; do
            run "$test" || { by=$test; break; }
        done
    else
        what="$what, and it does not build: $(grep -m1 '^error' "$work/log" || true)"
    fi
    if [[ -n $by ]]; then
        failed=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$work/log" | head -1)
        echo "caught  $name: $what (${by%%/*}: ${failed:-aborted})"
        caught=$((caught + 1))
    else
        echo "MISSED  $name: $what"
        missed=$((missed + 1))
    fi
    apply -R "tests/planted/$name.patch"
    page "$name"
done < <(listed "$@")
echo "$caught caught, $missed missed"
[[ $missed == 0 ]]
