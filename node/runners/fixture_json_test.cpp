#include "node/runners/fixture_json.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/files.hpp"
#include "core/hex.hpp"

namespace keel::node::runners {
namespace {

/// A file with this content that is gone at the end of the test.
class TestFile {
  public:
    explicit TestFile(std::string_view content)
        : path_(std::filesystem::path(testing::TempDir()) /
                (std::string("fixture_json_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + ".json")) {
        core::write_file_atomically(files_, path_, content);
    }
    ~TestFile() { std::filesystem::remove(path_); }
    TestFile(const TestFile&) = delete;
    TestFile& operator=(const TestFile&) = delete;
    FixtureFile open() { return FixtureFile(files_, path_); }

  private:
    core::SystemFiles files_;
    std::filesystem::path path_;
};

std::optional<std::string> quantity(const char* json) {
    simdjson::dom::parser parser;
    const auto number = to_u256(parser.parse(std::string_view(json)).value());
    return number ? std::optional(number->to_quantity()) : std::nullopt;
}

TEST(FixtureJson, numbers_are_read_in_all_forms_that_test_makers_wrote) {
    const struct {
        const char* json;
        std::optional<std::string> want;
    } cases[] = {
        {R"("0x00")", "0x0"},
        {R"("0x0a")", "0xa"},
        {R"("0x1312D00")", "0x1312d00"},
        {R"("4294967296")", "0x100000000"},
        {R"("")", "0x0"},
        {R"("0x")", "0x0"},
        {"17", "0x11"},
        {R"("0x:bigint 0x10")", "0x10"},
        {R"("0x:bigint 0x10000000000000000000000000000000000000000000000000000000000000000")",
         std::nullopt},
        {R"("0xzz")", std::nullopt},
        {"[]", std::nullopt},
    };
    for (const auto& test : cases) EXPECT_EQ(quantity(test.json), test.want) << test.json;
}

TEST(FixtureJson, accounts_come_without_zero_slots_and_with_padded_ones) {
    simdjson::dom::parser parser;
    const std::string_view json = R"({
        "0xAAaa000000000000000000000000000000000001": {"balance": "0x0de0b6b3a7640000",
            "nonce": "0x01", "code": "0x600",
            "storage": {"0x00": "0x00", "0x0001": "0x02", "3": "0x04"}},
        "aaaa000000000000000000000000000000000000": {"balance": "10"}})";
    const Alloc alloc = read_alloc(parser.parse(json).value().get_object().value());
    ASSERT_EQ(alloc.size(), 2u);
    const auto& [first_address, first] = *alloc.begin();
    EXPECT_EQ(core::to_hex(first_address), "aaaa000000000000000000000000000000000000");
    EXPECT_EQ(first.balance, core::U256(10));
    EXPECT_EQ(first.nonce, 0u);
    const auto& second = alloc.rbegin()->second;
    EXPECT_EQ(second.nonce, 1u);
    EXPECT_EQ(core::to_hex(second.code), "0600");
    const std::map<core::U256, core::U256> slots = {{1, 2}, {3, 4}};
    EXPECT_EQ(second.storage, slots);
}

TEST(FixtureJson, a_file_gives_its_tests_in_its_order) {
    TestFile file(R"({"b::x[fork_Cancun-1 y]": {"network": "Cancun"}, "a": {}})");
    const FixtureFile fixture = file.open();
    ASSERT_EQ(fixture.members().size(), 2u);
    EXPECT_EQ(fixture.members()[0].name, "b::x[fork_Cancun-1 y]");
    EXPECT_EQ(find_text(fixture.members()[0].test, "network"), "Cancun");
    EXPECT_EQ(find_text(fixture.members()[1].test, "network"), std::nullopt);
}

TEST(FixtureJson, documents_without_tests_have_none) {
    TestFile list("[{}]");
    EXPECT_TRUE(list.open().members().empty());
    TestFile other(R"({"a": 1, "b": {}, "c": []})");
    const FixtureFile fixture = other.open();
    EXPECT_EQ(fixture.members().size(), 1u);
    EXPECT_EQ(fixture.other_members(), 2u);
}

TEST(FixtureJson, what_is_not_json_is_refused_with_its_name) {
    for (const char* const content : {"", "{", R"({"a": 1)"}) {
        TestFile file(content);
        try {
            file.open();
            ADD_FAILURE() << content;
        } catch (const MalformedFixture& fault) {
            EXPECT_NE(fault.message().find(".json"), std::string::npos) << fault.message();
        }
    }
}

}  // namespace
}  // namespace keel::node::runners
