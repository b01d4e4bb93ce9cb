#!/bin/bash
# init -> import -> daemon on the chain of testdata/, in a directory that is removed afterwards: asks the daemon, stops
# it, starts it again, and shows that the chain is still there. Ends with 1 if it is not.
#
# usage: tools/demo.sh [KEEL]     KEEL: the program (build/keel)      KEEL_DB: backend (mem)
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
keel="${1:-$root/build/keel}"
genesis="$root/testdata/genesis/main.json"
blocks="$root/testdata/chains/main.rlp"
work="$(mktemp -d)"
daemon=

cleanup() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap cleanup EXIT

run() {
    printf '\n$ keel'
    printf ' %s' "${@//$root\//}"
    printf '\n'
    "$keel" "$@"
}

start() {
    rm -f "$work/ready.json"
    printf '\n$ keel daemon --datadir %s --http.port 0\n' "$work/data"
    "$keel" daemon --datadir "$work/data" --http.port 0 --authrpc.port 0 --ready-file "$work/ready.json" --log.level warn &
    daemon=$!
    until [ -s "$work/ready.json" ]; do
        kill -0 "$daemon" 2>/dev/null || { echo "the daemon has ended" >&2; exit 1; }
        sleep 0.02
    done
    url="http://$(jq -r .http "$work/ready.json")"
}

stop() {
    local status=0
    printf '\n$ kill -TERM %s\n' "$daemon"
    kill -TERM "$daemon"
    wait "$daemon" || status=$?
    daemon=
    echo "exit code $status"
    [ "$status" -eq 143 ] # 128 + SIGTERM: after a clean close
}

# ask METHOD PARAMS [FILTER]: asks and prints what jq makes of the answer.
ask() {
    local body="{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}"
    printf '\n$ curl -H "Content-Type: application/json" -d '\''%s'\'' %s\n' "$body" "$url"
    curl -sS --fail -H 'Content-Type: application/json' -d "$body" "$url" | jq -c "${3:-.}"
}
result() { ask "$@" | tail -n 1; }

account=0x9d388855869fbc9983098cc0181076c6dbadd581 # pays for most of the chain
reverter=0x55563a9e704f96824c72e7629fec78aa6b4b3846

run init --datadir "$work/data" "$genesis"
run import --datadir "$work/data" "$blocks"
start
ask web3_clientVersion '[]'
ask eth_blockNumber '[]'
ask eth_getBlockByNumber '["latest", false]' \
    '.result | {number, hash, stateRoot, gasUsed, baseFeePerGas, transactions: (.transactions | length)}'
ask eth_getBalance "[\"$account\", \"latest\"]"
ask eth_getBalance "[\"$account\", \"0x0\"]"
ask eth_call "[{\"to\": \"$reverter\"}, \"latest\"]"
transaction="$(result eth_getBlockByNumber '["0x1", false]' '.result.transactions[0]')"
ask eth_getTransactionReceipt "[$transaction]" \
    '.result | {blockNumber, from, gasUsed, status, root, logs: (.logs | length)}'
before="$(result eth_getBlockByNumber '["latest", false]' '.result.hash')"
stop

start
after="$(result eth_getBlockByNumber '["latest", false]' '.result.hash')"
echo
echo "head before $before, after $after"
stop
[ "$before" = "$after" ] && [ "$before" != null ] || { echo "the chain is not what it was" >&2; exit 1; }
echo "The chain is still there."
