"""Cases of the engine-api suite that need no p2p. Each is a function of `start`, which makes the environment; the list
at the end gives them their names. They run on Paris and, in the cancun suite, again on Cancun."""

import copy

import ethereum
from engine_mock import (ACCOUNT_BALANCE, GENESIS_TIME, INVALID_FORKCHOICE, PREV_RANDAO_CONTRACT, SSTORE_CONTRACT,
                         UNSUPPORTED_FORK, ZERO, Forks, beacon_root_at, expect)
from ethereum import BLOB, DYNAMIC, LEGACY

KINDS = {LEGACY: "LegacyTransactions", DYNAMIC: "DynamicFeeTransactions", BLOB: "BlobTransactions"}
BLOB_GAS = 131072
NOBODY = "0x" + 40 * "0"


def flipped_last(text):
    """The last byte x becomes 255 - x."""
    return f"{text[:-2]}{255 - int(text[-2:], 16):02x}"


def with_extra(payload, parent=None):
    """A sibling with other extra data."""
    return payload.changed(extraData="0x01", **({"parentHash": parent} if parent else {}))


# ---- Hashes -------------------------------------------------------------------------------------


def bad_hash(start, syncing, sidechain):
    with start() as env:
        mock, node = env.mock, env.node
        mock.produce(5)
        altered = []

        def send():
            payload = mock.payload.changed(keep_hash=True, blockHash=flipped_last(mock.payload.hash))
            if syncing:
                unknown = env.random_hash()
                node.forkchoice(unknown, mock.head_hash, mock.head_hash, timestamp=mock.head_time).is_("SYNCING")
                payload.data["parentHash"] = mock.head_hash if sidechain else unknown
            elif sidechain:
                payload.data["parentHash"] = mock.history[mock.head_number].parent
            altered.append(payload)
            node.new_payload(payload).is_("INVALID", "INVALID_BLOCK_HASH", valid=None)

        mock.produce(built=send)
        mock.produce(built=lambda: node.new_payload(mock.payload.changed(parentHash=altered[0].hash)).is_(
            "ACCEPTED", "INVALID", "SYNCING"))


def parent_is_block(start, syncing):
    with start() as env:
        mock, node = env.mock, env.node
        mock.produce(5)

        def send():
            parent = env.random_hash() if syncing else mock.payload.parent
            payload = mock.payload.changed(keep_hash=True, parentHash=parent, blockHash=parent)
            node.new_payload(payload).is_("INVALID", "INVALID_BLOCK_HASH", valid=None)

        mock.produce(built=send)


# ---- What eth_ answers --------------------------------------------------------------------------


def rpc_tag(start, what):
    with start() as env:
        mock, node = env.mock, env.node
        if what in ("safe", "finalized"):
            answer = node.ask("eth_getBlockByNumber", what, False)
            expect(answer.error is not None or answer.result is None, f"{what} before it was set: {answer.result}")
        mock.produce(5)
        sent = []

        def head_is(tag, hash_):
            expect(node.latest(tag)["hash"] == hash_, f"{tag} is {node.latest(tag)['hash']}, want {hash_}")

        def built():
            head_is("latest", mock.head_hash)
            expect(int(node.call("eth_blockNumber"), 16) == mock.head_number, "eth_blockNumber moved by newPayload")
            expect(node.receipt(sent[0]) is None, "a receipt before forkchoiceUpdated")

        def head_set():
            head_is("latest", mock.head_hash)
            if what in ("safe", "finalized"):
                head_is(what, mock.safe if what == "safe" else mock.finalized)
            expect(node.receipt(sent[0])["transactionHash"] == ethereum.hex_of(sent[0].hash), "no receipt at the head")

        hooks = {"selected": lambda: sent.append(env.send(NOBODY, value=1))}
        if what == "payload":
            hooks |= {"built": built, "payload_sent": built}
        else:
            hooks["head_set"] = head_set
        mock.produce(**hooks)


# ---- Fork choice --------------------------------------------------------------------------------


def inconsistent_forkchoice(start, field):
    with start() as env:
        mock, node = env.mock, env.node
        canonical, other = [], []

        def side():
            payload = with_extra(mock.payload, other[-1].hash if other else None)
            node.new_payload(payload).is_("VALID", "ACCEPTED")
            other.append(payload)
            canonical.append(mock.payload)

        mock.produce(3, built=side)
        state = [canonical[2].hash, canonical[1].hash, canonical[0].hash]
        at = ("Head", "Safe", "Finalized").index(field)
        state[at] = other[2 - at].hash
        node.forkchoice(*state, timestamp=mock.head_time).fails(INVALID_FORKCHOICE)
        expect(node.latest()["hash"] == mock.head_hash, "a refused forkchoice moved the head")
        mock.forkchoice_of(node).is_("VALID")


