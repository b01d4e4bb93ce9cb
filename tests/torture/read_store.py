#!/usr/bin/env python3
"""Reads a store of the mem backend with nothing but docs/store-format.md and the standard library.

  read_store.py DIRECTORY    every table: a line `table NAME KIND SEQUENCE ENTRIES`, then its entries
                             in order, a line `KEY VALUE` in hex each (`-` where empty)

The first line is `commit N`. Damage is an error that names file and offset, exit code 4; a torn tail is
told on stderr.
"""

import os
import struct
import sys

PAGE = 4096
M64 = (1 << 64) - 1
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
P32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


class Damaged(Exception):
    pass


class File:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.data = file.read()

    def damaged(self, offset, what):
        raise Damaged(f"{self.path} is damaged at offset {offset}: {what}")


def number(layout):
    return lambda data, at: struct.unpack_from(layout, data, at)[0]


u16, u32, u64 = number("<H"), number("<I"), number("<Q")


# XXH3, 64 bits, without seed.

def avalanche(h):
    h = (h ^ h >> 37) * 0x165667919E3779F9 & M64
    return h ^ h >> 32


def fold(a, b):
    product = a * b
    return product & M64 ^ product >> 64


def mix(data, at, key):
    return fold(u64(data, at) ^ u64(SECRET, key), u64(data, at + 8) ^ u64(SECRET, key + 8))


