#include "db/mem/leaf_entries.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "db/mem/page_search.hpp"

namespace keel::db::mem {
namespace {

struct alignas(kLineBytes) Page {
    std::array<uint8_t, kPageBytes> bytes;
    uint8_t* data() { return bytes.data(); }
};

/// What counts of a leaf: all but the gap.
void expect_same(Page& page, Page& other) {
    ASSERT_EQ(header(page.data()).count, header(other.data()).count);
    ASSERT_EQ(header(page.data()).heap, header(other.data()).heap);
    const size_t arrays_end = kBodyAt + kLeafEntryBytes * header(page.data()).count;
    ASSERT_EQ(ByteView(page.data(), arrays_end), ByteView(other.data(), arrays_end));
    const size_t heap = header(page.data()).heap;
    ASSERT_EQ(ByteView(page.data() + heap, kPageBytes - heap),
              ByteView(other.data() + heap, kPageBytes - heap));
}

/// Records of `bytes` key and value bytes at most, put at random places until the page is full.
void fill(std::mt19937_64& random, size_t key_bytes_max, size_t value_bytes_max) {
    Page chosen;
    Page by_pieces;
    // What stands in a page that was used before must not matter.
    for (uint8_t& byte : chosen.bytes) byte = static_cast<uint8_t>(random());
    by_pieces = chosen;
    leaf_init(chosen.data());
    leaf_init(by_pieces.data());
    std::vector<uint8_t> key(key_bytes_max);
    std::vector<uint8_t> value(value_bytes_max);
    for (;;) {
        key.resize(random() % (key_bytes_max + 1));
        value.resize(random() % (value_bytes_max + 1));
        for (uint8_t& byte : key) byte = static_cast<uint8_t>(random());
        for (uint8_t& byte : value) byte = static_cast<uint8_t>(random());
        const LeafRecord record = {key, value};
        if (!leaf_has_gap(chosen.data(), record.key, record.value)) return;
        const size_t index = random() % (header(chosen.data()).count + 1U);
        kPlaceRecord(chosen.data(), index, record);
        place_record_by_pieces(by_pieces.data(), index, record);
        ASSERT_NO_FATAL_FAILURE(expect_same(chosen, by_pieces));
        const LeafRecord placed = leaf_record(chosen.data(), index);
        ASSERT_EQ(placed.key, record.key);
        ASSERT_EQ(placed.value, record.value);
        ASSERT_EQ(heads(chosen.data())[index], head_of(record.key, 0));
    }
}

TEST(LeafEntries, an_entry_is_placed_alike_by_vectors_and_by_pieces) {
    std::mt19937_64 random(20261122);
    for (int round = 0; round < 200; ++round) {
        for (const size_t value_bytes_max : {size_t{0}, size_t{40}, size_t{100}, size_t{128}}) {
            ASSERT_NO_FATAL_FAILURE(fill(random, 32, value_bytes_max));
            ASSERT_NO_FATAL_FAILURE(fill(random, 128, value_bytes_max));
        }
        ASSERT_NO_FATAL_FAILURE(fill(random, 8, 300));
        ASSERT_NO_FATAL_FAILURE(fill(random, kKeyBytesMax, 1000));
    }
}

TEST(LeafEntries, ranks_close_over_any_range) {
    std::mt19937_64 random(7);
    for (size_t count = 1; count <= 100; ++count) {
        for (size_t first = 0; first < count; ++first) {
            Page page;
            leaf_init(page.data());
            const std::array<uint8_t, 8> value = {};
            for (size_t i = 0; i < count; ++i) {
                std::array<uint8_t, 8> key;
                core::store_be(key.data(), uint64_t{i});
                place_record_by_pieces(page.data(), i, {ByteView(key), ByteView(value)});
            }
            const size_t last = first + 1 + random() % (count - first);
            close_ranks(page.data(), first, last);
            ASSERT_EQ(header(page.data()).count, count - (last - first));
            for (size_t i = 0; i < header(page.data()).count; ++i) {
                const uint64_t wanted = i < first ? i : i + (last - first);
                ASSERT_EQ(heads(page.data())[i], wanted);
                ASSERT_EQ(core::load_be<uint64_t>(leaf_key(page.data(), i).data()), wanted);
            }
        }
    }
}

}  // namespace
}  // namespace keel::db::mem
