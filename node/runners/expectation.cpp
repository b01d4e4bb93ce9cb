#include "node/runners/expectation.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace keel::node::runners {
namespace {

using enum chain::Verdict;

constexpr std::string_view kTxClass = "TransactionException.";
constexpr std::string_view kBlockClass = "BlockException.";

/// A name and the verdicts that say the same. More than one where a fault shows at several places,
/// depending on the order of checks, or where one name means several rules of ours.
struct Row {
    std::string_view name;
    std::array<chain::Verdict, 5> verdicts;
    size_t count;

    constexpr Row(std::string_view of, std::initializer_list<chain::Verdict> allowed)
        : name(of), verdicts{}, count(allowed.size()) {
        std::ranges::copy(allowed, verdicts.begin());
    }
};

// Names of execution-spec-tests, then those of ethereum/tests and legacytests.
constexpr Row kRows[] = {
    {"BLOB_GAS_USED_ABOVE_LIMIT", {BlobGasUsedAboveMax, TxBlobGasAboveAllowance, BlobGasUsed}},
    {"EXTRA_DATA_INVALID_DAO", {ExtraDataDao}},
    {"EXTRA_DATA_TOO_BIG", {ExtraDataTooLong}},
    {"GAS_USED_OVERFLOW", {TxGasLimitReached, GasUsedAboveLimit}},
    {"IMPORT_IMPOSSIBLE_LEGACY_WRONG_PARENT", {HeaderFields, BaseFee, OmmerHeader}},
    {"IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT", {HeaderFields, BaseFee, OmmerHeader}},
    {"IMPORT_IMPOSSIBLE_PARIS_OVER_SHANGHAI", {HeaderFields, WithdrawalsMissing}},
    {"IMPORT_IMPOSSIBLE_PARIS_WRONG_POS", {ProofOfStakeBeforeMerge, Difficulty}},
    {"IMPORT_IMPOSSIBLE_PARIS_WRONG_POW", {ProofOfWorkAfterMerge, NonceNotZero}},
    {"IMPORT_IMPOSSIBLE_SHANGHAI", {HeaderFields, WithdrawalsUnexpected}},
    {"IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS",
     {OmmersAfterMerge, ProofOfWorkAfterMerge, NonceNotZero}},
    {"INCORRECT_BLOB_GAS_USED", {BlobGasUsed, BlobGasUsedAboveMax}},
    {"INCORRECT_BLOCK_FORMAT", {HeaderFields, BlockUndecodable}},
    {"INCORRECT_EXCESS_BLOB_GAS", {ExcessBlobGas}},
    {"INVALID_BASEFEE_PER_GAS", {BaseFee}},
    {"INVALID_BLOCK_NUMBER", {BlockNumber}},
    {"INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT", {Timestamp}},
    {"INVALID_DEPOSIT_EVENT_LAYOUT", {DepositLayout}},
    {"INVALID_DIFFICULTY", {Difficulty, ProofOfWorkAfterMerge}},
    {"INVALID_GASLIMIT",
     {GasLimitOutOfBounds, GasLimitBelowMin, GasLimitAboveMax, GasUsedAboveLimit}},
    {"INVALID_GAS_USED", {GasUsed, GasUsedAboveLimit}},
    {"INVALID_GAS_USED_ABOVE_LIMIT", {GasUsedAboveLimit}},
    {"INVALID_LOG_BLOOM", {Bloom}},
    {"INVALID_RECEIPTS_ROOT", {ReceiptsRoot}},
    {"INVALID_REQUESTS", {RequestsHash, DepositLayout}},
    {"INVALID_STATE_ROOT", {StateRoot}},
    {"INVALID_TRANSACTIONS_ROOT", {TxRoot}},
    {"INVALID_VERSIONED_HASHES", {TxBlobHashVersion}},
    {"INVALID_WITHDRAWALS_ROOT", {WithdrawalsRoot}},
    {"RLP_BLOCK_LIMIT_EXCEEDED", {BlockTooLarge}},
    {"RLP_INVALID_FIELD_OVERFLOW_64", {BlockUndecodable}},
    {"RLP_STRUCTURES_ENCODING", {BlockUndecodable, HeaderFields, TxUndecodable}},
    {"SYSTEM_CONTRACT_CALL_FAILED", {SystemCallFailed}},
    {"SYSTEM_CONTRACT_EMPTY", {SystemContractEmpty}},
    {"UNCLE_PARENT_INCORRECT", {OmmerDangling}},
    {"UNKNOWN_PARENT", {UnknownAncestor}},

    {"GASLIMIT_OVERFLOW", {TxUndecodable, BlockUndecodable}},
    {"GASLIMIT_PRICE_PRODUCT_OVERFLOW", {TxInsufficientFunds, TxFeeOverflow}},
    {"GAS_ALLOWANCE_EXCEEDED", {TxGasLimitReached}},
    {"GAS_LIMIT_EXCEEDS_MAXIMUM", {TxGasLimitTooHigh}},
    {"INITCODE_SIZE_EXCEEDED", {TxInitCodeTooLarge}},
    {"INSUFFICIENT_ACCOUNT_FUNDS", {TxInsufficientFunds, TxFeeOverflow}},
    {"INSUFFICIENT_MAX_FEE_PER_BLOB_GAS", {TxBlobFeeTooLow}},
    {"INSUFFICIENT_MAX_FEE_PER_GAS", {TxMaxFeeBelowBaseFee}},
    {"INTRINSIC_GAS_BELOW_FLOOR_GAS_COST", {TxFloorGas, TxIntrinsicGas}},
    {"INTRINSIC_GAS_TOO_LOW", {TxIntrinsicGas, TxFloorGas}},
    {"INVALID_CHAINID", {TxWrongChainId}},
    {"INVALID_SIGNATURE_VRS", {TxBadSignature}},
    {"NONCE_IS_MAX", {TxNonceIsMax}},
    {"NONCE_MISMATCH_TOO_HIGH", {TxNonceTooHigh}},
    {"NONCE_MISMATCH_TOO_LOW", {TxNonceTooLow}},
    {"PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS", {TxPriorityAboveMaxFee}},
    {"SENDER_NOT_EOA", {TxSenderNotEoa}},
    {"TYPE_1_TX_PRE_FORK", {TxTypeNotSupported}},
    {"TYPE_2_TX_PRE_FORK", {TxTypeNotSupported}},
    {"TYPE_3_TX_PRE_FORK", {TxTypeNotSupported}},
    {"TYPE_4_TX_PRE_FORK", {TxTypeNotSupported}},
    {"TYPE_3_TX_BLOB_COUNT_EXCEEDED",
     {TxTooManyBlobs, TxBlobGasAboveAllowance, BlobGasUsedAboveMax}},
    {"TYPE_3_TX_CONTRACT_CREATION", {TxBlobCreate, TxUndecodable, BlockUndecodable}},
    {"TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH", {TxBlobHashVersion}},
    {"TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",
     {TxBlobGasAboveAllowance, BlobGasUsedAboveMax, TxTooManyBlobs}},
    {"TYPE_3_TX_WITH_FULL_BLOBS", {TxBlobSidecar, TxUndecodable, BlockUndecodable}},
    {"TYPE_3_TX_ZERO_BLOBS", {TxNoBlobs}},
    {"TYPE_4_EMPTY_AUTHORIZATION_LIST", {TxNoAuthorizations}},
    {"TYPE_4_INVALID_AUTHORIZATION_FORMAT", {TxUndecodable, BlockUndecodable}},
    {"TYPE_4_TX_CONTRACT_CREATION", {TxSetCodeCreate, TxUndecodable, BlockUndecodable}},
    {"TYPE_NOT_SUPPORTED", {TxTypeNotSupported, TxUndecodable, BlockUndecodable}},

    {"1559BlockImportImpossible_BaseFeeWrong", {BaseFee, OmmerHeader}},
    {"1559BlockImportImpossible_HeaderIsLegacy", {HeaderFields, OmmerHeader}},
    {"3675PoSBlockRejected", {ProofOfStakeBeforeMerge, Difficulty}},
    {"3675PoWBlockRejected", {ProofOfWorkAfterMerge, NonceNotZero}},
    {"3675PreParis1559BlockRejected", {ProofOfWorkAfterMerge, NonceNotZero, OmmersAfterMerge}},
    {"BlockGasLimitReached", {TxGasLimitReached, GasUsedAboveLimit}},
    {"ExtraDataIncorrectDAO", {ExtraDataDao}},
    {"ExtraDataTooBig", {ExtraDataTooLong}},
    {"INPUT_UNMARSHAL_ERROR", {BlockUndecodable, TxUndecodable}},
    {"IntrinsicGas", {TxIntrinsicGas}},
    {"InvalidBlockNonce", {Seal}},
    {"InvalidDifficulty",
     {Difficulty, OmmerHeader, ProofOfStakeBeforeMerge, ProofOfWorkAfterMerge}},
    {"InvalidGasLimit",
     {GasLimitOutOfBounds, GasLimitBelowMin, GasLimitAboveMax, GasUsedAboveLimit, OmmerHeader}},
    {"InvalidGasLimit2",
     {GasLimitOutOfBounds, GasLimitBelowMin, GasLimitAboveMax, GasUsedAboveLimit, OmmerHeader}},
    {"InvalidGasUsed", {GasUsed, GasUsedAboveLimit}},
    {"InvalidLogBloom", {Bloom}},
    {"InvalidNumber", {BlockNumber, OmmerHeader}},
    {"InvalidStateRoot", {StateRoot}},
    {"InvalidTimestamp", {Timestamp, OmmerHeader}},
    {"InvalidTimestampOlderParent", {Timestamp, OmmerHeader}},
    {"InvalidTransactionsRoot", {TxRoot}},
    {"InvalidUncleParentHash", {OmmerDangling, OmmerIsAncestor}},
    {"InvalidUnclesHash", {OmmersHash}},
    {"InvalidWithdrawals", {WithdrawalsRoot, WithdrawalsMissing, WithdrawalsUnexpected}},
    {"LegacyBlockImportImpossible2", {HeaderFields, OmmerHeader}},
    {"ParisBlockImportImpossible", {HeaderFields, WithdrawalsMissing}},
    {"PostParisUncleHashIsNotEmpty", {OmmersAfterMerge, ProofOfWorkAfterMerge, NonceNotZero}},
    {"SenderNotEOA", {TxSenderNotEoa}},
    {"SenderNotEOAorNoCASH", {TxSenderNotEoa, TxInsufficientFunds}},
    {"ShanghaiBlockImportImpossible", {HeaderFields, WithdrawalsUnexpected}},
    {"TR_BLOBCREATE", {TxBlobCreate, TxUndecodable}},
    {"TR_BLOBLIST_OVERSIZE", {TxTooManyBlobs, TxBlobGasAboveAllowance}},
    {"TR_BLOBVERSION_INVALID", {TxBlobHashVersion}},
    {"TR_EMPTYBLOB", {TxNoBlobs}},
    {"TR_FeeCapLessThanBlocks", {TxMaxFeeBelowBaseFee}},
    {"TR_FeeCapLessThanBlocksORNoFunds", {TxMaxFeeBelowBaseFee, TxInsufficientFunds}},
    {"TR_GasLimitReached", {TxGasLimitReached}},
    {"TR_InitCodeLimitExceeded", {TxInitCodeTooLarge}},
    {"TR_IntrinsicGas", {TxIntrinsicGas, TxFloorGas}},
    {"TR_NoFunds", {TxInsufficientFunds, TxFeeOverflow}},
    {"TR_NoFundsOrGas", {TxInsufficientFunds, TxIntrinsicGas, TxFloorGas}},
    {"TR_NoFundsX", {TxInsufficientFunds, TxFeeOverflow}},
    {"TR_NonceHasMaxValue", {TxNonceIsMax}},
    {"TR_NonceTooHigh", {TxNonceTooHigh}},
    {"TR_NonceTooLow", {TxNonceTooLow}},
    {"TR_RLP_WRONGVALUE", {TxUndecodable, TxFeeOverflow, TxInsufficientFunds}},
    {"TR_TipGtFeeCap", {TxPriorityAboveMaxFee}},
    {"TR_TypeNotSupported", {TxTypeNotSupported}},
    {"TooMuchGasUsed",
     {GasUsedAboveLimit, GasUsed, TxGasLimitReached, OmmerHeader, GasLimitOutOfBounds}},
    {"UncleInChain", {OmmerDuplicate, OmmerIsAncestor}},
    {"UncleIsAncestor", {OmmerIsAncestor}},
    {"UncleIsBrother", {OmmerDangling, OmmerDuplicate}},
    {"UncleParentIsNotAncestor", {OmmerDangling}},
    {"UnknownParent", {UnknownAncestor}},
};

/// Whether the name is about a transaction: the enum has their verdicts first.
bool is_about_tx(const Row& row) noexcept {
    return row.verdicts[0] <= TxBlobSidecar;
}

bool name_allows(std::string_view name, chain::Verdict verdict) noexcept {
    for (const std::string_view prefix : {kTxClass, kBlockClass}) {
        if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    }
    const Row* const row = std::ranges::find(kRows, name, &Row::name);
    if (row == std::end(kRows)) return false;
    // Old makers put a transaction that no block may hold into a block whose root is without it,
    // and the root is looked at first.
    if (verdict == TxRoot && is_about_tx(*row)) return true;
    const auto verdicts = std::span(row->verdicts).first(row->count);
    return std::ranges::find(verdicts, verdict) != verdicts.end();
}

}  // namespace

bool allows(std::string_view expected, chain::Verdict verdict) noexcept {
    // The block, or its parent, was judged when it came first.
    if (verdict == KnownBad) return true;
    while (true) {
        const size_t bar = expected.find('|');
        if (name_allows(expected.substr(0, bar), verdict)) return true;
        if (bar == std::string_view::npos) return false;
        expected.remove_prefix(bar + 1);
    }
}

bool is_new_name(std::string_view expected) noexcept {
    return expected.starts_with(kTxClass) || expected.starts_with(kBlockClass);
}

}  // namespace keel::node::runners
