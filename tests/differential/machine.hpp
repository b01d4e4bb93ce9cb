#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/types/address.hpp"
#include "core/u256.hpp"
#include "tests/differential/reference_evm.hpp"

// What the instructions of the reference machine are written with.

namespace keel::differential {

/// The frame fails and all of its gas is gone.
struct Halted {};
/// REVERT.
struct Reverted {};

inline void charge(Machine& m, int64_t price) {
    if (price > m.gas) throw Halted();
    m.gas -= price;
}

inline U256 pop(Machine& m) {
    if (m.stack.empty()) throw Halted();
    const U256 word = m.stack.back();
    m.stack.pop_back();
    return word;
}

inline void push(Machine& m, const U256& word) {
    if (m.stack.size() == 1024) throw Halted();
    m.stack.push_back(word);
}

inline Address to_address(const U256& word) {
    const auto bytes = word.to_be32();
    return Address(ByteView(bytes).sub(12));
}

inline U256 to_word(const Address& address) {
    return U256::from_be(address);
}

/// Of an operand that memory growth has let pass.
inline std::ptrdiff_t to_offset(const U256& operand) {
    return static_cast<std::ptrdiff_t>(operand.limbs[0]);
}

/// Words of a length that memory growth has let pass.
inline int64_t words(const U256& length) {
    return static_cast<int64_t>((length.limbs[0] + 31) / 32);
}

/// The first byte behind a range; more than any gas pays for if it is beyond 2^33.
inline uint64_t end_of_range(const U256& offset, const U256& length) {
    if (length == U256()) return 0;
    const U256 limit(uint64_t{1} << 32);
    if (offset >= limit || length >= limit) throw Halted();
    return offset.limbs[0] + length.limbs[0];
}

inline int64_t memory_cost(uint64_t bytes) {
    const auto count = static_cast<int64_t>(bytes / 32);
    return 3 * count + count * count / 512;
}

/// Charges for memory up to the ends of both ranges, then makes it.
inline void grow_memory(Machine& m, const U256& offset, const U256& length,
                        const U256& other_offset = {}, const U256& other_length = {}) {
    const uint64_t end =
        std::max(end_of_range(offset, length), end_of_range(other_offset, other_length));
    const uint64_t size = (end + 31) / 32 * 32;
    if (size <= m.memory.size()) return;
    charge(m, memory_cost(size) - memory_cost(m.memory.size()));
    m.memory.resize(size);
}

inline Bytes read_memory(const Machine& m, const U256& offset, const U256& length) {
    if (length == U256()) return {};
    return ByteView(m.memory).sub(offset.limbs[0], length.limbs[0]).to_bytes();
}

}  // namespace keel::differential
