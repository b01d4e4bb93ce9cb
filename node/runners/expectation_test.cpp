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

TEST(Expectation, new_names_have_a_class) {
    EXPECT_TRUE(is_new_name("TransactionException.NONCE_IS_MAX"));
    EXPECT_TRUE(is_new_name("BlockException.INVALID_GASLIMIT"));
    EXPECT_FALSE(is_new_name("TR_NoFunds"));
}

}  // namespace
}  // namespace keel::node::runners
