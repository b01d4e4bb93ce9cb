#!/usr/bin/env python3
"""Checks that need no build: layers, namespaces, banned calls, files that no target lists, dead links in documents.

usage: tools/lint.py [--format]     --format also runs clang-format-19 over the tree (dry run)
Exit 0: nothing found; 1: findings, one a line.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each layer may include beside itself. docs/architecture.md draws the same table.
LAYERS = {
    "core": set(),
    "db": {"core"},
    "crypto": {"core"},
    "evm": {"crypto", "core"},
    "state": {"evm", "crypto", "db", "core"},
    "chain": {"state", "evm", "crypto", "db", "core"},
    "rpc": {"chain", "state", "evm", "crypto", "db", "core"},
    "node": {"rpc", "chain", "state", "evm", "crypto", "db", "core"},
    "cmd": {"node", "rpc", "chain", "state", "evm", "crypto", "db", "core"},
}
FREE = {"tests", "bench", "fuzz", "tools"}
# Includes of third parties that only the named folders may have.
ONLY_IN = {"lmdb.h": "db/lmdb/", "CLI/CLI.hpp": "cmd/", "simdjson.h": "rpc/ node/"}
# The one detach is a forked child's handle of a thread that runs in its parent only.
BANNED = [
    (re.compile(r"\b(?:std::)?(?:system|rand|srand)\s*\("), "no system, rand, srand", ()),
    (re.compile(r"\bstd::(?:cout|cin)\b|\bprintf\s*\("), "stdout belongs to cmd", ("cmd/",)),
    (re.compile(r"\.detach\(\)"), "threads are joined, never detached",
     ("db/lmdb/open.cpp",)),
    (re.compile(r"\bgetenv\s*\("), "the environment is read in cmd only", ("cmd/",)),
    (re.compile(r"(?<![\w>])::(?:open|read|write|pread|pwrite|fsync|fdatasync|ftruncate|unlink|rename)\s*\("),
     "file calls stand in core/files only", ("core/files", "node/signals")),
]
FENCE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
COMMENT = re.compile(r"//.*$")


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout
    return sorted(p for p in out.split("\n") if p and (ROOT / p).exists())


def is_test(path):
    return path.endswith("_test.cpp") or "/testing/" in path or path.split("/")[0] in FREE


def check_source(path, findings):
    layer = path.split("/")[0]
    text = (ROOT / path).read_text()
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{path}:{number}"
        include = re.match(r'#include "([^"]+)"', line)
        if include:
            target = include.group(1)
            other = target.split("/")[0]
            if target.startswith("."):
                findings.append(f"{where}: relative include {target}")
            elif layer in LAYERS and other != layer and other not in LAYERS[layer]:
                if not (is_test(path) and other == "tests"):
                    findings.append(f"{where}: {layer} may not include {other} ({target})")
            if layer == "db" and target.startswith("core/types"):
                findings.append(f"{where}: db knows nothing of chains ({target})")
        system = re.match(r"#include <([^>]+)>", line)
        if system and system.group(1) in ONLY_IN and not is_test(path):
            if not path.startswith(tuple(ONLY_IN[system.group(1)].split())):
                findings.append(f"{where}: <{system.group(1)}> only in {ONLY_IN[system.group(1)]}")
        if layer in LAYERS and not is_test(path):
            code = COMMENT.sub("", line)
            for pattern, why, allowed in BANNED:
                if pattern.search(code) and not path.startswith(allowed or ("\0",)):
                    findings.append(f"{where}: {why}: {code.strip()}")
    if layer in LAYERS and f"namespace keel::{layer}" not in text:
        if not re.search(rf"namespace keel(?:::|\s*\{{\s*namespace )(?:{layer})\b", text):
            if path.endswith(".hpp") and "#define" not in text:
                findings.append(f"{path}: namespace is not keel::{layer}")
    if path.endswith(".hpp") and "#pragma once" not in text:
        findings.append(f"{path}: no #pragma once")
    if text.count("\n") > 900:
        findings.append(f"{path}: {text.count(chr(10))} lines; is it one concept?")


def check_listed(sources, findings):
    listed = "\n".join((ROOT / p).read_text() for p in tracked("CMakeLists.txt", "**/CMakeLists.txt"))
    for path in sources:
        if path.endswith(".cpp") and path.split("/")[-1] not in listed:
            findings.append(f"{path}: no CMake target lists it")


def check_links(findings):
    for path in tracked("*.md", "**/*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)", FENCE.sub("", (ROOT / path).read_text())):
            if "://" not in target and not ((ROOT / path).parent / target).exists():
                findings.append(f"{path}: dead link {target}")


def main():
    findings = []
    sources = tracked("*.cpp", "*.hpp")
    for path in sources:
        check_source(path, findings)
    check_listed(sources, findings)
    check_links(findings)
    if "--format" in sys.argv[1:]:
        run = subprocess.run(["clang-format-19", "--dry-run", "--Werror", *sources], cwd=ROOT, capture_output=True, text=True)
        findings += [line for line in run.stderr.split("\n") if "warning" in line or "error" in line]
    print("\n".join(findings) if findings else f"lint: {len(sources)} files, nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