def xxh3(data):
    n = len(data)
    if n == 0:
        h = u64(SECRET, 56) ^ u64(SECRET, 64)
    elif n <= 3:
        h = (data[0] << 16 | data[n >> 1] << 24 | data[n - 1] | n << 8) ^ u32(SECRET, 0) ^ u32(SECRET, 4)
    elif n <= 8:
        h = (u32(data, n - 4) + (u32(data, 0) << 32)) ^ u64(SECRET, 8) ^ u64(SECRET, 16)
        h ^= (h << 49 | h >> 15) & M64 ^ (h << 24 | h >> 40) & M64
        h = h * 0x9FB21C651E98DF25 & M64
        h = (h ^ (h >> 35) + n) * 0x9FB21C651E98DF25 & M64
        return h ^ h >> 28
    elif n <= 16:
        low = u64(data, 0) ^ u64(SECRET, 24) ^ u64(SECRET, 32)
        high = u64(data, n - 8) ^ u64(SECRET, 40) ^ u64(SECRET, 48)
        return avalanche(n + int.from_bytes(low.to_bytes(8, "little"), "big") + high + fold(low, high) & M64)
    elif n <= 128:
        h = n * P64[0]
        for i in range((n - 1) // 32 + 1):
            h += mix(data, 16 * i, 32 * i) + mix(data, n - 16 * (i + 1), 32 * i + 16)
        return avalanche(h & M64)
    elif n <= 240:
        h = n * P64[0]
        for i in range(8):
            h += mix(data, 16 * i, 16 * i)
        h = avalanche(h & M64)
        for i in range(8, n // 16):
            h += mix(data, 16 * i, 16 * (i - 8) + 3)
        return avalanche(h + mix(data, n - 16, 136 - 17) & M64)
    else:
        return xxh3_long(data)
    h = (h ^ h >> 33) * P64[1] & M64  # up to 3 bytes
    h = (h ^ h >> 29) * P64[2] & M64
    return h ^ h >> 32


KEYS = [struct.unpack_from("<8Q", SECRET, 8 * i) for i in range(16)]


def accumulate(acc, stripe, key):
    for i in range(8):
        keyed = stripe[i] ^ key[i]
        acc[i ^ 1] += stripe[i]
        acc[i] += (keyed & 0xFFFFFFFF) * (keyed >> 32)


def xxh3_long(data):
    n = len(data)
    acc = [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]]
    last_key = struct.unpack_from("<8Q", SECRET, 192 - 64)
    for number in range((n - 1) // 64):
        accumulate(acc, struct.unpack_from("<8Q", data, 64 * number), KEYS[number % 16])
        if number % 16 == 15:
            acc = [((a & M64) ^ (a & M64) >> 47 ^ key) * P32[0] & M64 for a, key in zip(acc, last_key)]
    accumulate(acc, struct.unpack_from("<8Q", data, n - 64), struct.unpack_from("<8Q", SECRET, 121))
    h = n * P64[0]
    for i in range(4):
        h += fold(acc[2 * i] & M64 ^ u64(SECRET, 11 + 16 * i), acc[2 * i + 1] & M64 ^ u64(SECRET, 19 + 16 * i))
    return avalanche(h & M64)


class Image(File):
    def __init__(self, path):
        super().__init__(path)
        best = None
        for at in (0, PAGE):
            page = self.data[at:at + PAGE]
            if len(page) == PAGE and page[:8] == b"keel.img" and u64(page, 4088) == xxh3(page[:4088]):
                if best is None or u64(page, 24) > u64(best, 24):
                    best = page
        if best is None:
            self.damaged(0, "no right header")
        if u32(best, 8) != 1 or u32(best, 12) != PAGE:
            self.damaged(8, "version or page size")
        if u64(best, 16) * PAGE != len(self.data):
            self.damaged(16, "length")
        self.commit = u64(best, 24)
        self.uid = best[40:56]
        self.has_log = best[61] & 1
        self.catalogue = u32(best, 56)

    def entries(self, number):
        """Keys and values below a page, in order."""
        if number == 0:
            return
        at = number * PAGE
        page = self.data[at:at + PAGE]
        if len(page) < PAGE or u32(page, 8) != number or u64(page, 0) != xxh3(page[8:]):
            self.damaged(at, "page")
        count = u16(page, 14)
        for i in range(count):
            if page[12] == 2:
                yield from self.entries(u32(page, 32 + 8 * count + 12 * i))
                continue
            record = u16(page, 32 + 8 * count + 2 * i)
            key_bytes, value_bytes = u16(page, record), u16(page, record + 2)
            key = page[record + 4:record + 4 + key_bytes]
            value_at = record + 4 + key_bytes
            if value_bytes == 65535:
                yield key, self.run(u32(page, value_at), u32(page, value_at + 4))
            else:
                yield key, page[value_at:value_at + value_bytes]

    def run(self, number, value_bytes):
        at = number * PAGE
        if u32(self.data, at + 8) != number or self.data[at + 12] != 3 or u64(self.data, at + 24) != value_bytes \
                or u64(self.data, at) != xxh3(self.data[at + 8:at + 32 + value_bytes]):
            self.damaged(at, "run")
        return self.data[at + 32:at + 32 + value_bytes]


class Table:
    def __init__(self, dup, sequence=0, entries=()):
        self.dup = dup
        self.sequence = sequence
        # Plain: key -> value; DupSort: (key, value) -> nothing.
        self.rows = {(key, value): None for key, value in entries} if dup else dict(entries)

    def delete_if(self, condition):
        for row in [row for row in self.rows if condition(row[0] if self.dup else row)]:
            del self.rows[row]


class Segment(File):
    def __init__(self, path, uid):
        super().__init__(path)
        head = self.data[:PAGE]
        if len(head) < PAGE or head[:8] != b"keel.log" or u32(head, 8) != 1 or u64(head, 504) != xxh3(head[:504]):
            self.damaged(0, "header")
        if head[32:48] != uid:
            self.damaged(32, "uid")
        self.commit = self.base = u64(head, 16)
        self.salt = u64(head, 48)
        self.synced = 0
        for at in (1024, 2048):
            if u64(head, at + 16) == xxh3(head[at:at + 16]):
                self.synced = max(self.synced, u64(head, at))

    def is_head(self, at):
        return at + 48 <= len(self.data) and u64(self.data, at) == (self.salt + at) & M64 \
            and u64(self.data, at + 40) == xxh3(self.data[at:at + 40])

    def payloads(self):
        at = PAGE
        while self.is_head(at):
            size = u64(self.data, at + 16)
            payload = self.data[at + 48:at + 48 + size]
            end = at + 48 + (size + 7) // 8 * 8
            if end > len(self.data) or u64(self.data, at + 32) != xxh3(payload):
                break
            if u64(self.data, at + 8) != self.commit + 1:
                self.damaged(at, "commit number")
            self.synced = max(self.synced, u64(self.data, at + 24))
            self.commit += 1
            yield payload
            at = end
        for behind in range(at, len(self.data) - 47, 8):
            if self.is_head(behind):
                self.synced = max(self.synced, u64(self.data, behind + 24))
        if at < self.synced:
            self.damaged(at, f"{self.synced} bytes were on disk")
        if any(self.data[at:]):
            print(f"{self.path}: torn tail behind offset {at}", file=sys.stderr)

    def apply(self, payload, tables):
        names, at = {}, 0
        while at < len(payload):
            value_bytes, number, head = u32(payload, at), u16(payload, at + 4), u16(payload, at + 6)
            key_bytes, operation = head % 4096, head // 4096
            key = payload[at + 8:at + 8 + key_bytes]
            value = payload[at + 8 + key_bytes:at + 8 + key_bytes + value_bytes]
            at += 8 + key_bytes + value_bytes
            if operation == 1:
                names[number] = key.decode()
            if operation in (1, 11):
                continue
            name = names[number]
            if operation == 9:
                tables[name] = Table(value[0] == 1)
                continue
            table = tables[name]
            if operation == 2:
                table.rows[(key, value) if table.dup else key] = None if table.dup else value
            elif operation == 3:
                del table.rows[(key, value) if table.dup else key]
            elif operation == 4:
                table.delete_if(lambda other: other == key)
            elif operation == 5:
                table.delete_if(lambda other: key <= other < value)
            elif operation == 6:
                table.delete_if(lambda other: other >= key)
            elif operation == 7:
                table.rows.clear()
            elif operation == 8:
                del tables[name]
            elif operation == 10:
                table.sequence = u64(value, 0)
            else:
                self.damaged(0, f"operation {operation}")


def read_store(directory):
    image = Image(os.path.join(directory, "store.img"))
    tables = {}
    for name, row in image.entries(image.catalogue):
        tables[name.decode()] = Table(row[0] == 1, u64(row, 48), image.entries(u32(row, 4)))
    commit = image.commit
    while True:
        path = os.path.join(directory, f"store-{commit}.log")
        if not os.path.exists(path):
            if commit == image.commit and image.has_log:
                raise Damaged(f"{path} is missing")
            return commit, tables
        segment = Segment(path, image.uid)
        for payload in segment.payloads():
            segment.apply(payload, tables)
        if segment.commit == commit:
            return commit, tables
        commit = segment.commit


def main():
    try:
        commit, tables = read_store(sys.argv[1])
    except Damaged as damage:
        print(damage, file=sys.stderr)
        sys.exit(4)
    print(f"commit {commit}")
    for name, table in sorted(tables.items()):
        print(f"table {name} {'dupsort' if table.dup else 'plain'} {table.sequence} {len(table.rows)}")
        for key, value in sorted(table.rows if table.dup else table.rows.items()):
            print(key.hex() or "-", value.hex() or "-")


if __name__ == "__main__":
    main()
