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
    {"INVALID_BLOCK_HASH", {BlockHash}},
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
    // A payload commits to its requests through its hash.
    {"INVALID_REQUESTS", {RequestsHash, DepositLayout, BlockHash}},
    {"INVALID_STATE_ROOT", {StateRoot}},
    {"INVALID_TRANSACTIONS_ROOT", {TxRoot}},
    {"INVALID_VERSIONED_HASHES", {VersionedHashes, TxBlobHashVersion}},
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
    // An old v states a chain id, or is none: one number is both faults. The same with widths of r,
    // s.
    {"INVALID_CHAINID", {TxWrongChainId, TxBadSignature}},
    {"INVALID_SIGNATURE_VRS", {TxBadSignature, TxUndecodable}},
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

    // Of bytes that are no transaction: the decoder's reasons are one verdict.
    {"ADDRESS_TOO_LONG", {TxUndecodable}},
    {"ADDRESS_TOO_SHORT", {TxUndecodable}},
    {"EC_RECOVERY_FAIL", {TxBadSignature}},
    {"GASPRICE_OVERFLOW", {TxUndecodable}},
    {"NONCE_OVERFLOW", {TxUndecodable}},
    {"PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS_2", {TxPriorityAboveMaxFee}},
    {"PRIORITY_OVERFLOW", {TxUndecodable}},
    {"RLP_ERROR_SIZE", {TxUndecodable}},
    {"RLP_ERROR_SIZE_LEADING_ZEROS", {TxUndecodable}},
    {"RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_LONG", {TxUndecodable}},
    {"RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_SHORT", {TxUndecodable}},
    {"RLP_INVALID_GASLIMIT", {TxUndecodable}},
    {"RLP_INVALID_HEADER", {TxUndecodable}},
    {"RLP_INVALID_NONCE", {TxUndecodable}},
    {"RLP_INVALID_SIGNATURE_R", {TxUndecodable}},
    {"RLP_INVALID_SIGNATURE_S", {TxUndecodable}},
    {"RLP_INVALID_TO", {TxUndecodable}},
    {"RLP_LEADING_ZEROS_BASEFEE", {TxUndecodable}},
    {"RLP_LEADING_ZEROS_GASLIMIT", {TxUndecodable}},
    {"RLP_LEADING_ZEROS_GASPRICE", {TxUndecodable}},
    {"RLP_LEADING_ZEROS_NONCE", {TxUndecodable}},
    {"RLP_LEADING_ZEROS_NONCE_SIZE", {TxUndecodable}},
    {"RLP_LEADING_ZEROS_R", {TxUndecodable}},
    {"RLP_LEADING_ZEROS_S", {TxUndecodable}},
    {"RLP_LEADING_ZEROS_V", {TxUndecodable}},
    {"RLP_LEADING_ZEROS_VALUE", {TxUndecodable}},
    {"RLP_TOO_MANY_ELEMENTS", {TxUndecodable}},
    {"VALUE_OVERFLOW", {TxUndecodable}},

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

const Row* find_row(std::string_view name) noexcept {
    for (const std::string_view prefix : {kTxClass, kBlockClass}) {
        if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    }
    const Row* const row = std::ranges::find(kRows, name, &Row::name);
    return row == std::end(kRows) ? nullptr : row;
}

bool name_allows(std::string_view name, chain::Verdict verdict) noexcept {
    const Row* const row = find_row(name);
    if (row == nullptr) return false;
    // Old makers put a transaction that no block may hold into a block whose root is without it,
    // and the root is looked at first.
    if (verdict == TxRoot && is_about_tx(*row)) return true;
    const auto verdicts = std::span(row->verdicts).first(row->count);
    return std::ranges::find(verdicts, verdict) != verdicts.end();
}

/// Whether the text may be the verdict's: the words of its pattern stand in it, in their order.
/// Figures are not looked at.
bool has_words_of(std::string_view text, chain::Verdict verdict) noexcept {
    constexpr std::string_view kFigure = "{}";
    std::string_view pattern = chain::pattern_of(verdict);
    // Reasons of the decoder: only the place that they are told at is known.
    if (pattern == kFigure) {
        return verdict == TxUndecodable && text.starts_with("invalid transaction ");
    }
    while (true) {
        const size_t figure = pattern.find(kFigure);
        const std::string_view words = pattern.substr(0, figure);
        const size_t at = text.find(words);
        if (at == std::string_view::npos) return false;
        if (figure == std::string_view::npos) return true;
        text.remove_prefix(at + words.size());
        pattern.remove_prefix(figure + kFigure.size());
    }
}

bool name_allows(std::string_view name, std::string_view text) noexcept {
    const Row* const row = find_row(name);
    if (row == nullptr) return false;
    const auto verdicts = std::span(row->verdicts).first(row->count);
    return std::ranges::any_of(
        verdicts, [text](chain::Verdict verdict) { return has_words_of(text, verdict); });
}

/// Whether one of the names in "A|B" allows what was found.
template <class Found>
bool any_name_allows(std::string_view expected, const Found& found) noexcept {
    while (true) {
        const size_t bar = expected.find('|');
        if (name_allows(expected.substr(0, bar), found)) return true;
        if (bar == std::string_view::npos) return false;
        expected.remove_prefix(bar + 1);
    }
}

}  // namespace

bool allows(std::string_view expected, chain::Verdict verdict) noexcept {
    // The block, or its parent, was judged when it came first.
    if (verdict == KnownBad) return true;
    return any_name_allows(expected, verdict);
}

bool allows_text(std::string_view expected, std::string_view text) noexcept {
    return any_name_allows(expected, text);
}

bool is_new_name(std::string_view expected) noexcept {
    return expected.starts_with(kTxClass) || expected.starts_with(kBlockClass);
}

}  // namespace keel::node::runners
