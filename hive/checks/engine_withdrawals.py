"""Cases of the engine-withdrawals suite that need no p2p: Shanghai at a block, withdrawals in every block behind it."""

import threading

import ethereum
from engine_mock import (GENESIS_TIME, INVALID_ATTRIBUTES, INVALID_PARAMS, PREV_RANDAO_CONTRACT, ZERO, Forks, expect)

WARM_COINBASE = "0x" + 20 * "01"  # stores the gas of a call to the coinbase under NUMBER (EIP-3651)
PUSH0 = "0x" + 20 * "02"          # stores NUMBER under 0 with PUSH0 (EIP-3855)
TARGETS = (WARM_COINBASE, PUSH0)
CODE_ACCOUNTS = {
    WARM_COINBASE[2:]: {"balance": "0x0", "code": "0x5a60006000600060006000" + "4160fff15a90509003601690034355"},
    PUSH0[2:]: {"balance": "0x0", "code": "0x435f55"},
}
WARM_GAS, COLD_GAS = 100, 2600
FIRST_ACCOUNT = 0x1000
SIDE_ACCOUNT_END = (1 << 160) - 1
MAX_INITCODE = 49152  # EIP-3860
WEI_PER_GWEI = 10**9
BODIES_WORKERS, BODIES_REQUESTS = 16, 110


class History:
    """Withdrawals by block, and the balances that follow from them."""

    def __init__(self):
        self.by_block = {}

    def balances(self, block):
        """Wei by address after the block."""
        sums = {}
        for number, withdrawals in self.by_block.items():
            for each in withdrawals if number <= block else ():
                sums[each["address"]] = sums.get(each["address"], 0) + int(each["amount"], 16) * WEI_PER_GWEI
        return sums

    def check(self, node, block, tag):
        for address, balance in self.balances(block).items():
            have = node.balance(address, tag)
            expect(have == balance, f"balance of {address} at {tag}: {have}, want {balance}")
            # All have code that would set slot 0: a withdrawal runs none of it.
            expect(node.storage(address, 0, tag) == 0, f"code of {address} has run")


class Plan:
    """A chain whose fork is at a block."""

    def __init__(self, fork=1, blocks=1, per_block=16, accounts=16, amounts=(1,), txs=16, increment=1, slots=(1, 2)):
        self.fork, self.blocks, self.per_block, self.accounts = fork, blocks, per_block, accounts
        self.amounts, self.txs, self.increment, self.slots = amounts, txs, increment, slots
        self.next_index = 0
        self.history = History()

    def start(self, start):
        codes = {f"{FIRST_ACCOUNT + i:040x}": {"balance": "0x0", "code": "0x600160005500"} for i in range(self.accounts)}
        forks = Forks(GENESIS_TIME + self.fork * self.increment)
        return start(forks=forks, increment=self.increment, more_accounts={**codes, **CODE_ACCOUNTS},
                     slots_to_safe=self.slots[0], slots_to_finalized=self.slots[1])

    def withdrawals(self, first_account=FIRST_ACCOUNT, index=None):
        first = self.next_index if index is None else index
        made = [{"index": hex(i), "validatorIndex": hex(i), "address": f"0x{first_account + i % self.accounts:040x}",
                 "amount": hex(self.amounts[i % len(self.amounts)])} for i in range(first, first + self.per_block)]
        if index is None:
            self.next_index += self.per_block
        return made

    @property
    def before_fork(self):
        return max(self.fork - 1, 0)

    @property
    def last_block(self):
        return self.before_fork + self.blocks


def check_contracts(plan, env):
    if plan.txs < len(TARGETS):
        return
    mock, node = env.mock, env.node
    number = mock.head_number
    is_shanghai = number >= plan.fork
    gas = node.storage(WARM_COINBASE, number)
    expect(gas == (WARM_GAS if is_shanghai else COLD_GAS), f"a call to the coinbase took {gas}")
    expect(node.storage(PUSH0, 0) == (number if is_shanghai else 0), "PUSH0")


