#include "evm/analysis.hpp"

namespace keel::evm {
namespace {

constexpr size_t kEntryOverhead = 160;  // bytes of list, table and control block, about

}  // namespace

JumpMap::JumpMap(core::ByteView code) : bits_((code.size() + 63) / 64), size_(code.size()) {
    for (size_t i = 0; i < code.size(); ++i) {
        const uint8_t op = code[i];
        if (op == 0x5b) {
            bits_[i / 64] |= uint64_t{1} << (i % 64);
        } else if (op >= 0x60 && op <= 0x7f) {
            i += op - 0x5fu;
        }
    }
}

std::shared_ptr<const JumpMap> JumpMapCache::find(const core::Hash32& hash, core::ByteView code) {
    const auto found = entries_.find(hash);
    if (found != entries_.end()) {
        recent_.splice(recent_.begin(), recent_, found->second.place);
        return found->second.map;
    }
    auto map = std::make_shared<const JumpMap>(code);
    recent_.push_front(hash);
    entries_.emplace(hash, Entry{map, recent_.begin()});
    bytes_ += map->memory_bytes() + kEntryOverhead;
    while (bytes_ > max_bytes_ && recent_.size() > 1) {
        const auto oldest = entries_.find(recent_.back());
        bytes_ -= oldest->second.map->memory_bytes() + kEntryOverhead;
        entries_.erase(oldest);
        recent_.pop_back();
    }
    return map;
}

}  // namespace keel::evm
