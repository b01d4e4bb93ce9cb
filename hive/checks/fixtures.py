"""Fixtures of execution-spec-tests and what hive's consume simulators make of them: networks as HIVE_ variables,
genesis files, and the exceptions that a client's texts stand for."""

import dataclasses
import json
import re

# ---- Networks ---------------------------------------------------------------------------------

# Forks by block: network's name, the variables that it adds, in order of activation.
BLOCK_FORKS = (
    ("Frontier", ()),
    ("Homestead", ("FORK_HOMESTEAD",)),
    ("EIP150", ("FORK_TANGERINE",)),
    ("EIP158", ("FORK_SPURIOUS",)),
    ("Byzantium", ("FORK_BYZANTIUM",)),
    ("Constantinople", ("FORK_CONSTANTINOPLE",)),
    ("ConstantinopleFix", ("FORK_PETERSBURG",)),
    ("Istanbul", ("FORK_ISTANBUL",)),
    ("Berlin", ("FORK_MUIR_GLACIER", "FORK_BERLIN")),
    ("London", ("FORK_LONDON",)),
    ("ArrowGlacier", ("FORK_ARROW_GLACIER",)),
    ("Paris", ("FORK_GRAY_GLACIER", "FORK_MERGE")),
)
TIME_FORKS = ("Shanghai", "Cancun", "Prague", "Osaka", "BPO1", "BPO2", "BPO3", "BPO4", "BPO5", "Amsterdam", "Bogota")
NAMES = [name for name, _ in BLOCK_FORKS] + list(TIME_FORKS)
ALIASES = {"Merge": "Paris", "Petersburg": "ConstantinopleFix"}
NEVER = "2000"  # block of the forks that a ruleset does not have
TRANSITION = re.compile(r"(\w+?)To(\w+?)At(Time15k|5|DiffC0000)$")
LONDON, PARIS, AMSTERDAM = (NAMES.index(name) for name in ("London", "Paris", "Amsterdam"))
DIFFICULTY_C0000 = 0xC0000


class UnknownNetwork(Exception):
    """A network that there is no ruleset for."""


def index_of(name):
    name = ALIASES.get(name, name)
    if name not in NAMES:
        raise UnknownNetwork(name)
    return NAMES.index(name)


def _with_parents(index):
    """Forks from genesis on. The blob parameter forks between Osaka and Amsterdam stand beside the line: a network has
    those up to its own, and Amsterdam has the first two."""
    names = NAMES[:index + 1]
    if index >= AMSTERDAM:
        names = [name for name in names if name not in ("BPO3", "BPO4", "BPO5")]
    return names


def environment_of(network, config=None, chain_id=None):
    """HIVE_ variables of a network, with the blob parameters and chain id of the fixture's `config`."""
    config = config or {}
    environment = {"HIVE_FORK_DAO_VOTE": "1", "HIVE_NODETYPE": "full"}
    transition = TRANSITION.match(network)
    if network == "HomesteadToDaoAt5":
        first, last, at = index_of("Homestead"), index_of("Homestead"), "5"
        environment["HIVE_FORK_DAO_BLOCK"] = "5"
    elif transition:
        first, last, at = index_of(transition[1]), index_of(transition[2]), transition[3]
    else:
        first = last = index_of(network)
        at = None
    from_genesis = set(_with_parents(first))
    # Behind EIP150 it would contradict the order of the forks.
    if last < NAMES.index("EIP150") and "HIVE_FORK_DAO_BLOCK" not in environment:
        environment["HIVE_FORK_DAO_BLOCK"] = NEVER
    for name, variables in BLOCK_FORKS:
        index = NAMES.index(name)
        for variable in variables:
            if name in from_genesis:
                environment["HIVE_" + variable] = "0"
            elif index <= last and at == "5":
                environment["HIVE_" + variable] = "5"
            elif index > last or at != "DiffC0000":
                environment["HIVE_" + variable] = NEVER
    if last >= PARIS:
        total = DIFFICULTY_C0000 if at == "DiffC0000" else 0
        environment["HIVE_TERMINAL_TOTAL_DIFFICULTY"] = str(total)
    # Without a terminal difficulty the ruleset is proof of work; a merge block means nothing then.
    for name in _with_parents(last):
        if name in TIME_FORKS:
            environment[f"HIVE_{name.upper()}_TIMESTAMP"] = "0" if name in from_genesis else "15000"
    for name, blobs in config.get("blobSchedule", {}).items():
        for key, variable in (("target", "TARGET"), ("max", "MAX"), ("baseFeeUpdateFraction", "BASE_FEE_UPDATE_FRACTION")):
            environment[f"HIVE_{name.upper()}_BLOB_{variable}"] = str(int(blobs[key], 0))
    identifier = str(chain_id if chain_id is not None else int(config.get("chainid", "0x1"), 0))
    environment["HIVE_CHAIN_ID"] = environment["HIVE_NETWORK_ID"] = identifier
    return environment