def unknown_hash(start, field):
    with start() as env:
        mock, node = env.mock, env.node
        mock.produce(5)
        unknown = env.random_hash()
        if field == "Head":
            attributes = mock.make_attributes()
            mock.forkchoice_of(node, unknown).is_("SYNCING", valid=None).has_no_id()
            mock.forkchoice_of(node, unknown, attributes).is_("SYNCING", valid=None).has_no_id()
            return

        def send():
            state = [mock.payload.hash, mock.safe, mock.finalized]
            state[("Head", "Safe", "Finalized").index(field)] = unknown
            node.forkchoice(*state, timestamp=mock.payload.timestamp).fails()
            attributes = {**mock.attributes, "timestamp": hex(mock.payload.timestamp + 1)}
            node.forkchoice(*state, attributes).fails()

        mock.produce(payload_sent=send)


def invalid_attributes(start, syncing, change, error_on_sync=False):
    """`change(attributes, parent time)` spoils them."""
    with start() as env:
        mock, node = env.mock, env.node
        mock.produce(5)

        def send():
            attributes = {**mock.attributes, "timestamp": hex(mock.payload.timestamp + 1)}
            version = env.forks.version(mock.payload.timestamp + 1)
            change(attributes, mock.payload.timestamp)
            if syncing:
                answer = mock.forkchoice_of(node, env.random_hash(), attributes, version=version)
                # Revisions of the suite differ in whether attributes without a member are looked at first.
                if error_on_sync and answer.error is not None:
                    return
                answer.is_("SYNCING").has_no_id()
                return
            mock.forkchoice_of(node, mock.payload.hash, attributes, version=version).fails()
            expect(node.latest()["hash"] == mock.payload.hash, "the head has not moved")

        mock.produce(payload_sent=send)


def zero_time(attributes, _):
    attributes["timestamp"] = "0x0"


def parent_time(attributes, parent):
    attributes["timestamp"] = hex(parent)


def unique_id(start, change):
    with start() as env:
        mock, node = env.mock, env.node

        def other():
            attributes = copy.deepcopy(mock.attributes)
            change(attributes)
            answer = mock.forkchoice_of(node, None, attributes).is_("VALID")
            mock.add_id(node, answer.payload_id)

        mock.produce(attributes=other)


def plus_one(text, digits=2):
    """The first byte one higher."""
    first = (int(text[2:4], 16) + 1) % 256
    return f"0x{first:02x}{text[4:]}"


ID_CHANGES = {
    "Increase Timestamp": lambda a: a.update(timestamp=hex(int(a["timestamp"], 16) + 1)),
    "Modify Random": lambda a: a.update(prevRandao=plus_one(a["prevRandao"])),
    "Modify SuggestedFeeRecipient": lambda a: a.update(suggestedFeeRecipient=plus_one(a["suggestedFeeRecipient"])),
}


def early_upgrade(start):
    """The next fork's version for a time before it."""
    forks = Forks(0, GENESIS_TIME + 2)
    with start(forks=forks, increment=2) as env:
        mock, node = env.mock, env.node

        def send():
            attributes = {**mock.attributes, "timestamp": hex(int(mock.attributes["timestamp"], 16) - 1)}
            mock.forkchoice_of(node, None, attributes, version=3).fails(UNSUPPORTED_FORK)

        mock.produce(attributes=send)


# ---- Execution ----------------------------------------------------------------------------------


def has_txs(env, at_least=1):
    expect(len(env.mock.payload.txs) >= at_least, f"{len(env.mock.payload.txs)} transactions were built in, want {at_least}")


def re_execute(start):
    with start() as env:
        mock = env.mock
        mock.produce(10, selected=lambda: env.send(data=b"", value=0), built=lambda: has_txs(env))
        for number in range(1, 11):
            payload = mock.history[number]
            env.node.new_payload(payload).is_("VALID", valid=payload.hash)


def in_order(start):
    with start() as env:
        mock = env.mock
        mock.produce()
        recipient, included = env.random_address(), [0]

        def count():
            has_txs(env, 10)
            included[0] += len(mock.payload.txs)

        mock.produce(10, selected=lambda: [env.send(recipient, value=1000) for _ in range(20)], built=count)
        expect(env.node.balance(recipient) == 1000 * included[0], "balance on the first client")
        second = env.start()
        head = [mock.head_hash] * 3
        second.forkchoice(*head, timestamp=mock.head_time).is_("SYNCING", valid=None)
        for number in range(1, mock.head_number + 1):
            payload = mock.history[number]
            second.new_payload(payload).is_("VALID", valid=payload.hash)
        second.forkchoice(*head, timestamp=mock.head_time).is_("VALID", valid=mock.head_hash)
        expect(second.balance(recipient) == 1000 * included[0], "balance on the second client")
        mock.nodes.append(second)
        mock.produce()
        expect(second.latest()["hash"] == mock.head_hash, "the second client does not follow")


