#include "db/mem/owned_pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "db/error.hpp"

namespace keel::db::mem {
namespace {

constexpr uint64_t kSweepCommits = 64;
// Free memory that is kept for reuse: 64 MiB or a tenth of the store, whichever is more. What is
// above goes back to the system when this many commits in a row had no use for it: what one
// transaction frees the next one often takes, and would have to fault in anew.
constexpr uint64_t kTrimCommits = 8;
constexpr size_t kSlackPagesMin = (size_t{64} << 20) / kPageBytes;
constexpr size_t kSlackShare = 10;
// Growth is faulted in ahead: a share of the store, in steps of at most 2 MiB, once it has this
// many pages.
constexpr PageNo kPopulateFrom = 256;
constexpr PageNo kPopulateShare = 8;
constexpr PageNo kPopulatePagesMax = 512;
// How many recycled runs are looked at before a run is taken from outside.
constexpr size_t kRecycledLooks = 16;

bool seen(std::span<const uint64_t> live_views, uint64_t born, uint64_t replaced) {
    const auto view = std::ranges::lower_bound(live_views, born);
    return view != live_views.end() && *view < replaced;
}

}  // namespace

void RunPool::insert(PageNo first, uint32_t pages) {
    by_place_.emplace(first, pages);
    by_size_.emplace(pages, first);
    pages_ += pages;
}

void RunPool::erase(std::map<PageNo, uint32_t>::iterator piece) {
    by_size_.erase({piece->second, piece->first});
    pages_ -= piece->second;
    by_place_.erase(piece);
}

void RunPool::put(PageNo first, uint32_t pages) {
    auto behind = by_place_.upper_bound(first);
    if (behind != by_place_.begin()) {
        const auto before = std::prev(behind);
        KEEL_ASSERT(before->first + before->second <= first, "a page is free once");
        if (before->first + before->second == first) {
            first = before->first;
            pages += before->second;
            erase(before);
        }
    }
    if (behind != by_place_.end() && first + pages == behind->first) {
        pages += behind->second;
        erase(behind);
    }
    insert(first, pages);
}

PageNo RunPool::take(uint32_t pages) {
    const auto found = by_size_.lower_bound({pages, 0});
    if (found == by_size_.end()) return kNoPage;
    const auto [size, first] = *found;
    erase(by_place_.find(first));
    if (size > pages) insert(first + pages, size - pages);
    return first;
}

OwnedPages::OwnedPages(PageSpace& space, uint64_t size_max_bytes)
    : space_(space), size_max_bytes_(size_max_bytes) {
    start();
}

void OwnedPages::start() noexcept {
    first_ = next_ = std::max<PageNo>(space_.committed(), 1);
    limit_ = space_.pages_max();
    // What is left free below counts for nothing.
    const PageNo behind = space_.image_pages() > 0 ? 0 : first_ - 1;
    if (size_max_bytes_ != 0)
        limit_ =
            static_cast<PageNo>(std::min<uint64_t>(limit_, behind + size_max_bytes_ / kPageBytes));
}

PageNo OwnedPages::extend(uint32_t pages) {
    const uint64_t end = uint64_t{next_} + pages;
    if (end > limit_)
        throw Error(
            ErrorCode::MapFull,
            fmt::format("the store's limit of {} bytes is reached",
                        size_max_bytes_ != 0 ? size_max_bytes_ : uint64_t{limit_} * kPageBytes));
    if (!space_.grow(static_cast<PageNo>(end)))
        throw Error(ErrorCode::MapFull,
                    fmt::format("the system has no memory for more than {} bytes",
                                uint64_t{next_ - first_} * kPageBytes));
    const PageNo first = next_;
    next_ = static_cast<PageNo>(end);
    // The first touch of a page costs more than its use; many at once cost a third. Small stores
    // stay small.
    const PageNo so_far = next_ - first_ + space_.image_pages();
    if (next_ > populated_ && so_far > kPopulateFrom) {
        populated_ = static_cast<PageNo>(
            std::min<uint64_t>({end + std::min(so_far / kPopulateShare, kPopulatePagesMax),
                                space_.committed(), limit_}));
        if (populated_ > first) space_.populate(first, populated_ - first);
    }
    return first;
}

PageNo OwnedPages::allocate() {
    ++counters_.allocated;
    PageNo number;
    if (!recycled_.empty()) {
        number = recycled_.back();
        recycled_.pop_back();
    } else {
        if (!free_.empty()) {
            number = free_.back();
            free_.pop_back();
            free_low_ = std::min(free_low_, free_.size());
        } else if (!cold_.empty()) {
            number = cold_.back();
            cold_.pop_back();
        } else {
            number = free_runs_.take(1);
            if (number == kNoPage) number = extend(1);
        }
        allocated_.push_back(number);
    }
    space_.born(number) = commit_id_;
    return number;
}

PageNo OwnedPages::allocate_run(uint32_t pages) {
    if (pages == 1) return allocate();
    counters_.allocated += pages;
    const size_t looks = std::min(recycled_runs_.size(), kRecycledLooks);
    for (size_t i = recycled_runs_.size(); i > recycled_runs_.size() - looks; --i) {
        Piece& piece = recycled_runs_[i - 1];
        if (piece.pages < pages) continue;
        const PageNo first = piece.first;
        if (piece.pages == pages) {
            piece = recycled_runs_.back();
            recycled_runs_.pop_back();
        } else {
            piece = {first + pages, piece.pages - pages};
        }
        space_.born(first) = commit_id_;
        return first;
    }
    PageNo first = free_runs_.take(pages);
    if (first == kNoPage) first = extend(pages);
    allocated_runs_.push_back({first, pages});
    space_.born(first) = commit_id_;
    return first;
}

PageNo OwnedPages::allocate_behind(uint32_t pages) {
    counters_.allocated += pages;
    const PageNo first = extend(pages);
    if (pages == 1) {
        allocated_.push_back(first);
    } else {
        allocated_runs_.push_back({first, pages});
    }
    space_.born(first) = commit_id_;
    return first;
}

void OwnedPages::release(PageNo first, uint32_t pages) {
    if (!owned(first)) {
        replaced_.push_back({first, pages, space_.born(first), commit_id_});
        return;
    }
#ifdef KEEL_SLOW_ASSERT
    // Whoever still looks at a page that was given back is to see it at once.
    std::memset(space_.writable(first), 0xdb, size_t{pages} * kPageBytes);
#endif
    if (pages == 1) {
        recycled_.push_back(first);
    } else {
        recycled_runs_.push_back({first, pages});
    }
}

PageNo OwnedPages::make_owned(PageNo number) {
    if (owned(number)) return number;
    const PageNo copy = allocate();
    copy_tree_page(space_.writable(copy), space_.page(number));
    ++counters_.copied;
    release(number);
    return copy;
}

void OwnedPages::to_free(PageNo first, uint32_t pages) {
    // The image's own pages are the file's: they are clean, and cannot be written.
    if (first < space_.file_pages()) return;
    if (pages == 1) {
        free_.push_back(first);
    } else {
        free_runs_.put(first, pages);
    }
}

void OwnedPages::commit(std::span<const uint64_t> live_views) {
    for (const Replaced& piece : replaced_) {
        if (seen(live_views, piece.born, piece.replaced)) {
            const std::lock_guard guard(pinned_mutex_);
            pinned_.push_back(piece);
            pinned_pages_ += piece.pages;
        } else {
            to_free(piece.first, piece.pages);
        }
    }
    replaced_.clear();
    free_.insert(free_.end(), recycled_.begin(), recycled_.end());
    recycled_.clear();
    // A single page of a cut run may stand here as a run of one.
    for (const Piece& piece : recycled_runs_) to_free(piece.first, piece.pages);
    recycled_runs_.clear();
    allocated_.clear();
    allocated_runs_.clear();
    sweep(live_views);
    trim();
}

void OwnedPages::abort() noexcept {
    free_.insert(free_.end(), allocated_.begin(), allocated_.end());
    for (const Piece& piece : allocated_runs_) to_free(piece.first, piece.pages);
    allocated_.clear();
    allocated_runs_.clear();
    recycled_.clear();
    recycled_runs_.clear();
    replaced_.clear();
}

void OwnedPages::sweep(std::span<const uint64_t> live_views) {
    if (pinned_.empty()) return;
    const uint64_t oldest = live_views.empty() ? UINT64_MAX : live_views.front();
    if (oldest == oldest_at_sweep_ && ++commits_since_sweep_ < kSweepCommits) return;
    commits_since_sweep_ = 0;
    oldest_at_sweep_ = oldest;
    const std::lock_guard guard(pinned_mutex_);
    std::erase_if(pinned_, [&](const Replaced& piece) {
        if (seen(live_views, piece.born, piece.replaced)) return false;
        to_free(piece.first, piece.pages);
        pinned_pages_ -= piece.pages;
        return true;
    });
}

void OwnedPages::trim() {
    const size_t slack =
        std::max<size_t>(kSlackPagesMin, (next_ - first_ + space_.image_pages()) / kSlackShare);
    if (free_low_ < slack + slack / 4) {
        free_low_ = free_.size();
        commits_above_slack_ = 0;
        return;
    }
    if (++commits_above_slack_ < kTrimCommits) return;
    // The front was freed first and will be reused last.
    const size_t excess = free_low_ - slack;
    for (size_t i = 0; i < excess; ++i) space_.discard(free_[i]);
    cold_.insert(cold_.end(), free_.begin(), free_.begin() + static_cast<ptrdiff_t>(excess));
    free_.erase(free_.begin(), free_.begin() + static_cast<ptrdiff_t>(excess));
    free_low_ = free_.size();
    commits_above_slack_ = 0;
}

uint64_t OwnedPages::free_bytes() const noexcept {
    return (free_.size() + cold_.size() + free_runs_.pages()) * kPageBytes;
}

uint64_t OwnedPages::pinned_bytes_by(uint64_t view) const {
    const std::lock_guard guard(pinned_mutex_);
    uint64_t pages = 0;
    for (const Replaced& piece : pinned_)
        if (piece.born <= view && view < piece.replaced) pages += piece.pages;
    return pages * kPageBytes;
}

uint64_t OwnedPages::anonymous_bytes() const noexcept {
    const uint64_t pages = next_ - first_;
    return (pages - cold_.size()) * kPageBytes;
}

}  // namespace keel::db::mem
