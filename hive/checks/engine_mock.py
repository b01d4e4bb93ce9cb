"""A stand-in for a consensus client: it drives clients through the Engine API as hive's engine simulator does, block by
block, and lets a case look and interfere at each step."""

import contextlib
import copy
import hashlib
import json
import random
import time

import ethereum
import harness

ZERO = "0x" + 64 * "0"
GENESIS_TIME = 0x1234
CHAIN_ID = 7
ACCOUNTS = [ethereum.Account(i) for i in range(1000)]
ACCOUNT_BALANCE = 0x123450000000000000000
PREV_RANDAO_CONTRACT = "0x" + 37 * "0" + "316"  # stores PREVRANDAO under NUMBER
SSTORE_CONTRACT = "0x" + 37 * "0" + "317"       # stores 1 under the first word of the data
BEACON_ROOTS = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"  # EIP-4788
BEACON_ROOTS_CODE = ("0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff"
                     "810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500")
# Those of EIP-2935, 7002 and 7251; code that stops at once returns no requests.
SYSTEM_CONTRACTS = ("0x0000f90827f1c53a10cb7a02335b175320002935", "0x00000961ef480eb55e80d19ad83579a64c007002",
                    "0x0000bbddc7ce488642fb579f8b00f3a590007251")
INVALID_PARAMS, UNKNOWN_PAYLOAD, INVALID_FORKCHOICE, INVALID_ATTRIBUTES, UNSUPPORTED_FORK = (
    -32602, -38001, -38002, -38003, -38005)
ANY = object()
NEVER = 1 << 62


def beacon_root_at(timestamp):
    return hashlib.sha256(timestamp.to_bytes(8, "big")).digest()


def random_bytes(rng, count):
    return bytes(rng.randrange(256) for _ in range(count))


class Forks:
    """Times of the forks from Shanghai on, and the versions of the calls that follow from them."""

    def __init__(self, shanghai=NEVER, cancun=NEVER, prague=NEVER, osaka=NEVER):
        self.shanghai, self.cancun, self.prague, self.osaka = shanghai, cancun, prague, osaka

    def version(self, timestamp):
        """Of forkchoiceUpdated with attributes; up to Cancun of the others too."""
        return 3 if timestamp >= self.cancun else 2 if timestamp >= self.shanghai else 1

    def payload_version(self, timestamp):
        return 4 if timestamp >= self.prague else self.version(timestamp)

    def fetch_version(self, timestamp):
        return 5 if timestamp >= self.osaka else self.payload_version(timestamp)

    def environment(self):
        environment = {"HIVE_CHAIN_ID": str(CHAIN_ID), "HIVE_NETWORK_ID": str(CHAIN_ID), "HIVE_NODETYPE": "full",
                       "HIVE_TERMINAL_TOTAL_DIFFICULTY": "0", "HIVE_MERGE_BLOCK_ID": "0", "HIVE_CHECK_LIVE_PORT": "8551"}
        for fork in ("HOMESTEAD", "TANGERINE", "SPURIOUS", "BYZANTIUM", "CONSTANTINOPLE", "PETERSBURG", "ISTANBUL",
                     "MUIR_GLACIER", "BERLIN", "LONDON"):
            environment[f"HIVE_FORK_{fork}"] = "0"
        for name, at in (("SHANGHAI", self.shanghai), ("CANCUN", self.cancun), ("PRAGUE", self.prague),
                         ("OSAKA", self.osaka)):
            if at < NEVER:
                environment[f"HIVE_{name}_TIMESTAMP"] = str(at)
        return environment


def genesis(forks, more_accounts=()):
    """The simulator's genesis as text."""
    alloc = {account.address.hex(): {"balance": hex(ACCOUNT_BALANCE)} for account in ACCOUNTS}
    alloc[PREV_RANDAO_CONTRACT[2:]] = {"balance": "0x0", "code": "0x444355"}
    alloc[SSTORE_CONTRACT[2:]] = {"balance": "0x0", "code": "0x600160003555"}
    if forks.cancun < NEVER:
        alloc[BEACON_ROOTS[2:]] = {"balance": "0x0", "nonce": "0x1", "code": BEACON_ROOTS_CODE}
    if forks.prague < NEVER:
        for address in SYSTEM_CONTRACTS:
            alloc[address[2:]] = {"balance": "0x0", "nonce": "0x1", "code": "0x00"}
    alloc.update(more_accounts)
    return json.dumps({
        "nonce": "0x0", "timestamp": hex(GENESIS_TIME), "gasLimit": "0x2fefd8", "difficulty": "0x0",
        "extraData": "0x" + 64 * "0" + "658bdf435d810c91414ec09147daa6db62406379" + 130 * "0",
        "mixHash": ZERO, "coinbase": "0x" + 40 * "0", "alloc": alloc})


