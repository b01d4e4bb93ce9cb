"""Cases of the engine-cancun suite that need no p2p: blobs, versions of the calls, versioned hashes; then the cases of
engine-api on Cancun, and their variants."""

import threading

import engine_cases
import ethereum
from engine_mock import (BEACON_ROOTS, GENESIS_TIME, INVALID_ATTRIBUTES, INVALID_PARAMS, UNSUPPORTED_FORK, ZERO, Forks,
                         beacon_root_at, expect)
from ethereum import BLOB

GAS_PER_BLOB = 131072
TARGET_BLOBS, MAX_BLOBS = 3, 6
TARGET_BLOB_GAS = TARGET_BLOBS * GAS_PER_BLOB
UPDATE_FRACTION = 3338477
HISTORY_BUFFER = 8191  # EIP-4788
BLOB_RECEIVER = "0x" + 37 * "0" + "100"


def blob_price(excess):
    """fake_exponential of EIP-4844."""
    i, output, term = 1, 0, UPDATE_FRACTION
    while term > 0:
        output += term
        term = term * excess // (UPDATE_FRACTION * i)
        i += 1
    return output // UPDATE_FRACTION


def blobs_until_price(price):
    """Smallest excess of blobs at which a blob costs that much."""
    count = 1
    while blob_price(count * GAS_PER_BLOB) < price:
        count += 1
    return count


class Blobs:
    """Steps of the blob cases on an environment."""

    def __init__(self, env):
        self.env, self.mock, self.node = env, env.mock, env.node
        self.parent = None  # the payload before

    def send(self, count, blobs=1, account=1, **fields):
        """`count` transactions of `blobs` blobs each; what they are is kept."""
        made = []
        for _ in range(count):
            tx = self.env.make_tx(BLOB_RECEIVER, account=account, kind=BLOB, blobs=blobs, gas=100000, **fields)
            self.node.send(tx)
            made.append(tx)
        return made

    def replace(self, tx, **fields):
        """The same nonce with other fees and another blob."""
        other = self.env.make_tx(BLOB_RECEIVER, account=1, kind=BLOB, nonce=tx.fields["nonce"], gas=100000, **fields)
        self.node.send(other)
        return other

    def blob_txs(self):
        return [tx for tx in map(self.env.sent.get, self.mock.payload.txs) if tx is not None and tx.kind == BLOB]

    def produce(self, blobs=0, count=1, txs=None, **hooks):
        """Blocks with so many blobs each; `txs`: what they must be of."""
        for _ in range(count):
            built, head_set = hooks.get("built"), hooks.get("head_set")
            self.mock.produce(**{**hooks, "built": lambda: (self.check_bundle(blobs, txs), built and built()),
                                 "head_set": lambda: (self.check_head(), head_set and head_set())})
            self.parent = self.mock.payload

    def check_bundle(self, count, txs):
        if self.env.forks.version(self.mock.payload.timestamp) < 3:
            return
        bundle = self.mock.envelope["blobsBundle"]
        made = [blob for tx in self.blob_txs() for blob in tx.fields["blobs"]]
        expect(len(made) == count, f"{len(made)} blobs in the payload's transactions, want {count}")
        for name, want in (("commitments", [blob.commitment for blob in made]), ("blobs", [blob.data for blob in made]),
                           ("proofs", [ethereum.Blob.PROOF] * len(made))):
            expect(bundle[name] == list(map(ethereum.hex_of, want)), f"{name} of the bundle")
        if txs is not None:
            want = {blob for tx in txs for blob in tx.fields["blobs"]}
            expect(want <= set(made), "an expected blob is not in the payload")

    def check_head(self):
        payload, node = self.mock.payload, self.node
        if self.env.forks.version(payload.timestamp) < 3:
            expect("excessBlobGas" not in payload.data and "blobGasUsed" not in payload.data, "blob fields before Cancun")
            return
        expect("shouldOverrideBuilder" in self.mock.envelope, "no shouldOverrideBuilder")
        before = [int(self.parent.data.get(name, "0x0"), 16) if self.parent else 0 for name in ("excessBlobGas", "blobGasUsed")]
        excess = max(sum(before) - TARGET_BLOB_GAS, 0)
        expect(int(payload["excessBlobGas"], 16) == excess, f"excessBlobGas {payload['excessBlobGas']}, want {hex(excess)}")
        for tx in self.blob_txs():
            receipt = node.receipt(tx)
            expect(int(receipt["blobGasUsed"], 16) == GAS_PER_BLOB * len(tx.fields["blobs"]), "blobGasUsed of a receipt")
            expect(int(receipt["blobGasPrice"], 16) == blob_price(excess), "blobGasPrice of a receipt")
        slot = payload.timestamp % HISTORY_BUFFER
        number = hex(payload.number)
        expect(node.storage(BEACON_ROOTS, slot, number) == payload.timestamp, "time in the beacon roots contract")
        expect(node.storage(BEACON_ROOTS, slot + HISTORY_BUFFER, number) == int.from_bytes(
            beacon_root_at(payload.timestamp), "big"), "root in the beacon roots contract")


