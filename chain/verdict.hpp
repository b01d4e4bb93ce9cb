#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keel::chain {

/// Why a block or a transaction is refused: one name a rule. The texts are in verdict.cpp, one
/// table, worded as geth words them (HIVE.md D.6.4), because test tools match them.
enum class Verdict : uint8_t {
    // Transactions (tx_rules, execute_tx)
    TxUndecodable,
    TxTypeNotSupported,
    TxBadSignature,
    TxWrongChainId,
    TxSenderNotEoa,
    TxGasLimitTooHigh,
    TxNonceTooLow,
    TxNonceTooHigh,
    TxNonceIsMax,
    TxPriorityAboveMaxFee,
    TxMaxFeeBelowBaseFee,
    TxFeeOverflow,
    TxNoBlobs,
    TxTooManyBlobs,
    TxBlobHashVersion,
    TxBlobFeeTooLow,
    TxBlobGasAboveAllowance,
    TxBlobCreate,
    TxSetCodeCreate,
    TxNoAuthorizations,
    TxInitCodeTooLarge,
    TxIntrinsicGas,
    TxFloorGas,
    TxGasLimitReached,
    TxInsufficientFunds,
    TxBlobSidecar,
    // Headers (header_rules)
    UnknownAncestor,
    BlockNumber,
    Timestamp,
    ExtraDataTooLong,
    ExtraDataDao,
    GasUsedAboveLimit,
    GasLimitOutOfBounds,
    GasLimitBelowMin,
    GasLimitAboveMax,
    BaseFee,
    HeaderFields,  // a field of another fork present, or one missing
    Difficulty,
    ProofOfWorkAfterMerge,
    ProofOfStakeBeforeMerge,
    Seal,
    NonceNotZero,  // proof of stake
    OmmersAfterMerge,
    BlobGasUsedAboveMax,
    BlobGasUsedNotMultiple,
    ExcessBlobGas,
    // Bodies (body_rules)
    BlockUndecodable,
    BlockTooLarge,
    OmmersHash,
    TooManyOmmers,
    OmmerDuplicate,
    OmmerIsAncestor,
    OmmerDangling,
    OmmerHeader,
    TxRoot,
    WithdrawalsMissing,
    WithdrawalsUnexpected,
    WithdrawalsRoot,
    BlobGasUsed,
    // After execution (verify_outcome)
    GasUsed,
    Bloom,
    ReceiptsRoot,
    DepositLayout,
    SystemContractEmpty,
    SystemCallFailed,
    RequestsHash,
    StateRoot,
    // What this build cannot judge
    ForkNotSupported,
    PrecompileNotSupported,
    // From before
    KnownBad,
};

/// Name as in the enum, for reports.
std::string_view to_string(Verdict verdict) noexcept;

/// Whether the fault is one that the block's hash commits to: such a block is remembered as bad.
/// A body that does not fit its header's roots, undecodable RLP, an unknown parent and what this
/// build cannot judge leave no mark.
bool leaves_mark(Verdict verdict) noexcept;

/// A refusal and its whole text, figures included.
struct Rejection {
    Verdict verdict;
    std::string text;
};

}  // namespace keel::chain
