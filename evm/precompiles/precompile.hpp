#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/bytes.hpp"
#include "core/types/fork.hpp"
#include "evm/precompiles/table.hpp"

namespace keel::evm {

/// Row of the table in table.cpp. The functions are in the file of their precompile.
struct Precompile {
    uint16_t address;  // the last two bytes; the others are zero
    std::string_view name;
    bool (*active)(const core::ForkRules&) noexcept;
    /// Gas of a call with this input; kUnpayable when it is above 64 bits, or the input is refused
    /// whatever is paid.
    uint64_t (*gas)(core::ByteView input, const core::ForkRules&) noexcept;
    /// Fills `output` (empty before) when Success.
    PrecompileStatus (*run)(core::ByteView input, core::Bytes& output);
};

inline constexpr uint64_t kUnpayable = UINT64_MAX;

/// Missing bytes at the end of an input are zeros; more than kSize are ignored.
template <size_t kSize>
std::array<uint8_t, kSize> padded(core::ByteView input) noexcept {
    std::array<uint8_t, kSize> bytes{};
    const core::ByteView used = input.sub(0, kSize);
    if (!used.empty()) std::memcpy(bytes.data(), used.data(), used.size());
    return bytes;
}

constexpr uint64_t words(size_t bytes) noexcept {
    return (static_cast<uint64_t>(bytes) + 31) / 32;
}

namespace precompiles {

using Input = core::ByteView;
using Rules = core::ForkRules;

uint64_t ecrecover_gas(Input, const Rules&) noexcept;
PrecompileStatus ecrecover(Input, core::Bytes& output);
uint64_t sha256_gas(Input, const Rules&) noexcept;
PrecompileStatus sha256(Input, core::Bytes& output);
uint64_t ripemd160_gas(Input, const Rules&) noexcept;
PrecompileStatus ripemd160(Input, core::Bytes& output);
uint64_t identity_gas(Input, const Rules&) noexcept;
PrecompileStatus identity(Input, core::Bytes& output);
uint64_t modexp_gas(Input, const Rules&) noexcept;
PrecompileStatus modexp(Input, core::Bytes& output);
uint64_t bn254_add_gas(Input, const Rules&) noexcept;
PrecompileStatus bn254_add(Input, core::Bytes& output);
uint64_t bn254_mul_gas(Input, const Rules&) noexcept;
PrecompileStatus bn254_mul(Input, core::Bytes& output);
uint64_t bn254_pairing_gas(Input, const Rules&) noexcept;
PrecompileStatus bn254_pairing(Input, core::Bytes& output);
uint64_t blake2f_gas(Input, const Rules&) noexcept;
PrecompileStatus blake2f(Input, core::Bytes& output);
uint64_t point_evaluation_gas(Input, const Rules&) noexcept;
PrecompileStatus point_evaluation(Input, core::Bytes& output);
uint64_t bls12_g1add_gas(Input, const Rules&) noexcept;
PrecompileStatus bls12_g1add(Input, core::Bytes& output);
uint64_t bls12_g1msm_gas(Input, const Rules&) noexcept;
PrecompileStatus bls12_g1msm(Input, core::Bytes& output);
uint64_t bls12_g2add_gas(Input, const Rules&) noexcept;
PrecompileStatus bls12_g2add(Input, core::Bytes& output);
uint64_t bls12_g2msm_gas(Input, const Rules&) noexcept;
PrecompileStatus bls12_g2msm(Input, core::Bytes& output);
uint64_t bls12_pairing_gas(Input, const Rules&) noexcept;
PrecompileStatus bls12_pairing(Input, core::Bytes& output);
uint64_t bls12_map_fp_to_g1_gas(Input, const Rules&) noexcept;
PrecompileStatus bls12_map_fp_to_g1(Input, core::Bytes& output);
uint64_t bls12_map_fp2_to_g2_gas(Input, const Rules&) noexcept;
PrecompileStatus bls12_map_fp2_to_g2(Input, core::Bytes& output);
uint64_t p256verify_gas(Input, const Rules&) noexcept;
PrecompileStatus p256verify(Input, core::Bytes& output);

}  // namespace precompiles
}  // namespace keel::evm
