"""Cases that hive's simulator does not have: getBlobs, blobs that come back after a reorganization, sidecars with proofs
of cells, and a version that the specification refuses."""

import ethereum
from engine_cancun import BLOB_RECEIVER, Blobs
from engine_cases import FIELDS, with_extra
from engine_mock import GENESIS_TIME, INVALID_PARAMS, PREV_RANDAO_CONTRACT, UNSUPPORTED_FORK, ZERO, Forks, expect
from ethereum import BLOB

TOO_LARGE = -38004
CELLS = 128


def hashes_of(txs):
    return [ethereum.hex_of(blob.hash) for tx in txs for blob in tx.fields["blobs"]]


def want_v1(txs):
    proof = ethereum.hex_of(ethereum.Blob.PROOF)
    return [{"blob": ethereum.hex_of(blob.data), "proof": proof} for tx in txs for blob in tx.fields["blobs"]]


def want_cells(txs):
    proofs = [ethereum.hex_of(ethereum.Blob.PROOF)] * CELLS
    return [{"blob": ethereum.hex_of(blob.data), "proofs": proofs} for tx in txs for blob in tx.fields["blobs"]]


def get_blobs(node, version, hashes):
    return node.engine.call(f"engine_getBlobsV{version}", hashes)


def fails(node, version, hashes, code):
    answer = node.engine.answer(f"engine_getBlobsV{version}", hashes)
    expect(answer.get("error", {}).get("code") == code, f"want error {code}, have {str(answer)[:200]}")


def v1(start):
    with start() as env:
        steps, node = Blobs(env), env.node
        txs = steps.send(2, 2)
        hashes, unknown = hashes_of(txs), env.random_hash()
        expect(get_blobs(node, 1, hashes) == want_v1(txs), "blobs that wait")
        wanted = want_v1(txs)
        expect(get_blobs(node, 1, [hashes[3], unknown, hashes[0]]) == [wanted[3], None, wanted[0]], "order and holes")
        expect(get_blobs(node, 1, []) == [], "nothing asked for")
        expect(get_blobs(node, 2, hashes) is None and get_blobs(node, 3, hashes) is None, "V2 and V3 before Osaka")
        expect(get_blobs(node, 1, [unknown] * 128) == [None] * 128, "128 at once")
        fails(node, 1, [unknown] * 129, TOO_LARGE)
        fails(node, 1, ["0x12"], INVALID_PARAMS)
        steps.produce(4, txs=txs)
        expect(get_blobs(node, 1, hashes) == want_v1(txs), "blobs of a block that is not final")


def comes_back(start):
    """Out by a reorganization, in again with its blobs."""
    with start(slots_to_safe=32, slots_to_finalized=64) as env:
        steps, mock, node = Blobs(env), env.mock, env.node
        steps.produce(0, 2)
        siblings = []
        mock_built = {"built": lambda: siblings.append(with_extra(mock.payload))}
        steps.produce(0, **mock_built)
        txs = steps.send(2, 3)
        steps.produce(6, txs=txs)
        expect(node.call("txpool_status")["pending"] == "0x0", "the pool keeps what is mined")
        sibling = siblings[0]
        node.new_payload(sibling).is_("VALID", valid=sibling.hash)
        node.forkchoice(sibling.hash, timestamp=sibling.timestamp).is_("VALID", valid=sibling.hash)
        expect(node.call("txpool_status")["pending"] == "0x2", "the transactions are not back in the pool")
        for tx in txs:
            expect(node.receipt(tx) is None, "a receipt of what was reorganized out")
        # The sibling is a block of the mock's chain from here on.
        mock.head_hash, mock.head_time, mock.head_number = sibling.hash, sibling.timestamp, sibling.number
        steps.parent = sibling
        steps.produce(6, txs=txs)
        for tx in txs:
            expect(node.receipt(tx)["blockHash"] == mock.head_hash, "the transactions are not mined again")


def final_ones_go(start):
    with start() as env:
        steps, node = Blobs(env), env.node
        txs = steps.send(1)
        steps.produce(1, txs=txs)
        expect(get_blobs(node, 1, hashes_of(txs)) == want_v1(txs), "blobs of a block that is not final")
        steps.produce(0, 3)
        node.call("txpool_status")  # looks at the head
        expect(get_blobs(node, 1, hashes_of(txs)) == [None], "blobs of a final block")


def cells_refused(start):
    with start() as env:
        tx = env.make_tx(BLOB_RECEIVER, kind=BLOB, gas=100000)
        env.node.ask("eth_sendRawTransaction", ethereum.hex_of(tx.network_form(version=1))).fails(-32000)


