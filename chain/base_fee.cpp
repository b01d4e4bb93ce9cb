#include "chain/base_fee.hpp"

namespace keel::chain {

using core::U256;

// A base fee that a chain can reach stays far below 2^192: every doubling of it takes six full
// blocks. So its product with a 64-bit gas amount fits.
U256 next_base_fee(const U256& parent_base_fee, uint64_t parent_gas_limit,
                   uint64_t parent_gas_used) noexcept {
    const uint64_t target = parent_gas_limit / kElasticityMultiplier;
    if (parent_gas_used == target) return parent_base_fee;
    const auto change = [&](uint64_t gas_off_target) {
        return parent_base_fee * U256(gas_off_target) / U256(target) /
               U256(kBaseFeeMaxChangeDenominator);
    };
    if (parent_gas_used < target) return parent_base_fee - change(target - parent_gas_used);
    const U256 increase = change(parent_gas_used - target);
    return parent_base_fee + (increase.is_zero() ? U256(1) : increase);
}

}  // namespace keel::chain