def at_height(height, increment=1):
    return {"forks": Forks(0, GENESIS_TIME + height * increment), "increment": increment}


# ---- Blob transactions --------------------------------------------------------------------------


def from_block_1(start, height):
    with start(**at_height(height)) as env:
        steps = Blobs(env)
        steps.produce()
        first = steps.send(TARGET_BLOBS)
        steps.produce(TARGET_BLOBS, txs=first)
        full_blocks = blobs_until_price(2) // (MAX_BLOBS - TARGET_BLOBS)
        steps.send(full_blocks + 1, MAX_BLOBS)
        steps.produce(MAX_BLOBS, full_blocks)
        steps.produce(0)  # a blob costs more than the last one pays
        steps.produce(MAX_BLOBS)


def ordering(start, sends, blocks):
    """(count, blobs, account) each, then (blocks, blobs) each."""
    with start() as env:
        steps = Blobs(env)
        for count, blobs, account in sends:
            steps.send(count, blobs, account, blob_fee=100)
        for count, blobs in blocks:
            steps.produce(blobs, count)


def replace(start):
    with start() as env:
        steps = Blobs(env)
        tx = steps.send(1, tip=10**9, fee=10**9, blob_fee=1)[0]
        for i in range(1, 4):
            tx = steps.replace(tx, tip=10**(9 + i), fee=10**(9 + i), blob_fee=100**i)
        steps.produce(1, txs=[tx])


def parallel(start):
    """Ten accounts at the same time, five transactions of six blobs each."""
    with start() as env:
        steps, failures = Blobs(env), []
        txs = [[env.make_tx(BLOB_RECEIVER, account=account, kind=BLOB, blobs=MAX_BLOBS, gas=100000, blob_fee=100)
                for _ in range(5)] for account in range(10)]

        def work(mine):
            rpc = env.node.client.rpc()
            try:
                for tx in mine:
                    rpc.call("eth_sendRawTransaction", ethereum.hex_of(tx.network_form()))
            except Exception as error:  # noqa: BLE001: told by the thread that joins
                failures.append(str(error))
            finally:
                rpc.close()

        workers = [threading.Thread(target=work, args=(mine,)) for mine in txs]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        expect(not failures, "; ".join(failures[:3]))
        steps.produce(MAX_BLOBS)


# ---- Versions -----------------------------------------------------------------------------------


def null_attributes_v3(start):
    """forkchoiceUpdatedV3 without attributes takes a head of Shanghai."""
    with start(**at_height(2)) as env:
        mock = env.mock
        mock.produce(payload_sent=lambda: mock.forkchoice_of(env.node, mock.payload.hash, version=3).is_("VALID"))