def many_siblings(start, first):
    with start() as env:
        mock = env.mock
        mock.produce(5)

        def siblings():
            has_txs(env)
            for _ in range(80):
                payload = mock.payload.changed(prevRandao=env.random_hash())
                env.node.new_payload(payload).is_("VALID", valid=payload.hash)

        mock.produce(selected=lambda: env.send(env.random_address()), **{"payload_sent" if first else "built": siblings})


def payload_while_syncing(start):
    with start() as env:
        mock, first = env.mock, env.node
        second = env.start_and_drive()
        mock.produce(5)
        recipient = env.random_address()
        mock.nodes.remove(first)
        hooks = {"selected": lambda: env.send(recipient)}
        mock.produce(**hooks, built=lambda: has_txs(env))
        previous = mock.payload
        mock.forkchoice_of(first).is_("SYNCING")

        def send():
            payload = mock.payload
            first.new_payload(payload).is_("ACCEPTED", "SYNCING", valid=None)
            attributes = {**mock.attributes, "prevRandao": ZERO, "suggestedFeeRecipient": NOBODY}
            first.forkchoice(payload.hash, payload.hash, payload.hash, attributes).is_("SYNCING").has_no_id()
            first.new_payload(previous).is_("VALID", valid=previous.hash)
            first.new_payload(payload).is_("VALID", valid=payload.hash)
            first.forkchoice(payload.hash, payload.hash, payload.hash, timestamp=payload.timestamp).is_("VALID")

        mock.produce(**hooks, built=send)
        mock.nodes = [first]
        mock.produce()
        expect(second is not first, "one client")


def missing_forkchoice(start):
    with start() as env:
        mock = env.mock
        genesis_hash = env.node.latest()["hash"]
        mock.produce(5, selected=lambda: env.send(env.random_address()), built=lambda: has_txs(env))
        second = env.start()
        for number in range(1, 6):
            payload = mock.history[number]
            second.new_payload(payload).is_("VALID", valid=payload.hash)
        expect(second.latest()["hash"] == genesis_hash, "newPayload moved the head")
        second.forkchoice(mock.history[5].hash, mock.history[4].hash, mock.history[3].hash,
                          timestamp=mock.head_time).is_("VALID", valid=mock.head_hash)
        expect(second.latest()["hash"] == mock.head_hash, "the head has not moved")


# ---- Invalid payloads ---------------------------------------------------------------------------


def spoil_tx(change):
    """The payload's first transaction changed, and signed again, as its only one."""

    def spoil(env, payload):
        tx = env.sent[payload.txs[0]]
        changed = tx.changed(**change(tx))
        return payload.changed(transactions=[ethereum.hex_of(changed.raw)])

    return spoil


def number_plus(name, by):
    return lambda env, payload: payload.changed(**{name: hex(int(payload[name], 16) + by)})


def last_byte(name):
    return lambda env, payload: payload.changed(**{name: flipped_last(payload[name])})


def bad_version(hashes):
    return ["0x02" + hashes[0][4:]] + hashes[1:]


