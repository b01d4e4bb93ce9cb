#include "core/u256.hpp"
#include "crypto/bls12_381/point.hpp"
#include "crypto/kzg.hpp"
#include "evm/precompiles/precompile.hpp"

namespace keel::evm::precompiles {
namespace {

// EIP-4844: versioned hash (32 bytes), z (32), y (32), commitment (48), proof (48).
constexpr size_t kInputBytes = 192;
constexpr size_t kWordBytes = 32;
constexpr size_t kZ = 32, kY = 64;
constexpr size_t kCommitment = 96, kProof = 144, kPointBytes = 48;

constexpr uint64_t kFieldElementsPerBlob = 4'096;

}  // namespace

uint64_t point_evaluation_gas(Input, const Rules&) noexcept {
    return 50'000;
}

PrecompileStatus point_evaluation(Input input, core::Bytes& output) {
    if (input.size() != kInputBytes) return PrecompileStatus::Failure;
    const core::ByteView commitment = input.sub(kCommitment, kPointBytes);
    if (crypto::kzg_versioned_hash(commitment).view() != input.sub(0, kWordBytes)) {
        return PrecompileStatus::Failure;
    }
    const auto verified =
        crypto::verify_kzg_proof(commitment, input.sub(kZ, kWordBytes), input.sub(kY, kWordBytes),
                                 input.sub(kProof, kPointBytes));
    if (!verified.value_or(false)) return PrecompileStatus::Failure;
    // EIP-4844: FIELD_ELEMENTS_PER_BLOB and BLS_MODULUS.
    output.resize(2 * kWordBytes);
    core::U256(kFieldElementsPerBlob).store_be32(output.data());
    crypto::bls12_381::kOrder.store_be32(output.data() + kWordBytes);
    return PrecompileStatus::Success;
}

}  // namespace keel::evm::precompiles
