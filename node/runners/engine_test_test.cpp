#include "node/runners/engine_test.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/hex.hpp"
#include "core/types/header.hpp"
#include "crypto/keccak.hpp"
#include "node/runners/alloc.hpp"

namespace keel::node::runners {
namespace {

constexpr std::string_view kPre = R"({
    "0x00000000000000000000000000000000000000aa": {"balance": "0x01", "nonce": "0x00",
        "code": "0x60", "storage": {"0x01": "0x02"}}})";

core::Hash32 root_of_pre() {
    simdjson::dom::parser parser;
    return AllocState(read_alloc(parser.parse(kPre).value().get_object().value())).root();
}

core::Hash32 hash_of(const core::Header& header) {
    core::Bytes rlp;
    core::append_header(rlp, header);
    return crypto::keccak256(rlp);
}

// Paris: an empty block changes nothing of the state.
core::Header genesis_header() {
    core::Header header;
    header.state_root = root_of_pre();
    header.gas_limit = 1'000'000;
    header.base_fee = 8;
    return header;
}

core::Header first_header() {
    core::Header header = genesis_header();
    header.parent_hash = hash_of(genesis_header());
    header.number = 1;
    header.timestamp = 10;
    header.base_fee = 7;  // EIP-1559: an eighth less after an empty block
    return header;
}

/// An entry of `engineNewPayloads`; `more` are further members of it.
std::string payload(const core::Header& header, std::string_view more = "",
                    std::string_view left_out = "") {
    const auto member = [&left_out](std::string_view name, const std::string& value) {
        return name == left_out ? std::string() : fmt::format(R"("{}": "{}",)", name, value);
    };
    const std::string fields = member("parentHash", core::to_hex_prefixed(header.parent_hash)) +
                               member("feeRecipient", core::to_hex_prefixed(header.coinbase)) +
                               member("stateRoot", core::to_hex_prefixed(header.state_root)) +
                               member("receiptsRoot", core::to_hex_prefixed(header.receipts_root)) +
                               member("logsBloom", core::to_hex_prefixed(header.bloom)) +
                               member("prevRandao", core::to_hex_prefixed(header.mix_hash)) +
                               member("blockNumber", fmt::format("{:#x}", header.number)) +
                               member("gasLimit", fmt::format("{:#x}", header.gas_limit)) +
                               member("gasUsed", fmt::format("{:#x}", header.gas_used)) +
                               member("timestamp", fmt::format("{:#x}", header.timestamp)) +
                               member("extraData", "0x") +
                               member("baseFeePerGas", header.base_fee->to_quantity()) +
                               member("blockHash", core::to_hex_prefixed(hash_of(header)));
    return fmt::format(R"({{"params": [{{{}"transactions": []}}], "newPayloadVersion": "1",
                           "forkchoiceUpdatedVersion": "1"{}}})",
                       fields, more);
}

struct Case {
    std::string payloads = payload(first_header());
    core::Hash32 last = hash_of(first_header());
    std::string_view post = kPre;
};

CaseResult run(const Case& test, bool strict = false,
               const std::optional<std::filesystem::path>& lmdb_parent = {}) {
    const core::Header genesis = genesis_header();
    const std::string json = fmt::format(
        R"({{"a test": {{"network": "Paris", "pre": {}, "postState": {}, "lastblockhash": "{}",
            "genesisBlockHeader": {{"nonce": "0x00", "timestamp": "0x00", "gasLimit": "{:#x}",
                "gasUsed": "0x00", "extraData": "0x", "difficulty": "0x00", "mixHash": "0x00",
                "parentHash": "0x00", "coinbase": "0x0000000000000000000000000000000000000000",
                "baseFeePerGas": "0x08", "hash": "{}"}},
            "engineNewPayloads": [{}]}}}})",
        kPre, test.post, core::to_hex_prefixed(test.last), genesis.gas_limit,
        core::to_hex_prefixed(hash_of(genesis)), test.payloads);
    simdjson::dom::parser parser;
    const JsonObject file = parser.parse(json).value().get_object().value();
    const Suite suite =
        engine_test_suite({.select = {}, .network = {}, .strict = strict}, lmdb_parent);
    const auto runner = suite.make_runner();
    std::vector<CaseResult> results;
    for (const auto& [name, value] : file) {
        const FixtureFile::Member member{name, value.get_object().value()};
        EXPECT_EQ(suite.pieces(member), 1u);
        runner->run(member, 0, results);
    }
    EXPECT_EQ(results.size(), 1u);
    return results.at(0);
}

void expect_failure(const Case& test, std::string_view part) {
    const CaseResult result = run(test, true);
    EXPECT_EQ(result.outcome, Outcome::Failed);
    EXPECT_NE(result.error.find(part), std::string::npos) << result.error;
}

core::Header wrong_state_root() {
    core::Header header = first_header();
    header.state_root[0] ^= 1;
    return header;
}

TEST(EngineTest, a_valid_payload_becomes_head) {
    const CaseResult result = run({}, true);
    EXPECT_EQ(result.outcome, Outcome::Passed) << result.error;
    EXPECT_EQ(result.network, "Paris");
    expect_failure({.last = hash_of(genesis_header())}, "head is block 1");
    expect_failure({.post = "{}"}, "account 0x00000000000000000000000000000000000000aa");
}

TEST(EngineTest, it_runs_on_lmdb_too) {
    const std::filesystem::path parent =
        std::filesystem::path(testing::TempDir()) / "engine_test_lmdb";
    const CaseResult result = run({}, true, parent);
    EXPECT_EQ(result.outcome, Outcome::Passed) << result.error;
    EXPECT_TRUE(std::filesystem::exists(parent));
    std::filesystem::remove_all(parent);
}

TEST(EngineTest, an_invalid_payload_must_be_refused_for_its_reason) {
    const auto refused = [](std::string_view name) {
        return Case{.payloads = payload(wrong_state_root(),
                                        fmt::format(R"(, "validationError": "{}")", name)),
                    .last = hash_of(genesis_header())};
    };
    const CaseResult right = run(refused("BlockException.INVALID_STATE_ROOT"), true);
    EXPECT_EQ(right.outcome, Outcome::Passed) << right.error;
    const Case wrong = refused("BlockException.INVALID_GAS_USED");
    EXPECT_NE(run(wrong).warning, "");
    expect_failure(wrong, "INVALID_GAS_USED");
    expect_failure({.payloads = payload(wrong_state_root())}, "INVALID");
    expect_failure(
        {.payloads = payload(first_header(),
                             R"(, "validationError": "BlockException.INVALID_STATE_ROOT")")},
        "VALID, although");
}

TEST(EngineTest, a_call_that_is_wrong_itself_is_answered_by_its_code) {
    const auto wrong = [](std::string_view code) {
        return Case{.payloads = payload(first_header(), fmt::format(R"(, "errorCode": "{}")", code),
                                        "gasUsed"),
                    .last = hash_of(genesis_header())};
    };
    const CaseResult right = run(wrong("-32602"), true);
    EXPECT_EQ(right.outcome, Outcome::Passed) << right.error;
    expect_failure(wrong("-38005"), "error -32602");
    expect_failure({.payloads = payload(first_header(), R"(, "errorCode": "-32602")")},
                   "VALID, expected error -32602");
}

}  // namespace
}  // namespace keel::node::runners
