#pragma once

#include <algorithm>

#include "crypto/keccak.hpp"
#include "evm/frame.hpp"
#include "evm/words.hpp"

namespace keel::evm {

[[gnu::noinline]] inline Status op_keccak256(Frame& frame, core::U256* top) {
    if (!frame.memory.expand(top[-1], top[-2], frame.gas)) return Status::OutOfGas;
    const uint64_t length = top[-2].low64();
    if (!frame.charge_words(6, length)) return Status::OutOfGas;
    const core::ByteView data = frame.memory.view(length == 0 ? 0 : top[-1].low64(), length);
    core::Hash32 hash;
    if (length == KeccakCache::kInput) {
        hash = frame.evm.workspace.keccaks().find(data.data());
    } else {
        hash = crypto::keccak256(data);
    }
    load_word(top[-2], hash.data());
    return Status::Success;
}

/// Copies to memory from `source`, which reads as zeros behind its end. The operands are those of
/// CALLDATACOPY: destination, offset, length.
[[gnu::noinline]] inline Status copy_padded(Frame& frame, const core::U256* top,
                                            core::ByteView source) {
    if (!frame.memory.expand(top[-1], top[-3], frame.gas)) return Status::OutOfGas;
    const uint64_t length = top[-3].low64();
    if (length == 0) return Status::Success;
    if (!frame.charge_words(3, length)) return Status::OutOfGas;
    const core::ByteView part = source.sub(top[-2].saturated64(), length);
    uint8_t* to = frame.memory.at(top[-1].low64());
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    std::memset(to + part.size(), 0, length - part.size());
    return Status::Success;
}

[[gnu::noinline]] inline Status op_returndatacopy(Frame& frame, core::U256* top) {
    const uint64_t size = frame.return_data.size();
    const uint64_t offset = top[-2].saturated64();
    const uint64_t length = top[-3].saturated64();
    if (offset > size || length > size - offset) return Status::ReturnDataOutOfBounds;
    return copy_padded(frame, top, frame.return_data);
}

[[gnu::noinline]] inline Status op_mcopy(Frame& frame, core::U256* top) {
    if (!frame.memory.expand(std::max(top[-1], top[-2]), top[-3], frame.gas)) {
        return Status::OutOfGas;
    }
    const uint64_t length = top[-3].low64();
    if (length == 0) return Status::Success;
    if (!frame.charge_words(3, length)) return Status::OutOfGas;
    std::memmove(frame.memory.at(top[-1].low64()), frame.memory.at(top[-2].low64()), length);
    return Status::Success;
}

[[gnu::noinline]] inline core::U256 load_call_data_end(core::ByteView input,
                                                       uint64_t offset) noexcept {
    const core::ByteView part = input.sub(offset, 32);
    uint8_t bytes[32] = {};
    if (!part.empty()) std::memcpy(bytes, part.data(), part.size());
    return core::U256::load_be32(bytes);
}
inline core::U256 load_call_data(core::ByteView input, uint64_t offset) noexcept {
    if (offset < input.size() && input.size() - offset >= 32) [[likely]]
        return core::U256::load_be32(input.data() + offset);
    return load_call_data_end(input, offset);
}

/// RETURN and REVERT.
[[gnu::noinline]] inline Status op_return(Frame& frame, core::U256* top) {
    if (!frame.memory.expand(top[-1], top[-2], frame.gas)) return Status::OutOfGas;
    const uint64_t length = top[-2].low64();
    frame.output = frame.memory.view(length == 0 ? 0 : top[-1].low64(), length);
    return Status::Success;
}

}  // namespace keel::evm
