#pragma once

#include <array>
#include <cstdint>

#include "core/types/fork.hpp"
#include "core/u256.hpp"

namespace keel::evm {

/// What the interpreter checks before each instruction.
struct OpRow {
    uint16_t gas;       // static price
    uint16_t min_size;  // words that must be on the stack; kNotAssigned: no such opcode
    uint16_t max_size;  // words that may be on it for the result to fit
    uint16_t range;     // max_size - min_size, so that one comparison finds both
};
using OpTable = std::array<OpRow, 256>;
inline constexpr uint16_t kNotAssigned = 0xffff;
inline constexpr unsigned kStackWords = 1024;
inline constexpr int32_t kMaxDepth = 1024;

OpTable make_op_table(const core::ForkRules& rules) noexcept;

inline constexpr int64_t kColdAccount = 2600;  // EIP-2929
inline constexpr int64_t kColdSlot = 2100;
inline constexpr int64_t kWarm = 100;
inline constexpr int64_t kStipend = 2300;
inline constexpr int64_t kCallValue = 9000;
inline constexpr int64_t kNewAccount = 25000;
inline constexpr int64_t kCodeByte = 200;               // deposit
inline constexpr uint64_t kMaxCode = 24576;             // EIP-170
inline constexpr uint64_t kMaxInitCode = 2 * kMaxCode;  // EIP-3860

constexpr uint64_t words_of(uint64_t bytes) noexcept {
    return (bytes + 31) / 32;
}

/// Price of a memory of `words` words; they are at most 2^28 here.
constexpr int64_t memory_price(uint64_t words) noexcept {
    return static_cast<int64_t>(3 * words + words * words / 512);
}

struct SstorePrice {
    int64_t gas;     // without the surcharge for a cold slot
    int64_t refund;  // may be negative
};
/// Sources: yellow paper; EIP-1283, EIP-2200, EIP-2929, EIP-3529.
SstorePrice sstore_price(const core::ForkRules& rules, const core::U256& original,
                         const core::U256& current, const core::U256& value) noexcept;

}  // namespace keel::evm
