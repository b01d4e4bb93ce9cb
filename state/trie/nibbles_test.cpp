#include "state/trie/nibbles.hpp"

#include <gtest/gtest.h>

#include "core/hex.hpp"

namespace keel::state {
namespace {

TEST(HexPrefix, packs_and_unpacks_the_four_kinds) {
    struct Case {
        core::Bytes nibbles;
        bool leaf;
        const char* packed;
    };
    // Flags: yellow paper, appendix C.
    const Case cases[] = {
        {{}, false, "00"},  {{}, true, "20"},          {{1, 2, 3, 4}, false, "001234"},
        {{5}, false, "15"}, {{5, 6, 7}, true, "3567"}, {{10, 11}, true, "20ab"},
    };
    for (const Case& one : cases) {
        core::Bytes packed;
        append_hex_prefix(packed, one.nibbles, one.leaf);
        EXPECT_EQ(core::to_hex(packed), one.packed);
        const auto path = parse_hex_prefix(packed);
        ASSERT_TRUE(path);
        EXPECT_EQ(path->leaf, one.leaf);
        core::Bytes nibbles(path->nibbles);
        path->unpack(nibbles.data());
        EXPECT_EQ(nibbles, one.nibbles);
    }
}

TEST(HexPrefix, refuses_unknown_flags_and_padding) {
    for (const char* text : {"", "40", "f0", "01", "2f12"}) {
        const auto packed = core::from_hex(text).value();
        EXPECT_FALSE(parse_hex_prefix(packed)) << text;
    }
}

}  // namespace
}  // namespace keel::state
