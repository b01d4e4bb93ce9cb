#include "crypto/p256.hpp"

#include "evm/precompiles/precompile.hpp"

namespace keel::evm::precompiles {

// EIP-7951: hash, r, s, qx, qy of 32 bytes each. A signature that does not hold gives no output,
// and the call succeeds.

uint64_t p256verify_gas(Input, const Rules&) noexcept {
    return 6'900;
}

PrecompileStatus p256verify(Input input, core::Bytes& output) {
    constexpr size_t kInputBytes = 160;
    if (input.size() != kInputBytes) return PrecompileStatus::Success;
    const auto number = [input](size_t index) {
        return core::U256::load_be32(input.data() + 32 * index);
    };
    if (!crypto::p256_verify(core::Hash32(input.sub(0, 32)), number(1), number(2), number(3),
                             number(4))) {
        return PrecompileStatus::Success;
    }
    output.assign(32, 0);
    output[31] = 1;
    return PrecompileStatus::Success;
}

}  // namespace keel::evm::precompiles