def request(start, height, version, change, code):
    """Attributes of the next block, changed, in a version of forkchoiceUpdated that refuses them."""
    with start(**at_height(height)) as env:
        mock = env.mock

        def send():
            attributes = dict(mock.attributes)
            change(attributes)
            mock.forkchoice_of(env.node, None, attributes, version=version).fails(code)

        mock.produce(attributes=send)


def zero_root(attributes):
    attributes["parentBeaconBlockRoot"] = ZERO


def no_root(attributes):
    attributes.pop("parentBeaconBlockRoot", None)


def other_root_other_id(start):
    with start() as env:
        steps, mock = Blobs(env), env.mock
        for root in (ZERO, "0x01" + 62 * "0"):
            txs = steps.send(1, MAX_BLOBS, blob_fee=100)

            def ask():
                answer = mock.forkchoice_of(env.node, None, {**mock.attributes, "parentBeaconBlockRoot": root})
                mock.add_id(env.node, answer.is_("VALID").payload_id)

            steps.produce(MAX_BLOBS, txs=txs, attributes=ask)


def v2_then_v3(start):
    """Two requests on one parent: a second before the fork, and at it."""
    with start(**at_height(1, increment=2)) as env:
        steps, mock = Blobs(env), env.mock
        txs = steps.send(TARGET_BLOBS)

        def ask():
            attributes = {**mock.attributes, "timestamp": hex(int(mock.attributes["timestamp"], 16) - 1)}
            no_root(attributes)
            mock.add_id(env.node, mock.forkchoice_of(env.node, None, attributes).is_("VALID").payload_id)

        steps.produce(TARGET_BLOBS, txs=txs, attributes=ask)


def fetch(start, height, version):
    with start(**at_height(height)) as env:
        mock = env.mock
        mock.produce(requested=lambda: env.node.get_payload(mock.payload_id, version).fails(UNSUPPORTED_FORK))


def new_payload_v3(start, height, code, **change):
    """newPayloadV3 with members that are not its fork's."""
    with start(**at_height(height)) as env:
        mock = env.mock
        mock.produce(payload_sent=lambda: env.node.new_payload(mock.payload.changed(**change), version=3).fails(code))


# ---- Versioned hashes ---------------------------------------------------------------------------


def blob_hash(index, version=1):
    return f"0x{version:02x}" + ethereum.blob(index).hash[1:].hex()


HASHES = {
    "Missing Hash": [blob_hash(i) for i in range(TARGET_BLOBS - 1)],
    "Extra Hash": [blob_hash(i) for i in range(TARGET_BLOBS + 1)],
    "Out of Order": [blob_hash(i) for i in reversed(range(TARGET_BLOBS))],
    "Repeated Hash": [blob_hash(i) for i in (*range(TARGET_BLOBS), TARGET_BLOBS - 1)],
    "Incorrect Hash": [blob_hash(i) for i in (*range(TARGET_BLOBS - 1), TARGET_BLOBS)],
    "Incorrect Version": [blob_hash(i, 1 + i % 2) for i in range(TARGET_BLOBS)],
    "Nil Hashes": None,
    "Empty Hashes": [],
    "Non-Empty Hashes": [blob_hash(0)],
}


def versioned_hashes(start, name, syncing):
    hashes = HASHES[name]
    blobs = 0 if name == "Non-Empty Hashes" else TARGET_BLOBS
    with start() as env:
        steps = Blobs(env)

        def send(node):
            answer = node.new_payload(env.mock.payload.changed(hashes=hashes))
            if hashes is None:
                answer.fails(INVALID_PARAMS)
            else:
                answer.is_("INVALID")

        if syncing:
            steps.produce()  # the second client does not have the parent then
        txs = steps.send(blobs)
        if syncing:
            steps.produce(blobs, txs=txs)
            send(env.start())
        else:
            steps.produce(blobs, txs=txs, payload_sent=lambda: send(env.node))


