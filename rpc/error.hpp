#pragma once

// JSON-RPC errors: every code that the program sends, in one table. Texts are worded as geth words
// them, because tools match them.

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "evm/status.hpp"

namespace keel::rpc {

enum class Code : int {
    // JSON-RPC 2.0
    ParseError = -32700,
    InvalidRequest = -32600,
    MethodNotFound = -32601,
    InvalidParams = -32602,
    Internal = -32603,
    // execution-apis and geth
    Failed = -32000,  // everything without a code of its own
    TimedOut = -32002,
    ResponseTooLarge = -32003,
    Reverted = 3,           // `data` is what the contract returned
    NotYetMined = 4,        // EIP-7966; `data` is the transaction's hash
    PrunedHistory = 4444,   // EIP-4444
    TooManySlots = -38026,  // a limit of this client
    // eth_simulateV1
    VmError = -32015,
    SimulationTimedOut = -32016,
    NonceTooLow = -38010,
    NonceTooHigh = -38011,
    BaseFeeTooLow = -38012,
    IntrinsicGas = -38013,
    InsufficientFunds = -38014,
    BlockGasLimit = -38015,
    BlockNumberOrder = -38020,
    BlockTimeOrder = -38021,
    SenderNotEoa = -38024,
    InitCodeTooLarge = -38025,
    ClientLimit = -38026,
    // Engine API
    UnknownPayload = -38001,
    InvalidForkchoiceState = -38002,
    InvalidPayloadAttributes = -38003,
    TooLargeRequest = -38004,
    UnsupportedFork = -38005,
    TooDeepReorg = -38006,
};

/// What a call answers instead of a result.
struct Error {
    Code code = Code::Failed;
    std::string message;
    std::optional<core::Bytes> data = {};  // written as DATA; a member only where it is set
};

template <class T>
using Answer = core::Result<T, Error>;

inline core::unexpected<Error> fail(Code code, std::string message) {
    return core::unexpected(Error{.code = code, .message = std::move(message)});
}

/// What geth says of a frame that ended so; not for Success and Revert.
std::string_view vm_error_text(evm::Status status) noexcept;
/// `execution reverted`, and the reason where the output is Error(string) or Panic(uint256).
std::string revert_message(core::ByteView output);

}  // namespace keel::rpc
