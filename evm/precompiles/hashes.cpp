#include "crypto/ripemd160.hpp"
#include "crypto/sha256.hpp"
#include "evm/precompiles/precompile.hpp"

namespace keel::evm::precompiles {

// Yellow paper, appendix E: SHA256, RIPEMD160 and IDENTITY take any input and never fail.

uint64_t sha256_gas(Input input, const Rules&) noexcept {
    return 60 + 12 * words(input.size());
}

PrecompileStatus sha256(Input input, core::Bytes& output) {
    const auto digest = crypto::sha256(input);
    output.assign(digest.bytes.begin(), digest.bytes.end());
    return PrecompileStatus::Success;
}

uint64_t ripemd160_gas(Input input, const Rules&) noexcept {
    return 600 + 120 * words(input.size());
}

PrecompileStatus ripemd160(Input input, core::Bytes& output) {
    const auto digest = crypto::ripemd160(input);
    output.assign(32, 0);
    std::memcpy(output.data() + 12, digest.data(), digest.size());
    return PrecompileStatus::Success;
}

uint64_t identity_gas(Input input, const Rules&) noexcept {
    return 15 + 3 * words(input.size());
}

PrecompileStatus identity(Input input, core::Bytes& output) {
    output.assign(input.begin(), input.end());
    return PrecompileStatus::Success;
}

}  // namespace keel::evm::precompiles
