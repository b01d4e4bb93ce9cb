#!/bin/bash
# The stages of hive's container without docker, measured: a directory stands for the root, keel.sh runs in it with
# hive's environment, the port is tried every 100 ms, a few questions are asked, and the end is SIGKILL. Then the
# same directory is started once more: what was there must still be there.
set -u

suite=run-like-hive
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

usage() {
    cat <<EOF
run_like_hive.sh [--db mem|lmdb|both] [--keel BIN] [--split] [--json] [--limit REGEX] [-j N] CASE…

  run_like_hive.sh --db both testdata/chains/main.rlp ~/.cache/keel-fixtures/rpc-compat

CASE is a folder with genesis.json and, as far as there are any, forkenv.json (HIVE_ variables), chain.rlp,
blocks/*.rlp and headfcu.json (its headBlockHash is the head that must be reached); or a chain of testdata,
chains/NAME.rlp, whose other files are ../genesis/NAME.json, NAME.forkenv.json and NAME.headfcu.json.
  --db      backend, or both one after the other (default: both)
  --keel    the program (default: build/keel of this tree)
  --split   each block of chain.rlp as a file of its own in blocks/, as the consume-rlp simulator has them
  --limit   only cases whose name $suite/CASE-BACKEND matches
  -j        cases at the same time (default 1)
  --keep    leave the directories behind and name them
exit codes: 0 all passed, 1 failures, 2 usage or program missing
EOF
}

keel="$here/../../build/keel" backends="mem lmdb" split=no json=no limit="" jobs=1 keep=no cases=()
while [ $# -gt 0 ]; do
    case "$1" in
        --help | -h) usage && exit 0 ;;
        --json) json=yes ;;
        --keep) keep=yes ;;
        --split) split=yes ;;
        --db | --keel | --limit | -j)
            [ $# -ge 2 ] || { usage >&2 && exit 2; }
            case "$1" in
                --db) if [ "$2" = both ]; then backends="mem lmdb"; else backends="$2"; fi ;;
                --keel) keel="$2" ;;
                --limit) limit="$2" ;;
                -j) jobs="$2" ;;
            esac
            shift
            ;;
        -*) echo "unknown flag $1" >&2 && usage >&2 && exit 2 ;;
        *) cases+=("$1") ;;
    esac
    shift
done
[ "${#cases[@]}" -gt 0 ] || { usage >&2 && exit 2; }
keel="$(command -v "$keel")" || { echo "no program at --keel" >&2 && exit 2; }
keel="$(realpath "$keel")"
for tool in curl flock jq python3; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2 && exit 2; }
done

# Where a case keeps one of its files, whatever kind of case it is.
file_of() { # CASE NAME
    local name
    if [ -d "$1" ]; then
        echo "$1/$2"
        return
    fi
    name="$(basename "$1" .rlp)"
    case "$2" in
        chain.rlp) echo "$1" ;;
        genesis.json) echo "$(dirname "$1")/../genesis/$name.json" ;;
        *) echo "$(dirname "$1")/$name.$2" ;;
    esac
}

for each in "${cases[@]}"; do
    genesis="$(file_of "$each" genesis.json)"
    [ -f "$genesis" ] || { echo "$genesis: no such file" >&2 && exit 2; }
done

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# Sets ports: three that are free, and locked as long as this shell and what it starts live (harness.Ports).
claim_ports() {
    local locks port lock
    while :; do
        read -r locks ports <<<"$(PYTHONPATH="$here" python3 -c 'import harness; print(harness.Ports.LOCKS, *harness.Ports(3))')"
        for port in $ports; do
            exec {lock}>"$locks/$port"
            flock -n "$lock" || continue 2
        done
        return
    done
}

# chain.rlp of the current directory as blocks/0001.rlp, 0002.rlp, …
split_chain() {
    python3 -c '
import pathlib
data = pathlib.Path("chain.rlp").read_bytes()
pathlib.Path("blocks").mkdir()
at = number = 0
while at < len(data):
    first = data[at]  # of a list: 0xc0 + length, or 0xf7 + bytes of the length that follows
    wide = max(first - 0xf7, 0)
    size = int.from_bytes(data[at + 1:at + 1 + wide], "big") if wide else first - 0xc0
    number += 1
    pathlib.Path(f"blocks/{number:04}.rlp").write_bytes(data[at:at + 1 + wide + size])
    at += 1 + wide + size
pathlib.Path("chain.rlp").unlink()'
}

ask() { # PORT METHOD PARAMS
    curl -s --max-time 30 -H 'Content-Type: application/json' "http://127.0.0.1:$1" \
        -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$2\",\"params\":$3}"
}

# Starts keel.sh in the root and waits for the port; sets pid, http, started_ms.
start() { # ROOT BACKEND LOG CASE
    local root="$1" backend="$2" log="$3" forks began environment=() ports port_http port_ws port_engine
    forks="$(file_of "$4" forkenv.json)"
    claim_ports
    read -r port_http port_ws port_engine <<<"$ports"
    http="$port_http"
    if [ -f "$forks" ]; then
        mapfile -t environment < <(jq -r 'to_entries[] | "\(.key)=\(.value)"' "$forks")
    fi
    began="$(now_ms)"
    # Nothing of the caller's environment but what a program needs, as in a container.
    setsid env -i PATH="$PATH" HOME="$root" HIVE_LOGLEVEL=3 HIVE_NODETYPE=full HIVE_CHECK_LIVE_PORT=8545 \
        ${environment[@]+"${environment[@]}"} \
        KEEL_ROOT="$root" KEEL_BIN="$keel" KEEL_DB="$backend" KEEL_BIND=127.0.0.1 \
        PORT_HTTP="$port_http" PORT_WS="$port_ws" PORT_ENGINE="$port_engine" \
        "$here/../keel.sh" >>"$log" 2>&1 </dev/null &
    pid=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$http") 2>/dev/null; do
        kill -0 "$pid" 2>/dev/null || { echo "terminated unexpectedly" && return 1; }
        [ $(($(now_ms) - began)) -lt 180000 ] || { echo "timed out waiting for container startup" && return 1; }
        sleep 0.1
    done
    started_ms=$(($(now_ms) - began))
}

end() {
    kill -KILL -- "-$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

# Prints details; status 0: passed.
run_case() { # CASE BACKEND ROOT
    local case="$1" backend="$2" root="$3" log="$3/keel.log" wanted="" latest genesis number round name
    for name in genesis.json chain.rlp; do
        [ ! -f "$(file_of "$case" "$name")" ] || cp "$(file_of "$case" "$name")" "$root/$name"
    done
    [ ! -d "$case/blocks" ] || cp -r "$case/blocks" "$root/"
    if [ "$split" = yes ] && [ -f "$root/chain.rlp" ]; then (cd "$root" && split_chain); fi
    name="$(file_of "$case" headfcu.json)"
    [ ! -f "$name" ] || wanted="$(jq -r '.params[0].headBlockHash' "$name")"
    for round in first second; do
        if ! start "$root" "$backend" "$log" "$case"; then
            end
            tail -n 20 "$log"
            return 1
        fi
        genesis="$(ask "$http" eth_getBlockByNumber '["0x0",false]' | jq -r '.result.hash')"
        latest="$(ask "$http" eth_getBlockByNumber '["latest",true]' | jq -r '.result.hash')"
        number="$(ask "$http" eth_blockNumber '[]' | jq -r '.result')"
        printf '%s start: port after %d ms, head %s %s, genesis %s\n' "$round" "$started_ms" "$number" "$latest" "$genesis"
        end
        case "$genesis $latest" in
            "0x"*" 0x"*) ;;
            *) echo "no answer" && tail -n 20 "$log" && return 1 ;;
        esac
        if [ -n "$wanted" ] && [ "$latest" != "$wanted" ]; then
            echo "head is $latest, want $wanted"
            grep -i "invalid\|error" "$log" | head -n 5
            return 1
        fi
        if [ "$round" = first ]; then
            wanted="$latest"
            # The second start finds the blocks in its store, and nothing else.
            rm -rf "$root/chain.rlp" "$root/blocks"
        fi
    done
    "$keel" db check --datadir "$root/keel-data" >>"$log" 2>&1 || {
        echo "keel db check found damage after SIGKILL:"
        tail -n 5 "$log"
        return 1
    }
}

work="$(mktemp -d -t run-like-hive-XXXXXX)"
if [ "$keep" = yes ]; then echo "directories: $work" >&2; else trap 'rm -rf "$work"' EXIT; fi

names=()
for each in "${cases[@]}"; do
    for backend in $backends; do
        name="$(basename "$(realpath "$each")" .rlp)-$backend"
        [[ "$suite/$name" =~ $limit ]] || continue
        at="$work/$(printf '%03d' "${#names[@]}")"
        names+=("$name")
        mkdir -p "$at/root"
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
        (
            began="$(now_ms)"
            if run_case "$(realpath "$each")" "$backend" "$at/root" >"$at/details" 2>&1; then echo true; else echo false; fi >"$at/passed"
            echo $(($(now_ms) - began)) >"$at/ms"
        ) &
    done
done
wait

failed=0
report="[]"
for i in "${!names[@]}"; do
    at="$work/$(printf '%03d' "$i")"
    passed="$(cat "$at/passed")"
    [ "$passed" = true ] || failed=$((failed + 1))
    if [ "$json" = yes ]; then
        report="$(jq --arg name "${names[i]}" --argjson pass "$passed" --argjson ms "$(cat "$at/ms")" --rawfile details "$at/details" \
            '. + [{name: $name, pass: $pass, seconds: ($ms / 1000), details: $details}]' <<<"$report")"
    else
        if [ "$passed" = true ]; then word="ok    "; else word=FAILED; fi
        echo "$word $suite/${names[i]} ($(cat "$at/ms") ms)"
        sed 's/^/       /' "$at/details"
    fi
done
if [ "$json" = yes ]; then
    jq -n --arg suite "$suite" --arg version "$("$keel" version)" --argjson cases "$report" \
        '{suite: $suite, version: $version, cases: $cases}'
else
    echo "$suite: $((${#names[@]} - failed)) passed, $failed failed"
fi
[ "$failed" -eq 0 ]
