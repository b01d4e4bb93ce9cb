#include "crypto/bn254/bn254.hpp"

#include "evm/precompiles/precompile.hpp"

namespace keel::evm::precompiles {
namespace {

constexpr size_t kPointBytes = 64;
constexpr size_t kPairBytes = 192;

PrecompileStatus status_of(crypto::CurveResult result) noexcept {
    return result == crypto::CurveResult::Ok ? PrecompileStatus::Success
                                             : PrecompileStatus::Failure;
}

}  // namespace

// EIP-196 (addition, multiplication) and EIP-197 (pairing check); prices of Istanbul by EIP-1108.

uint64_t bn254_add_gas(Input, const Rules& rules) noexcept {
    return rules.eip_1108 ? 150 : 500;
}

PrecompileStatus bn254_add(Input input, core::Bytes& output) {
    output.resize(kPointBytes);
    return status_of(crypto::bn254_add(padded<128>(input), output.data()));
}

uint64_t bn254_mul_gas(Input, const Rules& rules) noexcept {
    return rules.eip_1108 ? 6'000 : 40'000;
}

PrecompileStatus bn254_mul(Input input, core::Bytes& output) {
    output.resize(kPointBytes);
    return status_of(crypto::bn254_mul(padded<96>(input), output.data()));
}

uint64_t bn254_pairing_gas(Input input, const Rules& rules) noexcept {
    const uint64_t pairs = input.size() / kPairBytes;
    return rules.eip_1108 ? 45'000 + 34'000 * pairs : 100'000 + 80'000 * pairs;
}

PrecompileStatus bn254_pairing(Input input, core::Bytes& output) {
    if (input.size() % kPairBytes != 0) return PrecompileStatus::Failure;
    const auto is_one = crypto::bn254_pairing(input);
    if (!is_one) return PrecompileStatus::Failure;
    output.assign(32, 0);
    output[31] = *is_one ? 1 : 0;
    return PrecompileStatus::Success;
}

}  // namespace keel::evm::precompiles
