#!/bin/bash
# The stages of hive's container without docker, measured: a directory stands for the root, keel.sh runs in it with
# hive's environment, the port is tried every 100 ms, a few questions are asked, and the end is SIGKILL. Then the
# same directory is started once more: what was there must still be there.
set -u

suite=run-like-hive
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

usage() {
    cat <<EOF
run_like_hive.sh [--db mem|lmdb|both] [--keel BIN] [--json] [--limit REGEX] [-j N] CASE…

  run_like_hive.sh --db both testdata/chains/main ~/.cache/keel-fixtures/rpc-compat

CASE is a folder with genesis.json and, as far as there are any, forkenv.json (HIVE_ variables), chain.rlp,
blocks/*.rlp and headfcu.json (its headBlockHash is the head that must be reached).
  --db      backend, or both one after the other (default: both)
  --keel    the program (default: build/keel of this tree)
  --limit   only cases whose name $suite/CASE-BACKEND matches
  -j        cases at the same time (default 1)
  --keep    leave the directories behind and name them
exit codes: 0 all passed, 1 failures, 2 usage or program missing
EOF
}

keel="$here/../../build/keel" backends="mem lmdb" json=no limit="" jobs=1 keep=no cases=()
while [ $# -gt 0 ]; do
    case "$1" in
        --help | -h) usage && exit 0 ;;
        --json) json=yes ;;
        --keep) keep=yes ;;
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
for tool in curl jq python3; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2 && exit 2; }
done
for each in "${cases[@]}"; do
    [ -f "$each/genesis.json" ] || { echo "$each/genesis.json: no such file" >&2 && exit 2; }
done

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# Three ports that are free now.
free_ports() {
    python3 -c '
import socket
sockets = [socket.socket() for _ in range(3)]
for each in sockets: each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))'
}

ask() { # PORT METHOD PARAMS
    curl -s --max-time 30 -H 'Content-Type: application/json' "http://127.0.0.1:$1" \
        -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$2\",\"params\":$3}"
}

# Starts keel.sh in the root and waits for the port; sets pid, http, started_ms.
start() { # ROOT BACKEND LOG CASE
    local root="$1" backend="$2" log="$3" case="$4" began environment=() ports
    read -r -a ports <<<"$(free_ports)"
    http="${ports[0]}"
    if [ -f "$case/forkenv.json" ]; then
        mapfile -t environment < <(jq -r 'to_entries[] | "\(.key)=\(.value)"' "$case/forkenv.json")
    fi
    began="$(now_ms)"
    # Nothing of the caller's environment but what a program needs, as in a container.
    setsid env -i PATH="$PATH" HOME="$root" HIVE_LOGLEVEL=3 HIVE_NODETYPE=full HIVE_CHECK_LIVE_PORT=8545 \
        ${environment[@]+"${environment[@]}"} \
        KEEL_ROOT="$root" KEEL_BIN="$keel" KEEL_DB="$backend" KEEL_BIND=127.0.0.1 \
        PORT_HTTP="${ports[0]}" PORT_WS="${ports[1]}" PORT_ENGINE="${ports[2]}" \
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
    local case="$1" backend="$2" root="$3" log="$3/keel.log" wanted="" latest genesis number round
    cp "$case/genesis.json" "$root/"
    [ ! -f "$case/chain.rlp" ] || cp "$case/chain.rlp" "$root/"
    [ ! -d "$case/blocks" ] || cp -r "$case/blocks" "$root/"
    [ ! -f "$case/headfcu.json" ] || wanted="$(jq -r '.params[0].headBlockHash' "$case/headfcu.json")"
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
        name="$(basename "$(realpath "$each")")-$backend"
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
