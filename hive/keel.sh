#!/bin/bash
# Entry point of the container: genesis, blocks, then the daemon as process 1.
#
# In the container everything lies at the root of the file system: /genesis.json, /chain.rlp,
# /blocks/*.rlp in, /keel-data out. Outside of it (hive/checks) these may be set:
#   KEEL_ROOT            directory that stands for the root
#   KEEL_BIN             the program
#   KEEL_BIND            address to listen on (0.0.0.0)
#   PORT_HTTP PORT_WS PORT_ENGINE   ports (8545, 8546, 8551)
set -e

keel="${KEEL_BIN:-keel}"
root="${KEEL_ROOT:-}"
bind="${KEEL_BIND:-0.0.0.0}"
data="$root/keel-data"
secret="$root/jwt-secret"

say() { echo "keel.sh: $*" >&2; }

# Runs one stage and says how long it took, whatever its end.
stage() {
    local name="$1" began status=0
    shift
    began="${EPOCHREALTIME/./}"
    "$@" || status=$?
    say "$name: $(((${EPOCHREALTIME/./} - began) / 1000)) ms, exit $status"
    return "$status"
}

case "${HIVE_NODETYPE:-}" in
    "" | full | archive | snap) ;; # all the same here
    *)
        say "unsupported node type: $HIVE_NODETYPE"
        exit 1
        ;;
esac

case "${HIVE_LOGLEVEL:-3}" in
    0 | 1) level=error ;;
    2) level=warn ;;
    4) level=debug ;;
    5) level=trace ;;
    *) level=info ;;
esac

for ignored in HIVE_BOOTNODE HIVE_DISCV5 HIVE_GRAPHQL_ENABLED HIVE_MINER HIVE_CLIQUE_PRIVATEKEY; do
    [ -z "${!ignored:-}" ] || say "$ignored has no effect: not offered by keel"
done
[ -z "${HIVE_FORK:-}" ] || say "fork: $HIVE_FORK"

# Without --db the directory remembers its backend; KEEL_DB decides for a new one.
common=(--datadir "$data" --log.level "$level")

# What is wrong with the file is said by the stage below, which runs in any case.
if [ "$level" = debug ] || [ "$level" = trace ]; then
    say "genesis as the environment makes it:"
    "$keel" init --hive --print-config "$root/genesis.json" >&2 || true
fi
stage init "$keel" init --hive "${common[@]}" "$root/genesis.json" >&2

# A block that is refused must not stop the start.
set +e
if [ -f "$root/chain.rlp" ]; then
    stage "import chain.rlp" "$keel" import "${common[@]}" "$root/chain.rlp" >&2
fi
if [ -d "$root/blocks" ]; then
    cd "$root/blocks" || exit 1
    # One process for all files: the start of a process costs more than a block. The names are
    # numbers, so the order is that of numbers.
    mapfile -t files < <(find . -maxdepth 1 -type f -name '*.rlp' -printf '%f\n' | sort -n)
    if [ "${#files[@]}" -gt 0 ]; then
        stage "import blocks (${#files[@]} files)" "$keel" import "${common[@]}" "${files[@]}" >&2
    fi
    cd / || exit 1
fi
set -e

# The secret that every simulator uses.
printf '%s' "7365637265747365637265747365637265747365637265747365637265747365" >"$secret"

apis=eth,net,web3,debug,txpool,admin,testing
flags=(
    --http --http.addr "$bind" --http.port "${PORT_HTTP:-8545}" --http.vhosts '*' --http.corsdomain '*'
    --http.api "$apis"
    --ws --ws.addr "$bind" --ws.port "${PORT_WS:-8546}" --ws.origins '*'
    --ws.api "$apis"
    --authrpc.addr "$bind" --authrpc.port "${PORT_ENGINE:-8551}" --authrpc.vhosts '*'
    --authrpc.jwtsecret "$secret"
    --rpc.allow-unprotected-txs
)
[ -z "${HIVE_MINER_EXTRA:-}" ] || flags+=(--miner.extradata "$HIVE_MINER_EXTRA")
[ -z "${HIVE_TARGET_GAS_LIMIT:-}" ] || flags+=(--miner.gaslimit "$HIVE_TARGET_GAS_LIMIT")
[ -z "${HIVE_ENGINE_MAX_REORG_DEPTH:-}" ] || flags+=(--engine.maxreorgdepth "$HIVE_ENGINE_MAX_REORG_DEPTH")

exec "$keel" daemon "${common[@]}" "${flags[@]}"
