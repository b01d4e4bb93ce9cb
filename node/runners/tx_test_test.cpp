#include "node/runners/tx_test.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/hex.hpp"
#include "core/types/tx.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

namespace keel::node::runners {
namespace {

core::Hash32 key() {
    core::Hash32 one;
    one[31] = 1;
    return one;
}

/// A transfer with 21000 gas, signed for a chain; none: the form before EIP-155.
core::Bytes transfer(std::optional<uint64_t> chain_id) {
    core::Tx tx;
    if (chain_id) tx.chain_id = core::U256(*chain_id);
    tx.gas = 21'000;
    tx.max_fee = tx.max_priority_fee = 1;
    tx.to = core::Address();
    core::Bytes to_sign;
    core::encode_for_signing(to_sign, tx);
    const crypto::Signature signature = crypto::sign(crypto::keccak256(to_sign), key());
    core::set_signature(tx, signature.y_parity, signature.r, signature.s);
    core::Bytes raw;
    core::append_tx(raw, tx);
    return raw;
}

std::string valid(const core::Bytes& raw, uint64_t gas = 21'000) {
    return fmt::format(R"({{"hash": "{}", "sender": "{}", "intrinsicGas": "{:#x}"}})",
                       core::to_hex_prefixed(crypto::keccak256(raw)),
                       core::to_hex_prefixed(crypto::address_of(key())), gas);
}
std::string invalid(std::string_view exception) {
    return fmt::format(R"({{"exception": "TransactionException.{}", "intrinsicGas": "0x00"}})",
                       exception);
}

std::vector<CaseResult> run(const std::string& txbytes, const std::string& result) {
    simdjson::dom::parser parser;
    const std::string json =
        fmt::format(R"({{"txbytes": "{}", "result": {{{}}}}})", txbytes, result);
    const Suite suite = tx_test_suite({.select = {}, .network = {}, .strict = true});
    const FixtureFile::Member member{"a test", parser.parse(json).value().get_object().value()};
    EXPECT_EQ(suite.pieces(member), 1u);
    std::vector<CaseResult> results;
    suite.make_runner()->run(member, 0, results);
    return results;
}

TEST(TxTest, one_result_a_network) {
    const core::Bytes raw = transfer(1);
    const auto results =
        run(core::to_hex_prefixed(raw),
            fmt::format(R"("Homestead": {}, "EIP158": {}, "Cancun": {}, "Nowhere": {{}})",
                        invalid("INVALID_SIGNATURE_VRS"), valid(raw), valid(raw)));
    ASSERT_EQ(results.size(), 4u);
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(results[i].outcome, Outcome::Passed) << results[i].error;
    }
    EXPECT_EQ(results[0].network, "Homestead");
    EXPECT_EQ(results[3].outcome, Outcome::UnsupportedNetwork);
}

TEST(TxTest, each_difference_is_a_failure) {
    const core::Bytes raw = transfer({});
    const std::string text = core::to_hex_prefixed(raw);
    const struct {
        std::string txbytes, result, error;
    } cases[] = {
        {text, invalid("NONCE_IS_MAX"), "valid, although TransactionException.NONCE_IS_MAX"},
        {text, valid(raw, 21'001), "intrinsic gas is 21000, expected 21001"},
        {text, valid(transfer(1)), "hash is "},
        {text + "00", valid(raw), "refused: "},
        {text + "00", invalid("NONCE_IS_MAX"), "refused by TxUndecodable"},
        {core::to_hex_prefixed(transfer(2)), invalid("NONCE_IS_MAX"), "refused by TxWrongChainId"},
    };
    for (const auto& test : cases) {
        const auto results = run(test.txbytes, R"("Cancun": )" + test.result);
        ASSERT_EQ(results.size(), 1u);
        EXPECT_EQ(results[0].outcome, Outcome::Failed);
        EXPECT_TRUE(results[0].error.starts_with(test.error)) << results[0].error;
    }
}

}  // namespace
}  // namespace keel::node::runners
