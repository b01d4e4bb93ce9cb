#include "core/endian.hpp"
#include "crypto/blake2.hpp"
#include "evm/precompiles/precompile.hpp"

namespace keel::evm::precompiles {
namespace {

// EIP-152: rounds (4 bytes, big-endian), h (64), m (128), t (16), final flag (1); all but the
// rounds little-endian.
constexpr size_t kInputBytes = 213;
constexpr size_t kH = 4, kM = 68, kT = 196, kFlag = 212;

}  // namespace

uint64_t blake2f_gas(Input input, const Rules&) noexcept {
    return input.size() == kInputBytes ? core::load_be<uint32_t>(input.data()) : 0;
}

PrecompileStatus blake2f(Input input, core::Bytes& output) {
    if (input.size() != kInputBytes || input[kFlag] > 1) return PrecompileStatus::Failure;
    const uint8_t* bytes = input.data();
    uint64_t h[8], m[16];
    for (size_t i = 0; i < 8; ++i) h[i] = core::load_le<uint64_t>(bytes + kH + 8 * i);
    for (size_t i = 0; i < 16; ++i) m[i] = core::load_le<uint64_t>(bytes + kM + 8 * i);
    crypto::blake2b_compress(core::load_be<uint32_t>(bytes), h, m,
                             core::load_le<uint64_t>(bytes + kT),
                             core::load_le<uint64_t>(bytes + kT + 8), input[kFlag] == 1);
    output.resize(64);
    for (size_t i = 0; i < 8; ++i) core::store_le(output.data() + 8 * i, h[i]);
    return PrecompileStatus::Success;
}

}  // namespace keel::evm::precompiles