def wrong_blob_gas(start, gas):
    with start() as env:
        mock = env.mock
        mock.produce(payload_sent=lambda: env.node.new_payload(mock.payload.changed(blobGasUsed=hex(gas))).is_("INVALID"))


# ---- Names --------------------------------------------------------------------------------------


def change_first(name, change):
    def apply(attributes):
        first = attributes["withdrawals"][0]
        first[name] = change(first[name])

    return apply


def one_more(text):
    return hex(int(text, 16) + 1)


def add_withdrawal(attributes):
    attributes["withdrawals"].append({"index": "0x0", "validatorIndex": "0x0", "address": "0x" + 40 * "0", "amount": "0x0"})


ID_CHANGES = {
    "Modify Parent Beacon Root": lambda a: a.update(parentBeaconBlockRoot=engine_cases.plus_one(a["parentBeaconBlockRoot"])),
    "Add Withdrawal": add_withdrawal,
    "Remove Withdrawal": lambda a: a["withdrawals"].pop(0),
    "Modify Withdrawal Amount": change_first("amount", one_more),
    "Modify Withdrawal Index": change_first("index", one_more),
    "Modify Withdrawal Validator": change_first("validatorIndex", one_more),
    "Modify Withdrawal Address": change_first("address", engine_cases.plus_one),
}


def own_cases(add):
    add("Blob Transactions On Block 1, Shanghai Genesis", from_block_1, 1)
    add("Blob Transactions On Block 1, Cancun Genesis", from_block_1, 0)
    add("Blob Transaction Ordering, Single Account, Single Blob", ordering,
        ((5, MAX_BLOBS - 1, 1), (MAX_BLOBS + 1, 1, 1)), ((4, MAX_BLOBS - 1), (2, MAX_BLOBS)))
    add("Blob Transaction Ordering, Single Account, Dual Blob", ordering,
        ((5, MAX_BLOBS - 1, 1), (1, 2, 1), (MAX_BLOBS - 2, 1, 1)), ((5, MAX_BLOBS - 1), (1, MAX_BLOBS)))
    add("Blob Transaction Ordering, Multiple Accounts", ordering,
        ((5, MAX_BLOBS - 1, 1), (5, 1, 2)), ((5, MAX_BLOBS),))
    add("Replace Blob Transactions", replace)
    add("Parallel Blob Transactions", parallel)

    add("ForkchoiceUpdatedV3 Set Head to Shanghai Payload, Null Payload Attributes", null_attributes_v3)
    for name, height, version, change, code in (
            ("V3 To Request Shanghai Payload, Null Beacon Root", 2, 3, no_root, INVALID_ATTRIBUTES),
            ("V3 To Request Shanghai Payload, Non-Null Beacon Root", 2, 3, zero_root, UNSUPPORTED_FORK),
            ("V2 To Request Shanghai Payload, Non-Null Beacon Root", 2, 2, zero_root, INVALID_ATTRIBUTES),
            ("V2 To Request Cancun Payload, Non-Null Beacon Root", 1, 2, zero_root, INVALID_ATTRIBUTES),
            ("V2 To Request Cancun Payload, Missing Beacon Root", 1, 2, no_root, UNSUPPORTED_FORK)):
        add(f"ForkchoiceUpdated{name}", request, height, version, change, code)
    add("ForkchoiceUpdatedV3 Modifies Payload ID on Different Beacon Root", other_root_other_id)
    add("ForkchoiceUpdatedV2 then ForkchoiceUpdatedV3 Valid Payload Building Requests", v2_then_v3)
    add("GetPayloadV3 To Request Shanghai Payload", fetch, 2, 3)
    add("GetPayloadV2 To Request Cancun Payload", fetch, 1, 2)

    zero = bytes(32)
    for name, code, change in (
            ("Nil Data Fields, Nil Versioned Hashes, Nil Beacon Root", INVALID_PARAMS, {}),
            ("Nil ExcessBlobGas, 0x00 BlobGasUsed, Nil Versioned Hashes, Nil Beacon Root", INVALID_PARAMS,
             {"blobGasUsed": "0x0"}),
            ("0x00 ExcessBlobGas, Nil BlobGasUsed, Nil Versioned Hashes, Nil Beacon Root", INVALID_PARAMS,
             {"excessBlobGas": "0x0"}),
            ("Nil Data Fields, Empty Array Versioned Hashes, Nil Beacon Root", INVALID_PARAMS, {"hashes": []}),
            ("Nil Data Fields, Nil Versioned Hashes, Zero Beacon Root", INVALID_PARAMS, {"beacon_root": zero}),
            ("0x00 Data Fields, Empty Array Versioned Hashes, Zero Beacon Root", UNSUPPORTED_FORK,
             {"excessBlobGas": "0x0", "blobGasUsed": "0x0", "hashes": [], "beacon_root": zero})):
        add(f"NewPayloadV3 Before Cancun, {name}", new_payload_v3, 2, code, **change)
    for name, change in (
            ("Nil ExcessBlobGas, 0x00 BlobGasUsed, Empty Array Versioned Hashes, Zero Beacon Root",
             {"remove": ("excessBlobGas",)}),
            ("0x00 ExcessBlobGas, Nil BlobGasUsed, Empty Array Versioned Hashes", {"remove": ("blobGasUsed",)}),
            ("0x00 Blob Fields, Empty Array Versioned Hashes, Nil Beacon Root", {"beacon_root": None})):
        add(f"NewPayloadV3 After Cancun, {name}", new_payload_v3, 1, INVALID_PARAMS, **change)

    for syncing in (False, True):
        for name in HASHES:
            add(f"NewPayloadV3 Versioned Hashes, {name}, Syncing={syncing}", versioned_hashes, name, syncing)
    add("Incorrect BlobGasUsed, Non-Zero on Zero Blobs", wrong_blob_gas, 1)
    add("Incorrect BlobGasUsed, GAS_PER_BLOB on Zero Blobs", wrong_blob_gas, GAS_PER_BLOB)