# Field to what makes a payload invalid in it; its block hash is right for what it has.
FIELDS = {
    "ParentHash": last_byte("parentHash"),
    "StateRoot": last_byte("stateRoot"),
    "ReceiptsRoot": last_byte("receiptsRoot"),
    "Number": number_plus("blockNumber", -1),
    "GasLimit": lambda env, payload: payload.changed(gasLimit=hex(2 * int(payload["gasLimit"], 16))),
    "GasUsed": number_plus("gasUsed", -1),
    "Timestamp": number_plus("timestamp", -1),
    "PrevRandao": lambda env, payload: payload.changed(prevRandao=env.random_hash()),
    "Incomplete Transactions": lambda env, payload: payload.changed(transactions=[]),
    "Transaction Signature": spoil_tx(lambda tx: {"signature": (tx.signature[0], tx.signature[1] - 1, tx.signature[2])}),
    "Transaction Nonce": spoil_tx(lambda tx: {"nonce": tx.fields["nonce"] - 1 if tx.fields["nonce"] else 1 << 33}),
    "Transaction GasPrice": spoil_tx(lambda tx: {"fee": 0, "tip": 0}),
    "Transaction GasTipCapPrice": spoil_tx(lambda tx: {"tip": 2 * tx.fields["fee"]}),
    "Transaction Gas": spoil_tx(lambda tx: {"gas": 0}),
    "Transaction Value": spoil_tx(lambda tx: {"value": ACCOUNT_BALANCE + 1}),
    "Transaction ChainID": spoil_tx(lambda tx: {"chain_id": tx.fields["chain_id"] + 1}),
    "ParentBeaconBlockRoot": lambda env, payload: payload.changed(
        beacon_root=bytes([255 - payload.beacon_root[0]]) + payload.beacon_root[1:]),
    "BlobGasUsed": number_plus("blobGasUsed", 1),
    "Blob Count on BlobGasUsed": number_plus("blobGasUsed", BLOB_GAS),
    "ExcessBlobGas": number_plus("excessBlobGas", 1),
    "VersionedHashes": lambda env, payload: payload.changed(hashes=[plus_one_last(payload.hashes[0])] + payload.hashes[1:]),
    "VersionedHashes Version": lambda env, payload: payload.changed(hashes=bad_version(payload.hashes)),
    "Incomplete VersionedHashes": lambda env, payload: payload.changed(hashes=payload.hashes[:-1]),
    "Extra VersionedHashes": lambda env, payload: payload.changed(hashes=payload.hashes + [env.random_hash()]),
}
# What a client may find without the parent.
SEEN_WHILE_SYNCING = {"Transaction ChainID", "BlobGasUsed", "Blob Count on BlobGasUsed", "VersionedHashes",
                      "VersionedHashes Version", "Incomplete VersionedHashes", "Extra VersionedHashes"}
HASH_FIELDS = {"VersionedHashes", "VersionedHashes Version", "Incomplete VersionedHashes", "Extra VersionedHashes"}


def plus_one_last(text):
    return f"{text[:-2]}{(int(text[-2:], 16) + 1) % 256:02x}"


def invalid_payload(start, field, syncing, empty=False, kind=None):
    with start(tx_kind=kind) as env:
        mock, first = env.mock, env.node
        second = env.start_and_drive() if syncing else None
        hooks = {} if empty else {"selected": lambda: env.send(PREV_RANDAO_CONTRACT, value=1)}
        mock.produce(5, **hooks)
        if syncing:
            mock.nodes.remove(first)
            mock.produce(**hooks)
            mock.forkchoice_of(first).is_("SYNCING")
        seen_early = field in SEEN_WHILE_SYNCING
        may_be_null = field in HASH_FIELDS
        altered = []

        def invalid_with(answer, valid):
            answer.is_("INVALID")
            if not (may_be_null and answer.status["latestValidHash"] is None):
                answer.is_("INVALID", valid=valid)

        def send():
            if not empty:
                has_txs(env)
            payload = FIELDS[field](env, mock.payload)
            altered.append(payload)
            answer = first.new_payload(payload)
            if syncing or field == "ParentHash":
                if seen_early and answer.status["status"] == "INVALID":
                    expect(answer.status["latestValidHash"] is None, "latestValidHash without a known parent")
                else:
                    answer.is_("ACCEPTED", "SYNCING", valid=None)
            else:
                invalid_with(answer, payload.parent)
            state = [payload.hash] * 3
            attributes = {**mock.attributes, "timestamp": hex(payload.timestamp + 1), "prevRandao": ZERO,
                          "suggestedFeeRecipient": NOBODY}
            answer = first.forkchoice(*state, attributes)
            if field in HASH_FIELDS:
                answer.is_("INVALID", "ACCEPTED", "SYNCING")
            elif not syncing or seen_early:
                answer.is_("INVALID", "ACCEPTED", "SYNCING").has_no_id()
            else:
                answer.is_("SYNCING").has_no_id()
            if syncing:
                previous = mock.history[mock.head_number]
                first.new_payload(previous).is_("VALID", valid=previous.hash)
                answer = first.new_payload(payload)
                if field == "ParentHash":
                    answer.is_("ACCEPTED", "SYNCING", valid=None)
                elif field == "Number" and answer.status["status"] == "SYNCING":
                    answer.is_("SYNCING", valid=None)
                else:
                    invalid_with(answer, previous.hash)
                if field != "ParentHash":
                    first.forkchoice(*state, timestamp=payload.timestamp).is_("SYNCING", "INVALID")
            if field not in HASH_FIELDS:
                answer = first.ask("eth_getBlockByHash", payload.hash, False)
                expect(answer.error is not None or answer.result is None, "the invalid block can be fetched")

        mock.produce(**hooks, built=send)
        if syncing:
            payload = mock.history[mock.head_number]
            first.new_payload(payload).is_("VALID", valid=payload.hash)
            mock.forkchoice_of(first).is_("VALID", valid=payload.hash)
            mock.nodes.append(first)

        def child():
            if mock.payload.parent == altered[0].hash:
                return  # the fault was in the call, not in the block
            answer = first.new_payload(mock.payload.changed(parentHash=altered[0].hash))
            answer.is_("ACCEPTED", "SYNCING", "INVALID")
            if answer.status["status"] != "INVALID":
                answer.is_("ACCEPTED", "SYNCING", valid=None)
            elif answer.status["latestValidHash"] is not None or not may_be_null:
                answer.is_("INVALID", valid=altered[0].parent)

        mock.produce(built=child)
        expect(second is None or second in mock.nodes, "the second client is lost")


