#include <gtest/gtest.h>

#include "chain/base_fee.hpp"
#include "chain/blob_fee.hpp"

namespace keel::chain {
namespace {

using core::U256;

// EIP-1559's own example of a 20M gas limit at 1 gwei: at most an eighth up or down.
TEST(BaseFee, moves_by_the_distance_of_the_gas_used_from_the_target) {
    constexpr uint64_t kLimit = 20'000'000;
    const U256 gwei = kInitialBaseFee;
    EXPECT_EQ(next_base_fee(gwei, kLimit, 10'000'000), gwei);
    EXPECT_EQ(next_base_fee(gwei, kLimit, 9'000'000), U256(987'500'000));
    EXPECT_EQ(next_base_fee(gwei, kLimit, 11'000'000), U256(1'012'500'000));
    EXPECT_EQ(next_base_fee(gwei, kLimit, kLimit), U256(1'125'000'000));
    EXPECT_EQ(next_base_fee(gwei, kLimit, 0), U256(875'000'000));
}

TEST(BaseFee, rises_by_at_least_one_wei_and_may_stay_where_it_falls) {
    EXPECT_EQ(next_base_fee(U256(7), 1'000'000, 500'001), U256(8));
    EXPECT_EQ(next_base_fee(U256(7), 1'000'000, 0), U256(7));
    EXPECT_EQ(next_base_fee(U256(0), 1'000'000, 1'000'000), U256(1));
}

// The border where the fee becomes 2 wei under Cancun's fraction: e^(2314058 / 3338477) passes 2.
TEST(BlobFee, grows_exponentially_with_the_excess) {
    const uint64_t fraction = kCancunBlobs.base_fee_update_fraction;
    EXPECT_EQ(blob_base_fee(0, fraction), U256(1));
    EXPECT_EQ(blob_base_fee(2'314'057, fraction), U256(1));
    EXPECT_EQ(blob_base_fee(2'314'058, fraction), U256(2));
    EXPECT_EQ(blob_base_fee(10 * 1024 * 1024, fraction), U256(23));
}

// Seen in block fixtures: a header with an excess of 2^64 - 131072; the series must end.
TEST(BlobFee, an_excess_that_nobody_can_pay_is_the_largest_number) {
    EXPECT_EQ(blob_base_fee(UINT64_MAX - kGasPerBlob + 1, kCancunBlobs.base_fee_update_fraction),
              U256::max());
}

TEST(ExcessBlobGas, falls_by_the_target_and_stops_at_zero) {
    const BlobParameters& cancun = kCancunBlobs;
    EXPECT_EQ(next_excess_blob_gas({0, 3 * kGasPerBlob, 1}, cancun, false), 0u);
    EXPECT_EQ(next_excess_blob_gas({0, 4 * kGasPerBlob, 1}, cancun, false), kGasPerBlob);
    EXPECT_EQ(next_excess_blob_gas({5 * kGasPerBlob, 0, 1}, cancun, false), 2 * kGasPerBlob);
    EXPECT_EQ(next_excess_blob_gas({kGasPerBlob, kGasPerBlob, 1}, cancun, false), 0u);
}

// EIP-7918: with a blob fee of 1 wei the reserve price 8192 * base fee passes 131072 * 1 at a base
// fee of 17 wei.
TEST(ExcessBlobGas, does_not_fall_while_execution_costs_more_than_blobs) {
    const BlobParameters& osaka = kPragueBlobs;
    const uint64_t used = 9 * kGasPerBlob, excess = kGasPerBlob;
    EXPECT_EQ(next_excess_blob_gas({excess, used, 16}, osaka, true), 4 * kGasPerBlob);
    EXPECT_EQ(next_excess_blob_gas({excess, used, 17}, osaka, true), excess + used * 3 / 9);
    EXPECT_EQ(next_excess_blob_gas({excess, 0, 17}, osaka, true), 0u);
    EXPECT_EQ(next_excess_blob_gas({excess, used, 17}, osaka, false), 4 * kGasPerBlob);
}

}  // namespace
}  // namespace keel::chain
