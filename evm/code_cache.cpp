#include "evm/code_cache.hpp"

namespace keel::evm {
namespace {

constexpr size_t kEntryOverhead = 200;  // bytes of list, table and allocations, about

}  // namespace

void CodeCache::clear() noexcept {
    recent_.fill(nullptr);
    by_hash_.clear();
    entries_.clear();
    bytes_ = 0;
}

/// Traces grow after their code was put in.
void CodeCache::count(Entry& entry) noexcept {
    const size_t now = entry.code.memory_bytes() + kEntryOverhead;
    bytes_ += now - entry.counted_bytes;
    entry.counted_bytes = now;
}

Code& CodeCache::find_slowly(const core::Hash32& hash, core::ByteView code) {
    if (const auto found = by_hash_.find(hash); found != by_hash_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
    } else {
        entries_.emplace_front(hash, code);
        by_hash_.emplace(hash, entries_.begin());
    }
    Entry& entry = entries_.front();
    count(entry);
    for (auto at = entries_.end(); bytes_ > max_bytes_ && --at != entries_.begin();) {
        count(*at);
        if (at->code.pins != 0) continue;
        if (recent_[slot_of(at->hash)] == &*at) recent_[slot_of(at->hash)] = nullptr;
        bytes_ -= at->counted_bytes;
        by_hash_.erase(at->hash);
        at = entries_.erase(at);
    }
    recent_[slot_of(hash)] = &entry;
    return entry.code;
}

}  // namespace keel::evm
