#include "evm/precompiles/table.hpp"

#include "core/base.hpp"
#include "core/endian.hpp"
#include "evm/precompiles/precompile.hpp"

namespace keel::evm {
namespace {

using core::ForkRules;
using namespace precompiles;

bool always(const ForkRules&) noexcept {
    return true;
}
bool if_198(const ForkRules& rules) noexcept {
    return rules.eip_198;
}
bool if_196(const ForkRules& rules) noexcept {
    return rules.eip_196;
}
bool if_197(const ForkRules& rules) noexcept {
    return rules.eip_197;
}
bool if_152(const ForkRules& rules) noexcept {
    return rules.eip_152;
}
bool if_4844(const ForkRules& rules) noexcept {
    return rules.eip_4844;
}
bool if_2537(const ForkRules& rules) noexcept {
    return rules.eip_2537;
}
bool if_7951(const ForkRules& rules) noexcept {
    return rules.eip_7951;
}

// Row i has address i + 1; the last one stands apart.
constexpr Precompile kTable[] = {
    {0x01, "ECRECOVER", always, ecrecover_gas, ecrecover},
    {0x02, "SHA256", always, sha256_gas, sha256},
    {0x03, "RIPEMD160", always, ripemd160_gas, ripemd160},
    {0x04, "IDENTITY", always, identity_gas, identity},
    {0x05, "MODEXP", if_198, modexp_gas, modexp},
    {0x06, "BN254_ADD", if_196, bn254_add_gas, bn254_add},
    {0x07, "BN254_MUL", if_196, bn254_mul_gas, bn254_mul},
    {0x08, "BN254_PAIRING", if_197, bn254_pairing_gas, bn254_pairing},
    {0x09, "BLAKE2F", if_152, blake2f_gas, blake2f},
    {0x0a, "KZG point evaluation", if_4844, point_evaluation_gas, point_evaluation},
    {0x0b, "BLS12_G1ADD", if_2537, bls12_g1add_gas, bls12_g1add},
    {0x0c, "BLS12_G1MSM", if_2537, bls12_g1msm_gas, bls12_g1msm},
    {0x0d, "BLS12_G2ADD", if_2537, bls12_g2add_gas, bls12_g2add},
    {0x0e, "BLS12_G2MSM", if_2537, bls12_g2msm_gas, bls12_g2msm},
    {0x0f, "BLS12_PAIRING_CHECK", if_2537, bls12_pairing_gas, bls12_pairing},
    {0x10, "BLS12_MAP_FP_TO_G1", if_2537, bls12_map_fp_to_g1_gas, bls12_map_fp_to_g1},
    {0x11, "BLS12_MAP_FP2_TO_G2", if_2537, bls12_map_fp2_to_g2_gas, bls12_map_fp2_to_g2},
    {0x100, "P256VERIFY", if_7951, p256verify_gas, p256verify},
};
constexpr size_t kInRow = std::size(kTable) - 1;
static_assert(kTable[kInRow - 1].address == kInRow);

}  // namespace

const Precompile* find_precompile(const core::Address& address, const ForkRules& rules) noexcept {
    const uint8_t* bytes = address.data();
    const auto head = core::load_be<uint64_t>(bytes) | core::load_be<uint64_t>(bytes + 8);
    const auto tail = core::load_be<uint32_t>(bytes + 16);
    if (head != 0 || tail == 0) return nullptr;
    const Precompile* found = nullptr;
    if (tail <= kInRow) found = &kTable[tail - 1];
    if (tail == kTable[kInRow].address) found = &kTable[kInRow];
    return found != nullptr && found->active(rules) ? found : nullptr;
}

std::string_view name_of(const Precompile& precompile) noexcept {
    return precompile.name;
}

PrecompileResult run_precompile(const Precompile& precompile, core::ByteView input, int64_t gas,
                                const ForkRules& rules, core::Bytes& output) {
    KEEL_ASSERT(gas >= 0);
    output.clear();
    const uint64_t price = precompile.gas(input, rules);
    if (price > static_cast<uint64_t>(gas)) {
        return {PrecompileStatus::Failure, 0, price != kUnpayable};
    }
    const PrecompileStatus status = precompile.run(input, output);
    if (status != PrecompileStatus::Success) {
        output.clear();
        return {status, 0};
    }
    return {status, gas - static_cast<int64_t>(price)};
}

}  // namespace keel::evm