def build_after_invalid(start, field, kind=None):
    with start(tx_kind=kind) as env:
        mock = env.mock
        second = env.start_and_drive()
        mock.produce(5)

        def send():
            other = second if mock.producer is env.node else env.node
            attributes = {**mock.attributes, "prevRandao": ZERO, "suggestedFeeRecipient": NOBODY}
            payload = FIELDS[field](env, mock.build(other, attributes))
            for node in (env.node, second):
                node.new_payload(payload).is_("INVALID", valid=mock.head_hash)

        mock.produce(attributes=send)


def wrong_chain_tx(start, kind):
    with start() as env:
        mock, sent = env.mock, []
        mock.produce(5)

        def send():
            tx = env.make_tx(PREV_RANDAO_CONTRACT, kind=kind, account=0, value=1)
            wrong = tx.changed(chain_id=tx.fields["chain_id"] + 1)
            sent.append(ethereum.hex_of(wrong.raw))
            env.node.ask("eth_sendRawTransaction", ethereum.hex_of(wrong.network_form()))  # refused or not built in

        mock.produce(attributes=send)
        expect(sent[0] not in mock.payload.txs, "a transaction of another chain is in the payload")


def invalid_ancestor(start, index, empty):
    """A side chain of ten whose `index`-th is invalid, sent one by one."""
    with start() as env:
        mock, node = env.mock, env.node
        mock.produce(5)
        side = [mock.history[5]]

        def make():
            payload = with_extra(mock.payload, side[-1].hash)
            if len(side) == index:
                payload = FIELDS["StateRoot"](env, payload)
            side.append(payload)

        hooks = {} if empty else {"selected": lambda: env.send(PREV_RANDAO_CONTRACT, value=1)}
        # Only roots of blocks whose parent has the same state hold on the side chain: its blocks are sent as they are.
        mock.produce(10, **hooks, built=make)

        def send():
            for i in range(1, 11):
                payload = side[i]
                answer = node.new_payload(payload)
                head = node.forkchoice(payload.hash, payload.hash, timestamp=payload.timestamp)
                if i < index:
                    answer.is_("VALID")
                    head.is_("VALID", valid=payload.hash)
                elif i == index:
                    answer.is_("INVALID", valid=side[i - 1].hash)
                elif answer.status["status"] == "INVALID":
                    answer.is_("INVALID", valid=side[index - 1].hash)
                else:
                    answer.is_("ACCEPTED", "SYNCING", valid=None)
            mock.forkchoice_of(node).succeeds()

        mock.produce(built=send)


# ---- Reorgs -------------------------------------------------------------------------------------


def randao_is(node, want, number):
    have = node.storage(PREV_RANDAO_CONTRACT, number)
    expect(have == int(want, 16), f"prevRandao of block {number} is {have:064x}, want {want}")


def sidechain_reorg(start):
    with start() as env:
        mock, node = env.mock, env.node
        mock.produce(5)
        env.send(PREV_RANDAO_CONTRACT)

        def reorg():
            timestamp = mock.payload.timestamp + 1
            attributes = {**mock.attributes, "timestamp": hex(timestamp), "prevRandao": env.random_hash()}
            if "parentBeaconBlockRoot" in attributes:
                attributes["parentBeaconBlockRoot"] = ethereum.hex_of(beacon_root_at(timestamp))
            other = mock.build(node, attributes)
            expect(other.txs, "the alternative payload has no transaction")
            node.new_payload(other).is_("VALID", valid=other.hash)
            mock.forkchoice_of(node, other.hash).is_("VALID")
            randao_is(node, attributes["prevRandao"], other.number)

        mock.produce(payload_sent=reorg)
        randao_is(node, mock.randaos[mock.head_number], mock.head_number)


