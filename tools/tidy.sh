#!/usr/bin/env bash
# clang-tidy on the sources that differ from a base commit: $1, else where this branch left origin/main, else the commit
# before. With --all: on every source. Needs clang-tidy-19; configures build/clang for its compile commands.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset clang >/dev/null
if [ "${1:-}" = --all ]; then
  files=$(git ls-files '*.cpp')
else
  base=${1:-$(git merge-base HEAD origin/main 2>/dev/null || true)}
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then base=$(git rev-parse --verify -q HEAD~1 || true); fi
  if [ -z "$base" ]; then echo "tidy: no commit to compare with"; exit 0; fi
  files=$(git diff --name-only --diff-filter=d "$base" -- '*.cpp')
fi
# Only what the tree builds: tests of layers that are switched off have no command.
files=$(for file in $files; do if grep -qF "/$file\"" build/clang/compile_commands.json; then echo "$file"; fi; done)
if [ -z "$files" ]; then echo "tidy: 0 files"; exit 0; fi
echo "$files" | xargs -P "$(nproc)" -n 2 clang-tidy-19 -p build/clang --quiet 2>/dev/null
echo "tidy: $(wc -l <<<"$files") files, nothing found"
