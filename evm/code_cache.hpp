#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "core/types/hash.hpp"
#include "evm/blocks.hpp"

namespace keel::evm {

/// Keeps a Code where it is while a frame runs it. One thread.
class PinnedCode {
  public:
    explicit PinnedCode(Code& code) noexcept : code_(code) { ++code_.pins; }
    ~PinnedCode() { --code_.pins; }
    PinnedCode(const PinnedCode&) = delete;
    PinnedCode& operator=(const PinnedCode&) = delete;
    Code& operator*() const noexcept { return code_; }

  private:
    Code& code_;
};

/// What is known of codes, by their hash; the least recently used go. One thread.
class CodeCache {
  public:
    explicit CodeCache(size_t max_bytes) : max_bytes_(max_bytes) {}

    /// `hash` is that of `code`. The reference lives until the next call, or while it is pinned.
    Code& find(const core::Hash32& hash, core::ByteView code) {
        Entry* const recent = recent_[slot_of(hash)];
        if (recent != nullptr && recent->hash == hash) [[likely]]
            return recent->code;
        return find_slowly(hash, code);
    }
    /// Traces hold prices; other rules have others. No frame runs.
    void clear() noexcept;

  private:
    struct Entry {
        Entry(const core::Hash32& h, core::ByteView bytes) : hash(h), code(bytes) {}
        core::Hash32 hash;
        Code code;
        size_t counted_bytes = 0;
    };
    static constexpr size_t kRecent = 512;
    static size_t slot_of(const core::Hash32& hash) noexcept {
        return (hash[0] | size_t{hash[1]} << 8) % kRecent;
    }
    Code& find_slowly(const core::Hash32& hash, core::ByteView code);
    void count(Entry& entry) noexcept;

    std::array<Entry*, kRecent> recent_{};  // by slot_of
    std::list<Entry> entries_;              // most recently used first, but see find
    std::unordered_map<core::Hash32, std::list<Entry>::iterator> by_hash_;
    size_t bytes_ = 0;
    size_t max_bytes_;
};

}  // namespace keel::evm
