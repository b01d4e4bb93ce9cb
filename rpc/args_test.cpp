#include "rpc/args.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace keel::rpc {
namespace {

/// Params of a call, parsed.
class Params {
  public:
    explicit Params(std::string text) : size_(text.size()), text_(std::move(text)) {
        text_.append(kJsonPadding, 'z');
        EXPECT_EQ(in_.parse(std::string_view(text_).substr(0, size_)), JsonVerdict::Ok) << text_;
    }
    JsonValue value() const { return in_.root(); }
    JsonValue first() const { return *in_.root().begin(); }

  private:
    size_t size_;
    std::string text_;
    JsonIn in_;
};

std::string error_of(const std::string& params, size_t count_max,
                     const std::function<void(Args&)>& read) {
    const Params parsed(params);
    Args args(parsed.value(), count_max);
    read(args);
    if (args.ok()) return "";
    EXPECT_EQ(args.error().error().code, Code::InvalidParams);
    EXPECT_FALSE(args.error().error().data);
    return args.error().error().message;
}

TEST(Args, quantities) {
    const std::pair<const char*, std::optional<uint64_t>> cases[] = {
        {R"(["0x0"])", 0},
        {R"(["0x1f"])", 31},
        {R"(["0XAbCdEf"])", 0xabcdef},
        {R"(["0xffffffffffffffff"])", UINT64_MAX},
        {R"(["0x10000000000000000"])", std::nullopt},
        {R"(["0x"])", std::nullopt},
        {R"(["0x01"])", std::nullopt},
        {R"(["0x00"])", std::nullopt},
        {R"(["2"])", std::nullopt},
        {R"([""])", std::nullopt},
        {R"(["0xg"])", std::nullopt},
        {R"([2])", std::nullopt},
        {R"([true])", std::nullopt},
    };
    for (const auto& [text, expected] : cases) {
        const Params params(text);
        const auto value = to_uint64(params.first());
        EXPECT_EQ(value.has_value(), expected.has_value()) << text;
        if (!value || !expected) continue;
        EXPECT_EQ(*value, *expected);
    }
    const Params large(R"(["0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"])");
    EXPECT_EQ(*to_u256(large.first()), core::U256::max());
    const Params larger(
        R"(["0x10000000000000000000000000000000000000000000000000000000000000000"])");
    EXPECT_FALSE(to_u256(larger.first()));
}

TEST(Args, data_has_a_prefix_and_an_even_count) {
    EXPECT_EQ(*to_bytes(Params(R"(["0x"])").first()), core::Bytes{});
    EXPECT_EQ(*to_bytes(Params(R"(["0xAb01"])").first()), (core::Bytes{0xab, 0x01}));
    for (const char* const bad : {R"(["ab"])", R"(["0xabc"])", R"(["0xzz"])", "[1]", "[null]"}) {
        EXPECT_FALSE(to_bytes(Params(bad).first())) << bad;
    }
    EXPECT_TRUE(to_address(Params(R"(["0x00000000000000000000000000000000000000Aa"])").first()));
    for (const char* const bad : {R"(["0x00000000000000000000000000000000000000"])",
                                  R"(["0x00000000000000000000000000000000000000aaa"])",
                                  R"(["00000000000000000000000000000000000000aa"])",
                                  R"(["0x000000000000000000000000000000000000000g"])"}) {
        EXPECT_FALSE(to_address(Params(bad).first())) << bad;
    }
}

TEST(Args, block_parameters) {
    using Kind = BlockSelector::Kind;
    const std::string hash = "0x" + std::string(62, '0') + "ff";
    const std::pair<std::string, Kind> good[] = {
        {R"(["latest"])", Kind::Latest},
        {R"(["earliest"])", Kind::Earliest},
        {R"(["pending"])", Kind::Pending},
        {R"(["safe"])", Kind::Safe},
        {R"(["finalized"])", Kind::Finalized},
        {R"(["0x10"])", Kind::Number},
        {R"(["0x7fffffffffffffff"])", Kind::Number},
        {R"([")" + hash + R"("])", Kind::Hash},
        {R"([{"blockNumber":"0x5"}])", Kind::Number},
        {R"([{"blockNumber":"latest"}])", Kind::Latest},
        {R"([{"blockHash":")" + hash + R"("}])", Kind::Hash},
        {R"([{"blockHash":")" + hash + R"(","requireCanonical":true}])", Kind::Hash},
    };
    for (const auto& [text, kind] : good) {
        const auto block = to_block(Params(text).first());
        ASSERT_TRUE(block) << text;
        EXPECT_EQ(block->kind, kind);
        EXPECT_EQ(block->require_canonical, text.find("requireCanonical") != std::string::npos);
    }
    const std::string bad[] = {
        R"(["newest"])",
        R"(["10"])",
        R"(["0x"])",
        R"(["0x00"])",
        R"([10])",
        R"(["0x8000000000000000"])",
        R"([[]])",
        R"([{}])",
        R"([{"blockNumber":"0x5","blockHash":")" + hash + R"("}])",
        R"([{"blockNumber":{"blockNumber":"0x1"}}])",
        R"([{"blockHash":"0x12"}])",
        R"([{"blockHash":")" + hash + R"(","requireCanonical":1}])",
        R"(["0x)" + std::string(63, '0') + R"(g"])",
    };
    for (const std::string& text : bad) EXPECT_FALSE(to_block(Params(text).first())) << text;
}

TEST(Args, storage_keys_are_taken_leniently) {
    const std::pair<std::string, uint64_t> good[] = {
        {R"(["0x00"])", 0},
        {R"(["0x0"])", 0},
        {R"(["0x"])", 0},
        {R"([""])", 0},
        {R"(["abc"])", 0xabc},
        {R"(["0x0f"])", 15},
        {R"(["0x)" + std::string(63, '0') + R"(7"])", 7}};
    for (const auto& [text, slot] : good) {
        EXPECT_EQ(*to_storage_key(Params(text).first()), core::U256(slot)) << text;
    }
    EXPECT_EQ(error_of(R"(["0xasdf"])", 1, [](Args& args) { args.storage_key(0); }),
              "invalid hex in storage key: \"0xasdf\"");
    const std::string longer = "0x" + std::string(65, '0');
    EXPECT_EQ(error_of("[\"" + longer + "\"]", 1, [](Args& args) { args.storage_key(0); }),
              "storage key too long (want at most 32 bytes): \"" + longer + "\"");
}

TEST(Args, counts_and_missing_values) {
    EXPECT_EQ(error_of("[1,2]", 1, [](Args&) {}), "too many arguments, want at most 1");
    EXPECT_EQ(error_of("{}", 1, [](Args&) {}), "non-array args");
    EXPECT_EQ(error_of("[]", 1, [](Args& args) { args.hash(0); }),
              "missing value for required argument 0");
    EXPECT_EQ(error_of("[null]", 1, [](Args& args) { args.address(0); }),
              "missing value for required argument 0");
    EXPECT_EQ(error_of(R"(["0x0"])", 2, [](Args& args) { args.block(0), args.boolean(1); }),
              "missing value for required argument 1");
    EXPECT_EQ(error_of(R"(["0x0",1])", 2, [](Args& args) { args.block(0), args.boolean(1); }),
              "invalid argument 1: not a boolean");
    EXPECT_EQ(error_of("[]", 1, [](Args& args) { args.block_or_latest(0); }), "");
    EXPECT_EQ(error_of("[null]", 1, [](Args& args) { args.block_or_latest(0); }), "");
    EXPECT_EQ(error_of("null", 0, [](Args&) {}), "");
    Args none(std::nullopt, 0);
    EXPECT_TRUE(none.ok());
}

}  // namespace
}  // namespace keel::rpc
