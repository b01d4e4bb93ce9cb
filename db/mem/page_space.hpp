#pragma once

// One reserved range of addresses: the image's pages first, mapped read-only from the file, then
// anonymous pages. A page number becomes an address by one multiplication.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "core/files.hpp"
#include "db/mem/page.hpp"

namespace keel::db::mem {

/// XXH3-64 of a tree page or of a run, as it stands in its header.
uint64_t page_checksum(const uint8_t* page) noexcept;
uint64_t run_checksum(const uint8_t* run, uint64_t value_bytes) noexcept;

/// Reads: any thread. grow(): the writer.
class PageSpace {
  public:
    /// `reserve_bytes`: 0 = 1 TiB, halved while the system refuses, down to 1 GiB.
    explicit PageSpace(uint64_t reserve_bytes);

    /// Maps the image into the first pages. Before any other use.
    void map_image(core::FileSystem& files, const core::File& file, PageNo page_count);

    /// Pages below `first` are left for map_loaded(): the first that is committed stands there.
    /// Where no image is mapped, before any other use.
    void leave_free(PageNo first) noexcept;
    /// Maps pages that a load has written into a file, with the numbers that they have there, below
    /// the anonymous ones. They are this process's own work, and are not verified. The next call
    /// maps the same file anew, longer. Writer only, for pages that no reader knows yet.
    void map_loaded(core::FileSystem& files, const core::File& file, PageNo page_count);
    /// The load is not to be.
    void unmap_loaded() noexcept;
    /// Pages below this number are an image's or a load's: they cannot be written. Writer only.
    PageNo file_pages() const noexcept { return std::max(image_pages_, loaded_pages_); }
    /// May loaded pages be mapped, so many?
    bool takes_load(uint64_t pages) const noexcept {
        return file_pages() == 0 && pages < anonymous_from_;
    }

    /// The page, its checksum verified when it is the image's and touched for the first time.
    /// Corrupt otherwise.
    const uint8_t* page(PageNo number) const {
        if (number < image_pages_ && !is_verified(number)) verify(number);
        return raw(number);
    }
    /// A page that has been through page(), or is anonymous.
    const uint8_t* raw(PageNo number) const noexcept { return base_ + size_t{number} * kPageBytes; }
    /// A page of the tree at this level. Any other is damage.
    const uint8_t* tree_page(PageNo number, size_t level) const {
        const uint8_t* const found = page(number);
        if (header(found).level != level || header(found).type == PageType::Run) [[unlikely]]
            wrong_level(number, level);
        return found;
    }
    /// The value that a leaf's record refers to.
    ByteView run_value(const LeafRecord& record) const {
        const uint8_t* const run = page(record.run);
        if (record.run < image_pages_) check_run(record);
        return {run + kRunBodyAt, record.run_bytes};
    }
    ByteView value(const LeafRecord& record) const {
        return record.run == kNoPage ? record.value : run_value(record);
    }

    /// Does the address lie in a page?
    bool contains(const uint8_t* address) const noexcept {
        return address >= base_ && address < base_ + born_at_;
    }
    PageNo image_pages() const noexcept { return image_pages_; }
    PageNo pages_max() const noexcept { return pages_max_; }
    /// Pages below this number can be written, the image's aside.
    PageNo committed() const noexcept { return committed_; }
    /// Makes pages below `end` usable; false: the system has no memory.
    bool grow(PageNo end) noexcept;
    uint8_t* writable(PageNo number) noexcept { return base_ + size_t{number} * kPageBytes; }
    /// Commit in which a page was made; 0: the image. Writer only.
    uint64_t& born(PageNo number) noexcept { return born_[number]; }
    uint64_t born(PageNo number) const noexcept { return born_[number]; }
    void populate(PageNo first, PageNo count) noexcept {
        range_.populate(uint64_t{first} * kPageBytes, uint64_t{count} * kPageBytes);
    }
    void discard(PageNo number) noexcept {
        range_.discard(uint64_t{number} * kPageBytes, kPageBytes);
    }
    /// Pages of the image from here on will be read one after the other: has the system read them
    /// in one go. Elsewhere it reads page by page, as random rows are.
    void will_need(PageNo first, PageNo count) const noexcept;
    uint64_t pages_verified() const noexcept {
        return pages_verified_.load(std::memory_order_relaxed);
    }
    void release() noexcept;

  private:
    bool is_verified(PageNo number) const noexcept {
        return (verified_[number / 64].load(std::memory_order_relaxed) >> (number % 64) & 1) != 0;
    }
    void verify(PageNo number) const;
    void check_run(const LeafRecord& record) const;
    [[noreturn]] void wrong_level(PageNo number, size_t level) const;
    [[noreturn]] void corrupt(PageNo number, const std::string& what) const;

    core::AddressRange range_;  // pages, and behind them when each was born
    PageNo pages_max_ = 0;
    uint64_t born_at_ = 0;
    struct Free {
        void operator()(void* memory) const noexcept { std::free(memory); }
    };
    std::unique_ptr<void, Free> verified_memory_;
    uint8_t* base_ = nullptr;
    uint64_t* born_ = nullptr;
    std::atomic<uint64_t>* verified_ =
        nullptr;  // one bit a page of the image; relaxed: the file's bytes do not change
    PageNo image_pages_ = 0;
    PageNo loaded_pages_ = 0;
    PageNo anonymous_from_ = 0;
    PageNo committed_ = 0;
    std::filesystem::path image_path_;
    mutable std::atomic<uint64_t> pages_verified_ = 0;
};

}  // namespace keel::db::mem
