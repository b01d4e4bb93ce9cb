"""Launchers of other clients against a program that writes down how it is called: the order of the stages, and what the
contract gives them. Whether the client itself likes the flags only the client can say."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from context import CHECKS

STUB = """#!/bin/bash
echo "$*" >>"$STUB_LOG"
case " $* " in *" import "*) exit 1 ;; esac
"""


@unittest.skipUnless(shutil.which("jq"), "jq makes the config")
class Launchers(unittest.TestCase):
    def calls(self, client):
        """The stub's calls: genesis, a chain, two files of blocks."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "genesis.json").write_text(json.dumps({"difficulty": "0x0", "alloc": {}}))
            (root / "chain.rlp").write_bytes(b"")
            (root / "blocks").mkdir()
            for number in (10, 2):
                (root / "blocks" / f"{number:04}.rlp").write_bytes(b"")
            stub, log = root / "stub", root / "calls"
            stub.write_text(STUB)
            stub.chmod(0o755)
            done = subprocess.run(
                [str(CHECKS / "launch" / client)], cwd=root, capture_output=True, text=True, timeout=60,
                env={**os.environ, f"{client.upper()}_BIN": str(stub), "STUB_LOG": str(log), "HIVE_CHAIN_ID": "7",
                     "HIVE_NETWORK_ID": "7", "PORT_HTTP": "1111", "PORT_WS": "2222", "PORT_ENGINE": "3333"})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads((root / "mapped-genesis.json").read_text())["config"]["chainId"], 7)
            self.assertEqual(len((root / "jwt-secret").read_text()), 64)
            return log.read_text().splitlines()

    def test_a_refused_block_does_not_stop_the_start(self):
        for client in ("geth", "erigon", "reth"):
            with self.subTest(client):
                calls = self.calls(client)
                stages = ["init" if " init" in f" {call}" else "import" if "import" in call.split() else "serve"
                          for call in calls]
                self.assertEqual(stages[:2], ["init", "import"])
                self.assertEqual(stages[-1], "serve")
                self.assertEqual(set(stages[1:-1]), {"import"})
                files = " ".join(calls[2:-1])
                self.assertLess(files.index("blocks/0002.rlp"), files.index("blocks/0010.rlp"))
                for port in ("1111", "2222", "3333", "jwt-secret"):
                    self.assertIn(port, calls[-1])


if __name__ == "__main__":
    unittest.main()
