#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/hash.hpp"

namespace keel::evm {

/// One bit a byte of code: a JUMPDEST that is not the data of a PUSH.
class JumpMap {
  public:
    explicit JumpMap(core::ByteView code);

    bool allows(uint64_t target) const noexcept {
        return target < size_ && ((bits_[target / 64] >> (target % 64)) & 1) != 0;
    }
    size_t memory_bytes() const noexcept { return bits_.size() * sizeof(uint64_t); }

  private:
    std::vector<uint64_t> bits_;
    uint64_t size_;
};

/// Jump maps by code hash; the least recently used ones go. One thread.
class JumpMapCache {
  public:
    explicit JumpMapCache(size_t max_bytes) : max_bytes_(max_bytes) {}

    /// `hash` is that of `code`. A map that is in use outlives its place in the cache.
    std::shared_ptr<const JumpMap> find(const core::Hash32& hash, core::ByteView code);

  private:
    struct Entry {
        std::shared_ptr<const JumpMap> map;
        std::list<core::Hash32>::iterator place;
    };
    std::unordered_map<core::Hash32, Entry> entries_;
    std::list<core::Hash32> recent_;  // most recently used first
    size_t bytes_ = 0;
    size_t max_bytes_;
};

}  // namespace keel::evm