def back_from_syncing(start):
    """A side chain whose first blocks are withheld is announced; the canonical one goes on."""
    with start(slots_to_safe=32, slots_to_finalized=64) as env:
        mock, node = env.mock, env.node
        mock.produce(5)
        side = []

        def make():
            side.append(with_extra(mock.payload, side[-1].hash if side else None))

        mock.produce(10, selected=lambda: env.send(PREV_RANDAO_CONTRACT), built=make)

        def send():
            tail = side[-1]
            node.new_payload(tail).is_("SYNCING", "ACCEPTED", valid=None)
            node.forkchoice(tail.hash, timestamp=tail.timestamp).is_("SYNCING", valid=None)

        mock.produce(built=send)
        expect(node.latest()["hash"] == mock.head_hash, "not back on the canonical chain")


def to_validated_side_payload(start):
    with start(slots_to_safe=32, slots_to_finalized=64) as env:
        mock, node = env.mock, env.node
        mock.produce(5)
        side = []

        def make():
            # The first sibling has the canonical block's parent, each further one the sibling before it.
            payload = with_extra(mock.payload, side[-1].hash if side else None)
            node.new_payload(payload).is_("VALID", valid=payload.hash)
            side.append(payload)

        mock.produce(5, built=make)
        base = side[3]
        attributes = {**mock.attributes, "timestamp": hex(base.timestamp + 1), "prevRandao": env.random_hash()}
        if "parentBeaconBlockRoot" in attributes:
            attributes["parentBeaconBlockRoot"] = ethereum.hex_of(beacon_root_at(base.timestamp + 1))
        answer = node.forkchoice(base.hash, attributes=attributes).is_("VALID", valid=base.hash)
        expect(answer.payload_id is not None, "no payload id on the side chain")
        mock.wait()
        payload = node.fetch_payload(answer.payload_id, attributes)[0]
        expect(payload.parent == base.hash, f"built on {payload.parent}, want {base.hash}")
        node.new_payload(payload).is_("VALID", valid=payload.hash)
        node.forkchoice(payload.hash, timestamp=payload.timestamp).is_("VALID", valid=payload.hash)
        expect(node.latest()["hash"] == payload.hash, "the head is not on the side chain")
        mock.forkchoice_of(node).is_("VALID")
        mock.produce()


def safe_reorg(start):
    with start() as env:
        mock, node = env.mock, env.node
        mock.produce(1)
        side = []

        def make():
            payload = with_extra(mock.payload, side[-1].hash if side else None)
            node.new_payload(payload).is_("VALID", valid=payload.hash)
            side.append(payload)

        mock.produce(2, built=make)

        def reorg():
            node.forkchoice(side[1].hash, side[0].hash, mock.history[1].hash, timestamp=side[1].timestamp).is_(
                "VALID", valid=side[1].hash)
            for tag, want in (("latest", side[1].hash), ("safe", side[0].hash), ("finalized", mock.history[1].hash)):
                expect(node.latest(tag)["hash"] == want, f"{tag} is {node.latest(tag)['hash']}, want {want}")
            mock.forkchoice_of(node).is_("VALID")

        reorg()
        for tag, want in (("latest", mock.head_hash), ("safe", mock.safe), ("finalized", mock.finalized)):
            expect(node.latest(tag)["hash"] == want, f"{tag} is {node.latest(tag)['hash']}, want {want}")
        mock.produce()


