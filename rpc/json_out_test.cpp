#include "rpc/json_out.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/hex.hpp"

namespace keel::rpc {
namespace {

TEST(JsonOut, puts_commas_between_members_and_elements_and_nowhere_else) {
    JsonOut out;
    out.begin_object();
    out.key("a");
    out.begin_array();
    out.number(uint64_t{1});
    out.begin_object();
    out.end_object();
    out.begin_array();
    out.end_array();
    out.null();
    out.end_array();
    out.key("b");
    out.boolean(true);
    out.key("c");
    out.string("x");
    out.key(std::string_view("d"));
    out.begin_object();
    out.quantity("e", uint64_t{0});
    out.null("f");
    out.end_object();
    out.end_object();
    EXPECT_EQ(out.text(), R"({"a":[1,{},[],null],"b":true,"c":"x","d":{"e":"0x0","f":null}})");
}

TEST(JsonOut, a_string_that_ends_in_a_bracket_is_followed_by_a_comma) {
    JsonOut out;
    out.begin_array();
    out.string("[");
    out.string("{");
    out.string(":");
    out.end_array();
    EXPECT_EQ(out.text(), R"(["[","{",":"])");
}

TEST(JsonOut, quantities_have_no_leading_zeros) {
    const std::pair<core::U256, std::string> cases[] = {
        {core::U256(0), "\"0x0\""},
        {core::U256(1), "\"0x1\""},
        {core::U256(0x10), "\"0x10\""},
        {core::U256(UINT64_MAX), "\"0xffffffffffffffff\""},
        {core::U256(0, 1, 0, 0), "\"0x10000000000000000\""},
        {core::U256(0xab, 0, 0, 0x0f), "\"0xf" + std::string(46, '0') + "ab\""},
        {core::U256::max(),
         "\"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\""},
    };
    for (const auto& [value, text] : cases) {
        JsonOut out;
        out.quantity(value);
        EXPECT_EQ(out.text(), text);
        EXPECT_EQ("\"" + value.to_quantity() + "\"", out.text());
    }
}

TEST(JsonOut, data_of_every_length_is_what_the_plain_writer_says) {
    for (size_t length = 0; length < 80; ++length) {
        core::Bytes bytes(length);
        for (size_t i = 0; i < length; ++i) bytes[i] = static_cast<uint8_t>(i * 37 + length);
        JsonOut out;
        out.data(bytes);
        EXPECT_EQ(out.text(), "\"" + core::to_hex_prefixed(bytes) + "\"");
    }
}

TEST(JsonOut, strings_are_escaped_and_bad_utf8_is_replaced) {
    const std::pair<std::string, std::string> cases[] = {
        {"plain", "\"plain\""},
        {"a\"b\\c", R"("a\"b\\c")"},
        {std::string("\n\t\0\x1f", 4), R"("\n\u0009\u0000\u001f")"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xff", "\"\xef\xbf\xbd\""},
        {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                  // overlong
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},  // surrogate
        {"a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},                // cut off
    };
    for (const auto& [text, expected] : cases) {
        JsonOut out;
        out.string(text);
        EXPECT_EQ(out.text(), expected);
    }
}

TEST(JsonOut, prepends_to_what_is_written_and_keeps_it_while_growing) {
    JsonOut out;
    out.raw("body");
    out.prepend("head ");
    EXPECT_EQ(out.whole(), "head body");
    EXPECT_EQ(out.text(), "body");
    out.raw(std::string(100'000, 'x'));
    EXPECT_EQ(out.whole().substr(0, 10), "head bodyx");
    EXPECT_EQ(out.size(), 100'004U);
    out.clear();
    EXPECT_EQ(out.whole(), "");
    JsonOut empty;
    empty.prepend("head");
    EXPECT_EQ(empty.whole(), "head");
}

TEST(JsonOut, truncate_takes_back_what_a_failed_call_wrote) {
    JsonOut out;
    out.begin_array();
    const size_t mark = out.size();
    out.data(core::Bytes(5'000));
    out.truncate(mark);
    out.number(uint64_t{7});
    out.end_array();
    EXPECT_EQ(out.text(), "[7]");
}

TEST(JsonOut, clear_keeps_memory_up_to_a_bound) {
    JsonOut out;
    out.raw(std::string(1 << 20, 'x'));
    out.clear(1000);
    EXPECT_EQ(out.size(), 0U);
    out.raw("again");
    EXPECT_EQ(out.text(), "again");
}

}  // namespace
}  // namespace keel::rpc