def run_chain(plan, env, verify=True, corrupted_hash=False):
    mock, node = env.mock, env.node

    def root_of(block):
        return node.latest(block).get("withdrawalsRoot")

    def wanted_root(number):
        if number < plan.fork:
            return None
        return ethereum.hex_of(ethereum.withdrawals_root(plan.history.by_block.get(number, [])))

    def send_txs():
        for i in range(plan.txs):
            env.send(TARGETS[i % len(TARGETS)], value=1)

    def attributes(**more):
        return {"timestamp": hex(mock.head_time + plan.increment), "prevRandao": ZERO,
                "suggestedFeeRecipient": "0x" + 40 * "0", **more}

    expect(root_of("latest") == wanted_root(0), "withdrawalsRoot of the genesis")

    # Before the fork.
    def before_selected():
        send_txs()
        if verify:
            mock.forkchoice_of(node, None, attributes(withdrawals=[]), version=2).fails(INVALID_ATTRIBUTES)
            mock.forkchoice_of(node, None, attributes(), version=2).is_("VALID")

    def before_built():
        if not verify:
            return
        again = node.get_payload(mock.payload_id, 2).succeeds()
        expect(again["executionPayload"] == mock.payload.data, "getPayloadV2 answers another payload")
        node.new_payload(mock.payload.changed(withdrawals=[]), version=2).fails(INVALID_PARAMS)
        node.new_payload(mock.payload, version=2).is_("VALID")

    mock.produce(plan.before_fork, selected=before_selected, built=before_built,
                 payload_sent=lambda: expect(not verify or root_of("latest") is None, "withdrawalsRoot before the fork"),
                 head_set=lambda: verify and check_contracts(plan, env))

    # At the fork and behind it.
    def selected():
        if verify:
            mock.forkchoice_of(node, None, attributes(), version=2).fails(INVALID_ATTRIBUTES)
        mock.withdrawals = plan.withdrawals()
        plan.history.by_block[mock.head_number + 1] = mock.withdrawals
        send_txs()

    def built():
        if verify:
            # The root of the state is wrong as well; the missing list comes first.
            node.new_payload(mock.payload.changed(remove=("withdrawals",)), version=2).fails(INVALID_PARAMS)
            expect(mock.payload["withdrawals"] == plan.history.by_block[mock.head_number + 1], "other withdrawals built in")

    def balances_are_of(block):
        balances = plan.history.balances(block)
        for address in {each["address"] for each in plan.history.by_block[mock.payload.number]}:
            have, want = node.balance(address), balances.get(address, 0)
            expect(have == want, f"balance of {address} is {have}, want that of block {block}: {want}")

    def payload_sent():
        if verify:
            balances_are_of(mock.payload.number - 1)
        if corrupted_hash:
            node.new_payload(mock.payload.changed(keep_hash=True, blockHash=env.random_hash()), version=2).is_("INVALID")

    def head_set():
        if verify:
            balances_are_of(mock.payload.number)
            expect(root_of("latest") == wanted_root(mock.payload.number), "withdrawalsRoot of the head")
            check_contracts(plan, env)

    mock.produce(plan.blocks, selected=selected, built=built, payload_sent=payload_sent, head_set=head_set)
    if verify:
        for block in range(mock.head_number + 1):
            plan.history.check(node, block, hex(block))
            expect(root_of(hex(block)) == wanted_root(block), f"withdrawalsRoot of block {block}")
        plan.history.check(node, mock.head_number, "latest")


def base(start, plan, **options):
    with plan().start(start) as env:
        made = plan()
        run_chain(made, env, **options)


def block_value(start):
    plan = Plan()
    with plan.start(start) as env:
        mock = env.mock
        run_chain(plan, env, verify=False)
        block = env.node.latest(full=True)
        expect(block["transactions"], "no transactions in the latest block")
        base_fee, value = int(block["baseFeePerGas"], 16), 0
        for raw in mock.payload.txs:
            tx = env.sent[raw]
            value += tx.effective_tip(base_fee) * int(env.node.receipt(tx)["gasUsed"], 16)
        expect(int(mock.envelope["blockValue"], 16) == value, f"blockValue {mock.envelope['blockValue']}, want {hex(value)}")


