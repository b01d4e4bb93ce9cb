#pragma once

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/bytes.hpp"
#include "core/hex.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::chain {

/// Why a block or a transaction is refused: one name a rule.
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
    // Payloads of a consensus client (rpc/engine)
    VersionedHashes,  // those of the call are not those of the transactions
    BlockHash,
    // What this build cannot judge
    ForkNotSupported,
    // From before
    KnownBad,
};

/// A refusal and its whole text, figures included.
struct Rejection {
    Verdict verdict;
    std::string text;
    /// For a file of its own: what a block with a wrong state root did (chain/root_report.hpp).
    std::string evidence = {};
};

/// What is the same for all refusals of one kind.
struct VerdictRow {
    Verdict verdict;
    std::string_view name;
    /// Whether the block's hash commits to the fault, so that the block is remembered as bad. A
    /// body that does not fit its header's roots, bytes that do not decode, an unknown parent and
    /// what this build cannot judge leave no mark.
    bool leaves_mark;
    /// fmt pattern of the text. Worded as geth words it, because test tools match the words.
    std::string_view pattern;
};

/// The one table of names and texts, in the order of the enum. Source: HIVE.md D.6.4.
inline constexpr auto kVerdicts = std::to_array<VerdictRow>({
    {Verdict::TxUndecodable, "TxUndecodable", false, "{}"},
    {Verdict::TxTypeNotSupported, "TxTypeNotSupported", true, "transaction type not supported"},
    {Verdict::TxBadSignature, "TxBadSignature", true, "invalid transaction v, r, s values"},
    {Verdict::TxWrongChainId, "TxWrongChainId", true,
     "invalid chain id for signer: have {} want {}"},
    {Verdict::TxSenderNotEoa, "TxSenderNotEoa", true,
     "sender not an eoa: address {}, len(code): {}"},
    {Verdict::TxGasLimitTooHigh, "TxGasLimitTooHigh", true,
     "transaction gas limit too high (cap: {}, tx: {})"},
    {Verdict::TxNonceTooLow, "TxNonceTooLow", true, "nonce too low: address {}, tx: {} state: {}"},
    {Verdict::TxNonceTooHigh, "TxNonceTooHigh", true,
     "nonce too high: address {}, tx: {} state: {}"},
    {Verdict::TxNonceIsMax, "TxNonceIsMax", true, "nonce has max value: address {}, nonce: {}"},
    {Verdict::TxPriorityAboveMaxFee, "TxPriorityAboveMaxFee", true,
     "max priority fee per gas higher than max fee per gas: address {}, maxPriorityFeePerGas: {}, "
     "maxFeePerGas: {}"},
    {Verdict::TxMaxFeeBelowBaseFee, "TxMaxFeeBelowBaseFee", true,
     "max fee per gas less than block base fee: address {}, maxFeePerGas: {}, baseFee: {}"},
    {Verdict::TxFeeOverflow, "TxFeeOverflow", true,
     "insufficient funds for gas * price + value: gas {} at price {} exceeds 256 bits"},
    {Verdict::TxNoBlobs, "TxNoBlobs", true, "blob transaction missing blob hashes"},
    {Verdict::TxTooManyBlobs, "TxTooManyBlobs", true,
     "blob transaction has too many blobs ({}, max {})"},
    {Verdict::TxBlobHashVersion, "TxBlobHashVersion", true, "blob {} has invalid hash version"},
    {Verdict::TxBlobFeeTooLow, "TxBlobFeeTooLow", true,
     "max fee per blob gas less than block blob gas fee: address {} blobGasFeeCap: {}, "
     "blobBaseFee: {}"},
    {Verdict::TxBlobGasAboveAllowance, "TxBlobGasAboveAllowance", true,
     "blob gas used {} exceeds maximum allowance {}"},
    {Verdict::TxBlobCreate, "TxBlobCreate", false,
     "rlp: input string too short for common.Address, decoding into (types.BlobTx).To"},
    {Verdict::TxSetCodeCreate, "TxSetCodeCreate", false,
     "rlp: input string too short for common.Address, decoding into (types.SetCodeTx).To"},
    {Verdict::TxNoAuthorizations, "TxNoAuthorizations", true,
     "EIP-7702 transaction with empty auth list (sender {})"},
    {Verdict::TxInitCodeTooLarge, "TxInitCodeTooLarge", true,
     "max initcode size exceeded: code size {} limit {}"},
    {Verdict::TxIntrinsicGas, "TxIntrinsicGas", true, "intrinsic gas too low: have {}, want {}"},
    {Verdict::TxFloorGas, "TxFloorGas", true,
     "insufficient gas for floor data gas cost: have {}, want {}"},
    {Verdict::TxGasLimitReached, "TxGasLimitReached", true,
     "gas limit reached: have {} left in the block, want {}"},
    {Verdict::TxInsufficientFunds, "TxInsufficientFunds", true,
     "insufficient funds for gas * price + value: address {} have {} want {}"},
    {Verdict::TxBlobSidecar, "TxBlobSidecar", false,
     "unexpected blob sidecar in transaction at index {}"},

    {Verdict::UnknownAncestor, "UnknownAncestor", false, "unknown ancestor"},
    {Verdict::BlockNumber, "BlockNumber", true, "invalid block number: have {}, want {}"},
    {Verdict::Timestamp, "Timestamp", true, "invalid timestamp: have {}, parent {}"},
    {Verdict::ExtraDataTooLong, "ExtraDataTooLong", true,
     "extra-data longer than 32 bytes ({}); invalid extradata length: {}"},
    {Verdict::ExtraDataDao, "ExtraDataDao", true, "bad DAO {}-fork extra-data: {}"},
    {Verdict::GasUsedAboveLimit, "GasUsedAboveLimit", true,
     "invalid gasUsed: have {}, gasLimit {}"},
    {Verdict::GasLimitOutOfBounds, "GasLimitOutOfBounds", true,
     "invalid gas limit: have {}, want {} +/- {}"},
    {Verdict::GasLimitBelowMin, "GasLimitBelowMin", true,
     "invalid gas limit below 5000: have {}, want at least {}"},
    {Verdict::GasLimitAboveMax, "GasLimitAboveMax", true, "invalid gasLimit: have {}, max {}"},
    {Verdict::BaseFee, "BaseFee", true,
     "invalid baseFee: have {}, want {}, parentBaseFee {}, parentGasUsed {}"},
    {Verdict::HeaderFields, "HeaderFields", true, "{}"},
    {Verdict::Difficulty, "Difficulty", true, "invalid difficulty: have {}, want {}"},
    {Verdict::ProofOfWorkAfterMerge, "ProofOfWorkAfterMerge", true,
     "invalid difficulty: have {}, want 0: the terminal total difficulty is reached"},
    {Verdict::ProofOfStakeBeforeMerge, "ProofOfStakeBeforeMerge", true,
     "invalid terminal block: {} before the terminal total difficulty is reached"},
    {Verdict::Seal, "Seal", true, "invalid proof-of-work: {}"},
    {Verdict::NonceNotZero, "NonceNotZero", true, "invalid nonce: have {}, want zero"},
    {Verdict::OmmersAfterMerge, "OmmersAfterMerge", true, "invalid uncle hash: have {}, want {}"},
    {Verdict::BlobGasUsedAboveMax, "BlobGasUsedAboveMax", true,
     "blob gas used {} exceeds maximum allowance {}"},
    {Verdict::ExcessBlobGas, "ExcessBlobGas", true,
     "invalid excessBlobGas: have {}, want {}, parent excessBlobGas {}, parent blobGasUsed {}"},

    {Verdict::BlockUndecodable, "BlockUndecodable", false, "{}"},
    {Verdict::BlockTooLarge, "BlockTooLarge", false,
     "block RLP-encoded size exceeds maximum: have {}, max {}"},
    {Verdict::OmmersHash, "OmmersHash", false,
     "uncle root hash mismatch (header value {}, calculated {})"},
    {Verdict::TooManyOmmers, "TooManyOmmers", true, "too many uncles: have {}, max {}"},
    {Verdict::OmmerDuplicate, "OmmerDuplicate", true, "duplicate uncle: {}"},
    {Verdict::OmmerIsAncestor, "OmmerIsAncestor", true, "uncle is ancestor: {}"},
    {Verdict::OmmerDangling, "OmmerDangling", true,
     "uncle's parent is not ancestor: {}, parent {}"},
    {Verdict::OmmerHeader, "OmmerHeader", true, "invalid uncle {}: {}"},
    {Verdict::TxRoot, "TxRoot", false,
     "transaction root hash mismatch (header value {}, calculated {})"},
    {Verdict::WithdrawalsMissing, "WithdrawalsMissing", false, "missing withdrawals in block body"},
    {Verdict::WithdrawalsUnexpected, "WithdrawalsUnexpected", false,
     "withdrawals present in block body"},
    {Verdict::WithdrawalsRoot, "WithdrawalsRoot", false,
     "withdrawals root hash mismatch (header value {}, calculated {})"},
    {Verdict::BlobGasUsed, "BlobGasUsed", true,
     "blob gas used mismatch (header {}, calculated {})"},

    {Verdict::GasUsed, "GasUsed", true, "invalid gas used (remote: {} local: {})"},
    {Verdict::Bloom, "Bloom", true, "invalid bloom (remote: {} local: {})"},
    {Verdict::ReceiptsRoot, "ReceiptsRoot", true,
     "invalid receipt root hash (remote: {} local: {})"},
    {Verdict::DepositLayout, "DepositLayout", true, "failed to parse deposit logs: {}"},
    {Verdict::SystemContractEmpty, "SystemContractEmpty", true,
     "empty system contract: no code at {}"},
    {Verdict::SystemCallFailed, "SystemCallFailed", true, "system call failed to execute: {}"},
    {Verdict::RequestsHash, "RequestsHash", true, "invalid requests hash (remote: {} local: {})"},
    {Verdict::StateRoot, "StateRoot", true, "invalid merkle root (remote: {} local: {})"},

    {Verdict::VersionedHashes, "VersionedHashes", false, "invalid number of versionedHashes: {}"},
    {Verdict::BlockHash, "BlockHash", false, "blockhash mismatch, want {}, got {}"},

    {Verdict::ForkNotSupported, "ForkNotSupported", false, "fork {} is not supported"},

    {Verdict::KnownBad, "KnownBad", false, "{}"},
});

