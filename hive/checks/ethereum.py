"""The little of Ethereum that a test needs to make transactions and blocks: keccak-256, RLP, signatures of secp256k1,
roots of lists, block hashes, blobs. Slow and plain; only for tests: the keys are known to everybody, and signing takes
no care of timing."""

import functools
import hashlib

# ---- keccak-256 (the padding of before SHA-3) ---------------------------------------------------

_ROUNDS = []
_ROTATIONS = {}


def _constants():
    state = 1
    for _ in range(24):
        constant = 0
        for j in range(7):
            if state & 1:
                constant |= 1 << ((1 << j) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        _ROUNDS.append(constant)
    x, y = 1, 0
    for t in range(24):
        _ROTATIONS[(x, y)] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5


_constants()
_MASK = (1 << 64) - 1
# Lane x + 5 * y goes, rotated, to the place of (y, 2x + 3y).
_MOVES = [(x + 5 * y, y + 5 * ((2 * x + 3 * y) % 5), _ROTATIONS.get((x, y), 0)) for x in range(5) for y in range(5)]


def _permute(a):
    b = [0] * 25
    for constant in _ROUNDS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ (((c[(x + 1) % 5] << 1) | (c[(x + 1) % 5] >> 63)) & _MASK) for x in range(5)]
        for source, target, by in _MOVES:
            lane = a[source] ^ d[source % 5]
            b[target] = ((lane << by) | (lane >> (64 - by))) & _MASK
        for y in range(0, 25, 5):
            b0, b1, b2, b3, b4 = b[y:y + 5]
            a[y] = b0 ^ (~b1 & b2)
            a[y + 1] = b1 ^ (~b2 & b3)
            a[y + 2] = b2 ^ (~b3 & b4)
            a[y + 3] = b3 ^ (~b4 & b0)
            a[y + 4] = b4 ^ (~b0 & b1)
        a[0] ^= constant


