#pragma once

// The writer's side of the page space: which pages are free, which belong to the running write
// transaction, and which only older readers still need.
//
// O1  A page belongs to the transaction exactly if it was born in its commit. Only such pages are
// written, through
//     writable(); everything else is copied first, once a transaction.
// O2  A page born in commit b and replaced in commit r is free when no live reader's commit v has b
// <= v < r. O3  Free pages are reused last in, first out, before the range grows. O4  abort() gives
// back exactly what the transaction took; nothing it replaced was touched.

#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "db/mem/page_space.hpp"

namespace keel::db::mem {

/// Free pieces of more than one page, neighbours joined.
class RunPool {
  public:
    void put(PageNo first, uint32_t pages);
    /// kNoPage: none is large enough. The smallest that fits is cut.
    PageNo take(uint32_t pages);
    uint64_t pages() const noexcept { return pages_; }

  private:
    void erase(std::map<PageNo, uint32_t>::iterator piece);
    void insert(PageNo first, uint32_t pages);

    std::map<PageNo, uint32_t> by_place_;
    std::set<std::pair<uint32_t, PageNo>> by_size_;
    uint64_t pages_ = 0;
};

struct PageCounters {
    uint64_t copied = 0;
    uint64_t allocated = 0;
};

/// Writer strand only.
class OwnedPages {
  public:
    /// `size_max_bytes`: 0 = as far as the range goes.
    OwnedPages(PageSpace& space, uint64_t size_max_bytes);
    /// After the image is mapped, or the space has been told what to leave free.
    void start() noexcept;

    void begin(uint64_t commit_id) noexcept { commit_id_ = commit_id; }
    /// Gives free what no reader of `live_views` (ascending) can see.
    void commit(std::span<const uint64_t> live_views);
    void abort() noexcept;

    PageSpace& space() const noexcept { return space_; }
    bool owned(PageNo number) const noexcept { return space_.born(number) == commit_id_; }
    /// MapFull when the limit is reached.
    PageNo allocate();
    PageNo allocate_run(uint32_t pages);
    /// Behind all pages, whatever is free: one call's pages follow the last one's.
    PageNo allocate_behind(uint32_t pages);
    void release(PageNo first, uint32_t pages = 1);
    /// A page of the transaction with the same content; `number` itself where it is one already.
    PageNo make_owned(PageNo number);
    /// The one way to a page that may be changed.
    uint8_t* writable(PageNo number) noexcept {
        KEEL_ASSERT(owned(number), "only pages of the transaction are changed");
        return space_.writable(number);
    }

    uint64_t free_bytes() const noexcept;
    uint64_t pinned_bytes() const noexcept { return pinned_pages_ * kPageBytes; }
    /// Bytes of replaced pages that a reader of `view` still sees. Any thread.
    uint64_t pinned_bytes_by(uint64_t view) const;
    uint64_t anonymous_bytes() const noexcept;
    const PageCounters& counters() const noexcept { return counters_; }

  private:
    struct Piece {
        PageNo first;
        uint32_t pages;
    };
    struct Replaced {
        PageNo first;
        uint32_t pages;
        uint64_t born;
        uint64_t replaced;
    };

    void to_free(PageNo first, uint32_t pages);
    void sweep(std::span<const uint64_t> live_views);
    void trim();
    PageNo extend(uint32_t pages);

    PageSpace& space_;
    const uint64_t size_max_bytes_;
    PageNo limit_ = 0;
    PageNo first_ = 1;  // of all that are not a file's
    PageNo next_ = 1;
    PageNo populated_ = 0;
    uint64_t commit_id_ = 0;

    std::vector<PageNo> free_;
    std::vector<PageNo> cold_;  // free, their memory given back to the system
    size_t free_low_ = 0;       // fewest that free_ had since it was last below what is kept
    uint64_t commits_above_slack_ = 0;
    RunPool free_runs_;
    mutable std::mutex
        pinned_mutex_;  // innermost; guards pinned_, which the reports of long readers read
    std::vector<Replaced> pinned_;
    uint64_t pinned_pages_ = 0;
    uint64_t commits_since_sweep_ = 0;
    uint64_t oldest_at_sweep_ = 0;

    // Of the running transaction.
    std::vector<PageNo> allocated_;  // taken from outside, each once
    std::vector<Piece> allocated_runs_;
    std::vector<PageNo> recycled_;  // of these, given back by the transaction itself
    std::vector<Piece> recycled_runs_;
    std::vector<Replaced> replaced_;
    PageCounters counters_;
};

}  // namespace keel::db::mem
