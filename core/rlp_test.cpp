#include "core/rlp.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/hex.hpp"

namespace keel::core {
namespace {

Bytes encoded(ByteView value) {
    Bytes out;
    rlp_append_string(out, value);
    return out;
}

// Examples of the yellow paper's appendix B and of the RLP page of the execution specification.
TEST(Rlp, encodes_the_known_examples) {
    EXPECT_EQ(to_hex(encoded("dog")), "83646f67");
    EXPECT_EQ(to_hex(encoded("")), "80");
    EXPECT_EQ(to_hex(encoded(Bytes{0x00})), "00");
    EXPECT_EQ(to_hex(encoded(Bytes{0x7f})), "7f");
    EXPECT_EQ(to_hex(encoded(Bytes{0x80})), "8180");
    EXPECT_EQ(to_hex(encoded("Lorem ipsum dolor sit amet, consectetur adipisicing elit")),
              "b838" + to_hex("Lorem ipsum dolor sit amet, consectetur adipisicing elit"));
    Bytes out;
    rlp_append_uint(out, uint64_t{0});
    rlp_append_uint(out, uint64_t{15});
    rlp_append_uint(out, uint64_t{1024});
    EXPECT_EQ(to_hex(out), "800f820400");
    out.clear();
    const size_t list = rlp_begin_list(out);
    rlp_append_string(out, "cat");
    rlp_append_string(out, "dog");
    rlp_end_list(out, list);
    EXPECT_EQ(to_hex(out), "c88363617483646f67");
}

TEST(Rlp, lengths_agree_with_what_is_written) {
    for (const size_t size : {0u, 1u, 2u, 55u, 56u, 255u, 256u, 65535u, 65536u}) {
        const Bytes value(size, 0x80);
        EXPECT_EQ(rlp_string_length(value), encoded(value).size()) << size;
        const Bytes whole = encoded(value);
        RlpReader again{ByteView(whole)};
        const auto content = again.string();
        ASSERT_TRUE(content) << size;
        EXPECT_EQ(*content, ByteView(value));
        EXPECT_TRUE(again.at_end());
    }
}

RlpError error_of(std::string_view hex) {
    const Bytes bytes = *from_hex(hex);
    RlpReader reader{ByteView(bytes)};
    const auto value = reader.string();
    EXPECT_FALSE(value) << hex;
    return value ? RlpError::InvalidValue : value.error();
}

TEST(Rlp, refuses_every_form_but_the_shortest) {
    EXPECT_EQ(error_of("8100"), RlpError::NonCanonicalSize);      // a byte below 0x80 as a string
    EXPECT_EQ(error_of("b801ff"), RlpError::NonCanonicalSize);    // long form of a short length
    EXPECT_EQ(error_of("b90001ff"), RlpError::NonCanonicalSize);  // length with leading zeros
    EXPECT_EQ(error_of("83646f"), RlpError::InputTooShort);
    EXPECT_EQ(error_of("b8"), RlpError::InputTooShort);
    EXPECT_EQ(error_of("bfffffffffffffffff"), RlpError::InputTooShort);  // length of 2^64 - 1
    EXPECT_EQ(error_of(""), RlpError::ListTooShort);
    EXPECT_EQ(error_of("c0"), RlpError::ExpectedString);
}

TEST(Rlp, integers_have_no_leading_zeros_and_fit_their_field) {
    const auto uint_of = [](std::string_view hex) {
        const Bytes bytes = *from_hex(hex);
        return RlpReader{ByteView(bytes)}.uint64();
    };
    EXPECT_EQ(uint_of("80").value(), 0u);
    EXPECT_EQ(uint_of("88ffffffffffffffff").value(), UINT64_MAX);
    EXPECT_EQ(uint_of("00").error(), RlpError::LeadingZeros);
    EXPECT_EQ(uint_of("820001").error(), RlpError::LeadingZeros);
    EXPECT_EQ(uint_of("89010000000000000000").error(), RlpError::Overflow);
}

TEST(Rlp, a_list_that_fills_its_input_is_read_to_its_end) {
    const Bytes bytes = *from_hex("c88363617483646f67");
    auto list = rlp_outer_list(bytes);
    ASSERT_TRUE(list);
    EXPECT_EQ(list->string().value().text(), "cat");
    EXPECT_FALSE(list->end());
    EXPECT_EQ(list->string().value().text(), "dog");
    EXPECT_TRUE(list->end());
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(rlp_outer_list(longer).error(), RlpError::TrailingBytes);
}

}  // namespace
}  // namespace keel::core