def keccak256(data):
    rate = 136
    padded = bytearray(data) + bytearray(rate - len(data) % rate)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    lanes = [0] * 25
    for at in range(0, len(padded), rate):
        for i in range(rate // 8):
            lanes[i] ^= int.from_bytes(padded[at + 8 * i:at + 8 * i + 8], "little")
        _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


# ---- RLP and lists ------------------------------------------------------------------------------


def _length(size, offset):
    if size < 56:
        return bytes([offset + size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(digits)]) + digits


def rlp(value):
    """Of bytes, numbers and lists of such."""
    if isinstance(value, int):
        value = value.to_bytes((value.bit_length() + 7) // 8, "big")
    if isinstance(value, (list, tuple)):
        content = b"".join(map(rlp, value))
        return _length(len(content), 0xc0) + content
    if len(value) == 1 and value[0] < 0x80:
        return bytes(value)
    return _length(len(value), 0x80) + value


EMPTY_ROOT = keccak256(rlp(b""))
EMPTY_OMMERS = keccak256(rlp([]))


def _nibbles(data):
    return [nibble for byte in data for nibble in (byte >> 4, byte & 15)]


def _path(nibbles, is_leaf):
    flag = 2 * is_leaf + len(nibbles) % 2
    digits = [flag] + nibbles if len(nibbles) % 2 else [flag, 0] + nibbles
    return bytes(16 * digits[i] + digits[i + 1] for i in range(0, len(digits), 2))


def _node(entries, depth):
    """Structure of the node that holds `entries`, sorted (key's nibbles, value)."""
    if len(entries) == 1:
        key, value = entries[0]
        return [_path(key[depth:], True), value]
    first, last = entries[0][0], entries[-1][0]
    shared = depth
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        return [_path(first[depth:shared], False), _reference(_node(entries, shared))]
    children = [b""] * 17
    for nibble in range(16):
        below = [entry for entry in entries if len(entry[0]) > depth and entry[0][depth] == nibble]
        if below:
            children[nibble] = _reference(_node(below, depth + 1))
    for key, value in entries:
        if len(key) == depth:
            children[16] = value
    return children


def _reference(node):
    encoded = rlp(node)
    return node if len(encoded) < 32 else keccak256(encoded)


def list_root(values):
    """Root of the trie of a list: of transactions or withdrawals."""
    if not values:
        return EMPTY_ROOT
    entries = sorted((_nibbles(rlp(i)), value) for i, value in enumerate(values))
    return keccak256(rlp(_node(entries, 0)))


# ---- Curves -------------------------------------------------------------------------------------


class Curve:
    """y² = x³ + b over a prime field; points are (x, y), none is the point at infinity."""

    WINDOW = 4

    def __init__(self, prime, order, b, generator):
        self.prime, self.order, self.b, self.generator = prime, order, b, generator
        self.bits = order.bit_length()

    @functools.cached_property
    def table(self):
        """table[i][d] = d · 16^i · generator."""
        rows, base = [], self.generator
        for _ in range((self.bits + self.WINDOW - 1) // self.WINDOW):
            row = [None, base]
            for _ in range(2, 1 << self.WINDOW):
                row.append(self.add(row[-1], base))
            rows.append(row)
            base = self.add(row[-1], base)
        return rows

    def add(self, a, b):
        if a is None or b is None:
            return b if a is None else a
        p = self.prime
        if a[0] == b[0]:
            if (a[1] + b[1]) % p == 0:
                return None
            slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, p) % p
        else:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, p) % p
        x = (slope * slope - a[0] - b[0]) % p
        return x, (slope * (a[0] - x) - a[1]) % p

    def times(self, scalar):
        """scalar · generator."""
        p, point, scalar = self.prime, None, scalar % self.order  # in Jacobian coordinates: one inverse at the end
        for row in self.table:
            digit, scalar = scalar & 15, scalar >> self.WINDOW
            if not digit:
                continue
            x2, y2 = row[digit]
            if point is None:
                point = (x2, y2, 1)
                continue
            x1, y1, z1 = point
            zz = z1 * z1 % p
            h = (x2 * zz - x1) % p
            r = (y2 * zz * z1 - y1) % p
            # The two are never equal: the digits below cannot reach 16^i.
            hh = h * h % p
            hhh = h * hh % p
            v = x1 * hh % p
            x3 = (r * r - hhh - 2 * v) % p
            point = (x3, (r * (v - x3) - y1 * hhh) % p, z1 * h % p)
        if point is None:
            return None
        inverse = pow(point[2], -1, p)
        square = inverse * inverse % p
        return point[0] * square % p, point[1] * square * inverse % p


SECP256K1 = Curve(
    2**256 - 2**32 - 977, 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141, 7,
    (0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
     0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8))
BLS12_381_G1 = Curve(
    0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab,
    0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001, 4,
    (0x17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb,
     0x08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1))


class Account:
    """Test account i: its key is the SHA-256 of the number's eight bytes."""

    def __init__(self, index):
        self.key = int.from_bytes(hashlib.sha256(index.to_bytes(8, "big")).digest(), "big")

    @functools.cached_property
    def address(self):
        x, y = SECP256K1.times(self.key)
        return keccak256(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[12:]

    def sign(self, digest):
        """(y parity, r, s) with s in the lower half (EIP-2)."""
        order = SECP256K1.order
        secret = self.key.to_bytes(32, "big") + digest
        nonce = int.from_bytes(hashlib.sha256(secret).digest(), "big") % order
        x, y = SECP256K1.times(nonce)
        s = pow(nonce, -1, order) * (int.from_bytes(digest, "big") + x * self.key) % order
        parity = y & 1
        if s > order // 2:
            s, parity = order - s, parity ^ 1
        return parity, x, s


# ---- Transactions -------------------------------------------------------------------------------

LEGACY, DYNAMIC, BLOB = 0, 2, 3


class Blob:
    """A blob of 4096 times the same number: its commitment is that multiple of the generator, and each proof is the
    point at infinity."""

    PROOF = b"\xc0" + bytes(47)

    def __init__(self, identifier):
        self.value = identifier + 1

    @functools.cached_property
    def data(self):
        return self.value.to_bytes(32, "big") * 4096

    @functools.cached_property
    def commitment(self):
        x, y = BLS12_381_G1.times(self.value)
        is_larger = y > (BLS12_381_G1.prime - 1) // 2
        return ((x | 1 << 383) | (is_larger << 381)).to_bytes(48, "big")

    @functools.cached_property
    def hash(self):
        return b"\x01" + hashlib.sha256(self.commitment).digest()[1:]


@functools.lru_cache(4096)
def blob(identifier):
    return Blob(identifier)


class Tx:
    """Signed when it is made; changed() makes another one."""

    def __init__(self, account, *, kind=LEGACY, chain_id=7, nonce=0, tip=10**9, fee=3 * 10**10, gas=75000, to=b"", value=0,
                 data=b"", blob_fee=1, blobs=(), signature=None):
        self.account, self.kind = account, kind
        self.fields = {"chain_id": chain_id, "nonce": nonce, "tip": tip, "fee": fee, "gas": gas, "to": to, "value": value,
                       "data": data, "blob_fee": blob_fee, "blobs": tuple(blobs)}
        if kind == LEGACY:
            unsigned = [nonce, fee, gas, to, value, data]
            digest = keccak256(rlp(unsigned + [chain_id, b"", b""]))
        else:
            unsigned = [chain_id, nonce, tip, fee, gas, to, value, data, []]
            if kind == BLOB:
                unsigned += [blob_fee, [each.hash for each in blobs]]
            digest = keccak256(bytes([kind]) + rlp(unsigned))
        self.signature = signature or account.sign(digest)
        parity, r, s = self.signature
        if kind == LEGACY:
            self.raw = rlp(unsigned + [parity + 35 + 2 * chain_id, r, s])
        else:
            self.raw = bytes([kind]) + rlp(unsigned + [parity, r, s])
        self.unsigned = unsigned

    @functools.cached_property
    def hash(self):
        return keccak256(self.raw)

    def network_form(self, version=0):
        """As it is sent: of blobs with their sidecar, of version 0 (one proof a blob) or 1 (EIP-7594)."""
        if self.kind != BLOB:
            return self.raw
        blobs = self.fields["blobs"]
        parts = [[each.data for each in blobs], [each.commitment for each in blobs]]
        if version == 0:
            sidecar = parts + [[Blob.PROOF for _ in blobs]]
        else:
            sidecar = [1] + parts + [[Blob.PROOF] * (128 * len(blobs))]
        return bytes([BLOB]) + rlp([self.unsigned + list(self.signature)] + sidecar)

    def changed(self, **fields):
        signature = fields.pop("signature", None)
        return Tx(self.account, kind=self.kind, signature=signature, **{**self.fields, **fields})

    def effective_tip(self, base_fee):
        """Wei a gas that the fee recipient gets."""
        fee = self.fields["fee"]
        return fee - base_fee if self.kind == LEGACY else min(self.fields["tip"], fee - base_fee)


# ---- Blocks -------------------------------------------------------------------------------------


def data_of(text):
    return bytes.fromhex(text[2:])


def hex_of(data):
    return "0x" + data.hex()


def withdrawals_root(withdrawals):
    return list_root([rlp([int(each["index"], 16), int(each["validatorIndex"], 16), data_of(each["address"]),
                           int(each["amount"], 16)]) for each in withdrawals])


def payload_hash(payload, beacon_root=None, requests_hash=None):
    """Hash of the block of an execution payload (the JSON of the Engine API)."""
    numbers = {name: int(payload[name], 16) for name in ("blockNumber", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas")}
    header = [data_of(payload["parentHash"]), EMPTY_OMMERS, data_of(payload["feeRecipient"]), data_of(payload["stateRoot"]),
              list_root(list(map(data_of, payload["transactions"]))), data_of(payload["receiptsRoot"]),
              data_of(payload["logsBloom"]), 0, numbers["blockNumber"], numbers["gasLimit"], numbers["gasUsed"],
              numbers["timestamp"], data_of(payload["extraData"]), data_of(payload["prevRandao"]), bytes(8),
              numbers["baseFeePerGas"]]
    if payload.get("withdrawals") is not None:
        header.append(withdrawals_root(payload["withdrawals"]))
    for name in ("blobGasUsed", "excessBlobGas"):
        if payload.get(name) is not None:
            header.append(int(payload[name], 16))
    if beacon_root is not None:
        header.append(beacon_root)
    if requests_hash is not None:
        header.append(requests_hash)
    return keccak256(rlp(header))
