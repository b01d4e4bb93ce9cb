#pragma once

#include <cstdint>

#include "core/u256.hpp"

namespace keel::chain {

inline constexpr uint64_t kGasPerBlob = 131'072;  // EIP-4844
inline constexpr uint64_t kBlobBaseFeeMin = 1;    // EIP-4844, wei
inline constexpr uint64_t kBlobBaseCost = 8'192;  // EIP-7918: 2^13 gas of execution a blob

/// Blob parameters of a fork; a schedule may go down again.
struct BlobParameters {
    uint64_t target = 0;                    // blobs
    uint64_t max = 0;                       // blobs
    uint64_t base_fee_update_fraction = 1;  // gas
    friend bool operator==(const BlobParameters&, const BlobParameters&) = default;
};

inline constexpr BlobParameters kCancunBlobs{3, 6, 3'338'477};   // EIP-4844
inline constexpr BlobParameters kPragueBlobs{6, 9, 5'007'716};   // EIP-7691; Osaka's too
inline constexpr BlobParameters kBpo1Blobs{10, 15, 8'346'193};   // EIP-7892
inline constexpr BlobParameters kBpo2Blobs{14, 21, 11'684'671};  // EIP-7892

/// What a child needs of its parent; the blob fields are 0 when the parent is before Cancun.
struct BlobParent {
    uint64_t excess_blob_gas = 0;
    uint64_t blob_gas_used = 0;
    core::U256 base_fee;
};

/// Price of one blob gas in wei at an excess; 2^256 - 1 when it is larger. Source: EIP-4844
/// (fake_exponential).
core::U256 blob_base_fee(uint64_t excess_blob_gas, uint64_t base_fee_update_fraction) noexcept;

/// Excess blob gas of a block under its own parameters. `bounded_by_execution`: EIP-7918, Osaka.
/// Source: EIP-4844 (calc_excess_blob_gas), EIP-7918.
uint64_t next_excess_blob_gas(const BlobParent& parent, const BlobParameters& parameters,
                              bool bounded_by_execution) noexcept;

}  // namespace keel::chain