class Payload:
    """An execution payload and what goes with it in newPayload."""

    def __init__(self, data, beacon_root=None, hashes=None, requests=None):
        self.data, self.beacon_root, self.hashes, self.requests = data, beacon_root, hashes, requests

    def __getitem__(self, name):
        return self.data[name]

    @property
    def hash(self):
        return self.data["blockHash"]

    @property
    def parent(self):
        return self.data["parentHash"]

    @property
    def number(self):
        return int(self.data["blockNumber"], 16)

    @property
    def timestamp(self):
        return int(self.data["timestamp"], 16)

    @property
    def txs(self):
        return self.data["transactions"]

    def parameters(self, version):
        if version < 3:
            return [self.data]
        root = None if self.beacon_root is None else ethereum.hex_of(self.beacon_root)
        return [self.data, self.hashes, root] + ([self.requests] if version >= 4 else [])

    def changed(self, *, keep_hash=False, beacon_root=ANY, hashes=ANY, remove=(), **members):
        """A copy with other members, and with the hash that it then has."""
        data = {name: value for name, value in {**self.data, **members}.items() if name not in remove}
        other = Payload(data, self.beacon_root if beacon_root is ANY else beacon_root,
                        self.hashes if hashes is ANY else hashes, self.requests)
        if not keep_hash:
            data["blockHash"] = ethereum.hex_of(ethereum.payload_hash(data, other.beacon_root))
        return other


class Answer:
    """What a call was answered, and what is expected of it."""

    def __init__(self, method, answer):
        self.method = method
        self.error = answer.get("error")
        self.result = answer.get("result")

    def fail(self, wanted):
        have = json.dumps(self.error if self.error is not None else self.result)
        raise harness.Failure(f"{self.method}: want {wanted}, have {have[:600]}")

    @property
    def status(self):
        if self.error is not None or not isinstance(self.result, dict):
            self.fail("a status")
        return self.result.get("payloadStatus", self.result)

    @property
    def payload_id(self):
        return (self.result or {}).get("payloadId")

    def fails(self, code=None):
        if self.error is None or (code is not None and self.error.get("code") != code):
            self.fail("an error" if code is None else f"error {code}")

    def succeeds(self):
        if self.error is not None:
            self.fail("no error")
        return self.result

    def is_(self, *names, valid=ANY):
        """One of the statuses; `valid` is the latestValidHash that must be there."""
        status = self.status
        if status["status"] not in names:
            self.fail(" or ".join(names))
        if valid is not ANY and status["latestValidHash"] != valid:
            self.fail(f"latestValidHash {valid}")
        return self

    def has_no_id(self):
        if self.payload_id is not None:
            self.fail("payloadId null")


class Node:
    """A client that the mock drives. One thread."""

    def __init__(self, client, forks):
        self.client, self.forks = client, forks
        self.connect()

    def connect(self):
        self.eth, self.engine = self.client.rpc(), self.client.engine_rpc()

    def kill_and_start(self):
        self.eth.close()
        self.engine.close()
        self.client.kill_and_start()
        self.connect()

    def ask(self, method, *params):
        return Answer(method, self.eth.answer(method, *params))

    def call(self, method, *params):
        return self.eth.call(method, *params)

    def forkchoice(self, head, safe=ZERO, finalized=ZERO, attributes=None, version=None, timestamp=0):
        """`timestamp` decides on the version where there are no attributes."""
        if version is None:
            version = self.forks.version(int(attributes["timestamp"], 16) if attributes else timestamp)
        method = f"engine_forkchoiceUpdatedV{version}"
        state = {"headBlockHash": head, "safeBlockHash": safe, "finalizedBlockHash": finalized}
        return Answer(method, self.engine.answer(method, state, attributes))

    def new_payload(self, payload, version=None):
        version = version or self.forks.payload_version(payload.timestamp)
        method = f"engine_newPayloadV{version}"
        return Answer(method, self.engine.answer(method, *payload.parameters(version)))

    def get_payload(self, identifier, version):
        method = f"engine_getPayloadV{version}"
        return Answer(method, self.engine.answer(method, identifier))

    def fetch_payload(self, identifier, attributes, version=None):
        """(payload, envelope) of a building process."""
        version = version or self.forks.fetch_version(int(attributes["timestamp"], 16))
        envelope = self.get_payload(identifier, version).succeeds()
        data = envelope if version == 1 else envelope["executionPayload"]
        payload = Payload(data)
        if version >= 3:
            payload.beacon_root = ethereum.data_of(attributes["parentBeaconBlockRoot"])
            payload.hashes = ["0x01" + hashlib.sha256(ethereum.data_of(each)).hexdigest()[2:]
                              for each in envelope["blobsBundle"]["commitments"]]
            payload.requests = envelope.get("executionRequests")
        return payload, envelope

    def send(self, tx):
        answer = self.ask("eth_sendRawTransaction", ethereum.hex_of(tx.network_form()))
        if answer.succeeds() != ethereum.hex_of(tx.hash):
            answer.fail(f"hash {tx.hash.hex()}")

    def latest(self, tag="latest", full=False):
        return self.call("eth_getBlockByNumber", tag, full)

    def receipt(self, tx):
        return self.call("eth_getTransactionReceipt", ethereum.hex_of(tx.hash))

    def balance(self, address, block="latest"):
        return int(self.call("eth_getBalance", address, block), 16)

    def storage(self, address, key, block="latest"):
        return int(self.call("eth_getStorageAt", address, "0x" + f"{key:064x}", block), 16)