def tx_reorg(start, out=False, other_block=False, payload_again=False, back_in=False):
    with start() as env:
        mock, node = env.mock, env.node
        mock.produce(5)
        for i in range(5):
            sent, other = [], []

            def broadcast():
                if out or back_in:
                    attributes = {**mock.attributes, "prevRandao": env.random_hash()}
                    other.append(mock.build(node, attributes))
                    expect(not other[0].txs, "a payload has transactions before there are any")
                sent.append(env.send(SSTORE_CONTRACT, data=bytes(31) + bytes([i])))
                expect(node.receipt(sent[0]) is None, "a receipt of what is not in a block")

            def built():
                expect(ethereum.hex_of(sent[0].raw) in mock.payload.txs, "the transaction is not in the payload")
                if other_block:
                    other.append(with_extra(mock.payload))

            def head_set():
                receipt = node.receipt(sent[0])
                expect(receipt and receipt["blockHash"] == mock.head_hash, f"receipt at the head: {receipt}")
                node.new_payload(other[0]).is_("VALID", valid=other[0].hash)
                mock_safe = mock.safe if mock.safe != mock.head_hash else ZERO
                node.forkchoice(other[0].hash, mock_safe, mock.finalized, timestamp=mock.head_time).is_("VALID")
                expect(node.latest()["hash"] == other[0].hash, "the head has not moved to the sibling")
                receipt = node.receipt(sent[0])
                if other_block:
                    expect(receipt and receipt["blockHash"] == other[0].hash, f"receipt on the sibling: {receipt}")
                else:
                    expect(receipt is None, f"receipt of what was reorganized out: {receipt}")
                if back_in:
                    # The pool has it again: the next block on the sibling takes it.
                    timestamp = other[0].timestamp + 1
                    attributes = {**mock.attributes, "timestamp": hex(timestamp)}
                    if "parentBeaconBlockRoot" in attributes:
                        attributes["parentBeaconBlockRoot"] = ethereum.hex_of(beacon_root_at(timestamp))
                    again = mock.build(node, attributes, head=other[0].hash)
                    expect(ethereum.hex_of(sent[0].raw) in again.txs, "the transaction did not come back into a block")
                    node.new_payload(again).is_("VALID", valid=again.hash)
                    node.forkchoice(again.hash, mock_safe, mock.finalized, timestamp=timestamp).is_("VALID")
                    receipt = node.receipt(sent[0])
                    expect(receipt and receipt["blockHash"] == again.hash, f"receipt after it came back: {receipt}")
                if payload_again:
                    node.new_payload(mock.payload).is_("VALID", valid=mock.payload.hash)
                mock.send_head()
                receipt = node.receipt(sent[0])
                expect(receipt and receipt["blockHash"] == mock.head_hash, f"receipt after the way back: {receipt}")

            mock.produce(attributes=broadcast, built=built, payload_sent=lambda: expect(
                node.receipt(sent[0]) is None, "a receipt before forkchoiceUpdated"), head_set=head_set)


def back_to_canonical(start, depth, side, txs):
    with start(slots_to_safe=32, slots_to_finalized=64) as env:
        mock, node = env.mock, env.node
        mock.produce(5)
        base = mock.head_hash
        send = {"selected": lambda: [env.send(NOBODY, value=1) for _ in range(txs)]}
        if not side:
            mock.produce(depth, head_set=lambda: (
                node.forkchoice(base, base, base, timestamp=mock.head_time).succeeds(), mock.send_head()))
        else:
            made = []
            mock.produce(attributes=lambda: made.append(mock.build(
                node, {**mock.attributes, "prevRandao": env.random_hash()})))
            mock.produce(depth - 1, **send)

            def execute_side():
                node.forkchoice(base, timestamp=mock.head_time).is_("VALID", valid=base)
                node.new_payload(made[0]).is_("VALID", valid=made[0].hash)

            mock.produce(built=execute_side)
        expect(node.latest()["hash"] == mock.head_hash, "the head is not the latest payload")
        mock.produce()


# ---- Fees and randomness ------------------------------------------------------------------------


def fee_recipient(start, kind, count):
    with start(tx_kind=kind) as env:
        mock, node = env.mock, env.node
        mock.produce()
        recipient, to = env.random_address(), env.random_address()
        txs = [env.send(to) for _ in range(count)]
        mock.fee_recipient = recipient
        mock.produce()
        block = node.latest(full=True)
        expect(len(block["transactions"]) == count, f"{len(block['transactions'])} transactions, want {count}")
        expect(block["miner"] == recipient, "another fee recipient")
        base_fee = int(block["baseFeePerGas"], 16)
        tips = sum(tx.effective_tip(base_fee) * int(node.receipt(tx)["gasUsed"], 16) for tx in txs)
        expect(node.balance(recipient) == tips, f"balance {node.balance(recipient)}, want {tips}")
        mock.fee_recipient = recipient
        mock.produce()
        expect(node.balance(recipient) == tips, "an empty block changed the balance")


def randao_txs(start, kind):
    with start(tx_kind=kind) as env:
        mock = env.mock
        mock.produce()
        first = mock.head_number + 1
        mock.produce(10, selected=lambda: env.send(PREV_RANDAO_CONTRACT))
        for number in range(first, mock.head_number + 1):
            randao_is(env.node, mock.randaos[number], number)


# ---- Names --------------------------------------------------------------------------------------


def flags(**values):
    return ", ".join(f"{name}={value}" for name, value in values.items())


