#!/bin/bash
# Runs the clients of the field against `keel daemon --dev` of a fresh directory, restarts it and looks
# whether the chain is still there. Usage: run.sh KEEL [BACKEND]
set -euo pipefail
keel=$(realpath "$1")
backend=${2:-mem}
cd "$(dirname "$0")"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules ]; then
  npm ci --no-audit --no-fund --ignore-scripts
fi
export HARDHAT_DISABLE_TELEMETRY_PROMPT=true CI=true
directory=$(mktemp -d)
pid=
stop() {
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    pid=
  fi
}
trap 'stop; rm -rf "$directory"' EXIT
start() {
  rm -f "$directory/ready.json"
  "$keel" daemon --dev --datadir "$directory/chain" --db "$backend" --http.port 0 --ready-file "$directory/ready.json" \
    > "$directory/log" 2>&1 &
  pid=$!
  for _ in $(seq 200); do
    [ -s "$directory/ready.json" ] && break
    kill -0 "$pid" || { cat "$directory/log"; exit 1; }
    sleep 0.05
  done
  KEEL_URL=http://$(node -p "JSON.parse(require('fs').readFileSync('$directory/ready.json')).http")
  export KEEL_URL
}
start
npx --no-install hardhat test --network keel
node clients.mjs
./cast.sh
node remember.mjs write "$directory/remembered.json"
node matrix.mjs "$keel" "$backend"
stop
start
node remember.mjs check "$directory/remembered.json"
echo "clients: all passed ($backend)"
