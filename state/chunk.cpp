#include "state/chunk.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base.hpp"
#include "core/endian.hpp"
#include "core/fault.hpp"
#include "state/varint.hpp"

namespace keel::state {

using core::Bytes;
using core::ByteView;

namespace {

constexpr size_t kNumberBytes = 8;
constexpr uint64_t kOpen = UINT64_MAX;  // in the key of the open chunk

[[noreturn]] void throw_damaged() {
    throw core::Fault(core::FaultKind::Damaged,
                      "a chunk of block numbers does not decode: run keel db check");
}

/// key ‖ last number, on the stack.
class ChunkKey {
  public:
    ChunkKey(ByteView key, uint64_t last) noexcept : size_(key.size() + kNumberBytes) {
        KEEL_ASSERT(key.size() <= kChunkKeyBytesMax);
        std::copy(key.begin(), key.end(), bytes_.begin());
        core::store_be(bytes_.data() + key.size(), last);
    }
    operator ByteView() const noexcept { return {bytes_.data(), size_}; }

  private:
    std::array<uint8_t, kChunkKeyBytesMax + kNumberBytes> bytes_;
    size_t size_;
};

bool is_chunk_of(ByteView row_key, ByteView key) noexcept {
    return row_key.size() == key.size() + kNumberBytes && row_key.starts_with(key);
}

void encode_chunk(Bytes& to, std::span<const uint64_t> numbers) {
    to.resize(kNumberBytes);
    core::store_be(to.data(), numbers.front());
    for (size_t i = 1; i < numbers.size(); ++i) append_varint(to, numbers[i] - numbers[i - 1]);
}

/// Calls visit(number) for each until it returns false.
template <class Visit>
void each_number(ByteView chunk, const Visit& visit) {
    if (chunk.size() < kNumberBytes) throw_damaged();
    uint64_t number = core::load_be<uint64_t>(chunk.data());
    ByteView rest = chunk.sub(kNumberBytes);
    while (visit(number) && !rest.empty()) {
        const auto difference = read_varint(rest);
        if (!difference || *difference == 0) throw_damaged();
        number += *difference;
    }
}

}  // namespace

void decode_chunk(ByteView chunk, std::vector<uint64_t>& into) {
    each_number(chunk, [&into](uint64_t number) {
        into.push_back(number);
        return true;
    });
}

void add_numbers(db::WriteTxn& txn, db::Table table, ByteView key,
                 std::span<const uint64_t> numbers) {
    if (numbers.empty()) return;
    const ChunkKey open_key(key, kOpen);
    std::vector<uint64_t> all;
    all.reserve(kChunkNumbers + numbers.size());
    const auto open = txn.get(table, open_key);
    if (open) decode_chunk(*open, all);
    KEEL_ASSERT(all.empty() || all.back() < numbers.front());
    all.insert(all.end(), numbers.begin(), numbers.end());

    Bytes chunk;
    std::span<const uint64_t> rest = all;
    for (; rest.size() >= kChunkNumbers; rest = rest.subspan(kChunkNumbers)) {
        encode_chunk(chunk, rest.first(kChunkNumbers));
        txn.put(table, ChunkKey(key, rest[kChunkNumbers - 1]), chunk);
    }
    if (!rest.empty()) {
        encode_chunk(chunk, rest);
        txn.put(table, open_key, chunk);
    } else if (open) {
        txn.del(table, open_key);
    }
}

void remove_numbers_above(db::WriteTxn& txn, db::Table table, ByteView key, uint64_t number) {
    if (number == UINT64_MAX) return;
    db::WriteCursor cursor = txn.cursor(table);
    db::Hit row = cursor.seek(ChunkKey(key, number + 1));
    if (!row || !is_chunk_of(row->key, key)) return;
    // Only the first chunk from here on can have numbers that stay.
    std::vector<uint64_t> kept;
    each_number(row->value, [&kept, number](uint64_t each) {
        if (each <= number) kept.push_back(each);
        return each <= number;
    });
    while (row && is_chunk_of(row->key, key)) {
        cursor.delete_current();
        row = cursor.next();
    }
    if (kept.empty()) return;
    Bytes chunk;
    encode_chunk(chunk, kept);
    txn.put(table, ChunkKey(key, kOpen), chunk);
}

std::optional<uint64_t> first_number_above(db::ReadCursor& cursor, ByteView key, uint64_t number) {
    if (number == UINT64_MAX) return std::nullopt;
    const db::Hit row = cursor.seek(ChunkKey(key, number + 1));
    if (!row || !is_chunk_of(row->key, key)) return std::nullopt;
    std::optional<uint64_t> found;
    each_number(row->value, [&found, number](uint64_t each) {
        if (each > number) found = each;
        return !found;
    });
    return found;
}

}  // namespace keel::state
