#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/bytes.hpp"
#include "core/endian.hpp"

namespace keel::chain {

inline constexpr size_t kOffsetBytes = 4;

/// A row of the tables BlockBody and Receipt: how many items, where each ends (4 bytes big-endian
/// each, from the first item on), the items.
class ItemRowBuilder {
  public:
    ItemRowBuilder(size_t count, size_t item_bytes) {
        row_.reserve((count + 1) * kOffsetBytes + item_bytes);
        row_.resize((count + 1) * kOffsetBytes);
        core::store_be(row_.data(), static_cast<uint32_t>(count));
        begin_ = row_.size();
    }
    /// The item is what has been appended to it since the last call.
    core::Bytes& bytes() noexcept { return row_; }
    void end_item() noexcept {
        core::store_be(row_.data() + ++done_ * kOffsetBytes,
                       static_cast<uint32_t>(row_.size() - begin_));
    }

    core::Bytes take() noexcept { return std::move(row_); }

  private:
    core::Bytes row_;
    size_t begin_ = 0;
    size_t done_ = 0;
};

}  // namespace keel::chain
