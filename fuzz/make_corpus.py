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

# Of the second groups, as EIP-197 and EIP-2537 write them.
BN254_G2 = ("198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
            "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
            "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
            "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa")
BLS_G2 = "".join("0" * 32 + element for element in (
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
    "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
    "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
    "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be"))
# A signature of each curve that is right (EIP-7951's is RFC 6979, A.2.5), and the blob of zeros at z = 5.
SECP256K1 = ("456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3" + "{:064x}".format(28) +
             "9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608"
             "4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada")
P256 = (hashlib.sha256(b"sample").hexdigest() +
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299")
ZERO_COMMITMENT = "c0" + "00" * 47
POINT_EVALUATION = ("01" + hashlib.sha256(bytes.fromhex(ZERO_COMMITMENT)).hexdigest()[2:] + "{:064x}".format(5) + "00" * 32 +
                    ZERO_COMMITMENT * 2)

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


HTTP = [
    "POST / HTTP/1.1\r\nHost: localhost:8545\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n[{}]",
    "POST /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a.b.c\r\nContent-Type: application/json; charset=utf-8\r\n"
    "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\nAccept-Encoding: gzip, br;q=0\r\n\r\n2\r\n[{\r\n2;a=b\r\n}]\r\n0\r\n\r\n",
    "OPTIONS / HTTP/1.0\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\nGET / HTTP/1.1\r\n\r\n",
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
    for request in HTTP:
        put(directory, "http", bytes([3, 1, 40, 7]) + request.encode())
    for token in TOKENS:
        put(directory, "jwt", token.encode())
    vectors = {
        6: BN254_G1 * 2, 7: BN254_G1 + "{:064x}".format(7), 8: BN254_G1 + "00" * 128,
        5: "{:064x}{:064x}{:064x}".format(1, 2, 1) + "03ffff11", 9: "0000000c" + "48" * 64 + "61" * 128 + "00" * 16 + "01",
        11: BLS_G1 * 2, 12: BLS_G1 + "{:064x}".format(3), 15: BLS_G1 + "00" * 256, 16: "00" * 63 + "07", 17: "00" * 127 + "07",
        1: "{:064x}{:064x}{:064x}{:064x}".format(5, 27, 6, 7), 256: "11" * 160, 10: "01" + "00" * 191,
    }
    for address, vector in list(vectors.items()) + [
            (8, (BN254_G1 + BN254_G2) * 2), (13, BLS_G2 * 2), (14, (BLS_G2 + "{:064x}".format(3)) * 2), (12, (BLS_G1 + "{:064x}".format(3)) * 2),
            (15, (BLS_G1 + BLS_G2) * 2), (1, SECP256K1), (256, P256), (10, POINT_EVALUATION)]:
        first = 17 if address == 256 else address - 1
        put(directory, "precompile", bytes([first]) + bytes.fromhex(vector))
    for group in range(7):
        put(directory, "groups", bytes([group]) + bytes(range(1, 256)) * 2)
    # fork, gas, flags, length of the other code, other code, code: docs of target_evm.cpp
    for code in ("6001600201600055", "5b600160005260206000205056", "60206000f3", "6000600060006000600061c00161fffff1503d60006000",
                 "60016000556000600055", "6000356000f5ff", "7f" + "ff" * 32 + "600a0a0405"):
        for fork in (0, 5, 10, 16, 18):
            put(directory, "evm", bytes([fork, 1, 0x86, 0xa0, 0x20, 3, 0x60, 1, 0x54]) + bytes.fromhex(code))
    (directory / "image").mkdir(exist_ok=True)  # fuzz_image --write-seed makes its own


main()
