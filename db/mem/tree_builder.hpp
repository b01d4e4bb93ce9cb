#pragma once

// A tree from entries in order, bottom-up, each page as full as it goes. One builder for images,
// for loading whole tables and for what is made from one of them.
//
// B1  The pages depend on the entries alone: whoever builds the same entries gets the same bytes.
// B2  Pages come out in one order: runs of a leaf, the leaf, and a branch when the next link does
// not fit; the root last. In a place that numbers them one by one a tree is one piece.

#include <array>
#include <memory>
#include <vector>

#include "db/mem/page_tree.hpp"

namespace keel::db::mem {

/// Where built pages go; it gives them their numbers.
class PageSink {
  public:
    virtual ~PageSink() = default;
    /// Takes the page's bytes; may write number and checksum into them.
    virtual PageNo append_page(uint8_t* page) = 0;
    /// A value too large for a page.
    virtual PageNo append_run(ByteView value) = 0;
};

/// One thread.
class TreeBuilder {
  public:
    TreeBuilder(PageSink& out, bool dup);

    /// Behind all entries so far. The views may end with the call.
    void add(ByteView key, ByteView value);
    /// Root and figures. The last call.
    Tree finish();

  private:
    static constexpr size_t kLeafEntriesMax = kBodyBytes / (kLeafEntryBytes + kRecordHeadBytes);

    /// Links of one branch to be, with the bytes of their separators.
    struct Level {
        std::vector<BranchItem> items;
        std::vector<uint8_t> bytes;  // reserved for as much as a branch can have: views stay
        size_t bytes_at_most = 0;    // what the items take if nothing is shared
        bool emitted = false;
    };

    ByteView last_key() const noexcept;
    Separator last() const noexcept;
    void emit_leaf(const Separator& next);
    void begin_leaf() noexcept;
    void add_link(size_t level, const Separator& separator, PageNo child, uint64_t count);
    void emit_branch(size_t level);

    PageSink& out_;
    Tree tree_;
    // The leaf that is being filled: records from the page's end, as in a leaf; head, slots and
    // heads come when it is whole.
    alignas(8) std::array<uint8_t, kPageBytes> leaf_;
    std::array<uint16_t, kLeafEntriesMax> slots_;
    size_t count_ = 0;
    size_t heap_ = kPageBytes;
    std::array<uint8_t, kKeyBytesMax> separator_key_;  // of the leaf
    std::array<uint8_t, kDupValueBytesMax> separator_value_;
    Separator separator_;
    std::vector<Level> levels_;  // [0] takes the leaves' links
};

}  // namespace keel::db::mem
