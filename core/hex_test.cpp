#include "core/hex.hpp"

#include <gtest/gtest.h>

namespace keel::core {
namespace {

TEST(Hex, writes_two_lower_case_digits_a_byte) {
    const Bytes bytes = {0x00, 0x0f, 0xab, 0xff};
    EXPECT_EQ(to_hex(bytes), "000fabff");
    EXPECT_EQ(to_hex_prefixed(bytes), "0x000fabff");
    EXPECT_EQ(to_hex_prefixed({}), "0x");
}

TEST(Hex, reads_any_case_with_or_without_prefix) {
    EXPECT_EQ(from_hex("0X00Fab0"), (Bytes{0x00, 0xfa, 0xb0}));
    EXPECT_EQ(from_hex("00fAB0"), (Bytes{0x00, 0xfa, 0xb0}));
    EXPECT_EQ(from_hex("0x"), Bytes{});
}

TEST(Hex, refuses_odd_counts_and_other_characters_unless_lenient) {
    EXPECT_FALSE(from_hex("0x123"));
    EXPECT_FALSE(from_hex("0x1g"));
    EXPECT_FALSE(from_hex_lenient("x1"));
    EXPECT_EQ(from_hex_lenient("0x123"), (Bytes{0x01, 0x23}));
}

}  // namespace
}  // namespace keel::core