def expect(condition, text):
    if not condition:
        raise harness.Failure(text)


class Environment(contextlib.ExitStack):
    """Clients and mock of one case."""

    def __init__(self, launch, forks, *, increment=1, slots_to_safe=1, slots_to_finalized=2, tx_kind=None,
                 more_accounts=(), build_seconds=0.0, seed=1):
        super().__init__()
        self.launch, self.forks, self.increment = launch, forks, increment
        self.slots_to_safe, self.slots_to_finalized = slots_to_safe, slots_to_finalized
        self.tx_kind = tx_kind
        self.build_seconds = build_seconds
        self.genesis = genesis(forks, more_accounts)
        self.rng = random.Random(seed)
        self.nonces = {}
        self.sent = {}  # raw form to transaction
        self.next_blob = 0
        self.mock = Mock(self)
        self.node = self.start()
        self.mock.begin(self.node)

    def start(self):
        """A client more; the mock does not drive it yet."""
        client = self.enter_context(harness.Client(self.launch, {"genesis.json": self.genesis}, self.forks.environment(),
                                                   watch="engine", poll_seconds=0.005))
        return Node(client, self.forks)

    def start_and_drive(self):
        node = self.start()
        self.mock.nodes.append(node)
        return node

    def random_hash(self):
        return ethereum.hex_of(random_bytes(self.rng, 32))

    def random_address(self):
        return ethereum.hex_of(random_bytes(self.rng, 20))

    def make_tx(self, to=None, *, account=1, kind=None, blobs=0, nonce=None, **fields):
        """The account's next transaction."""
        if nonce is None:
            nonce = self.nonces.get(account, 0)
            self.nonces[account] = nonce + 1
        if kind is None:
            # Where a case leaves the type open, the two plain ones take turns.
            kind = self.tx_kind if self.tx_kind is not None else (ethereum.LEGACY, ethereum.DYNAMIC)[nonce % 2]
        if kind == ethereum.BLOB:
            count = blobs or 1
            fields["blobs"] = [ethereum.blob(self.next_blob + i) for i in range(count)]
            self.next_blob += count
        tx = ethereum.Tx(ACCOUNTS[account], kind=kind, chain_id=CHAIN_ID, nonce=nonce,
                         to=ethereum.data_of(to) if to else b"", **fields)
        self.sent[ethereum.hex_of(tx.raw)] = tx
        return tx

    def send(self, to=None, *, node=None, **fields):
        tx = self.make_tx(to, **fields)
        (node or self.mock.producer or self.node).send(tx)
        return tx


