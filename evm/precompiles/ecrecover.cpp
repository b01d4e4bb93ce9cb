#include "core/u256.hpp"
#include "crypto/secp256k1.hpp"
#include "evm/precompiles/precompile.hpp"

namespace keel::evm::precompiles {

// Yellow paper, appendix E: hash, v, r, s of 32 bytes each. Whatever is wrong with them, the call
// succeeds without output.

uint64_t ecrecover_gas(Input, const Rules&) noexcept {
    return 3'000;
}

PrecompileStatus ecrecover(Input input, core::Bytes& output) {
    const auto bytes = padded<128>(input);
    const auto v = core::U256::load_be32(bytes.data() + 32);
    if (v != core::U256(27) && v != core::U256(28)) return PrecompileStatus::Success;
    const auto signer = crypto::recover_address(
        core::Hash32(core::ByteView(bytes)), core::U256::load_be32(bytes.data() + 64),
        core::U256::load_be32(bytes.data() + 96), static_cast<uint8_t>(v.low64() - 27));
    if (!signer) return PrecompileStatus::Success;
    output.assign(32, 0);
    std::memcpy(output.data() + 12, signer->data(), signer->size());
    return PrecompileStatus::Success;
}

}  // namespace keel::evm::precompiles
