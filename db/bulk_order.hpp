#pragma once

// Entries in flat memory, put in order by references of eight bytes: the bits of their keys that
// differ, as many as there is room for, above the place of the entry. So most comparisons touch no
// key, equal keys stay in the order in which they came, and two indexes' keys with a name in front
// and digits behind, which agree in most of their bits, are told apart by one word.

#include <array>
#include <functional>
#include <vector>

#include "core/files.hpp"
#include "db/bulk_runs.hpp"

namespace keel::db {

class BulkOrder {
  public:
    using Reference = uint64_t;

    struct Entries {
        const uint8_t* arena = nullptr;  // kBulkSlackBytes behind the last entry can be read
        uint64_t bytes = 0;
        uint64_t count = 0;
        const std::vector<uint64_t>* marks = nullptr;  // where each kMarkEntries-th one begins
        Kind kind = Kind::Plain;
    };
    static constexpr uint64_t kMarkEntries = uint64_t{1} << 15;

    /// Sorts. What this leaves undecided, short runs of equal heads, is decided by settle().
    /// `threads`: at most so many, this one included.
    void sort(const Entries& entries, size_t threads);

    Reference* begin() noexcept { return reinterpret_cast<Reference*>(references_.data()); }
    Reference* end() noexcept { return begin() + count_; }
    const uint8_t* entry(Reference reference) const noexcept {
        return entries_.arena + (reference & place_mask_) * kBulkAlignment;
    }
    bool same_head(Reference a, Reference b) const noexcept {
        return ((a ^ b) & ~place_mask_) == 0;
    }
    std::strong_ordering order(Reference a, Reference b) const noexcept {
        return bulk_order(entry(a), entry(b), entries_.kind);
    }
    /// A run of equal heads: in order afterwards. True: there are equal entries in it.
    bool settle(Reference* first, Reference* last) const;
    /// Only what is before it is left.
    void cut(Reference* last) noexcept { count_ = static_cast<uint64_t>(last - begin()); }
    /// Gives the memory back.
    void release() noexcept;

  private:
    struct Window;
    struct Digits;

    void fill(const Window& window, const Digits& digits, size_t threads);
    void sort_by_head(Reference* first, Reference* last, Reference* spare, unsigned top_bit) const;
    void sort_ties(Reference* first, Reference* last, Reference* spare, const Window& window) const;
    void sort_deeper(Reference* first, Reference* last, Reference* spare, Window window) const;
    /// Calls `work` with each mark's number.
    void by_marks(size_t threads, const std::function<void(size_t)>& work) const;

    Entries entries_;
    uint64_t count_ = 0;
    unsigned place_bits_ = 0;
    Reference place_mask_ = 0;
    core::AddressRange references_;
    core::AddressRange spare_;
};

}  // namespace keel::db