class Mock:
    """The consensus client's side: one block at a time. Names of the steps that a case may hook into:
    selected, attributes, requested, built, payload_sent, head_set."""

    def __init__(self, environment):
        self.environment = environment
        self.nodes = []
        self.producer = None
        self.history = {}  # number to payload
        self.randaos = {}
        self.heads = []
        self.ids = {}
        self.head_hash, self.head_time, self.head_number = None, GENESIS_TIME, 0
        self.safe = self.finalized = ZERO
        self.attributes = self.payload = self.envelope = None
        self.payload_id = None
        self.withdrawals = None
        self.fee_recipient = None
        self.turn = 0

    def begin(self, node):
        self.nodes.append(node)
        self.head_hash = node.latest("0x0")["hash"]
        node.forkchoice(self.head_hash).is_("VALID", valid=self.head_hash)

    def forkchoice_of(self, node, head=None, attributes=None, **more):
        """The mock's present state, or its safe and finalized with another head."""
        return node.forkchoice(head or self.head_hash, self.safe, self.finalized, attributes,
                               **{"timestamp": self.head_time, **more})

    def add_id(self, node, identifier):
        known = self.ids.setdefault(id(node), set())
        expect(identifier not in known, f"payload id {identifier} is given again")
        known.add(identifier)

    def default_withdrawals(self):
        first = 10 * self.head_number
        return [{"index": hex(first + i), "validatorIndex": hex(i), "address": f"0x{i:02x}" + 38 * "0", "amount": hex(100)}
                for i in range(10)]

    def make_attributes(self):
        rng = self.environment.rng
        timestamp = self.head_time + self.environment.increment
        attributes = {"timestamp": hex(timestamp), "prevRandao": ethereum.hex_of(random_bytes(rng, 32)),
                      "suggestedFeeRecipient": self.fee_recipient or ethereum.hex_of(random_bytes(rng, 20))}
        self.fee_recipient = None
        version = self.environment.forks.version(timestamp)
        if version >= 2:
            attributes["withdrawals"] = self.default_withdrawals() if self.withdrawals is None else self.withdrawals
        if version >= 3:
            attributes["parentBeaconBlockRoot"] = ethereum.hex_of(beacon_root_at(timestamp))
        self.withdrawals = None
        return attributes

    def build(self, node, attributes, head=None, **more):
        """A payload of another building process."""
        answer = self.forkchoice_of(node, head, attributes, **more).is_("VALID")
        expect(answer.payload_id is not None, "no payload id")
        self.wait()
        return node.fetch_payload(answer.payload_id, attributes)[0]

    def wait(self):
        if self.environment.build_seconds:
            time.sleep(self.environment.build_seconds)

    def produce(self, count=1, **hooks):
        for _ in range(count):
            self.produce_one(hooks)

    def produce_one(self, hooks):
        def step(name):
            hook = hooks.get(name)
            if hook is not None:
                hook()

        followers = [node for node in self.nodes if node.latest()["hash"] == self.head_hash]
        expect(followers, "no client has the head")
        self.turn += 1
        self.producer = producer = followers[self.turn % len(followers)]
        step("selected")
        self.attributes = self.make_attributes()
        number = self.head_number + 1
        self.randaos[number] = self.attributes["prevRandao"]
        step("attributes")
        answer = self.forkchoice_of(producer, None, self.attributes).is_("VALID", valid=self.head_hash)
        expect(answer.payload_id is not None, "no payload id")
        self.add_id(producer, answer.payload_id)
        self.payload_id = answer.payload_id
        step("requested")
        self.wait()
        self.payload, self.envelope = producer.fetch_payload(self.payload_id, self.attributes)
        self.check_built(number)
        step("built")
        payload = copy.deepcopy(self.payload)
        answers = [node.new_payload(payload) for node in self.nodes]
        for answer in answers:
            answer.is_("VALID", "SYNCING", "ACCEPTED")
        expect(any(answer.status == {"status": "VALID", "latestValidHash": payload.hash, "validationError": None}
                   for answer in answers), f"no client finds the payload valid: {[a.result for a in answers]}")
        self.history[number] = payload
        step("payload_sent")
        self.heads.append(payload.hash)
        self.head_hash, self.head_time, self.head_number = payload.hash, payload.timestamp, number
        safe, finalized = self.environment.slots_to_safe, self.environment.slots_to_finalized
        self.safe = self.heads[-1 - safe] if len(self.heads) > safe else ZERO
        self.finalized = self.heads[-1 - finalized] if len(self.heads) > finalized else ZERO
        self.send_head()
        step("head_set")
        self.check_header(number)

    def send_head(self):
        for node in self.nodes:
            answer = self.forkchoice_of(node)
            if answer.status["status"] == "SYNCING":
                continue
            answer.is_("VALID", valid=self.head_hash).has_no_id()
            expect(answer.status["validationError"] is None, "a validation error with VALID")

    def check_built(self, number):
        built, attributes = self.payload, self.attributes
        for name, want in (("timestamp", attributes["timestamp"]), ("prevRandao", attributes["prevRandao"]),
                           ("feeRecipient", attributes["suggestedFeeRecipient"]), ("parentHash", self.head_hash),
                           ("blockNumber", hex(number))):
            expect(built[name] == want, f"payload: {name} is {built[name]}, want {want}")

    def check_header(self, number):
        """As the mock does, of clients that follow."""
        for node in self.nodes:
            block = node.latest(hex(number))
            if block is None:
                continue
            expect(block["hash"] == self.head_hash, f"block {number} is {block['hash']}, want {self.head_hash}")
            expect(block["uncles"] == [] and block["difficulty"] == "0x0", "uncles or difficulty")
            expect(block["mixHash"] == self.randaos[number], "mixHash is not prevRandao")
            expect(int(block["nonce"], 16) == 0 and len(block["extraData"]) <= 66, "nonce or extraData")