# ---- Reorgs: a second client builds the side chain ----------------------------------------------


def side_fork_height(plan, split, side_increment):
    """Number of the side chain's first block at or behind the fork's time."""
    at_split = (split - 1) * plan.increment
    height = split
    while plan.fork * plan.increment > at_split + (height - split + 1) * side_increment:
        height += 1
    return height if split <= plan.fork else plan.fork


def reorg(start, plan, depth, side_increment=None):
    plan = plan()
    with plan.start(start) as env:
        mock, first = env.mock, env.node
        second = env.start()
        side_increment = side_increment or plan.increment
        split = plan.last_block + 1 - depth
        side_fork = side_fork_height(plan, split, side_increment)
        side_history, side, side_index = History(), {}, [0]
        side_first_account = SIDE_ACCOUNT_END - plan.accounts

        def side_withdrawals(number):
            made = plan.withdrawals(side_first_account, side_index[0])
            side_index[0] += plan.per_block
            side_history.by_block[number] = made
            return made

        def side_attributes(number):
            parent_time = side[number - 1].timestamp if number > split else mock.head_time
            attributes = {"timestamp": hex(parent_time + side_increment), "prevRandao": env.random_hash(),
                          "suggestedFeeRecipient": env.random_address()}
            if number >= side_fork:
                attributes["withdrawals"] = side_withdrawals(number)
            return attributes

        def build_side(number):
            parent = side[number - 1].hash if number > split else mock.head_hash
            attributes = side_attributes(number)
            answer = second.forkchoice(parent, attributes=attributes).is_("VALID")
            expect(answer.payload_id is not None, "no payload id on the side chain")
            mock.wait()
            side[number] = second.fetch_payload(answer.payload_id, attributes)[0]
            follow(second, side[number])

        def follow(node, payload):
            node.new_payload(payload).is_("VALID", "ACCEPTED")
            node.forkchoice(payload.hash, timestamp=payload.timestamp).is_("VALID")

        def selected():
            number = mock.head_number + 1
            if number >= plan.fork:
                mock.withdrawals = plan.withdrawals()
                plan.history.by_block[number] = mock.withdrawals
                if number < split:
                    side_history.by_block[number] = mock.withdrawals
                    side_index[0] = plan.next_index

        def requested():
            for _ in range(plan.txs):
                tx = env.send(PREV_RANDAO_CONTRACT, value=1, node=first)
                second.ask("eth_sendRawTransaction", ethereum.hex_of(tx.network_form()))  # may be known there

        def built():
            number = mock.head_number + 1
            if number >= split:
                build_side(number)
            else:
                follow(second, mock.payload)

        mock.produce(plan.last_block, selected=selected, requested=requested, built=built)
        height = mock.head_number
        while plan.fork < side_fork and height < plan.last_block + side_fork - plan.fork:
            height += 1
            build_side(height)
        plan.history.check(first, mock.head_number, "latest")
        for number in range(split, height + 1):
            follow(first, side[number])
        side_history.check(first, height, "latest")
        for address, balance in plan.history.balances(min(split, plan.fork) - 1 if split <= plan.fork else split - 1).items():
            expect(first.balance(address) == balance, f"{address} has what only the other chain gave")
        first.forkchoice(mock.head_hash, timestamp=mock.head_time).is_("VALID", valid=mock.head_hash)
        plan.history.check(first, mock.head_number, "latest")


# ---- Init code ----------------------------------------------------------------------------------


