#include "node/runners/state_test.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/hex.hpp"
#include "node/runners/alloc.hpp"

namespace keel::node::runners {
namespace {

// One transaction: 7 wei to 0x…bb, 21000 gas at 10 wei, from the account of the private key 1.
constexpr std::string_view kSender = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
constexpr std::string_view kNoLogs =
    "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";

// 10^18 - 7 - 210000 and so on, worked out by hand.
constexpr std::string_view kPre = R"({
    "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf": {"balance": "1000000000000000000", "nonce": "0x00"}})";
constexpr std::string_view kAfterTransfer = R"({
    "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf": {"balance": "999999999999789993", "nonce": "0x01"},
    "0x00000000000000000000000000000000000000bb": {"balance": "0x07", "nonce": "0x00"},
    "0x00000000000000000000000000000000000000cb": {"balance": "210000", "nonce": "0x00"}})";
constexpr std::string_view kWithCoinbase = R"({
    "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf": {"balance": "1000000000000000000", "nonce": "0x00"},
    "0x00000000000000000000000000000000000000cb": {"balance": "0x00", "nonce": "0x00"}})";

std::string root_of(std::string_view alloc_json) {
    simdjson::dom::parser parser;
    const Alloc alloc = read_alloc(parser.parse(alloc_json).value().get_object().value());
    return core::to_hex_prefixed(AllocState(alloc).root());
}

struct Case {
    std::string network = "Berlin";
    std::string root = root_of(kAfterTransfer);
    std::string logs = std::string(kNoLogs);
    std::string gas_limit = "0x5208";
    std::string exception = {};      // none if empty
    std::string state = {};          // none if empty
    std::string more_networks = {};  // more members of `post`
    std::string identity = R"("sender": ")" + std::string(kSender) + '"';
};

std::string to_json(const Case& test) {
    return fmt::format(
        R"({{"hand made": {{
            "env": {{"currentCoinbase": "0x00000000000000000000000000000000000000cb",
                     "currentDifficulty": "0x020000", "currentGasLimit": "0x0f4240",
                     "currentNumber": "0x01", "currentTimestamp": "0x03e8"}},
            "pre": {},
            "transaction": {{"nonce": "0x00", "gasPrice": "0x0a", "gasLimit": ["{}"],
                "to": "0x00000000000000000000000000000000000000bb", "value": ["0x07"],
                "data": ["0x"], {}}},
            "post": {{"{}": [{{"hash": "{}", "logs": "{}"{}{},
                "indexes": {{"data": 0, "gas": 0, "value": 0}}}}]{}}}}}}})",
        kPre, test.gas_limit, test.identity, test.network, test.root, test.logs,
        test.exception.empty() ? "" : fmt::format(R"(, "expectException": "{}")", test.exception),
        test.state.empty() ? "" : R"(, "state": )" + test.state, test.more_networks);
}

std::vector<CaseResult> run(const Case& test, const SuiteOptions& options = {}) {
    simdjson::dom::parser parser;
    const std::string json = to_json(test);
    const JsonObject file = parser.parse(json).value().get_object().value();
    const Suite suite = state_test_suite(options);
    const auto runner = suite.make_runner();
    std::vector<CaseResult> results;
    for (const auto& [name, value] : file) {
        const FixtureFile::Member member{name, value.get_object().value()};
        for (size_t i = 0; i < suite.pieces(member).value(); ++i) runner->run(member, i, results);
    }
    return results;
}

void expect_failure(const Case& test, std::string_view part, const SuiteOptions& options = {}) {
    const auto results = run(test, options);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].outcome, Outcome::Failed);
    EXPECT_NE(results[0].error.find(part), std::string::npos) << results[0].error;
}

void expect_pass(const Case& test) {
    const auto results = run(test);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].outcome, Outcome::Passed) << results[0].error;
    EXPECT_EQ(results[0].warning, "");
}

