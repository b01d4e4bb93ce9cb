#include "chain/genesis_json.hpp"

#include <gtest/gtest.h>

#include "core/fault.hpp"

namespace keel::chain {
namespace {

using core::U256;

// HIVE.md D.1.2: number forms.
TEST(GenesisNumbers, have_many_forms) {
    struct Case {
        const char* text;
        const char* decimal;  // null: refused
    };
    constexpr Case kCases[] = {
        {"", "0"},
        {"0", "0"},
        {"17", "17"},
        {"017", "17"},
        {"0x11", "17"},
        {"0X11", "17"},
        {"0x00", "0"},
        {"0x", "0"},
        {"0x020000", "131072"},
        {"0x0000000000000000000000000000000000000000000000000000000000000000ff", "255"},
        {"58750000000000000000000", "58750000000000000000000"},
        {"5.875e+22", "58750000000000000000000"},
        {"5.875E22", "58750000000000000000000"},
        {"1e0", "1"},
        {"10.0", "10"},
        {"1500e-2", "15"},
        {"0.0", "0"},
        {"115792089237316195423570985008687907853269984665640564039457584007913129639935",
         "115792089237316195423570985008687907853269984665640564039457584007913129639935"},
        {"115792089237316195423570985008687907853269984665640564039457584007913129639936", nullptr},
        {"1e78", nullptr},
        {"1e999999999999", nullptr},
        {"1.5", nullptr},
        {"15e-2", nullptr},
        {"-1", nullptr},
        {"e5", nullptr},
        {".5e1", nullptr},
        {"1.2.3e9", nullptr},
        {"0xg", nullptr},
        {" 1", nullptr},
        {"12a", nullptr},
    };
    for (const Case& expected : kCases) {
        const auto value = parse_number(expected.text);
        if (expected.decimal == nullptr) {
            EXPECT_FALSE(value) << expected.text;
        } else {
            ASSERT_TRUE(value) << expected.text;
            EXPECT_EQ(*value, U256::from_decimal(expected.decimal)) << expected.text;
        }
    }
}

TEST(GenesisJson, keeps_the_text_of_numbers_and_the_order_of_members) {
    const std::string json =
        R"({"z":58750000000000000000000,"a":[1,-2,5.875e+22,{}],"q":"a\"\n","t":true,"n":null})";
    EXPECT_EQ(parse_json(json, "x").to_json(), json);
}

TEST(GenesisJson, finds_members_by_name_then_by_name_in_another_case) {
    const JsonNode node = parse_json(R"({"mixhash":"1","a":"2","A":"3","a":"4","b":null})", "x");
    ASSERT_NE(node.find("mixHash"), nullptr);
    EXPECT_EQ(node.find("mixHash")->text, "1");
    EXPECT_EQ(node.find("A")->text, "3");
    EXPECT_EQ(node.find("a")->text, "4") << "the last one";
    EXPECT_EQ(node.find("b"), nullptr);
    EXPECT_EQ(node.find("c"), nullptr);
}

std::string refusal_of(const std::string& json) {
    try {
        parse_json(json, "doc");
    } catch (const core::Fault& fault) {
        EXPECT_EQ(fault.kind(), core::FaultKind::Usage);
        return fault.message();
    }
    return "accepted";
}

TEST(GenesisJson, refuses_what_is_not_json_and_what_is_nested_too_deeply) {
    EXPECT_TRUE(refusal_of("{").starts_with("doc: not JSON: ")) << refusal_of("{");
    EXPECT_TRUE(refusal_of("{}x").starts_with("doc: not JSON: "));
    EXPECT_TRUE(refusal_of("").starts_with("doc: not JSON: "));
    EXPECT_EQ(refusal_of(std::string(100'000, '[')), "doc: nested deeper than 64");
}

TEST(GenesisJson, whatever_json_allows_is_read_and_nothing_else) {
    struct Case {
        const char* json;
        const char* compact;
    };
    constexpr Case kCases[] = {
        {" { \"a\" : 1 , \"b\":[ 2.50 ,\n-3e+7,0 ],\"c\":{ } }\t",
         R"({"a":1,"b":[2.50,-3e+7,0],"c":{}})"},
        {R"(["\u0041\"\\\n","\ud83d\ude00", true ,false,null])",
         "[\"A\\\"\\\\\\n\",\"\xf0\x9f\x98\x80\",true,false,null]"},
        {"[123456789012345678901234567890,18446744073709551615,-0]",
         "[123456789012345678901234567890,18446744073709551615,0]"},
        {"{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}"},
        {"7", "7"},
        {"\"x\"", "\"x\""},
    };
    for (const Case& each : kCases) EXPECT_EQ(parse_json(each.json, "doc").to_json(), each.compact);
    for (const char* json :
         {"[01]",      "[1.]",       "[.5]",       "[1e]",       "[+1]",     "[-]",   "[1,]",
          "[1 2]",     "{\"a\":1}}", "[1]]",       "{\"a\" 1}",  "{\"a\":}", "{a:1}", "[nul]",
          "[\"\\x\"]", "[\"\x01\"]", "[\"\xff\"]", "{\"a\":1,}", "[tru e]",  "[0x10]"}) {
        EXPECT_TRUE(refusal_of(json).starts_with("doc: not JSON: ")) << json;
    }
}

TEST(GenesisJson, messages_have_the_json_pointer_and_the_value) {
    const JsonNode root = parse_json(R"({"a/b":{"c":"0x1g"}})", "doc");
    const std::string document = "doc";
    const JsonPlace top(document, root);
    const JsonPlace a(top, "a/b", *root.find("a/b"));
    const JsonPlace c(a, "c", *a.node().find("c"));
    try {
        c.u256();
        FAIL();
    } catch (const core::Fault& fault) {
        EXPECT_EQ(fault.message(),
                  "doc: /a~1b/c: \"0x1g\": not a whole number of at most 256 bits");
    }
}

}  // namespace
}  // namespace keel::chain
