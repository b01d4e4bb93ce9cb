#include "db/mem/page_space.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <xxhash.h>

#include <algorithm>
#include <new>

#include "db/error.hpp"

namespace keel::db::mem {
namespace {

constexpr uint64_t kReserveBytes = uint64_t{1} << 40;     // 1 TiB
constexpr uint64_t kReserveBytesMin = uint64_t{1} << 30;  // 1 GiB
// One step of growth; its birth numbers fill exactly one page of memory.
constexpr PageNo kGrowPages = kPageBytes / sizeof(uint64_t);
static_assert(kGrowPages * kPageBytes == core::kHugePageBytes);
// As many steps of pages as leave their number within 32 bits.
constexpr uint64_t kReserveBytesMax =
    (uint64_t{1} << 32) * kPageBytes - uint64_t{kGrowPages} * kPageBytes;
// Behind so many pages (16 MiB), the image's counted, and for values of megabytes, memory comes
// in huge pages: a tenth of the price at first touch, and fewer misses in the processor's table of
// addresses. Small stores stay small.
constexpr PageNo kHugeFrom = 8 * kGrowPages;

uint64_t round_up(uint64_t bytes, uint64_t step) {
    return (bytes + step - 1) / step * step;
}
uint64_t round_down(uint64_t bytes, uint64_t step) {
    return bytes / step * step;
}

}  // namespace

uint64_t page_checksum(const uint8_t* page) noexcept {
    return XXH3_64bits(page + sizeof(uint64_t), kPageBytes - sizeof(uint64_t));
}

uint64_t run_checksum(const uint8_t* run, uint64_t value_bytes) noexcept {
    return XXH3_64bits(run + sizeof(uint64_t), kRunBodyAt - sizeof(uint64_t) + value_bytes);
}

PageSpace::PageSpace(uint64_t reserve_bytes) {
    const uint64_t wanted = reserve_bytes == 0 ? kReserveBytes : reserve_bytes;
    const uint64_t bytes = std::clamp(round_up(wanted, uint64_t{kGrowPages} * kPageBytes),
                                      uint64_t{kGrowPages} * kPageBytes, kReserveBytesMax);
    const uint64_t with_births = bytes / kPageBytes * (kPageBytes + sizeof(uint64_t));
    range_ = core::AddressRange(with_births, std::min(with_births, kReserveBytesMin));
    pages_max_ = static_cast<PageNo>(
        round_down(range_.size() / (kPageBytes + sizeof(uint64_t)), kGrowPages));
    born_at_ = uint64_t{pages_max_} * kPageBytes;
    base_ = range_.data();
    born_ = reinterpret_cast<uint64_t*>(base_ + born_at_);
}

void PageSpace::map_image(core::FileSystem& files, const core::File& file, PageNo page_count) {
    const uint64_t bytes = uint64_t{page_count} * kPageBytes;
    if (page_count > pages_max_)
        throw Error(ErrorCode::MapFull,
                    fmt::format("{}: image of {} bytes does not fit the reserved {} bytes",
                                file.path().string(), bytes, born_at_));
    image_path_ = file.path();
    // A bit a page: of most images less than the system's work for a range of their own.
    verified_memory_.reset(std::calloc((page_count + 63) / 64, sizeof(uint64_t)));
    if (verified_memory_ == nullptr) throw std::bad_alloc();
    void* mapped = nullptr;
    const int error_number =
        files.map_read_only(file.descriptor(), static_cast<size_t>(bytes), base_, mapped);
    if (error_number != 0) throw core::FileFault(file.path(), "mmap", error_number);
    // A row of a cold image costs a page a level, not what lies around them.
    ::madvise(mapped, static_cast<size_t>(bytes), MADV_RANDOM);
    if (!range_.commit(born_at_, round_up(uint64_t{page_count} * sizeof(uint64_t), kPageBytes)))
        throw core::FileFault(file.path(), "mmap", ENOMEM);
    verified_ = static_cast<std::atomic<uint64_t>*>(verified_memory_.get());
    image_pages_ = page_count;
    anonymous_from_ = page_count;
    committed_ = page_count;
}

void PageSpace::leave_free(PageNo first) noexcept {
    anonymous_from_ = first / kGrowPages * kGrowPages;
    committed_ = anonymous_from_;
}

void PageSpace::map_loaded(core::FileSystem& files, const core::File& file, PageNo page_count) {
    KEEL_ASSERT(image_pages_ == 0);
    if (page_count > anonymous_from_) throw core::FileFault(file.path(), "mmap", ENOMEM);
    void* mapped = nullptr;
    const int error_number =
        files.map_read_only(file.descriptor(), size_t{page_count} * kPageBytes, base_, mapped);
    if (error_number != 0) throw core::FileFault(file.path(), "mmap", error_number);
    if (!range_.commit(born_at_, round_up(uint64_t{page_count} * sizeof(uint64_t), kPageBytes)))
        throw core::FileFault(file.path(), "mmap", ENOMEM);
    loaded_pages_ = page_count;
}

void PageSpace::unmap_loaded() noexcept {
    range_.withdraw(0, uint64_t{loaded_pages_} * kPageBytes);
    loaded_pages_ = 0;
}

bool PageSpace::grow(PageNo end) noexcept {
    if (end <= committed_) return true;
    const auto step_end =
        static_cast<PageNo>(std::min<uint64_t>(round_up(end, kGrowPages), pages_max_));
    if (end > step_end) return false;
    const uint64_t from = uint64_t{committed_} * kPageBytes;
    const uint64_t bytes = uint64_t{step_end} * kPageBytes - from;
    if (!range_.commit(from, bytes)) return false;
    if (committed_ - anonymous_from_ + image_pages_ >= kHugeFrom || end - committed_ > kGrowPages)
        core::advise_huge_pages(base_ + from, bytes);
    const uint64_t born_from = uint64_t{committed_} * sizeof(uint64_t) / kPageBytes * kPageBytes;
    const uint64_t born_end = round_up(uint64_t{step_end} * sizeof(uint64_t), kPageBytes);
    if (!range_.commit(born_at_ + born_from, born_end - born_from)) return false;
    committed_ = step_end;
    return true;
}

void PageSpace::will_need(PageNo first, PageNo count) const noexcept {
    if (first >= image_pages_) return;
    const PageNo end = std::min<PageNo>(image_pages_, first + count);
    // Where the last one is in memory the others are, mostly: the call would look for each of them.
    unsigned char resident = 0;
    if (::mincore(base_ + size_t{end - 1} * kPageBytes, kPageBytes, &resident) == 0 &&
        (resident & 1) != 0)
        return;
    ::madvise(base_ + size_t{first} * kPageBytes, size_t{end - first} * kPageBytes, MADV_WILLNEED);
}

void PageSpace::release() noexcept {
    range_.release();
    verified_memory_.reset();
}

void PageSpace::verify(PageNo number) const {
    const uint8_t* const found = raw(number);
    const PageHeader& head = header(found);
    if (head.number != number)
        corrupt(number, fmt::format("page says that it is number {}", head.number));
    uint64_t computed;
    if (head.type == PageType::Run) {
        const auto& run = *reinterpret_cast<const RunHeader*>(found);
        const uint64_t space_bytes = uint64_t{image_pages_ - number} * kPageBytes - kRunBodyAt;
        if (run.value_bytes > space_bytes) corrupt(number, "value longer than the image");
        computed = run_checksum(found, run.value_bytes);
    } else {
        computed = page_checksum(found);
    }
    if (computed != head.checksum)
        corrupt(number,
                fmt::format("stored checksum {:016x}, computed {:016x}", head.checksum, computed));
    if (head.type != PageType::Run) {
        if (const char* const fault = page_fault(found)) corrupt(number, fault);
        for (size_t i = 0; i < head.count; ++i) {
            const PageNo next =
                head.type == PageType::Branch ? links(found)[i].child : leaf_record(found, i).run;
            if (next >= image_pages_) corrupt(number, fmt::format("refers to page {}", next));
        }
    }
    verified_[number / 64].fetch_or(uint64_t{1} << (number % 64), std::memory_order_relaxed);
    pages_verified_.fetch_add(1, std::memory_order_relaxed);
}

void PageSpace::check_run(const LeafRecord& record) const {
    const uint8_t* const found = raw(record.run);
    const auto& run = *reinterpret_cast<const RunHeader*>(found);
    if (run.type != PageType::Run || run.value_bytes != record.run_bytes)
        corrupt(record.run, "not the value that the leaf refers to");
}

void PageSpace::wrong_level(PageNo number, size_t level) const {
    corrupt(number, fmt::format("not a tree page of level {}", level));
}

void PageSpace::corrupt(PageNo number, const std::string& what) const {
    throw Error(ErrorCode::Corrupt,
                fmt::format("damaged page {} of {} at offset {}: {}", number, image_path_.string(),
                            uint64_t{number} * kPageBytes, what));
}

}  // namespace keel::db::mem
