#!/usr/bin/env bash
# make test: every part in turn, with the seconds it took. FAST=1 leaves out what runs trials, servers or browsers.
# Trials of the tests go to a home of their own; the stacks and the base model are this checkout's.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1
fast=${FAST:-}
python=.venv/bin/python
parts=()

part() { # part NAME COMMAND…
    local name=$1 begin=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@"
    parts+=("$(printf '%5d s  %s' $((SECONDS - begin)) "$name")")
}

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

again() { # again PYTHON… : tests with servers, kills and clocks get one more try, and it is said
    "$@" || { printf 'Some failed; once more, those alone:\n'; "$@" --last-failed; }
}

stack() { $python -c "from labs.kit.stack import Stack; print(Stack('$1').python)"; }

side_by_side() { # side_by_side ONE OTHER: two functions that take a core each; what the first says is shown when both ended
    local log one bad=""
    log=$(mktemp)
    "$1" >"$log" 2>&1 &
    one=$!
    "$2" || bad=1
    wait "$one" || bad=1
    cat "$log" && rm "$log"
    [ -z "$bad" ]
}

types() {
    .venv/bin/mypy labs/kit/*.py labs/kit/services labs/kit/engines labs/kit/containers labs/kit/share labs/kit/stack labs/kit/examine labs/kit/mdp \
        labs/*/*/theory.py dashboard bench tests --exclude 'tests/kit/policy'
}

types_in_stacks() {
    local name bad=""
    for name in tabular grpo ppo; do
        # shellcheck disable=SC2046
        .venv/bin/mypy --cache-dir ".mypy_cache/$name" --python-executable "$(stack $name)" $(practices $name) || bad=1
    done
    [ -z "$bad" ]
}

practices() { # the files that only this stack can read
    $python - "$1" <<'END'
import sys
from labs.kit import catalogue
found = [str(lab.folder / "practice.py") for lab in catalogue.find() if lab.stack == sys.argv[1]]
print(*found, *(["labs/kit/policy"] if sys.argv[1] == "ppo" else []))
END
}

containers() { # images, compose, the engine `docker`: only where an engine answers
    .venv/bin/gaplab stack image
    local npm=""
    if ! command -v npm >/dev/null; then
        [ -z "${GAPLAB_CONTAINERS:-}" ] || fail "There is no npm, and GAPLAB_CONTAINERS asks for the devcontainers' tests."
        npm=" and not npm"
    fi
    again .venv/bin/pytest -q -m "container$npm" tests/images tests/kit/engines
    [ -z "$npm" ] || untested="devcontainers: no npm here"
}

policy_and_faults() {
    "$(stack grpo)" -m pytest -q tests/kit/policy --ignore=tests/kit/policy/ppo &&
        "$(stack ppo)" -m pytest -q tests/kit/policy/ppo &&
        again .venv/bin/pytest -q tests/faults
}

with_services() {
    again .venv/bin/pytest -q -m 'trial and not container' --ignore=tests/kit/policy --ignore=tests/faults --ignore=tests/labs tests
}

units() { # no trials, no servers
    .venv/bin/pytest -q -m 'not trial and not container' --ignore=tests/kit/policy --ignore=tests/faults -n 2 tests
    .venv/bin/pytest -q --doctest-modules --ignore=labs/kit/policy --ignore=labs/kit/templates labs/kit
}

[ -n "$fast" ] || part "stacks" .venv/bin/gaplab stack build
part "ruff" .venv/bin/ruff check labs dashboard tests bench
part "format" .venv/bin/ruff format --check labs dashboard tests bench
if [ -n "$fast" ]; then part "types" types; else part "types, in every stack" side_by_side types_in_stacks types; fi
part "units, doctests, conformance, layers, documents" units
if [ -z "$fast" ]; then
    part "policy, in its stacks, and faults; engine, services, recording, dashboard, browser" side_by_side policy_and_faults with_services
    if docker info >/dev/null 2>&1; then
        part "containers" containers
    elif [ -n "${GAPLAB_CONTAINERS:-}" ]; then
        fail "No Docker engine answers, and GAPLAB_CONTAINERS asks for its tests."
    else
        untested="containers: no Docker engine answers"
    fi
    part "every lab's quick preset, through the command" .venv/bin/pytest -q -m trial tests/labs
fi
printf '\n== all passed\n'
printf '%s\n' "${parts[@]}"
[ -z "${untested:-}" ] || printf '  NOT TESTED  %s\n' "$untested"
