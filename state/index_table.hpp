#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/types/address.hpp"
#include "core/u256.hpp"

namespace keel::state {

/// Hash of addresses and slots that an attacker chooses: a 64-bit mixing whose seeds he does not
/// know. Order of anything that leaves the process never depends on it.
class KeyHash {
  public:
    explicit KeyHash(const std::array<uint8_t, 32>& seed) noexcept {
        for (size_t i = 0; i < 4; ++i) seeds_[i] = core::load_le<uint64_t>(&seed[8 * i]);
    }
    uint64_t operator()(const core::Address& address) const noexcept {
        const uint64_t head = core::load_le<uint64_t>(address.data());
        const uint64_t middle = core::load_le<uint64_t>(address.data() + 8);
        const uint64_t tail = core::load_le<uint32_t>(address.data() + 16);
        return fold(fold(head ^ seeds_[0], middle ^ seeds_[1]) ^ seeds_[2], tail ^ seeds_[3]);
    }
    uint64_t operator()(uint32_t account, const core::U256& slot) const noexcept {
        const uint64_t low = fold(slot.limbs[0] ^ seeds_[0], slot.limbs[1] ^ seeds_[1]);
        const uint64_t high = fold(slot.limbs[2] ^ seeds_[2], slot.limbs[3] ^ seeds_[3]);
        return fold(low ^ account ^ seeds_[1], high ^ seeds_[0]);
    }

  private:
    static uint64_t fold(uint64_t a, uint64_t b) noexcept {
        const core::uint128_t product = static_cast<core::uint128_t>(a) * b;
        return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
    }
    uint64_t seeds_[4];
};

/// Open addressing from the hash of a key to the index of an entry that lies elsewhere: 0, 1, 2 …
/// in the order of insertion. Nothing is ever erased but all at once. One thread.
class IndexTable {
  public:
    static constexpr uint32_t kNone = UINT32_MAX;

    IndexTable() : buckets_(kBucketsMin), mask_(kBucketsMin - 1) {}

    uint32_t size() const noexcept { return static_cast<uint32_t>(tags_.size()); }

    /// Index of the entry with this hash for which `is_it(index)`; kNone: there is none.
    template <class IsIt>
    uint32_t find(uint64_t hash, const IsIt& is_it) const noexcept {
        const uint32_t tag = tag_of(hash);
        for (uint32_t at = tag & mask_;; at = (at + 1) & mask_) {
            const Bucket& bucket = buckets_[at];
            if (bucket.index_plus_1 == 0) return kNone;
            if (bucket.tag == tag && is_it(bucket.index_plus_1 - 1)) return bucket.index_plus_1 - 1;
        }
    }

    /// The index of the new entry; its key is not there yet.
    uint32_t insert(uint64_t hash) {
        if (tags_.size() * 2 > mask_) grow();
        tags_.push_back(tag_of(hash));
        place(size() - 1);
        return size() - 1;
    }

    /// Keeps its memory, but does not wipe more of it at each call than the last use called for.
    void clear() noexcept {
        if (tags_.empty()) return;
        const size_t wanted = std::bit_ceil(tags_.size() * 2 + 2);
        mask_ = static_cast<uint32_t>(std::clamp(wanted, kBucketsMin, buckets_.size()) - 1);
        std::fill_n(buckets_.begin(), size_t{mask_} + 1, Bucket{});
        tags_.clear();
    }

  private:
    struct Bucket {
        uint32_t tag = 0;
        uint32_t index_plus_1 = 0;  // 0: free
    };
    static constexpr size_t kBucketsMin = 256;

    static uint32_t tag_of(uint64_t hash) noexcept {
        return static_cast<uint32_t>(hash ^ (hash >> 32));
    }
    void place(uint32_t index) noexcept {
        uint32_t at = tags_[index] & mask_;
        while (buckets_[at].index_plus_1 != 0) at = (at + 1) & mask_;
        buckets_[at] = {tags_[index], index + 1};
    }
    void grow() {
        const size_t wanted = (size_t{mask_} + 1) * 2;
        if (buckets_.size() < wanted) buckets_.resize(wanted);
        mask_ = static_cast<uint32_t>(wanted - 1);
        std::fill_n(buckets_.begin(), wanted, Bucket{});
        for (uint32_t index = 0; index < size(); ++index) place(index);
    }

    std::vector<Bucket> buckets_;  // the first mask_ + 1 are in use
    uint32_t mask_;
    std::vector<uint32_t> tags_;  // by index
};

/// Entries by index that never move; clear() keeps their memory. One thread.
template <class Entry, unsigned kChunkBits>
class ChunkedArray {
  public:
    Entry& operator[](uint32_t index) noexcept {
        return chunks_[index >> kChunkBits][index & kInChunk];
    }
    const Entry& operator[](uint32_t index) const noexcept {
        return chunks_[index >> kChunkBits][index & kInChunk];
    }
    uint32_t size() const noexcept { return size_; }
    /// A fresh entry at index size().
    Entry& add() {
        if ((size_ >> kChunkBits) == chunks_.size())
            chunks_.push_back(std::make_unique<Entry[]>(size_t{1} << kChunkBits));
        Entry& entry = (*this)[size_++];
        entry = Entry{};
        return entry;
    }
    void clear() noexcept { size_ = 0; }

  private:
    static constexpr uint32_t kInChunk = (1u << kChunkBits) - 1;
    std::vector<std::unique_ptr<Entry[]>> chunks_;
    uint32_t size_ = 0;
};

}  // namespace keel::state
