#include "rpc/json_in.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace keel::rpc {
namespace {

/// Text with the room behind it that parse() asks for.
class Padded {
  public:
    explicit Padded(std::string_view text) : size_(text.size()), bytes_(text) {
        bytes_.append(kJsonPadding, 'z');
    }
    std::string_view text() const { return std::string_view(bytes_).substr(0, size_); }

  private:
    size_t size_;
    std::string bytes_;
};

JsonVerdict verdict_of(std::string_view text) {
    JsonIn in;
    const Padded padded(text);
    return in.parse(padded.text());
}

TEST(JsonIn, gives_members_elements_and_tokens_as_they_stand) {
    JsonIn in;
    const Padded padded(
        R"( {"id" : 12345678901234567890123 , "list":[1,"two",null,{"x":true}], "t" : "a\u0041\n" } )");
    ASSERT_EQ(in.parse(padded.text()), JsonVerdict::Ok);
    const JsonValue root = in.root();
    ASSERT_TRUE(root.is(JsonKind::Object));
    EXPECT_EQ(root.size(), 3U);
    EXPECT_EQ(root.member("id")->raw(), "12345678901234567890123");
    const JsonValue list = *root.member("list");
    ASSERT_EQ(list.size(), 4U);
    auto at = list.begin();
    EXPECT_EQ((*at).raw(), "1");
    ++at;
    EXPECT_EQ((*at).text(), "two");
    EXPECT_EQ((*at).raw(), "\"two\"");
    ++at;
    EXPECT_TRUE((*at).is(JsonKind::Null));
    ++at;
    EXPECT_TRUE((*at).member("x")->is(JsonKind::True));
    EXPECT_EQ(root.member("t")->text(), "aA\n");
    EXPECT_EQ(root.member("t")->raw(), R"("a\u0041\n")");
    EXPECT_FALSE(root.member("none"));
}

TEST(JsonIn, the_last_of_several_members_of_a_name_counts) {
    JsonIn in;
    const Padded padded(R"({"a":1,"b":2,"a":3})");
    ASSERT_EQ(in.parse(padded.text()), JsonVerdict::Ok);
    EXPECT_EQ(in.root().member("a")->raw(), "3");
}

TEST(JsonIn, takes_scalars_and_empty_containers) {
    for (const char* const text : {"1", "-0", "1.5e+10", "null", "true", "false", "\"x\"", "[]",
                                   "{}", " [ ] ", "[[],{}]", "[0]", "\"\\u00e4\""}) {
        EXPECT_EQ(verdict_of(text), JsonVerdict::Ok) << text;
    }
}

// Also what stands where nobody looks: simdjson alone checks only what is read.
TEST(JsonIn, refuses_what_is_no_json) {
    for (const char* const text : {"",
                                   " ",
                                   "{",
                                   "}",
                                   "[1,,2]",
                                   "[1,]",
                                   "{\"a\":1,}",
                                   "{\"a\"}",
                                   "{\"a\":}",
                                   "{a:1}",
                                   "{\"a\":1 \"b\":2}",
                                   "[1 2]",
                                   "nul",
                                   "truee",
                                   "falsehood",
                                   "01",
                                   "-",
                                   "1.",
                                   ".5",
                                   "1e",
                                   "+1",
                                   "0x10",
                                   "{\"a\":[1,,2]}",
                                   "{\"a\":nul}",
                                   "\"\x01\"",
                                   "\"",
                                   "[\"\\x\"]",
                                   "hello",
                                   "{\"a\":01}",
                                   "{\"a\":1.}",
                                   "{\"a\":1}}",
                                   "{\"a\":1} x",
                                   "[1]]",
                                   "[1] 2",
                                   "{} {}",
                                   "\xff",
                                   "[\"\xff\"]",
                                   "{\"a\":\"\\ud800\"}",
                                   "[1",
                                   "{\"a\":1"}) {
        EXPECT_EQ(verdict_of(text), JsonVerdict::Malformed) << text;
    }
}

TEST(JsonIn, counts_depth_and_values) {
    const auto nested = [](size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_EQ(verdict_of(nested(kJsonDepthMax)), JsonVerdict::Ok);
    EXPECT_EQ(verdict_of(nested(kJsonDepthMax + 1)), JsonVerdict::TooDeep);
    EXPECT_EQ(verdict_of(nested(5000)), JsonVerdict::TooDeep);
    std::string many = "[";
    for (size_t i = 0; i < kJsonValuesMax; ++i) many += "1,";
    many += "1]";
    EXPECT_EQ(verdict_of(many), JsonVerdict::TooManyValues);
}

TEST(JsonIn, goes_on_after_an_error_and_after_a_large_text) {
    JsonIn in;
    const Padded bad("[1,,2]");
    EXPECT_EQ(in.parse(bad.text()), JsonVerdict::Malformed);
    const Padded large("[\"" + std::string(3 << 20, 'x') + "\"]");
    EXPECT_EQ(in.parse(large.text()), JsonVerdict::Ok);
    in.trim();
    const Padded good("[1]");
    EXPECT_EQ(in.parse(good.text()), JsonVerdict::Ok);
    EXPECT_EQ(in.root().size(), 1U);
}

/// From KEEL_SEED, else another each time; said when a test fails.
uint64_t seed() {
    const char* const given = std::getenv("KEEL_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

TEST(JsonIn, random_damage_is_judged_as_another_parser_judges_it) {
    const uint64_t start = seed();
    SCOPED_TRACE("KEEL_SEED=" + std::to_string(start));
    std::mt19937_64 random(start);
    const std::string good[] = {
        R"({"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"0x00","gas":"0x1"},"latest"]})",
        R"([{"a":[1,-2.5,0,true,false,null,"x\"y\\z\u00e4"]},{},[],[[{}]], "" ])",
        R"( { "k" : { "k" : [ "v" , 1 ] } } )",
    };
    const std::string letters = "{}[]:,\"\\ \n0123456789.-+trufalsn xX\x01";
    JsonIn in;
    for (int i = 0; i < 20'000; ++i) {
        std::string text = good[random() % std::size(good)];
        for (uint64_t edits = random() % 4 + 1; edits > 0 && !text.empty(); --edits) {
            const size_t at = random() % text.size();
            switch (random() % 3) {
                case 0:
                    text[at] = letters[random() % letters.size()];
                    break;
                case 1:
                    text.erase(at, random() % 3 + 1);
                    break;
                default:
                    text.insert(at, 1, letters[random() % letters.size()]);
            }
        }
        const Padded padded(text);
        EXPECT_EQ(in.parse(padded.text()) == JsonVerdict::Ok, nlohmann::json::accept(text)) << text;
    }
}

}  // namespace
}  // namespace keel::rpc
