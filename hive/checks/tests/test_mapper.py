"""mapper.jq and `keel init --hive` make the same config of the same environment.

Needs jq and KEEL_BIN, the program; without them the test is skipped.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

from context import CHECKS

PROGRAM = os.environ.get("KEEL_BIN")
HIVE = CHECKS.parent
ROUNDS = 200

BLOCK_FORKS = ("HOMESTEAD", "TANGERINE", "SPURIOUS", "BYZANTIUM", "CONSTANTINOPLE", "PETERSBURG", "ISTANBUL",
               "MUIR_GLACIER", "BERLIN", "LONDON", "ARROW_GLACIER", "GRAY_GLACIER")
TIME_FORKS = ("SHANGHAI", "CANCUN", "PRAGUE", "OSAKA", "BPO1", "BPO2", "BPO3", "BPO4", "BPO5")
BLOB_FORKS = TIME_FORKS[1:]


def random_environment(rng):
    """As a simulator sends it: forks in order up to some fork, at growing blocks and times."""
    environment = {}
    if rng.random() < 0.9:
        environment["HIVE_CHAIN_ID"] = str(rng.choice((1, 7, 1337, 3503995874084926, 2**63 - 1)))
    at = 0
    last = rng.randint(0, len(BLOCK_FORKS))
    for fork in BLOCK_FORKS[:last]:
        at += rng.randint(0, 3)
        environment[f"HIVE_FORK_{fork}"] = str(at)
        if fork == "HOMESTEAD" and rng.random() < 0.3:
            environment["HIVE_FORK_DAO_BLOCK"] = str(at)
            environment["HIVE_FORK_DAO_VOTE"] = rng.choice(("0", "1"))
    if last == len(BLOCK_FORKS):
        if rng.random() < 0.5:
            environment["HIVE_MERGE_BLOCK_ID"] = str(at)
        environment["HIVE_TERMINAL_TOTAL_DIFFICULTY"] = str(rng.choice((0, 131072, 58750000000000000000000)))
        at = 0
        forks = TIME_FORKS[:rng.randint(0, len(TIME_FORKS))]
        for fork in forks:
            at += rng.randint(0, 1000)
            environment[f"HIVE_{fork}_TIMESTAMP"] = str(at)
            if fork in BLOB_FORKS and rng.random() < 0.5:
                target = rng.randint(1, 20)
                environment[f"HIVE_{fork}_BLOB_TARGET"] = str(target)
                environment[f"HIVE_{fork}_BLOB_MAX"] = str(target + rng.randint(0, 10))
                if rng.random() < 0.8:
                    environment[f"HIVE_{fork}_BLOB_BASE_FEE_UPDATE_FRACTION"] = str(rng.randint(1, 10**8))
        for fork in ("BPO_INCREASE", "BPO_DECREASE"):
            for what in ("TIMESTAMP", "BLOB_TARGET", "BLOB_MAX", "BLOB_BASE_FEE_UPDATE_FRACTION"):
                if len(forks) == len(TIME_FORKS) and rng.random() < 0.3:
                    environment[f"HIVE_{fork}_{what}"] = str(rng.randint(1, 30))
    if rng.random() < 0.2:
        environment["HIVE_DEPOSIT_CONTRACT_ADDRESS"] = "0x" + 40 * "0"
    if rng.random() < 0.1:
        environment["HIVE_CLIQUE_PERIOD"] = str(rng.randint(0, 15))
    return environment


def plain(value):
    """Numbers as numbers, whatever form they were written in; addresses in lower case."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return int(value)
    if isinstance(value, str):
        text = value.lower()
        if len(text) == 42 and text.startswith("0x"):
            return text
        return int(text, 16 if text.startswith("0x") else 10)
    return value


@unittest.skipUnless(PROGRAM and shutil.which("jq"), "KEEL_BIN or jq is missing")
class Mapper(unittest.TestCase):
    def test_both_make_the_same_config_on_200_random_environments(self):
        seed = int(os.environ.get("KEEL_SEED", "20261"))
        rng = random.Random(seed)
        base = {k: v for k, v in os.environ.items() if not k.startswith("HIVE_")}
        genesis = json.loads((HIVE / "genesis.json").read_text())
        genesis["config"] = {"chainId": 99, "shanghaiTime": 5}  # must be gone afterwards
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "genesis.json"
            path.write_text(json.dumps(genesis))
            for round_ in range(ROUNDS):
                environment = random_environment(rng)
                with self.subTest(seed=seed, round=round_, environment=environment):
                    mapped = self.run_json(["jq", "-f", str(HIVE / "mapper.jq"), str(path)], base | environment)
                    printed = self.run_json([PROGRAM, "init", "--hive", "--print-config", str(path)], base | environment)
                    self.assertEqual(plain(printed["config"]), plain(mapped["config"]))
                    for document in (mapped, printed):
                        document.pop("config")
                    self.assertEqual(printed, mapped)

    def run_json(self, command, environment):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)


if __name__ == "__main__":
    unittest.main()