namespace detail {
// How a value stands in a text: numbers in decimal, hashes, addresses and other bytes in hex.
template <class T>
T shown(T value) {
    return value;
}
inline std::string shown(const core::U256& value) {
    return value.to_decimal();
}
template <size_t N, class Tag>
std::string shown(const core::FixedBytes<N, Tag>& value) {
    return core::to_hex_prefixed(value);
}
inline std::string shown(core::ByteView value) {
    return core::to_hex_prefixed(value);
}
template <class T>
using Shown = decltype(shown(std::declval<const T&>()));
}  // namespace detail

constexpr std::string_view pattern_of(Verdict verdict) noexcept {
    return kVerdicts[static_cast<size_t>(verdict)].pattern;
}

/// The refusal with its figures; their number is checked against the pattern by the compiler.
template <Verdict verdict, class... Args>
Rejection reject(const Args&... args) {
    static constexpr std::string_view kPattern = pattern_of(verdict);
    return {verdict, fmt::format(fmt::format_string<detail::Shown<Args>...>(kPattern),
                                 detail::shown(args)...)};
}

/// The same refusal as that of a transaction of a block: `could not apply tx I [0x…]: …`.
Rejection in_tx(size_t tx_index, const core::Hash32& tx_hash, Rejection rejection);
/// The same refusal as that of a transaction which does not decode: `invalid transaction I: …`.
Rejection in_undecodable_tx(size_t tx_index, Rejection rejection);

/// Name as in the enum, for reports.
std::string_view to_string(Verdict verdict) noexcept;
/// The verdict of that name; what a store keeps. None: not of this build.
std::optional<Verdict> verdict_of_name(std::string_view name) noexcept;

/// Whether a block with this fault is remembered as bad.
bool leaves_mark(Verdict verdict) noexcept;

}  // namespace keel::chain
