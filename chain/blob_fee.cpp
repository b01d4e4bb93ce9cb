#include "chain/blob_fee.hpp"

namespace keel::chain {

using core::U256;

U256 blob_base_fee(uint64_t excess_blob_gas, uint64_t base_fee_update_fraction) noexcept {
    U256 out;
    U256 term = *core::checked_mul(U256(kBlobBaseFeeMin), U256(base_fee_update_fraction));
    for (uint64_t i = 1; !term.is_zero(); ++i) {
        const auto sum = core::checked_add(out, term);
        const auto product = core::checked_mul(term, U256(excess_blob_gas));
        if (!sum || !product) return U256::max();
        out = *sum;
        term = *product / (U256(base_fee_update_fraction) * U256(i));
    }
    return out / U256(base_fee_update_fraction);
}

uint64_t next_excess_blob_gas(const BlobParent& parent, const BlobParameters& parameters,
                              bool bounded_by_execution) noexcept {
    const U256 sum = U256(parent.excess_blob_gas) + U256(parent.blob_gas_used);
    const U256 target = U256(parameters.target) * U256(kGasPerBlob);
    if (sum < target) return 0;
    // EIP-7918: while a blob costs less than the execution that verifying it takes, the excess does
    // not fall.
    if (bounded_by_execution &&
        U256(kBlobBaseCost) * parent.base_fee >
            U256(kGasPerBlob) *
                blob_base_fee(parent.excess_blob_gas, parameters.base_fee_update_fraction)) {
        const U256 share = U256(parent.blob_gas_used) * U256(parameters.max - parameters.target) /
                           U256(parameters.max);
        return (U256(parent.excess_blob_gas) + share).saturated64();
    }
    return (sum - target).saturated64();
}

}  // namespace keel::chain