# ---- Genesis ----------------------------------------------------------------------------------


def genesis_text(header, accounts):
    """/genesis.json of the simulators: the header's members as they are, `alloc`, no config."""
    alloc = {address.removeprefix("0x"): account for address, account in accounts.items()}
    return json.dumps({**header, "alloc": alloc}, separators=(",", ":"))


def header_of_group(group):
    """Genesis header of a pre_alloc file of engine-x tests: its `environment`, the rest as in other tests."""
    environment = group["environment"]
    header = {"nonce": "0x0", "extraData": "0x00", "difficulty": "0x0",
              "coinbase": environment["currentCoinbase"], "gasLimit": environment["currentGasLimit"],
              "timestamp": environment["currentTimestamp"]}
    for name, source in (("mixHash", "currentRandom"), ("baseFeePerGas", "currentBaseFee"),
                         ("excessBlobGas", "currentExcessBlobGas"), ("blobGasUsed", "currentBlobGasUsed")):
        if environment.get(source) is not None:
            header[name] = environment[source]
    if "mixHash" in header:
        header["mixHash"] = "0x" + header["mixHash"].removeprefix("0x").rjust(64, "0")
    return header


# ---- Files ------------------------------------------------------------------------------------


@dataclasses.dataclass
class Fixture:
    name: str  # file relative to what was asked for, and the test's own name
    file: object
    test: dict


def files_under(paths):
    """JSON files of the given files and folders, in order, without groups of pre-allocations."""
    for path in paths:
        if path.is_file():
            yield path
            continue
        for each in sorted(path.rglob("*.json")):
            if "pre_alloc" not in each.parts and ".meta" not in each.parts:
                yield each


def fixtures_of(file, key):
    """Tests of a file that have the member `key`; none where the file holds something else."""
    content = json.loads(file.read_text())
    if not isinstance(content, dict):
        return
    for name, test in content.items():
        if isinstance(test, dict) and key in test:
            yield Fixture(name, file, test)


def find_group(file, identifier):
    """pre_alloc/<identifier>.json in a folder above the test."""
    for folder in file.resolve().parents:
        path = folder / "pre_alloc" / f"{identifier}.json"
        if path.is_file():
            return path
    raise FileNotFoundError(f"no pre_alloc/{identifier}.json above {file}")


# ---- Exceptions -------------------------------------------------------------------------------