def variants(add):
    """Cases of engine-api with what Cancun has added."""
    def drop_root(attributes, _):
        no_root(attributes)

    for syncing in (False, True):
        add(f"Invalid PayloadAttributes, Missing BeaconRoot, Syncing={syncing}", engine_cases.invalid_attributes, syncing,
            drop_root, error_on_sync=True)
    for name, change in ID_CHANGES.items():
        add(f"Unique Payload ID, {name}", engine_cases.unique_id, change)
    for field in ("ParentBeaconBlockRoot", "BlobGasUsed", "Blob Count on BlobGasUsed", "ExcessBlobGas", "VersionedHashes",
                  "VersionedHashes Version", "Incomplete VersionedHashes", "Extra VersionedHashes"):
        for syncing in (False, True):
            add(f"Invalid NewPayload, {field}, Syncing={syncing}, EmptyTxs=False, BlobTxs=True",
                engine_cases.invalid_payload, field, syncing, False, BLOB)
    add(f"Build Payload with Invalid ChainID Transaction, {engine_cases.KINDS[BLOB]}", engine_cases.wrong_chain_tx, BLOB)
    add("Payload Build after New Invalid Payload: Invalid ParentBeaconBlockRoot", engine_cases.build_after_invalid,
        "ParentBeaconBlockRoot", BLOB)
    add(f"Suggested Fee Recipient Test, {engine_cases.KINDS[BLOB]}", engine_cases.fee_recipient, BLOB, 1)
    add(f"PrevRandao Opcode Transactions Test, {engine_cases.KINDS[BLOB]}", engine_cases.randao_txs, BLOB)


def cases():
    rows = []

    def add(name, function, *arguments, **named):
        rows.append((name, lambda start: function(start, *arguments, **named)))

    own_cases(add)
    rows.extend(engine_cases.cases(on_cancun=True))
    variants(add)
    return rows
