#pragma once

#include <cstdint>

#include "core/u256.hpp"

namespace keel::chain {

inline constexpr uint64_t kInitialBaseFee = 1'000'000'000;   // EIP-1559, wei
inline constexpr uint64_t kBaseFeeMaxChangeDenominator = 8;  // EIP-1559
inline constexpr uint64_t kElasticityMultiplier = 2;         // EIP-1559

/// Base fee in wei of the child of a London block. Gas limit at least 2. Source: EIP-1559.
core::U256 next_base_fee(const core::U256& parent_base_fee, uint64_t parent_gas_limit,
                         uint64_t parent_gas_used) noexcept;

}  // namespace keel::chain
