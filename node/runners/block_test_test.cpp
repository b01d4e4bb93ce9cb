#include "node/runners/block_test.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/hex.hpp"
#include "core/types/block.hpp"
#include "crypto/keccak.hpp"
#include "node/runners/alloc.hpp"

namespace keel::node::runners {
namespace {

// A genesis with one account, and an empty block that pays 5 ether to its coinbase (Frontier).
constexpr std::string_view kPre = R"({
    "0x00000000000000000000000000000000000000aa": {"balance": "0x01", "nonce": "0x00",
        "code": "0x60", "storage": {"0x01": "0x02"}}})";
constexpr std::string_view kPost = R"({
    "0x00000000000000000000000000000000000000aa": {"balance": "0x01", "nonce": "0x00",
        "code": "0x60", "storage": {"0x01": "0x02"}},
    "0x00000000000000000000000000000000000000cb": {"balance": "5000000000000000000", "nonce": "0"}})";

core::Hash32 root_of(std::string_view alloc_json) {
    simdjson::dom::parser parser;
    return AllocState(read_alloc(parser.parse(alloc_json).value().get_object().value())).root();
}

core::Bytes rlp_of(const core::Header& header) {
    core::Block block;
    block.header = header;
    core::Bytes rlp;
    core::append_block(rlp, block);
    return rlp;
}

core::Hash32 hash_of(const core::Header& header) {
    core::Bytes rlp;
    core::append_header(rlp, header);
    return crypto::keccak256(rlp);
}

core::Header genesis_header() {
    core::Header header;
    header.state_root = root_of(kPre);
    header.difficulty = 131'072;
    header.gas_limit = 1'000'000;
    header.nonce[7] = 0x42;
    return header;
}

core::Header first_header() {
    core::Header header;
    header.parent_hash = hash_of(genesis_header());
    header.coinbase = read_address("0x00000000000000000000000000000000000000cb");
    header.state_root = root_of(kPost);
    // Yellow paper: less than 13 s after the parent it grows by a 2048th.
    header.difficulty = 131'136;
    header.number = 1;
    header.gas_limit = 1'000'000;
    header.timestamp = 10;
    return header;
}

/// An entry of `blocks`: valid with `blockHeader`, else to be refused.
std::string valid(const core::Header& header) {
    return fmt::format(R"({{"rlp": "{}", "blockHeader": {{"hash": "{}"}}}})",
                       core::to_hex_prefixed(rlp_of(header)),
                       core::to_hex_prefixed(hash_of(header)));
}
std::string invalid(const core::Header& header, std::string_view exception) {
    return fmt::format(R"({{"rlp": "{}", "expectException": "{}"}})",
                       core::to_hex_prefixed(rlp_of(header)), exception);
}

struct Case {
    std::string network = "Frontier";
    std::string blocks = valid(first_header());
    core::Hash32 last = hash_of(first_header());
    std::string end = R"("postState": )" + std::string(kPost);
    core::Hash32 genesis_hash = hash_of(genesis_header());
    std::string seal = R"("sealEngine": "NoProof",)";
};

std::string to_json(const Case& test) {
    return fmt::format(
        R"({{"hand made": {{"network": "{}", {} "pre": {},
            "genesisBlockHeader": {{"hash": "{}", "nonce": "0x0000000000000042",
                "timestamp": "0x00", "gasLimit": "0x0f4240", "gasUsed": "0x00",
                "extraData": "0x", "difficulty": "0x020000",
                "mixHash": "0x{:064}", "parentHash": "0x{:064}", "coinbase": "0x{:040}"}},
            "genesisRLP": "{}", "blocks": [{}], "lastblockhash": "{}", {}}}}})",
        test.network, test.seal, kPre, core::to_hex_prefixed(test.genesis_hash), 0, 0, 0,
        core::to_hex_prefixed(rlp_of(genesis_header())), test.blocks,
        core::to_hex_prefixed(test.last), test.end);
}

