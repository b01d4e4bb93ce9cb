#include "node/runners/expectation.hpp"

#include <gtest/gtest.h>

namespace keel::node::runners {
namespace {

using chain::Verdict;

TEST(Expectation, names_allow_the_verdicts_that_say_the_same) {
    const struct {
        std::string_view expected;
        Verdict verdict;
        bool want;
    } cases[] = {
        {"TransactionException.NONCE_IS_MAX", Verdict::TxNonceIsMax, true},
        {"TransactionException.NONCE_IS_MAX", Verdict::TxNonceTooHigh, false},
        {"BlockException.UNKNOWN_PARENT", Verdict::UnknownAncestor, true},
        {"UnknownParent", Verdict::UnknownAncestor, true},
        {"TR_NoFunds", Verdict::TxInsufficientFunds, true},
        {"TR_NoFundsX", Verdict::TxFeeOverflow, true},
        {"TR_NoFunds", Verdict::TxIntrinsicGas, false},
        {"TR_NoFunds", Verdict::TxRoot, true},
        {"InvalidStateRoot", Verdict::TxRoot, false},
        {"UnknownParent", Verdict::KnownBad, true},
        {"NoSuchName", Verdict::TxIntrinsicGas, false},
        {"", Verdict::TxIntrinsicGas, false},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(allows(test.expected, test.verdict), test.want) << test.expected;
    }
}

TEST(Expectation, either_of_several_names_is_right) {
    constexpr std::string_view kEither =
        "TransactionException.TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED|"
        "TransactionException.INTRINSIC_GAS_TOO_LOW|BlockException.INVALID_GASLIMIT";
    EXPECT_TRUE(allows(kEither, Verdict::TxBlobGasAboveAllowance));
    EXPECT_TRUE(allows(kEither, Verdict::TxIntrinsicGas));
    EXPECT_TRUE(allows(kEither, Verdict::GasLimitBelowMin));
    EXPECT_FALSE(allows(kEither, Verdict::StateRoot));
}

TEST(Expectation, of_a_text_the_words_count_and_the_figures_do_not) {
    const struct {
        std::string_view expected, text;
        bool want;
    } cases[] = {
        {"INVALID_GAS_USED", "invalid gas used (remote: 1 local: 2)", true},
        {"INVALID_GAS_USED", "invalid gas used (local: 2 remote: 1)", false},
        {"INVALID_GAS_USED|INVALID_STATE_ROOT", "invalid merkle root (remote: a local: b)", true},
        {"T.INTRINSIC_GAS_TOO_LOW", "intrinsic gas too low: have 1, want 2", false},
        {"TransactionException.INTRINSIC_GAS_TOO_LOW",
         "could not apply tx 0 [0xaa]: intrinsic gas too low: have 1, want 2", true},
        {"VALUE_OVERFLOW", "invalid transaction 3: rlp: too long", true},
        {"VALUE_OVERFLOW", "anything", false},
        {"RLP_STRUCTURES_ENCODING", "", false},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(allows_text(test.expected, test.text), test.want) << test.text;
    }
}

TEST(Expectation, new_names_have_a_class) {
    EXPECT_TRUE(is_new_name("TransactionException.NONCE_IS_MAX"));
    EXPECT_TRUE(is_new_name("BlockException.INVALID_GASLIMIT"));
    EXPECT_FALSE(is_new_name("TR_NoFunds"));
}

}  // namespace
}  // namespace keel::node::runners