def cases(on_cancun):
    """[(name, function of start)]."""
    rows = []

    def add(name, function, *arguments, **named):
        rows.append((name, lambda start: function(start, *arguments, **named)))

    both = (False, True)
    for syncing in both:
        for side in both:
            add(f"Bad Hash on NewPayload ({flags(Syncing=syncing, Sidechain=side)})", bad_hash, syncing, side)
    for syncing in both:
        add(f"ParentHash equals BlockHash on NewPayload, {flags(Syncing=syncing)}", parent_is_block, syncing)
    for what, name in (("payload", "Latest Block on NewPayload"), ("head", "Latest Block on HeadBlockHash Update"),
                       ("safe", "Safe Block on SafeBlockHash Update"),
                       ("finalized", "Finalized Block on FinalizedBlockHash Update")):
        add(f"RPC: {name}", rpc_tag, what)
    for field in ("Head", "Safe", "Finalized"):
        add(f"Inconsistent {field} in ForkchoiceState", inconsistent_forkchoice, field)
        add(f"Unknown {field}BlockHash", unknown_hash, field)
    for name, change in (("Zero timestamp", zero_time), ("Parent timestamp", parent_time)):
        for syncing in both:
            add(f"Invalid PayloadAttributes, {name}, {flags(Syncing=syncing)}", invalid_attributes, syncing, change)
    for name, change in ID_CHANGES.items():
        add(f"Unique Payload ID, {name}", unique_id, change)
    if on_cancun:
        add("ForkchoiceUpdated Version on Payload Request: Early upgrade", early_upgrade)
    add("Re-Execute Payload", re_execute)
    add("In-Order Consecutive Payload Execution", in_order)
    add("Multiple New Payloads Extending Canonical Chain, Set Head to First Payload Received", many_siblings, True)
    add("Multiple New Payloads Extending Canonical Chain, Wait for Canonical Payload", many_siblings, False)
    add("Valid NewPayload->ForkchoiceUpdated on Syncing Client", payload_while_syncing)
    add("NewPayload with Missing ForkchoiceUpdated", missing_forkchoice)
    for field in ("ParentHash", "StateRoot", "ReceiptsRoot", "Number", "GasLimit", "GasUsed", "Timestamp", "PrevRandao",
                  "Incomplete Transactions"):
        for syncing in both:
            for empty in both if field == "StateRoot" else (False,):
                add(f"Invalid NewPayload, {field}, {flags(Syncing=syncing, EmptyTxs=empty, DynFeeTxs=False)}",
                    invalid_payload, field, syncing, empty)
    for field in ("Signature", "Nonce", "GasPrice", "GasTipCapPrice", "Gas", "Value", "ChainID"):
        for syncing in both:
            for kind in (DYNAMIC,) if field == "GasTipCapPrice" else (LEGACY, DYNAMIC):
                add(f"Invalid NewPayload, Transaction {field}, "
                    f"{flags(Syncing=syncing, EmptyTxs=False, DynFeeTxs=kind == DYNAMIC)}",
                    invalid_payload, f"Transaction {field}", syncing, False, kind)
    add("Payload Build after New Invalid Payload: Invalid StateRoot", build_after_invalid, "StateRoot")
    for kind in (LEGACY, DYNAMIC):
        add(f"Build Payload with Invalid ChainID Transaction, {KINDS[kind]}", wrong_chain_tx, kind)
    for index in (1, 9, 10):
        for empty in both:
            add(f"Invalid Missing Ancestor ReOrg, StateRoot, {flags(EmptyTxs=empty)}, Invalid P{index}", invalid_ancestor,
                index, empty)
    add("Sidechain Reorg", sidechain_reorg)
    add("Re-Org Back to Canonical Chain From Syncing Chain", back_from_syncing)
    add("Re-org to Previously Validated Sidechain Payload", to_validated_side_payload)
    add("Safe Re-Org to Side Chain", safe_reorg)
    add("Transaction Re-Org, Re-Org Out", tx_reorg, out=True)
    add("Transaction Re-Org, Re-Org to Different Block", tx_reorg, other_block=True)
    add("Transaction Re-Org, New Payload on Revert Back", tx_reorg, other_block=True, payload_again=True)
    add("Transaction Re-Org, Re-Org Back In", tx_reorg, back_in=True)
    add("Re-Org Back into Canonical Chain, Depth=5", back_to_canonical, 5, False, 1)
    add("Re-Org Back into Canonical Chain, Depth=10, Execute Side Payload on Re-Org", back_to_canonical, 10, True, 50)
    for kind in (LEGACY, DYNAMIC):
        add(f"Suggested Fee Recipient Test, {KINDS[kind]}", fee_recipient, kind, 20)
    for kind in (LEGACY, DYNAMIC):
        add(f"PrevRandao Opcode Transactions Test, {KINDS[kind]}", randao_txs, kind)
    return rows
