#pragma once

#include <cstdint>

namespace keel::evm {

/// How a frame ended. All but Success and Revert consume the gas of the frame, save those that
/// are found before it starts (DepthExceeded, InsufficientBalance, NonceOverflow).
enum class Status : uint8_t {
    Success,
    Revert,
    OutOfGas,
    InvalidOpcode,
    StackUnderflow,
    StackOverflow,
    BadJump,
    StaticViolation,
    ReturnDataOutOfBounds,
    InitCodeTooLarge,  // EIP-3860
    PrecompileFailure,
    InvalidCode,      // EIP-3541: new code starts with 0xef
    CodeTooLarge,     // EIP-170
    CodeUnpaid,       // EIP-2: what is left does not pay for the new code
    CreateCollision,  // EIP-684, EIP-7610
    DepthExceeded,
    InsufficientBalance,
    NonceOverflow,  // EIP-2681
};

const char* to_string(Status status) noexcept;

}  // namespace keel::evm