def osaka(start, old_form):
    """A sidecar of either form waits with proofs of cells, and is built in with them."""
    with start(forks=Forks(0, 0, 0, 0)) as env:
        mock, node = env.mock, env.node
        mock.produce(1)
        tx = env.make_tx(BLOB_RECEIVER, kind=BLOB, blobs=2, gas=100000)
        node.call("eth_sendRawTransaction", ethereum.hex_of(tx.network_form(version=0 if old_form else 1)))
        hashes = hashes_of([tx])
        expect(get_blobs(node, 2, hashes) == want_cells([tx]), "getBlobsV2")
        expect(get_blobs(node, 2, hashes + [env.random_hash()]) is None, "getBlobsV2 with one that is missing")
        expect(get_blobs(node, 3, [env.random_hash()] + hashes) == [None] + want_cells([tx]), "getBlobsV3 with a hole")
        fails(node, 1, hashes, UNSUPPORTED_FORK)
        fails(node, 2, [env.random_hash()] * 129, TOO_LARGE)
        mock.produce()
        bundle_has_cells(mock, tx)


def bundle_has_cells(mock, tx):
    expect(mock.payload.txs == [ethereum.hex_of(tx.raw)], "the transaction is not built in")
    bundle = mock.envelope["blobsBundle"]
    blobs = len(tx.fields["blobs"])
    expect(bundle["proofs"] == [ethereum.hex_of(ethereum.Blob.PROOF)] * (CELLS * blobs), "proofs of the bundle")
    expect(len(bundle["blobs"]) == len(bundle["commitments"]) == blobs, "lengths of the bundle")


def over_the_fork(start):
    """It came with proofs of blobs, and the next block wants those of cells."""
    with start(forks=Forks(0, 0, 0, GENESIS_TIME + 3)) as env:
        mock, node = env.mock, env.node
        mock.produce(2)
        tx = env.make_tx(BLOB_RECEIVER, kind=BLOB, gas=100000)
        node.send(tx)
        mock.produce(1)
        bundle_has_cells(mock, tx)


def v2_of_cancun(start):
    """Its form is right for Shanghai: what is wrong is the fork (execution-apis, engine/cancun, methods of before)."""
    with start() as env:
        mock, node = env.mock, env.node

        def send():
            old = mock.payload.changed(remove=("blobGasUsed", "excessBlobGas"), beacon_root=None)
            node.new_payload(old, version=2).fails(UNSUPPORTED_FORK)
            node.new_payload(mock.payload, version=2).fails()  # members of a later version: the form or the fork

        mock.produce(payload_sent=send)


def survives_kills(start):
    """Reorganizations with SIGKILL between them: head, labels, branches and bad blocks are there again."""
    with start(slots_to_safe=3, slots_to_finalized=6) as env:
        mock, node = env.mock, env.node
        siblings, bad = [], []

        def branch():
            siblings.append(with_extra(mock.payload))
            bad.append(FIELDS["StateRoot"](env, mock.payload))
            node.new_payload(siblings[-1]).is_("VALID")
            node.new_payload(bad[-1]).is_("INVALID", valid=mock.head_hash)

        for _ in range(6):
            mock.produce(2, selected=lambda: env.send(PREV_RANDAO_CONTRACT), built=branch)
            sibling = siblings[-1]
            node.forkchoice(sibling.hash, mock.safe, mock.finalized, timestamp=sibling.timestamp).is_("VALID")
            node.kill_and_start()
            wanted = {"latest": sibling.hash, "safe": mock.safe, "finalized": mock.finalized}
            for tag, hash_ in wanted.items():
                if hash_ != ZERO:
                    expect(node.latest(tag)["hash"] == hash_, f"{tag} after SIGKILL: {node.latest(tag)['hash']}, want {hash_}")
            randao = node.storage(PREV_RANDAO_CONTRACT, sibling.number)
            expect(randao == int(sibling["prevRandao"], 16), "state after SIGKILL")
            node.new_payload(bad[-1]).is_("INVALID", valid=bad[-1].parent)
            mock.send_head()
            expect(node.latest()["hash"] == mock.head_hash, "the way back after SIGKILL")


def cases():
    def row(name, function, *arguments):
        return name, lambda start: function(start, *arguments)

    return [
        row("newPayloadV2 of a Cancun payload", v2_of_cancun),
        row("Reorganizations survive SIGKILL", survives_kills),
        row("getBlobsV1: order, holes, limits", v1),
        row("Blob transactions come back after a reorganization", comes_back),
        row("Blobs of final blocks are given up", final_ones_go),
        row("Proofs of cells before Osaka are refused", cells_refused),
        row("Osaka: proofs of blobs become proofs of cells", osaka, True),
        row("Osaka: proofs of cells, getBlobsV2, getBlobsV3", osaka, False),
        row("Osaka: what came before the fork is built in behind it", over_the_fork),
    ]