TEST(StateTest, a_transfer_leads_to_the_state_worked_out_by_hand) {
    expect_pass({});
    expect_pass({.identity = R"("secretKey":
        "0x0000000000000000000000000000000000000000000000000000000000000001")"});
    const auto results = run({});
    EXPECT_EQ(results[0].name, "hand made");
    EXPECT_EQ(results[0].network, "Berlin");
    EXPECT_EQ(results[0].entry, "d0 g0 v0");
    ASSERT_TRUE(results[0].state_root);
    EXPECT_EQ(core::to_hex_prefixed(*results[0].state_root), root_of(kAfterTransfer));
}

TEST(StateTest, another_root_or_another_logs_hash_fails) {
    expect_failure({.root = root_of(kPre)}, "state root is");
    expect_failure({.root = root_of(kPre), .state = std::string(kPre)},
                   "account 0x00000000000000000000000000000000000000bb: is there, not expected");
    expect_failure({.logs = root_of(kPre)}, "hash of 0 logs");
}

TEST(StateTest, whether_it_is_refused_must_be_as_expected) {
    expect_failure({.exception = "TR_IntrinsicGas"}, "executed, although");
    expect_failure({.root = root_of(kPre), .gas_limit = "0x5207"}, "refused: ");
    expect_pass({.network = "EIP158",
                 .root = root_of(kPre),
                 .gas_limit = "0x5207",
                 .exception = "TransactionException.INTRINSIC_GAS_TOO_LOW"});
    // Wider than its field: it could not be encoded.
    expect_pass({.root = root_of(kPre),
                 .gas_limit = "0x010000000000000000",
                 .exception = "TransactionException.GASLIMIT_OVERFLOW"});
}

// fixtures/README.md 4.2.3
TEST(StateTest, files_with_old_names_touch_the_coinbase_of_a_refused_transaction) {
    const Case old_name{.network = "Homestead",
                        .root = root_of(kWithCoinbase),
                        .gas_limit = "0x5207",
                        .exception = "TR_IntrinsicGas"};
    expect_pass(old_name);
    Case new_name = old_name;
    new_name.root = root_of(kPre);
    new_name.exception = "TransactionException.INTRINSIC_GAS_TOO_LOW";
    expect_pass(new_name);
    // From EIP-158 on the touch removes what it would make.
    Case later = old_name;
    later.network = "EIP158";
    later.root = root_of(kPre);
    expect_pass(later);
}

TEST(StateTest, another_reason_is_a_warning_and_strictly_a_failure) {
    const Case test{.network = "EIP158",
                    .root = root_of(kPre),
                    .gas_limit = "0x5207",
                    .exception = "TR_NoFunds"};
    const auto results = run(test);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].outcome, Outcome::Passed);
    EXPECT_NE(results[0].warning.find("TxIntrinsicGas"), std::string::npos) << results[0].warning;
    expect_failure(test, "TR_NoFunds", {.select = {}, .network = {}, .strict = true});
}

TEST(StateTest, networks_and_names_are_selected) {
    Case test;
    test.more_networks = fmt::format(R"(, "NoSuchNetwork": [{{"hash": "{}", "logs": "{}",
        "indexes": {{"data": 0, "gas": 0, "value": 0}}}}])",
                                     test.root, test.logs);
    const auto all = run(test);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].outcome, Outcome::Passed);
    EXPECT_EQ(all[1].outcome, Outcome::UnsupportedNetwork);
    EXPECT_EQ(run(test, {.select = {}, .network = "Berlin"}).size(), 1u);
    EXPECT_EQ(run(test, {.select = {}, .network = "London"}).size(), 0u);
    const auto none = [](std::string_view name) { return name != "hand made"; };
    EXPECT_EQ(run(test, {.select = none, .network = {}}).size(), 0u);
}

TEST(StateTest, members_of_another_format_are_not_taken) {
    simdjson::dom::parser parser;
    const JsonObject block_test =
        parser.parse(R"({"blocks": [], "network": "Berlin"})"_padded).value().get_object().value();
    EXPECT_EQ(state_test_suite({}).pieces({"x", block_test}), std::nullopt);
}

}  // namespace
}  // namespace keel::node::runners
