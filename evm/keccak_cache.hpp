#pragma once

#include <cstdint>
#include <cstring>
#include <memory>

#include "core/endian.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"
#include "crypto/keccak.hpp"

namespace keel::evm {

/// Hashes of 64 bytes: keys of mappings, which the same contracts ask for again and again. One
/// thread.
class KeccakCache {
  public:
    static constexpr size_t kInput = 64;

    core::Hash32 find(const uint8_t* input) {
        if (entries_ == nullptr) entries_ = std::make_unique<Entry[]>(kEntries);
        uint64_t words[kInput / 8];
        for (size_t i = 0; i < kInput / 8; ++i) words[i] = core::load_le<uint64_t>(input + 8 * i);
        Entry& entry = entries_[place_of(words)];
        uint64_t difference = 0;
        for (size_t i = 0; i < kInput / 8; ++i) difference |= words[i] ^ entry.input[i];
        if (difference != 0 || !entry.used) {
            entry.used = true;
            std::memcpy(entry.input, words, kInput);
            entry.hash = crypto::keccak256(core::ByteView(input, kInput));
        }
        return entry.hash;
    }

  private:
    struct Entry {
        uint64_t input[kInput / 8] = {};
        core::Hash32 hash;
        bool used = false;
    };
    static constexpr unsigned kBits = 12;
    static constexpr size_t kEntries = size_t{1} << kBits;

    // Digits of pi (2^64 times what is behind the point, and on).
    static constexpr uint64_t kOdd[kInput / 8] = {
        0x243f6a8885a308d3, 0x13198a2e03707345, 0xa4093822299f31d1, 0x082efa98ec4e6c89,
        0x452821e638d01377, 0xbe5466cf34e90c6d, 0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917};

    // Who makes keys meet in one place has them hashed as if there was no cache.
    static size_t place_of(const uint64_t* words) noexcept {
        uint64_t mixed = 0;
        for (size_t i = 0; i < kInput / 8; i += 2) {
            const core::uint128_t product =
                static_cast<core::uint128_t>(words[i] ^ kOdd[i]) * (words[i + 1] ^ kOdd[i + 1]);
            mixed ^= static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
        }
        mixed *= kOdd[0];
        return mixed >> (64 - kBits);
    }

    std::unique_ptr<Entry[]> entries_;
};

}  // namespace keel::evm
