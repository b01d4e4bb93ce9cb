#!/usr/bin/env python3
"""The client as the source of a chain: import, head right after the start, then a forkchoice update.

  sync_source.py --launch launch/keel CHAIN

CHAIN holds genesis.json, chain.rlp, forkenv.json, headblock.json and headfcu.json (hive's sync suite: 3000 blocks).
Sinks, which fetch the chain over p2p, are not part of this.
"""

import json
import pathlib
import sys

import harness

SUITE = "sync-source"


def check_source(directory, options):
    head = json.loads((directory / "headblock.json").read_text())
    environment = json.loads((directory / "forkenv.json").read_text())
    files = {name: directory / name for name in ("genesis.json", "chain.rlp")}
    with harness.Client(options.launch or harness.default_launcher(), files, environment) as client:
        rpc = client.rpc()
        latest = rpc.call("eth_getBlockByNumber", "latest", False)
        for key, wanted in head.items():
            if latest.get(key) != wanted:
                raise harness.Failure(f"head after import: {key} is {latest.get(key)}, want {wanted}")
        if options.no_engine:
            return f"started in {client.start_seconds:.2f} s"
        answer = json.loads(client.engine_rpc().post((directory / "headfcu.json").read_bytes()))
        status = (answer.get("result") or {}).get("payloadStatus", {}).get("status")
        if status != "VALID":
            raise harness.Failure(f"headfcu.json: {json.dumps(answer)}")
        after = rpc.call("eth_getBlockByNumber", "latest", False)["hash"]
        if after != latest["hash"]:
            raise harness.Failure(f"head after the forkchoice update: {after}")
        return f"started in {client.start_seconds:.2f} s"


def main():
    parser = harness.arguments(__doc__, SUITE)
    parser.add_argument("--no-engine", action="store_true", help="no forkchoice update (a client without Engine API)")
    parser.add_argument("directory", type=pathlib.Path, metavar="CHAIN")
    options = parser.parse_args()
    for name in ("genesis.json", "chain.rlp", "forkenv.json", "headblock.json", "headfcu.json"):
        if not (options.directory / name).is_file():
            parser.error(f"{options.directory / name}: no such file")
    return harness.run_cases(SUITE, [("source", lambda: check_source(options.directory, options))], options)


if __name__ == "__main__":
    sys.exit(main())
