#include "crypto/sha256.hpp"
#include "evm/precompiles/precompile.hpp"

namespace keel::evm::precompiles {
namespace {

// EIP-4844: versioned hash (32 bytes), z (32), y (32), commitment (48), proof (48).
constexpr size_t kInputBytes = 192;
constexpr size_t kCommitment = 96, kCommitmentBytes = 48;
constexpr uint8_t kVersionedHashVersionKzg = 0x01;

}  // namespace

uint64_t point_evaluation_gas(Input, const Rules&) noexcept {
    return 50'000;
}

PrecompileStatus point_evaluation(Input input, core::Bytes&) {
    if (input.size() != kInputBytes) return PrecompileStatus::Failure;
    auto versioned_hash = crypto::sha256(input.sub(kCommitment, kCommitmentBytes));
    versioned_hash[0] = kVersionedHashVersionKzg;
    if (versioned_hash.view() != input.sub(0, 32)) return PrecompileStatus::Failure;
    return PrecompileStatus::NotSupported;
}

}  // namespace keel::evm::precompiles