CaseResult run(const Case& test, const BlockTestOptions& options = {}) {
    simdjson::dom::parser parser;
    const std::string json = to_json(test);
    const JsonObject file = parser.parse(json).value().get_object().value();
    const Suite suite = block_test_suite(options);
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
    const CaseResult result = run(test);
    EXPECT_EQ(result.outcome, Outcome::Failed);
    EXPECT_NE(result.error.find(part), std::string::npos) << result.error;
}

TEST(BlockTest, an_empty_block_leads_to_the_state_worked_out_by_hand) {
    for (const bool by_hash : {false, true}) {
        Case test;
        if (by_hash) {
            test.end =
                fmt::format(R"("postStateHash": "{}")", core::to_hex_prefixed(root_of(kPost)));
        }
        const CaseResult result = run(test);
        EXPECT_EQ(result.outcome, Outcome::Passed) << result.error;
        EXPECT_EQ(result.warning, "");
        EXPECT_EQ(result.network, "Frontier");
    }
}

TEST(BlockTest, it_runs_on_lmdb_too) {
    const std::filesystem::path parent =
        std::filesystem::path(testing::TempDir()) / "block_test_lmdb";
    BlockTestOptions options;
    options.lmdb_parent = parent;
    const CaseResult result = run({}, options);
    EXPECT_EQ(result.outcome, Outcome::Passed) << result.error;
    std::filesystem::remove_all(parent);
}

TEST(BlockTest, what_differs_at_the_end_is_named) {
    expect_failure({.last = hash_of(genesis_header())}, "head is block 1");
    expect_failure({.end = R"("postState": )" + std::string(kPre)},
                   "account 0x00000000000000000000000000000000000000cb: is there, not expected");
    expect_failure(
        {.end = fmt::format(R"("postStateHash": "{}")", core::to_hex_prefixed(root_of(kPre)))},
        "postStateHash");
    expect_failure({.genesis_hash = root_of(kPre)}, "genesis: hash is");
}

TEST(BlockTest, a_block_is_valid_if_and_only_if_it_has_a_header) {
    core::Header wrong = first_header();
    wrong.state_root = root_of(kPre);
    const std::string genesis_only = R"("postState": )" + std::string(kPre);
    expect_failure({.blocks = invalid(first_header(), "BlockException.INVALID_STATE_ROOT")},
                   "block 0: accepted, although");
    expect_failure({.blocks = valid(wrong)}, "block 0: refused: ");
    const CaseResult refused = run({.blocks = invalid(wrong, "BlockException.INVALID_STATE_ROOT"),
                                    .last = hash_of(genesis_header()),
                                    .end = genesis_only});
    EXPECT_EQ(refused.outcome, Outcome::Passed) << refused.error;
    EXPECT_EQ(refused.warning, "");
    // What is no RLP at all is refused too, and the next block is delivered all the same.
    const CaseResult garbage =
        run({.blocks = R"({"rlp": "0xdead"}, {"rlp": "zz"}, )" + valid(first_header())});
    EXPECT_EQ(garbage.outcome, Outcome::Passed) << garbage.error;
}

TEST(BlockTest, another_reason_is_a_warning_and_strictly_a_failure) {
    core::Header wrong = first_header();
    wrong.timestamp = 0;
    const Case test{.blocks = invalid(wrong, "InvalidStateRoot") + ", " + valid(first_header())};
    const CaseResult result = run(test);
    EXPECT_EQ(result.outcome, Outcome::Passed) << result.error;
    EXPECT_NE(result.warning.find("refused by Timestamp"), std::string::npos) << result.warning;
    BlockTestOptions strict;
    strict.suite.strict = true;
    EXPECT_EQ(run(test, strict).outcome, Outcome::Failed);
}

TEST(BlockTest, the_seal_is_checked_unless_the_test_has_none) {
    expect_failure({.seal = ""}, "block 0: refused: ");
    expect_failure({.seal = R"("sealEngine": "Ethash",)"}, "block 0: refused: ");
}

TEST(BlockTest, an_unknown_network_is_neither_passed_nor_failed) {
    EXPECT_EQ(run({.network = "Amsterdam"}).outcome, Outcome::UnsupportedNetwork);
}

}  // namespace
}  // namespace keel::node::runners
