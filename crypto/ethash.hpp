#pragma once

#include <cstdint>
#include <vector>

#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::crypto {

/// Proof of work of blocks before Paris, checked without the dataset (yellow paper, appendix J).
/// Holds the cache of one epoch (16 MiB and 128 KiB more an epoch), which is made when first asked
/// for and again when the epoch changes: about a second each. One thread.
class Ethash {
  public:
    static constexpr uint64_t kEpochLength = 30'000;  // blocks

    /// Whether `nonce` and `mix_hash` seal the header whose hash without them is `seal_hash`.
    /// `difficulty` is not 0.
    bool verify_seal(const core::Hash32& seal_hash, uint64_t block_number,
                     const core::Hash32& mix_hash, uint64_t nonce, const core::U256& difficulty);

    struct Digest {
        core::Hash32 mix_hash;
        core::Hash32 result;  // as a big-endian number at most 2^256 // difficulty
    };
    /// Both digests of a nonce.
    Digest hash(const core::Hash32& seal_hash, uint64_t block_number, uint64_t nonce);

    static uint64_t cache_bytes(uint64_t epoch) noexcept;
    static uint64_t dataset_bytes(uint64_t epoch) noexcept;
    static core::Hash32 epoch_seed(uint64_t epoch) noexcept;

  private:
    /// 64 bytes as little-endian words: an item of the cache or of the dataset.
    struct alignas(64) Item {
        uint32_t words[16];
    };

    void prepare(uint64_t epoch);
    Item dataset_item(uint32_t index) const noexcept;

    std::vector<Item> cache_;
    uint64_t epoch_ = UINT64_MAX;  // of cache_
    uint32_t dataset_rows_ = 0;    // pairs of items in the dataset of that epoch
};

}  // namespace keel::crypto
