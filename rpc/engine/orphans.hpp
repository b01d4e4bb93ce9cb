#pragma once

#include <cstddef>
#include <deque>

#include "core/types/hash.hpp"
#include "crypto/seal.hpp"

namespace keel::rpc::engine {

/// Blocks whose parent is not known yet, the oldest first; bounded by count and bytes. One thread.
class Orphans {
  public:
    static constexpr size_t kBlocksMax = 96;
    static constexpr size_t kBytesMax = size_t{64} << 20;

    /// The oldest go when there are too many. A block that is there already stays once.
    void add(crypto::SealedBlock&& block) {
        if (find(block.hash) != nullptr) return;
        bytes_ += block.rlp.size();
        blocks_.push_back(std::move(block));
        while (blocks_.size() > kBlocksMax || (bytes_ > kBytesMax && blocks_.size() > 1)) {
            bytes_ -= blocks_.front().rlp.size();
            blocks_.pop_front();
        }
    }
    /// Null: not here. lifetime: until the next change.
    crypto::SealedBlock* find(const core::Hash32& hash) {
        for (crypto::SealedBlock& block : blocks_) {
            if (block.hash == hash) return &block;
        }
        return nullptr;
    }
    void remove(const core::Hash32& hash) {
        std::erase_if(blocks_, [&](const crypto::SealedBlock& block) {
            if (block.hash != hash) return false;
            bytes_ -= block.rlp.size();
            return true;
        });
    }

  private:
    std::deque<crypto::SealedBlock> blocks_;
    size_t bytes_ = 0;
};

}  // namespace keel::rpc::engine