def max_initcode(start):
    plan = Plan(fork=2, blocks=2)
    with plan.start(start) as env:
        mock, node = env.mock, env.node

        def creation(length, nonce):
            # JUMPDESTs that end in a return of nothing; its cost grows with the length (EIP-3860).
            return env.make_tx(None, account=1, nonce=nonce, gas=2_000_000, data=b"\x00" * length)

        mock.produce(plan.before_fork)
        mock.produce(built=lambda: expect(not mock.payload.txs, "transactions in the payload"))
        too_long, longest = creation(MAX_INITCODE + 1, 0), creation(MAX_INITCODE, 0)
        node.ask("eth_sendRawTransaction", ethereum.hex_of(too_long.raw)).fails()
        expect(node.call("eth_getTransactionByHash", ethereum.hex_of(too_long.hash)) is None, "the refused one is known")

        def built():
            expect(mock.payload.txs == [ethereum.hex_of(longest.raw)], "the longest init code allowed is not built in")
            payload = mock.payload.changed(transactions=[ethereum.hex_of(too_long.raw)])
            node.new_payload(payload).is_("INVALID", valid=mock.payload.parent)

        mock.produce(selected=lambda: node.send(longest), built=built)


# ---- Bodies -------------------------------------------------------------------------------------

FULL = lambda: Plan(fork=17, blocks=16, per_block=16, accounts=1024, slots=(32, 64))  # noqa: E731
UNKNOWN = 1000  # stands for a hash that nobody has


def body_of(payload):
    return {"transactions": payload.txs, "withdrawals": payload.data.get("withdrawals")}


def check_range(env, node, first, count):
    answer = node.engine.answer("engine_getPayloadBodiesByRangeV1", hex(first), hex(count))
    if first < 1 or count < 1:
        code = answer.get("error", {}).get("code")
        expect(code == INVALID_PARAMS, f"range {first}, {count}: {str(answer)[:300]}")
        return
    last = env.mock.head_number
    want = [body_of(env.mock.history[number]) for number in range(first, min(first + count - 1, last) + 1)]
    expect(answer.get("result") == want, f"bodies of {first}, {count}: {str(answer)[:300]}")


def check_hashes(env, node, numbers):
    history = env.mock.history
    hashes = [history[number].hash if number in history else env.random_hash() for number in numbers]
    answer = node.engine.answer("engine_getPayloadBodiesByHashV1", hashes)
    want = [body_of(history[number]) if number in history else None for number in numbers]
    expect(answer.get("result") == want, f"bodies of {numbers}: {str(answer)[:300]}")


def bodies(start, plan, ranges=(), hashes=(), sidechain=False):
    plan = plan()
    with plan.start(start) as env:
        mock, node = env.mock, env.node
        run_chain(plan, env, verify=False)
        if sidechain:
            shuffled = lambda withdrawals: env.rng.sample(withdrawals, len(withdrawals))  # noqa: E731
            attributes = {"timestamp": hex(mock.head_time + plan.increment), "prevRandao": ZERO,
                          "suggestedFeeRecipient": "0x" + 40 * "0", "withdrawals": plan.withdrawals()}
            following = mock.build(node, attributes)
            head = mock.history[mock.head_number]
            sibling = head.changed(withdrawals=shuffled(head["withdrawals"]))
            child = following.changed(parentHash=sibling.hash, withdrawals=shuffled(following["withdrawals"]))
            for payload in (sibling, child):
                node.new_payload(payload).is_("VALID", valid=payload.hash)
        for first, count in ranges:
            check_range(env, node, first, count)
        for numbers in hashes:
            check_hashes(env, node, numbers)


def bodies_parallel(start):
    """Many workers ask at the same time; each has a connection of its own."""
    plan = FULL()
    with plan.start(start) as env:
        run_chain(plan, env, verify=False)
        failures = []
        # Made before the threads begin: the source of chance is not theirs.
        asked = [[(env.rng.randrange(1, 33), env.rng.randrange(1, 33)) for _ in range(BODIES_REQUESTS)]
                 for _ in range(BODIES_WORKERS)]

        def work(ranges):
            engine = env.node.client.engine_rpc()
            try:
                for at, (first, count) in enumerate(ranges):
                    numbers = range(first, min(first + count - 1, env.mock.head_number) + 1)
                    want = [body_of(env.mock.history[number]) for number in numbers]
                    if at % 2:
                        have = engine.call("engine_getPayloadBodiesByRangeV1", hex(first), hex(count))
                    else:
                        have = engine.call("engine_getPayloadBodiesByHashV1",
                                           [env.mock.history[number].hash for number in numbers])
                    expect(have == want, f"bodies of {first}, {count} differ")
            except Exception as error:  # noqa: BLE001: told by the thread that joins
                failures.append(str(error))
            finally:
                engine.close()

        workers = [threading.Thread(target=work, args=(ranges,)) for ranges in asked]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        expect(not failures, "; ".join(failures[:3]))


