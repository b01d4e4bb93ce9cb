#include "rpc/error.hpp"

#include <fmt/format.h>

#include <array>

#include "core/u256.hpp"

namespace keel::rpc {
namespace {

constexpr size_t kSelectorBytes = 4;
constexpr size_t kWordBytes = 32;
constexpr std::array<uint8_t, 4> kErrorSelector = {0x08, 0xc3, 0x79, 0xa0};  // Error(string)
constexpr std::array<uint8_t, 4> kPanicSelector = {0x4e, 0x48, 0x7b, 0x71};  // Panic(uint256)

// The codes of the Solidity compiler's Panic(uint256).
std::string panic_text(const core::U256& code) {
    switch (code.saturated64()) {
        case 0x00:
            return "generic panic";
        case 0x01:
            return "assert(false)";
        case 0x11:
            return "arithmetic underflow or overflow";
        case 0x12:
            return "division or modulo by zero";
        case 0x21:
            return "enum overflow";
        case 0x22:
            return "invalid encoded storage byte array accessed";
        case 0x31:
            return "out-of-bounds array access; popping on an empty array";
        case 0x32:
            return "out-of-bounds access of an array or bytesN";
        case 0x41:
            return "out of memory";
        case 0x51:
            return "uninitialized function";
        default:
            return "unknown panic code: " + code.to_quantity();
    }
}

/// The one argument of type string behind a selector; none when the encoding is not whole.
std::optional<std::string_view> abi_string(core::ByteView arguments) {
    if (arguments.size() < 2 * kWordBytes) return std::nullopt;
    const core::U256 offset = core::U256::load_be32(arguments.data());
    if (!offset.fits_uint64() || offset.low64() > arguments.size() - kWordBytes) {
        return std::nullopt;
    }
    const core::ByteView tail = arguments.sub(offset.low64());
    const core::U256 length = core::U256::load_be32(tail.data());
    if (!length.fits_uint64() || length.low64() > tail.size() - kWordBytes) return std::nullopt;
    return tail.sub(kWordBytes, length.low64()).text();
}

}  // namespace

std::string_view vm_error_text(evm::Status status) noexcept {
    switch (status) {
        case evm::Status::Success:
            return "";
        case evm::Status::Revert:
            return "execution reverted";
        case evm::Status::OutOfGas:
            return "out of gas";
        case evm::Status::InvalidOpcode:
            return "invalid opcode: INVALID";
        case evm::Status::StackUnderflow:
            return "stack underflow";
        case evm::Status::StackOverflow:
            return "stack limit reached 1024 (1024)";
        case evm::Status::BadJump:
            return "invalid jump destination";
        case evm::Status::StaticViolation:
            return "write protection";
        case evm::Status::ReturnDataOutOfBounds:
            return "return data out of bounds";
        case evm::Status::InitCodeTooLarge:
            return "max initcode size exceeded";
        case evm::Status::PrecompileFailure:
            return "precompile failed";
        case evm::Status::InvalidCode:
            return "invalid code: must not begin with 0xef";
        case evm::Status::CodeTooLarge:
            return "max code size exceeded";
        case evm::Status::CodeUnpaid:
            return "contract creation code storage out of gas";
        case evm::Status::CreateCollision:
            return "contract address collision";
        case evm::Status::DepthExceeded:
            return "max call depth exceeded";
        case evm::Status::InsufficientBalance:
            return "insufficient balance for transfer";
        case evm::Status::NonceOverflow:
            return "nonce uint64 overflow";
    }
    return "unknown";
}

std::string revert_message(core::ByteView output) {
    const std::string plain = "execution reverted";
    if (output.size() < kSelectorBytes) return plain;
    const core::ByteView selector = output.sub(0, kSelectorBytes);
    const core::ByteView arguments = output.sub(kSelectorBytes);
    if (selector == core::ByteView(kErrorSelector)) {
        const auto reason = abi_string(arguments);
        return reason ? fmt::format("{}: {}", plain, *reason) : plain;
    }
    if (selector == core::ByteView(kPanicSelector) && arguments.size() >= kWordBytes) {
        return fmt::format("{}: {}", plain, panic_text(core::U256::load_be32(arguments.data())));
    }
    return plain;
}

}  // namespace keel::rpc
