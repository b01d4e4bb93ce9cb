#!/usr/bin/env python3
"""Genesis files and the hash that block 0 must have: the smoke/genesis cases.

  genesis_smoke.py --launch launch/keel

Each case starts the client on a genesis without a config (the environment makes it) and asks for block 0.
"""

import json
import sys

import harness

SUITE = "smoke-genesis"

BASE = {
    "nonce": "0x0000000000000042",
    "difficulty": "0x2123456",
    "mixHash": "0x123456789abcdef123456789abcdef123456789abcdef123456789abcdef1234",
    "coinbase": "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "timestamp": "0x123456",
    "parentHash": "0x" + 64 * "0",
    "extraData": "0xfafbfcfd",
    "gasLimit": "0x2fefd8",
}
EMPTY = {"difficulty": "0x20000", "gasLimit": "0x1", "alloc": {}}

BLOCK_FORKS = ("HOMESTEAD", "DAO_BLOCK", "TANGERINE", "SPURIOUS", "BYZANTIUM", "CONSTANTINOPLE", "PETERSBURG", "ISTANBUL",
               "MUIR_GLACIER", "BERLIN", "LONDON", "ARROW_GLACIER", "GRAY_GLACIER")


def up_to(last):
    """Every fork by block from block 0, up to and with `last`."""
    forks = [fork for fork in BLOCK_FORKS[:BLOCK_FORKS.index(last) + 1] if fork not in ("DAO_BLOCK", "MUIR_GLACIER")]
    return {"HIVE_CHAIN_ID": "10", **{f"HIVE_FORK_{fork}": "0" for fork in forks}}


def one_after_the_other():
    """Fork i of the list at block 11 + i, then the merge and two forks by time: none is active at genesis."""
    environment = {f"HIVE_FORK_{fork}": str(11 + i) for i, fork in enumerate(BLOCK_FORKS)}
    return {"HIVE_CHAIN_ID": "10", **environment, "HIVE_FORK_DAO_VOTE": "1", "HIVE_TERMINAL_TOTAL_DIFFICULTY": "24",
            "HIVE_SHANGHAI_TIMESTAMP": "25", "HIVE_CANCUN_TIMESTAMP": "26"}


ACCOUNTS = {
    "dbdbdb2cbd23b783741e8d7fcf51e459b497e4a6": {"balance": "0x" + 64 * "f"},
    "e6716f9544a56c530d868e4bfbacb172315bdead": {"balance": "0x11", "code": "0x12"},
    "b9c015918bdaba24b4ff057a92a3873d6eb201be": {"balance": "0x21", "storage": {"0x" + 63 * "0" + "1": "0x22"}},
    "1a26338f0d905e295fccb71fa9ea849ffa12aaf4": {"balance": "0x31", "nonce": "0x32"},
    **{39 * "0" + str(i): {"balance": f"0x{0x31 + 0x10 * i:x}"} for i in (1, 2, 3, 4)},
}
THIRD = 39 * "0" + "3"
STORED = {"code": "0x1234", "nonce": "0xFF", "storage": {"0x" + 64 * "0": "0x01"}}

CASES = [
    ("empty", EMPTY, {}, "0x433d0b859a77a29753d2a6df477c971dcc6300af33f9d64d821a1d490b4148b1"),
    ("all-forks", EMPTY, one_after_the_other(), "0x433d0b859a77a29753d2a6df477c971dcc6300af33f9d64d821a1d490b4148b1"),
    ("accounts", {**BASE, "alloc": ACCOUNTS}, up_to("ISTANBUL"),
     "0x5ae31c6522bd5856129f66be3d582b842e4e9faaa87f21cce547128339a9db3c"),
    ("precomp-storage", {**BASE, "alloc": {THIRD: {"balance": "0x61", **STORED}}}, up_to("ISTANBUL"),
     "0x1b5dc4bd86f9209e6261d43dd3085034d3a502c3823903a417a95320caccaebf"),
    ("precomp-empty", {**BASE, "alloc": {THIRD: {"balance": "0x0", "code": "0x", "nonce": "0x0", "storage": {}}}},
     up_to("BERLIN"), "0xf6df6eb772235f4f193b1a514f34bc5e4e9ce747a83732d4e8fced78ba2e939c"),
    ("precomp-zero-balance", {**BASE, "alloc": {THIRD: {"balance": "0x0", **STORED}}}, up_to("BERLIN"),
     "0x251e6c3c84531a8b59a62535db474d0b5967f6f4ec82e47d62e70497ccdde6a7"),
]


def run_case(genesis, environment, wanted, options):
    files = {"genesis.json": json.dumps(genesis, indent=1)}
    with harness.Client(options.launch or harness.default_launcher(), files, environment) as client:
        rpc = client.rpc()
        hash_ = rpc.call("eth_getBlockByNumber", "0x0", False)["hash"]
        if hash_ != wanted:
            raise harness.Failure(f"genesis hash {hash_}, want {wanted}")
        return f"started in {client.start_seconds:.2f} s"


def main():
    parser = harness.arguments(__doc__, SUITE)
    options = parser.parse_args()
    cases = [(name, lambda g=genesis, e=environment, h=hash_: run_case(g, e, h, options))
             for name, genesis, environment, hash_ in CASES]
    return harness.run_cases(SUITE, cases, options)


if __name__ == "__main__":
    sys.exit(main())