# By client: exception (without its class) to a pattern that its text has. Names that are missing cannot be told from
# the text of that client.
GETH = {
    "SENDER_NOT_EOA": r"sender not an eoa",
    "GAS_ALLOWANCE_EXCEEDED": r"gas limit reached",
    "GAS_LIMIT_EXCEEDS_MAXIMUM": r"transaction gas limit too high",
    "INSUFFICIENT_ACCOUNT_FUNDS": r"insufficient funds for gas \* price \+ value",
    "INTRINSIC_GAS_TOO_LOW": r"intrinsic gas too low",
    "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST": r"insufficient gas for floor data gas cost",
    "INITCODE_SIZE_EXCEEDED": r"max initcode size exceeded",
    "NONCE_MISMATCH_TOO_LOW": r"nonce too low",
    "NONCE_MISMATCH_TOO_HIGH": r"nonce too high",
    "NONCE_IS_MAX": r"nonce has max value",
    "INSUFFICIENT_MAX_FEE_PER_GAS": r"max fee per gas less than block base fee",
    "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS": r"max priority fee per gas higher than max fee per gas",
    "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS": r"max fee per blob gas less than block blob gas fee",
    "TYPE_1_TX_PRE_FORK": r"transaction type not supported",
    "TYPE_2_TX_PRE_FORK": r"transaction type not supported",
    "TYPE_3_TX_PRE_FORK": r"transaction type not supported",
    "TYPE_4_TX_PRE_FORK": r"transaction type not supported",
    "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH": r"has invalid hash version",
    "TYPE_3_TX_BLOB_COUNT_EXCEEDED": r"blob transaction has too many blobs",
    "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED": r"blob gas used \d+ exceeds maximum allowance \d+",
    "BLOB_GAS_USED_ABOVE_LIMIT": r"blob gas used \d+ exceeds maximum allowance \d+",
    "TYPE_3_TX_ZERO_BLOBS": r"blob transaction missing blob hashes",
    "TYPE_3_TX_WITH_FULL_BLOBS": r"unexpected blob sidecar in transaction at index",
    "TYPE_3_TX_CONTRACT_CREATION": r"input string too short for common\.Address, decoding into \(types\.BlobTx\)\.To",
    "TYPE_4_TX_CONTRACT_CREATION": r"input string too short for common\.Address, decoding into \(types\.SetCodeTx\)\.To",
    "TYPE_4_EMPTY_AUTHORIZATION_LIST": r"EIP-7702 transaction with empty auth list",
    "INCORRECT_BLOB_GAS_USED": r"blob gas used mismatch",
    "INCORRECT_EXCESS_BLOB_GAS": r"invalid excessBlobGas",
    "INVALID_VERSIONED_HASHES": r"invalid number of versionedHashes",
    "INVALID_REQUESTS": r"invalid requests hash",
    "INVALID_DEPOSIT_EVENT_LAYOUT": r"failed to parse deposit logs|invalid requests hash",
    "SYSTEM_CONTRACT_CALL_FAILED": r"system call failed to execute:",
    "INVALID_BLOCK_HASH": r"blockhash mismatch",
    "RLP_BLOCK_LIMIT_EXCEEDED": r"block RLP-encoded size exceeds maximum",
    "INVALID_GAS_USED_ABOVE_LIMIT": r"invalid gasUsed: have \d+, gasLimit \d+",
    "INVALID_GASLIMIT": r"invalid gas limit",
    "INVALID_BASEFEE_PER_GAS": r"invalid baseFee",
    "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT": r"invalid timestamp",
    "INVALID_BLOCK_NUMBER": r"invalid block number",
    "EXTRA_DATA_TOO_BIG": r"invalid extradata length|extra-data longer than 32 bytes",
    "INVALID_STATE_ROOT": r"invalid merkle root",
    "INVALID_RECEIPTS_ROOT": r"invalid receipt root hash",
    "INVALID_LOG_BLOOM": r"invalid bloom",
    "INVALID_BLOCK_ACCESS_LIST": r"invalid block access list:",
    "INVALID_BAL_HASH": r"invalid block access list:",
    "INCORRECT_BLOCK_FORMAT": r"invalid block access list:",
}
RETH = {
    "SENDER_NOT_EOA": r"reject transactions from senders with deployed code",
    "GAS_ALLOWANCE_EXCEEDED": r"transaction gas limit \w+ is more than blocks available gas \w+",
    "GAS_LIMIT_EXCEEDS_MAXIMUM": r"transaction gas limit.*is greater than the cap",
    "INSUFFICIENT_ACCOUNT_FUNDS": r"lack of funds",
    "INTRINSIC_GAS_TOO_LOW": r"call gas cost \(\d+\) exceeds the gas limit \(\d+\)",
    "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST": r"gas floor \(\d+\) exceeds the gas limit \(\d+\)",
    "INITCODE_SIZE_EXCEEDED": r"create initcode size limit",
    "NONCE_MISMATCH_TOO_LOW": r"nonce \d+ too low, expected \d+",
    "NONCE_MISMATCH_TOO_HIGH": r"nonce \d+ too high, expected \d+",
    "INSUFFICIENT_MAX_FEE_PER_GAS": r"gas price is less than basefee",
    "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS": r"priority fee is greater than max fee",
    "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS": r"blob gas price \(\d+\) is greater than max fee per blob gas \(\d+\)",
    "TYPE_3_TX_PRE_FORK": r"blob transactions present in pre-cancun payload",
    "TYPE_4_TX_PRE_FORK": r"eip 7702 transactions present in pre-prague payload",
    "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH": r"blob version not supported",
    "TYPE_3_TX_BLOB_COUNT_EXCEEDED": r"too many blobs, have \d+, max \d+",
    "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED": r"blob gas used \d+ exceeds maximum allowance \d+",
    "TYPE_3_TX_ZERO_BLOBS": r"empty blobs",
    "TYPE_3_TX_WITH_FULL_BLOBS": r"unexpected list",
    "TYPE_3_TX_CONTRACT_CREATION": r"unexpected length",
    "TYPE_4_TX_CONTRACT_CREATION": r"unexpected length",
    "TYPE_4_EMPTY_AUTHORIZATION_LIST": r"empty authorization list",
    "INCORRECT_BLOB_GAS_USED": r"blob gas used mismatch|blob gas used \d+ is not a multiple of blob gas per blob",
    "INCORRECT_EXCESS_BLOB_GAS": r"invalid excess blob gas",
    "INVALID_REQUESTS": r"mismatched block requests hash",
    "INVALID_DEPOSIT_EVENT_LAYOUT": r"failed to decode deposit requests from receipts",
    "SYSTEM_CONTRACT_CALL_FAILED": r"failed to apply .* requests contract call",
    "INVALID_BLOCK_HASH": r"block hash mismatch",
    "RLP_BLOCK_LIMIT_EXCEEDED": r"block is too large:",
    "INVALID_GAS_USED_ABOVE_LIMIT": r"block used gas \(\d+\) is greater than gas limit \(\d+\)",
    "INVALID_GAS_USED": r"block gas used mismatch",
    "INVALID_GASLIMIT": r"child gas_limit \d+",
    "INVALID_BASEFEE_PER_GAS": r"block base fee mismatch",
    "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT":
        r"block timestamp \d+ is in the past compared to the parent timestamp \d+",
    "INVALID_BLOCK_NUMBER": r"block number \d+ does not match parent block number \d+",
    "EXTRA_DATA_TOO_BIG": r"invalid payload extra data",
    "INVALID_STATE_ROOT": r"mismatched block state root",
    "INVALID_RECEIPTS_ROOT": r"receipt root mismatch",
    "INVALID_LOG_BLOOM": r"header bloom filter mismatch",
    "INVALID_BLOCK_ACCESS_LIST": r"block access list hash mismatch",
    "INVALID_BAL_HASH": r"block access list hash mismatch",
}
ERIGON = {
    **{name: GETH[name] for name in (
        "SENDER_NOT_EOA", "GAS_ALLOWANCE_EXCEEDED", "INSUFFICIENT_ACCOUNT_FUNDS", "INTRINSIC_GAS_TOO_LOW",
        "INITCODE_SIZE_EXCEEDED", "NONCE_MISMATCH_TOO_LOW", "NONCE_MISMATCH_TOO_HIGH", "NONCE_IS_MAX",
        "TYPE_3_TX_BLOB_COUNT_EXCEEDED", "INVALID_GAS_USED_ABOVE_LIMIT", "INVALID_BLOCK_NUMBER")},
    "GAS_LIMIT_EXCEEDS_MAXIMUM": r"gas limit too high",
    "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST": r"intrinsic gas too low",
    "INSUFFICIENT_MAX_FEE_PER_GAS": r"fee cap less than block base fee",
    "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS": r"tip higher than fee cap",
    "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS": r"max fee per blob gas too low",
    "TYPE_3_TX_PRE_FORK": r"blob txn is not supported by signer",
    "TYPE_4_TX_PRE_FORK": r"setCode tx is not supported by signer",
    "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH": r"must start with VERSIONED_HASH_VERSION_KZG",
    "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED": r"blobs/blobgas exceeds max",
    "BLOB_GAS_USED_ABOVE_LIMIT": r"blobs/blobgas exceeds max",
    "TYPE_3_TX_ZERO_BLOBS": r"a blob stx must contain at least one blob",
    "TYPE_3_TX_WITH_FULL_BLOBS": r"rlp: expected String or Byte",
    "TYPE_3_TX_CONTRACT_CREATION": r"wrong size for To: 0",
    "TYPE_4_TX_CONTRACT_CREATION": r"wrong size for To: 0",
    "TYPE_4_EMPTY_AUTHORIZATION_LIST": r"SetCodeTransaction without authorizations is invalid",
    "INCORRECT_BLOB_GAS_USED": r"blobGasUsed by execution: \d+, in header: \d+",
    "INCORRECT_EXCESS_BLOB_GAS": r"invalid excessBlobGas",
    "INVALID_REQUESTS": r"invalid requests root hash in header",
    "INVALID_DEPOSIT_EVENT_LAYOUT": r"could not parse requests logs",
    "SYSTEM_CONTRACT_CALL_FAILED": r"Unprecedented Syscall failure",
    "SYSTEM_CONTRACT_EMPTY": r"Syscall failure: Empty Code at",
    "INVALID_BLOCK_HASH": r"invalid block hash",
    "RLP_BLOCK_LIMIT_EXCEEDED": r"block exceeds max rlp size",
    "INVALID_GAS_USED": r"gas used by execution: \d+, in header: \d+",
    "INVALID_GASLIMIT": r"invalid block: invalid gas limit",
    "INVALID_BASEFEE_PER_GAS": r"invalid block: invalid baseFee",
    "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT": r"invalid block: timestamp older than parent",
    "EXTRA_DATA_TOO_BIG": r"extra-data longer than 32 bytes",
    "INVALID_STATE_ROOT": r"wrong trie root",
    "INVALID_RECEIPTS_ROOT": r"receiptHash mismatch",
    "INVALID_LOG_BLOOM": r"invalid bloom",
    "INVALID_BLOCK_ACCESS_LIST": r"block access list mismatch",
    "INVALID_BAL_HASH": r"block access list mismatch",
}
MAPPERS = {"geth": GETH, "reth": RETH, "erigon": ERIGON, "none": {}}


ALSO = {
    # A payload commits to its requests through its hash alone: a wrong list shows as another hash.
    "INVALID_REQUESTS": ("INVALID_BLOCK_HASH",),
    # Fills of early 2025 have one name for what later ones tell apart.
    "INTRINSIC_GAS_TOO_LOW": ("INTRINSIC_GAS_BELOW_FLOOR_GAS_COST",),
    "TYPE_3_TX_BLOB_COUNT_EXCEEDED": ("TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",),
}


def explains(expected, text, mapper):
    """Whether `text` stands for one of the names in `expected` ("A|B", with their classes). None: the mapper knows
    none of them, so nothing can be said."""
    names = [each.split(".")[-1] for each in expected.split("|")]
    names += [also for name in names for also in ALSO.get(name, ())]
    patterns = [mapper[name] for name in names if name in mapper]
    if not patterns:
        return None
    return any(re.search(pattern, text) for pattern in patterns)
