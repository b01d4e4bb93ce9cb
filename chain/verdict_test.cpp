#include "chain/verdict.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace keel::chain {
namespace {

using core::Hash32;
using core::U256;

constexpr U256 kBig{0, 0, 0, 1};  // 2^192
const core::FixedBytes<20, struct AnyTag> kAddress;

// HIVE.md D.6.4: what test tools look for in the texts of geth.
TEST(Verdict, texts_hold_the_words_that_test_tools_look_for) {
    struct Case {
        Rejection rejection;
        const char* pattern;
    };
    using enum Verdict;
    const Hash32 hash;
    const Case cases[] = {
        {reject<TxSenderNotEoa>(kAddress, 3u), "sender not an eoa"},
        {reject<TxGasLimitReached>(1u, 2u), "gas limit reached"},
        {reject<TxGasLimitTooHigh>(16'777'216u, 16'777'217u), "transaction gas limit too high"},
        {reject<TxInsufficientFunds>(kAddress, kBig, kBig),
         "insufficient funds for gas \\* price \\+ value"},
        {reject<TxFeeOverflow>(1u, kBig), "insufficient funds for gas \\* price \\+ value"},
        {reject<TxIntrinsicGas>(1u, 2u), "intrinsic gas too low"},
        {reject<TxFloorGas>(1u, 2u), "insufficient gas for floor data gas cost"},
        {reject<TxInitCodeTooLarge>(49'153u, 49'152u), "max initcode size exceeded"},
        {reject<TxNonceTooLow>(kAddress, 1u, 2u), "nonce too low"},
        {reject<TxNonceTooHigh>(kAddress, 2u, 1u), "nonce too high"},
        {reject<TxNonceIsMax>(kAddress, UINT64_MAX), "nonce has max value"},
        {reject<TxMaxFeeBelowBaseFee>(kAddress, kBig, kBig),
         "max fee per gas less than block base fee"},
        {reject<TxPriorityAboveMaxFee>(kAddress, kBig, kBig),
         "max priority fee per gas higher than max fee per gas"},
        {reject<TxBlobFeeTooLow>(kAddress, kBig, kBig),
         "max fee per blob gas less than block blob gas fee"},
        {reject<TxTypeNotSupported>(), "transaction type not supported"},
        {reject<TxBlobHashVersion>(2u), "blob \\d+ has invalid hash version"},
        {reject<TxTooManyBlobs>(7u, 6u), "blob transaction has too many blobs"},
        {reject<TxBlobGasAboveAllowance>(2u, 1u),
         "blob gas used \\d+ exceeds maximum allowance \\d+"},
        {reject<BlobGasUsedAboveMax>(2u, 1u), "blob gas used \\d+ exceeds maximum allowance \\d+"},
        {reject<TxNoBlobs>(), "blob transaction missing blob hashes"},
        {reject<TxBlobSidecar>(4u), "unexpected blob sidecar in transaction at index \\d+"},
        {reject<TxBlobCreate>(),
         "input string too short for common.Address, decoding into \\(types.BlobTx\\).To"},
        {reject<TxSetCodeCreate>(),
         "input string too short for common.Address, decoding into \\(types.SetCodeTx\\).To"},
        {reject<TxNoAuthorizations>(kAddress), "EIP-7702 transaction with empty auth list"},
        {reject<BlobGasUsed>(1u, 2u), "blob gas used mismatch"},
        {reject<ExcessBlobGas>(1u, 2u, 3u, 4u), "invalid excessBlobGas"},
        {reject<RequestsHash>(hash, hash), "invalid requests hash"},
        {reject<DepositLayout>("log 3 is 12 bytes long"), "failed to parse deposit logs"},
        {reject<SystemCallFailed>("out of gas"), "system call failed to execute:"},
        {reject<BlockTooLarge>(1u, 2u), "block RLP-encoded size exceeds maximum"},
        {reject<GasUsedAboveLimit>(2u, 1u), "invalid gasUsed: have \\d+, gasLimit \\d+"},
        {reject<GasLimitOutOfBounds>(1u, 2u, 3u), "invalid gas limit"},
        {reject<GasLimitBelowMin>(1u, 5000u), "invalid gas limit"},
        {reject<BaseFee>(kBig, kBig, kBig, 1u), "invalid baseFee"},
        {reject<Timestamp>(1u, 2u), "invalid timestamp"},
        {reject<BlockNumber>(1u, 2u), "invalid block number"},
        {reject<ExtraDataTooLong>(33u, 33u), "invalid extradata length"},
        {reject<ExtraDataTooLong>(33u, 33u), "extra-data longer than 32 bytes \\(\\d+\\)"},
        {reject<StateRoot>(hash, hash), "invalid merkle root"},
        {reject<ReceiptsRoot>(hash, hash), "invalid receipt root hash"},
        {reject<Bloom>(hash, hash), "invalid bloom"},
    };
    for (const Case& expected : cases) {
        EXPECT_TRUE(std::regex_search(expected.rejection.text, std::regex(expected.pattern)))
            << to_string(expected.rejection.verdict) << ": " << expected.rejection.text;
    }
}

TEST(Verdict, texts_have_numbers_in_decimal_and_bytes_in_hex) {
    EXPECT_EQ(reject<Verdict::TxWrongChainId>(kBig, 1u).text,
              "invalid chain id for signer: have "
              "6277101735386680763835789423207666416102355444464034512896 want 1");
    EXPECT_EQ(reject<Verdict::SystemContractEmpty>(kAddress).text,
              "empty system contract: no code at 0x0000000000000000000000000000000000000000");
}

TEST(Verdict, a_transaction_is_named_by_index_and_hash) {
    EXPECT_EQ(in_tx(7, Hash32(), reject<Verdict::TxNoBlobs>()).text,
              "could not apply tx 7 "
              "[0x0000000000000000000000000000000000000000000000000000000000000000]: "
              "blob transaction missing blob hashes");
    EXPECT_EQ(in_undecodable_tx(2, reject<Verdict::TxUndecodable>("rlp: x")).text,
              "invalid transaction 2: rlp: x");
}

TEST(Verdict, names_are_distinct_and_lead_back) {
    std::set<std::string_view> names;
    for (const VerdictRow& row : kVerdicts) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_EQ(verdict_of_name(row.name), row.verdict);
        EXPECT_FALSE(row.pattern.empty()) << row.name;
    }
    EXPECT_FALSE(verdict_of_name("Nothing"));
}

// DESIGN.md 4: another body may be right for the same hash.
TEST(Verdict, only_faults_that_the_hash_commits_to_leave_a_mark) {
    using enum Verdict;
    for (const Verdict verdict :
         {TxRoot, OmmersHash, WithdrawalsRoot, WithdrawalsMissing, WithdrawalsUnexpected,
          TxUndecodable, BlockUndecodable, UnknownAncestor, ForkNotSupported, BlockTooLarge}) {
        EXPECT_FALSE(leaves_mark(verdict)) << to_string(verdict);
    }
    for (const Verdict verdict : {StateRoot, BaseFee, TxInsufficientFunds, OmmerIsAncestor}) {
        EXPECT_TRUE(leaves_mark(verdict)) << to_string(verdict);
    }
}

}  // namespace
}  // namespace keel::chain
