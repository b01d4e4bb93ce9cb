#include "db/lmdb/stored.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace keel::db::lmdb {
namespace {

// KV.md X23, X24: strings of zeros move up by one byte, and nothing else changes.
TEST(Stored, every_string_comes_back_and_keeps_its_order) {
    std::vector<core::Bytes> strings = {{}};
    for (size_t size = 1; size <= 4; ++size)
        for (size_t number = 0; number < (size_t{1} << (2 * size)); ++number) {
            core::Bytes bytes;
            for (size_t at = 0; at < size; ++at) {
                constexpr uint8_t kLetters[] = {0x00, 0x01, 0x61, 0xff};
                bytes.push_back(kLetters[(number >> (2 * at)) & 3]);
            }
            strings.push_back(bytes);
        }
    strings.emplace_back(kKeyBytesMax, 0);
    strings.emplace_back(kKeyBytesMax - 1, 0);
    strings.emplace_back(kKeyBytesMax, 0xff);
    for (const core::Bytes& a : strings) {
        const MDB_val stored = to_stored(a);
        EXPECT_GE(stored.mv_size, 1u);
        EXPECT_LE(stored.mv_size, kStoredBytesMax);
        EXPECT_EQ(from_stored(stored), ByteView(a));
        for (const core::Bytes& b : strings) {
            const MDB_val other = to_stored(b);
            EXPECT_EQ(raw_view(stored) <=> raw_view(other), ByteView(a) <=> ByteView(b));
        }
    }
}

}  // namespace
}  // namespace keel::db::lmdb
