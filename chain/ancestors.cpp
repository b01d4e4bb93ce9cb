#include "chain/ancestors.hpp"

namespace keel::chain {

core::Hash32 AncestorHashes::block_hash(uint64_t number) {
    if (number > known_.front().number) return {};
    while (known_.back().number > number && !at_canonical_) {
        at_canonical_ = reader_.is_canonical(known_.back());
        if (!at_canonical_) known_.push_back(reader_.parent_of(known_.back()));
    }
    if (number >= known_.back().number) return known_[known_.front().number - number].hash;
    return reader_.canonical_hash(number).value_or(core::Hash32{});
}

}  // namespace keel::chain
