#!/usr/bin/env bash
# Runs every fuzzer for some seconds, precompiles one by one. usage: fuzz/run.sh BUILD SECONDS [NAME...]
# Inputs that were new are kept in BUILD/corpus, findings in BUILD/findings. Exit 1: there is a finding.
set -u
build=$1 seconds=$2
shift 2
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(rlp transaction header block genesis json_rpc jwt image evm precompile)
root=$(cd "$(dirname "$0")/.." && pwd)
corpus=$build/corpus findings=$build/findings
mkdir -p "$corpus" "$findings"
python3 "$root/fuzz/make_corpus.py" "$corpus"
[ ! -x "$build/fuzz/fuzz_image" ] || "$build/fuzz/fuzz_image" "--write-seed=$corpus/image/seed"
status=0

run() { # LABEL NAME [ARGUMENT...]
  local label=$1 name=$2 log="$build/$1.log"
  shift 2
  mkdir -p "$corpus/$name"
  if "$build/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=70000 -print_final_stats=1 \
      -artifact_prefix="$findings/$label-" "$@" "$corpus/$name" >"$log" 2>&1; then
    echo "$label: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, nothing found"
  else
    echo "$label: FOUND, see $log"
    tail -n 40 "$log"
    status=1
  fi
}

for name in "${names[@]}"; do
  if [ "$name" = precompile ]; then
    for address in 0x01 0x02 0x03 0x04 0x05 0x06 0x07 0x08 0x09 0x0a 0x0b 0x0c 0x0d 0x0e 0x0f 0x10 0x11 0x100; do
      run "precompile-$address" precompile --precompile=$address
    done
  else
    run "$name" "$name"
  fi
done
exit $status