# ---- Names --------------------------------------------------------------------------------------

RANGES = ((1, 4), (1, 8), (1, 1), (4, 1), (16, 2), (17, 16), (1, 32), (31, 3), (32, 2), (33, 1), (33, 32), (32, 0), (0, 1))
REORG_SLOTS = (32, 64)


def cases():
    rows = []

    def add(name, function, *arguments, **named):
        rows.append((name, lambda start: function(start, *arguments, **named)))

    add("Withdrawals Fork On Genesis", base, lambda: Plan(fork=0, blocks=2))
    for block in (1, 2, 3):
        add(f"Withdrawals Fork on Block {block}", base, lambda block=block: Plan(fork=block))
    add("Withdraw to a single account", base, lambda: Plan(per_block=64, accounts=1))
    add("Withdraw to two accounts", base, lambda: Plan(per_block=64, accounts=2))
    add("Withdraw many accounts", base, lambda: Plan(blocks=4, per_block=80, accounts=1024))
    add("Withdraw zero amount", base, lambda: Plan(per_block=64, accounts=2, amounts=(0, 1)))
    add("Empty Withdrawals", base, lambda: Plan(per_block=0))
    add("Corrupted Block Hash Payload (INVALID)", base, lambda: Plan(), corrupted_hash=True)
    add("GetPayloadV2 Block Value", block_value)

    def early(**more):
        return lambda: Plan(fork=1, blocks=16, slots=REORG_SLOTS, **more)

    def late(**more):
        return lambda: Plan(fork=8, blocks=8, per_block=128, slots=REORG_SLOTS, **more)

    add("Withdrawals Fork on Block 1 - 1 Block Re-Org", reorg, early(), 1)
    add("Withdrawals Fork on Block 1 - 8 Block Re-Org NewPayload", reorg, early(), 8)
    add("Withdrawals Fork on Block 8 - 10 Block Re-Org NewPayload", reorg, late(), 10)
    add("Withdrawals Fork on Canonical Block 8 / Side Block 7 - 10 Block Re-Org", reorg, late(), 10, 2)
    add("Withdrawals Fork on Canonical Block 8 / Side Block 9 - 10 Block Re-Org", reorg, late(increment=2), 10, 1)
    add("Max Initcode Size", max_initcode)
    add("GetPayloadBodiesByRange", bodies, FULL, ranges=RANGES)
    add("GetPayloadBodiesByRange (Sidechain)", bodies, FULL, ranges=((33, 1), (32, 2)), sidechain=True)
    add("GetPayloadBodiesByRange (Empty Transactions/Withdrawals)", bodies,
        lambda: Plan(fork=2, blocks=1, per_block=0, txs=0, slots=REORG_SLOTS), ranges=((1, 1), (2, 1), (1, 2)))
    mixed = (32, UNKNOWN, 31, UNKNOWN, 30, UNKNOWN)
    add("GetPayloadBodiesByHash", bodies, FULL, hashes=((1, 16, 2, 17), tuple(range(1, 33)), mixed, (UNKNOWN,) * 6))
    add("GetPayloadBodiesByHash (Empty Transactions/Withdrawals)", bodies,
        lambda: Plan(fork=17, blocks=16, per_block=0, txs=0, slots=REORG_SLOTS), hashes=((16, 17),))
    add("GetPayloadBodies Parallel", bodies_parallel)
    add("GetPayloadBodies After Sync", bodies, FULL, ranges=((16, 2), (31, 3)), hashes=((1, 16, 2, 17), mixed))
    return rows
