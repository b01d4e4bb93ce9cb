#!/bin/bash
# The explorer in headless Chromium against a solo daemon. Usage: run.sh KEEL [FOLDER of screenshots]
set -euo pipefail
keel=$(realpath "$1")
directory=$(mktemp -d)
pictures=$(realpath -m "${2:-$directory/pictures}")
mkdir -p "$pictures"
cd "$(dirname "$0")"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ] || ! command -v node > /dev/null; then
  rm -rf "$directory"
  echo "explorer not tested: needs Chromium and node (Debian: chromium, nodejs)" >&2
  exit 2
fi
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$directory"' EXIT
"$keel" daemon --dev --datadir "$directory/chain" --http.port 0 --ipcdisable --ready-file "$directory/ready.json" > "$directory/log" 2>&1 &
pids="$pids $!"
"$browser" --headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --remote-debugging-port=0 \
  --user-data-dir="$directory/profile" about:blank > "$directory/browser.log" 2>&1 &
pids="$pids $!"
for _ in $(seq 600); do
  [ -s "$directory/ready.json" ] && [ -s "$directory/profile/DevToolsActivePort" ] && break
  sleep 0.1
done
KEEL_HTTP=$(node -p "JSON.parse(require('fs').readFileSync('$directory/ready.json')).http")
DEVTOOLS=$(head -1 "$directory/profile/DevToolsActivePort")
export KEEL_HTTP DEVTOOLS
node --experimental-websocket --no-warnings explorer.mjs "$pictures"
