#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "state/ordered_work.hpp"
#include "state/trie/commitment.hpp"

namespace keel::state {

/// A trie of which nothing is stored, made on all processors and given out row by row, in the
/// order of paths, while the rest is made. A large one is made in 256 parts, by the first two
/// nibbles of the keys; of those, few are in memory at a time.
///
/// W1  The nodes above the parts stand before them in the order, but are known behind the last one:
/// next() gives them with zeros, of the right length, and top_rows() gives them right.
class WholeTrie {
  public:
    struct Row {
        core::ByteView path;
        core::ByteView rlp;
    };
    /// Where the values come from. Called on several threads.
    struct Values {
        /// Appends the value of the key at that index.
        std::function<void(size_t index, core::Bytes& to)> append;
        /// It will be asked for soon.
        std::function<void(size_t index)> prefetch;
    };

    /// `keys`: each once, in any order; they and what `values` reads live as long as this.
    /// `leave_out`: indices to pass over, by index; empty: none. `value_bytes_max`: of each value.
    WholeTrie(std::span<const core::Hash32> keys, const std::vector<bool>& leave_out,
              size_t value_bytes_max, Values values);
    ~WholeTrie();

    /// lifetime: until the next call.
    std::optional<Row> next();
    /// Once next() has given all rows.
    const core::Hash32& root() const noexcept { return root_; }
    /// Rows that next() gave with zeros (W1); once it has given all. lifetime: this.
    std::span<const Row> top_rows() const noexcept { return top_rows_; }

    /// Keys from which on it is made in parts.
    static constexpr size_t kKeysOfPartsMin = 20'000;

  private:
    static constexpr size_t kParts = 256;
    /// A key by its head: what its part does not say of its first nine bytes.
    struct Reference {
        uint64_t head;
        uint32_t index;
    };

    void group();
    Commitment make(size_t part) const;
    bool begin_part();
    void finish_top();

    const std::span<const core::Hash32> keys_;
    const std::vector<bool>& leave_out_;
    const size_t value_bytes_max_;
    const Values values_;
    std::vector<Reference> references_;          // grouped by part
    std::array<size_t, kParts + 1> begin_ = {};  // of each part
    bool in_parts_ = false;

    // The walk over the rows: of the parts, and of the nodes above them.
    std::optional<OrderedWork<Commitment>> work_;
    std::optional<Commitment> current_;
    size_t next_change_ = 0;
    size_t next_part_ = 0;
    size_t tops_given_ = 0;
    std::array<core::Bytes, kParts> part_references_;
    core::Hash32 root_;
    std::vector<core::Bytes> top_rlp_;
    std::vector<Row> top_rows_;
};

}  // namespace keel::state
