#!/usr/bin/env python3
"""Seeds for the fuzzers, made of testdata/ and of the vectors below.

usage: fuzz/make_corpus.py DIRECTORY      writes DIRECTORY/<target>/*
"""
import hashlib
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

BN254_G1 = "{:064x}{:064x}".format(1, 2)
BLS_G1 = ("00000000000000000000000000000000"
          "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
          "00000000000000000000000000000000"
          "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1")

REQUESTS = [
    '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}',
    '{"jsonrpc":"2.0","id":"a","method":"eth_getBlockByNumber","params":["latest",true]}',
    '[{"jsonrpc":"2.0","id":1,"method":"net_version"},{"jsonrpc":"2.0","method":"web3_clientVersion"}]',
    '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","0x1"]}',
    '{"jsonrpc":"2.0","id":1,"method":"eth_getStorageAt","params":["0xcccccccccccccccccccccccccccccccccccccccc","0x1","latest"]}',
    '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"0xcccccccccccccccccccccccccccccccccccccccc","data":"0x"},"latest"]}',
    '{"jsonrpc":"2.0","id":1,"method":"eth_estimateGas","params":[{"to":"0xcccccccccccccccccccccccccccccccccccccccc"}]}',
    '{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x0","toBlock":"latest","topics":[null,["0x01"]]}]}',
    '{"jsonrpc":"2.0","id":1,"method":"eth_feeHistory","params":["0x2","latest",[10,90.5]]}',
    '{"jsonrpc":"2.0","id":1,"method":"eth_getProof","params":["0xcccccccccccccccccccccccccccccccccccccccc",["0x1"],"latest"]}',
    '{"jsonrpc":"2.0","id":1,"method":"web3_sha3","params":["0x68656c6c6f"]}',
]

TOKENS = [
    '{"alg":"HS256","typ":"JWT"}\n{"iat":1700000000}',
    '{"typ":"JWT","alg":"HS256"}\n{"iat":1700000030.5,"exp":1700000031,"id":"x","clv":"y"}',
    '{"alg":"none"}\n{"iat":1700000000}',
    '0x' + '5a' * 32,
]


def item_end(data, at):
    """End of the RLP item at `at`, and where its payload begins."""
    first = data[at]
    if first < 0x80:
        return at + 1, at
    if first < 0xb8 or 0xc0 <= first < 0xf8:
        size = first & 0x3f
        return at + 1 + size, at + 1
    width = first - (0xb7 if first < 0xc0 else 0xf7)
    size = int.from_bytes(data[at + 1:at + 1 + width], "big")
    return at + 1 + width + size, at + 1 + width


def items(data, at, end):
    while at < end:
        after, payload = item_end(data, at)
        yield data[at:after], payload - at
        at = after


def put(directory, target, data):
    folder = directory / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def main():
    directory = pathlib.Path(sys.argv[1])
    blocks = []
    for path in sorted((ROOT / "testdata/chains").rglob("*.rlp")):
        data = path.read_bytes()
        blocks += [block for block, _ in items(data, 0, len(data)) if len(block) < 4096]
    step = max(1, len(blocks) // 60)
    for block in blocks[::step]:
        put(directory, "block", block)
        put(directory, "rlp", block)
        _, payload = item_end(block, 0)
        parts = list(items(block, payload, len(block)))
        put(directory, "header", parts[0][0])
        txs, at = parts[1]
        for tx, inner in items(txs, at, len(txs)):
            put(directory, "transaction", tx if tx[0] >= 0xc0 else tx[inner:])
    for path in sorted((ROOT / "testdata/genesis").glob("*.json")):
        put(directory, "genesis", path.read_bytes())
    put(directory, "genesis", b'{"config":{"chainId":1},"difficulty":"0x1","gasLimit":"0x5","alloc":{}}')
    for request in REQUESTS:
        put(directory, "json_rpc", request.encode())
    for token in TOKENS:
        put(directory, "jwt", token.encode())
    vectors = {
        6: BN254_G1 * 2, 7: BN254_G1 + "{:064x}".format(7), 8: BN254_G1 + "00" * 128,
        5: "{:064x}{:064x}{:064x}".format(1, 2, 1) + "03ffff11", 9: "0000000c" + "48" * 64 + "61" * 128 + "00" * 16 + "01",
        11: BLS_G1 * 2, 12: BLS_G1 + "{:064x}".format(3), 15: BLS_G1 + "00" * 256, 16: "00" * 63 + "07", 17: "00" * 127 + "07",
        1: "{:064x}{:064x}{:064x}{:064x}".format(5, 27, 6, 7), 256: "11" * 160, 10: "01" + "00" * 191,
    }
    for address, vector in vectors.items():
        first = 17 if address == 256 else address - 1
        put(directory, "precompile", bytes([first]) + bytes.fromhex(vector))
    # fork, gas, flags, length of the other code, other code, code: docs of target_evm.cpp
    for code in ("6001600201600055", "5b600160005260206000205056", "60206000f3", "6000600060006000600061c00161fffff1503d60006000",
                 "60016000556000600055", "6000356000f5ff", "7f" + "ff" * 32 + "600a0a0405"):
        for fork in (0, 5, 10, 16, 18):
            put(directory, "evm", bytes([fork, 1, 0x86, 0xa0, 0x20, 3, 0x60, 1, 0x54]) + bytes.fromhex(code))
    (directory / "image").mkdir(exist_ok=True)  # fuzz_image --write-seed makes its own


main()
