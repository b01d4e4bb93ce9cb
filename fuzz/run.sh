#!/usr/bin/env bash
# Runs every fuzzer for some seconds, each precompile by itself; as many at a time as there are processors (FUZZ_JOBS).
# usage: fuzz/run.sh BUILD SECONDS [NAME...]      a name: evm, precompile (all of them), precompile-0x0b
# Inputs that were new are kept in BUILD/fuzz/corpus, findings in BUILD/fuzz/findings, logs beside them. Exit 1: there is a finding.
set -u
build=$1/fuzz seconds=$2
shift 2
targets=(rlp transaction header block genesis json_rpc http engine jwt image log evm groups)
addresses=(0x01 0x02 0x03 0x04 0x05 0x06 0x07 0x08 0x09 0x0a 0x0b 0x0c 0x0d 0x0e 0x0f 0x10 0x11 0x100)
names=("$@")
[ ${#names[@]} -gt 0 ] || names=("${targets[@]}" precompile)
jobs=${FUZZ_JOBS:-$(nproc)}
root=$(cd "$(dirname "$0")/.." && pwd)
corpus=$build/corpus findings=$build/findings logs=$build/logs
mkdir -p "$corpus" "$findings" "$logs"
python3 "$root/fuzz/make_corpus.py" "$corpus"
for name in image log engine; do # what only the program can make
  mkdir -p "$corpus/$name"
  [ ! -x "$build/fuzz_$name" ] || "$build/fuzz_$name" "--write-seed=$corpus/$name/seed" || exit 1
done
# A call depth of 1024 takes more native stack with sanitizers than without.
ulimit -s 262144 2>/dev/null || true

run() { # LABEL
  local label=$1 name=${1%%-*} log="$logs/$1.log" begin=$SECONDS
  local address=${label#"$name"}
  mkdir -p "$corpus/$name"
  if "$build/fuzz_$name" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -max_len=70000 -print_final_stats=1 \
      -artifact_prefix="$findings/$label-" ${address:+"--precompile=${address#-}"} "$corpus/$name" >"$log" 2>&1; then
    echo "$label: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $((SECONDS - begin)) s, nothing found"
  else
    echo "$label: FOUND, see $log"
    tail -n 40 "$log"
    return 1
  fi
}

labels=()
for name in "${names[@]}"; do
  if [ "$name" = precompile ]; then
    labels+=("${addresses[@]/#/precompile-}")
  else
    labels+=("$name")
  fi
done

status=0 running=0
for label in "${labels[@]}"; do
  if ((running >= jobs)); then
    wait -n || status=1
    running=$((running - 1))
  fi
  run "$label" &
  running=$((running + 1))
done
while ((running > 0)); do
  wait -n || status=1
  running=$((running - 1))
done
[ $status -ne 0 ] || echo "fuzzers: ${#labels[@]} ran $seconds s each, nothing found"
exit $status
