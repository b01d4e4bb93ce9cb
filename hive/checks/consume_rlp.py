#!/usr/bin/env python3
"""The consume-rlp simulator: for each blockchain test a client is started on its genesis with one file a block, and
must have the genesis and the head that the test says. Legacy BlockchainTests are taken as well.

  consume_rlp.py --launch launch/keel -j 2 ~/.cache/keel-fixtures/eest-blockchain
"""

import sys

import consume
import fixtures
import harness

SUITE = "consume-rlp"
# Members that `latest` must have from a fork on, by the index of the fork at genesis.
FIELDS = (
    (fixtures.LONDON, ("baseFeePerGas",)),
    (fixtures.index_of("Shanghai"), ("withdrawalsRoot",)),
    (fixtures.index_of("Cancun"), ("blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot")),
    (fixtures.index_of("Prague"), ("requestsHash",)),
)


def environment(test):
    return fixtures.environment_of(test["network"], test.get("config"), None if "config" in test else 1)


def check(test, options):
    files = {"genesis.json": fixtures.genesis_text(test["genesisBlockHeader"], test["pre"])}
    for number, block in enumerate(test["blocks"], 1):
        files[f"blocks/{number:04}.rlp"] = bytes.fromhex(block["rlp"].removeprefix("0x"))
    with harness.Client(options.launch, files, environment(test), poll_seconds=consume.POLL_SECONDS) as client:
        rpc = client.rpc()
        genesis = rpc.call("eth_getBlockByNumber", "0x0", True)
        wanted = test["genesisBlockHeader"]["hash"]
        if genesis["hash"] != wanted:
            raise harness.Failure(f"genesis hash {genesis['hash']}, want {wanted}")
        latest = rpc.call("eth_getBlockByNumber", "latest", True)
        rpc.close()
        if latest["hash"] != test["lastblockhash"]:
            raise harness.Failure(f"head is {latest['number']} {latest['hash']}, want {test['lastblockhash']}\n"
                                  + client.log_tail(12))
        network = test["network"]
        if network in fixtures.NAMES:
            for index, names in FIELDS:
                missing = [name for name in names if name not in latest]
                if fixtures.NAMES.index(network) >= index and missing:
                    raise harness.Failure(f"latest lacks {', '.join(missing)}")


def main():
    options = consume.arguments(__doc__, SUITE).parse_args()
    options.launch = options.launch or harness.default_launcher()
    report = consume.Report(SUITE, options)

    def known(items):
        for fixture in items:
            try:
                environment(fixture.test)
            except fixtures.UnknownNetwork as error:
                report.skip(f"of network {error}")
                continue
            yield fixture

    consume.run_all(known(consume.selected(options, SUITE, "blocks")),
                    lambda fixture: [consume.timed(fixture.name, lambda: check(fixture.test, options), fixture.file)],
                    report, options.jobs)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
