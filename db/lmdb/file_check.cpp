#include "db/lmdb/file_check.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "core/endian.hpp"
#include "db/error.hpp"

namespace keel::db::lmdb {
namespace {

using core::Bytes;
using core::load_le;

// liblmdb 0.9's pages, as mdb.c lays them out on 64-bit little-endian machines.
constexpr size_t kPageHeaderBytes =
    16;  // u64 number, u16 pad, u16 flags, u16 lower, u16 upper (or u32 pages)
constexpr size_t kFlagsAt = 10;
constexpr size_t kLowerAt = 12;
constexpr size_t kOverflowPagesAt = 12;
constexpr uint16_t kBranchPage = 0x01, kLeafPage = 0x02, kOverflowPage = 0x04, kMetaPage = 0x08;
constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint32_t kDataVersion = 1;
constexpr uint64_t kNoPage = UINT64_MAX;
constexpr uint16_t kBigData = 0x01;     // node flag: the value stands in overflow pages
constexpr size_t kNodeHeaderBytes = 8;  // u16 lo, u16 hi, u16 flags, u16 key size
constexpr unsigned kDepthMax = 32;

// Within the meta page's content.
constexpr size_t kMagicAt = 0, kVersionAt = 4, kFreeTreeAt = 24, kMainTreeAt = 72,
                 kLastPageAt = 120, kTxnIdAt = 128, kMetaBytes = 136;
// Within a tree's record of 48 bytes; the free tree's pad is the page size.
constexpr size_t kRootAt = 40;

struct Meta {
    uint32_t page_bytes = 0;
    uint64_t free_root = 0;
    uint64_t main_root = 0;
    uint64_t last_page = 0;
    uint64_t txn_id = 0;
};

[[noreturn]] void corrupt(const core::File& file, uint64_t offset, const std::string& what) {
    throw Error(ErrorCode::Corrupt,
                file.path().string() + ", offset " + std::to_string(offset) + ": " + what);
}

Meta read_meta(const core::File& file, uint64_t offset) {
    std::array<uint8_t, kPageHeaderBytes + kMetaBytes> page;
    if (file.read_at(page.data(), page.size(), offset) != page.size())
        corrupt(file, offset, "the file ends in its header pages");
    const uint8_t* content = page.data() + kPageHeaderBytes;
    if ((load_le<uint16_t>(page.data() + kFlagsAt) & kMetaPage) == 0 ||
        load_le<uint32_t>(content + kMagicAt) != kMagic)
        corrupt(file, offset, "damaged header page (no LMDB magic): run keel db repair");
    const auto version = load_le<uint32_t>(content + kVersionAt);
    if (version != kDataVersion)
        throw Error(ErrorCode::VersionMismatch, file.path().string() + ": LMDB format " +
                                                    std::to_string(version) + ", known is " +
                                                    std::to_string(kDataVersion));
    return {.page_bytes = load_le<uint32_t>(content + kFreeTreeAt),
            .free_root = load_le<uint64_t>(content + kFreeTreeAt + kRootAt),
            .main_root = load_le<uint64_t>(content + kMainTreeAt + kRootAt),
            .last_page = load_le<uint64_t>(content + kLastPageAt),
            .txn_id = load_le<uint64_t>(content + kTxnIdAt)};
}

/// Reads liblmdb's tree of free pages without trusting it.
class FreeTree {
  public:
    FreeTree(const core::File& file, const Meta& meta, uint64_t first_missing)
        : file_(file),
          page_bytes_(meta.page_bytes),
          first_missing_(first_missing),
          free_(static_cast<size_t>(meta.last_page + 1 - first_missing), false) {
        if (meta.free_root != kNoPage) walk(meta.free_root, 0);
    }
    /// The first page behind the end of the file that something may use; none: all are free.
    std::optional<uint64_t> first_used() const {
        for (size_t i = 0; i < free_.size(); ++i)
            if (!free_[i]) return first_missing_ + i;
        return std::nullopt;
    }

  private:
    Bytes read_pages(uint64_t number, uint64_t count) {
        // Checked before the memory is asked for: the numbers come from the file.
        if (number + count > first_missing_ || number + count < number)
            corrupt(file_, number * page_bytes_, "the file is truncated in its list of free pages");
        Bytes bytes(static_cast<size_t>(count * page_bytes_));
        if (file_.read_at(bytes.data(), bytes.size(), number * page_bytes_) != bytes.size())
            corrupt(file_, number * page_bytes_, "the file is truncated");
        return bytes;
    }

    void walk(uint64_t number, unsigned depth) {
        const Bytes page = read_pages(number, 1);
        const uint64_t offset = number * page_bytes_;
        const auto flags = load_le<uint16_t>(page.data() + kFlagsAt);
        const auto lower = load_le<uint16_t>(page.data() + kLowerAt);
        if (load_le<uint64_t>(page.data()) != number || depth > kDepthMax ||
            (flags & (kBranchPage | kLeafPage)) == 0 || lower < kPageHeaderBytes ||
            lower > page_bytes_)
            corrupt(file_, offset, "damaged page in the list of free pages");
        for (size_t at = kPageHeaderBytes; at + 1 < lower; at += 2) {
            const size_t node = load_le<uint16_t>(page.data() + at);
            if (node + kNodeHeaderBytes > page_bytes_)
                corrupt(file_, offset, "damaged page in the list of free pages");
            read_node(page, node, (flags & kBranchPage) != 0, offset, depth);
        }
    }

    void read_node(const Bytes& page, size_t node, bool branch, uint64_t offset, unsigned depth) {
        const uint64_t low = load_le<uint16_t>(page.data() + node);
        const uint64_t high = load_le<uint16_t>(page.data() + node + 2);
        const uint64_t flags = load_le<uint16_t>(page.data() + node + 4);
        const size_t data = node + kNodeHeaderBytes + load_le<uint16_t>(page.data() + node + 6);
        if (branch) {
            walk(low | high << 16 | flags << 32, depth + 1);
            return;
        }
        const uint64_t size = low | high << 16;
        if ((flags & kBigData) == 0) {
            if (data + size > page_bytes_)
                corrupt(file_, offset, "damaged entry in the list of free pages");
            note_list(page.data() + data, size);
            return;
        }
        if (data + sizeof(uint64_t) > page_bytes_)
            corrupt(file_, offset, "damaged entry in the list of free pages");
        const auto first = load_le<uint64_t>(page.data() + data);
        const uint64_t count = (kPageHeaderBytes + size + page_bytes_ - 1) / page_bytes_;
        const Bytes run = read_pages(first, count);
        if ((load_le<uint16_t>(run.data() + kFlagsAt) & kOverflowPage) == 0 ||
            load_le<uint32_t>(run.data() + kOverflowPagesAt) < count)
            corrupt(file_, first * page_bytes_, "damaged run in the list of free pages");
        note_list(run.data() + kPageHeaderBytes, size);
    }

    /// A list: count, then the page numbers.
    void note_list(const uint8_t* list, uint64_t bytes) {
        if (bytes < sizeof(uint64_t)) return;
        const uint64_t count = std::min(load_le<uint64_t>(list), bytes / sizeof(uint64_t) - 1);
        for (uint64_t i = 1; i <= count; ++i) {
            const auto number = load_le<uint64_t>(list + i * sizeof(uint64_t));
            if (number >= first_missing_ && number - first_missing_ < free_.size())
                free_[static_cast<size_t>(number - first_missing_)] = true;
        }
    }

    const core::File& file_;
    uint64_t page_bytes_;
    uint64_t first_missing_;
    std::vector<bool> free_;
};

/// Whether a header page speaks of pages that the file has, and of itself.
void check_meta(const core::File& file, const Meta& meta, uint64_t offset) {
    const auto inside = [&](uint64_t root) { return root == kNoPage || root <= meta.last_page; };
    if (meta.last_page >= UINT64_MAX / meta.page_bytes - 1 || !inside(meta.free_root) ||
        !inside(meta.main_root))
        corrupt(file, offset, "damaged header page: run keel db repair");
}

bool is_page_size(uint32_t bytes) {
    return std::has_single_bit(bytes) && bytes >= 512 && bytes <= 65536;
}

}  // namespace

uint64_t HeaderPages::newest_commit() const {
    return std::max(damage[0].empty() ? commit[0] : 0, damage[1].empty() ? commit[1] : 0);
}

core::Bytes HeaderPages::whole_page(size_t place) const {
    core::Bytes page = content[1 - place];
    core::store_le(page.data(), uint64_t{place});  // its own number
    return page;
}

core::Bytes header_page(core::Bytes page, uint64_t place, uint64_t commit) {
    core::store_le(page.data(), place);  // its own number
    core::store_le(page.data() + kPageHeaderBytes + kTxnIdAt, commit);
    return page;
}

HeaderPages read_header_pages(core::FileSystem& files, const std::filesystem::path& path) {
    const core::File file(files, path, core::OpenMode::Read, false);
    HeaderPages pages;
    // The second page says where it lies only by being there.
    std::vector<uint32_t> sizes = {4096, 8192, 16384, 32768, 65536, 512, 1024, 2048};
    try {
        const Meta first = read_meta(file, 0);
        if (is_page_size(first.page_bytes)) sizes = {first.page_bytes};
    } catch (const Error&) {
        // Looked for by the second.
    }
    std::optional<Error> failed;
    for (const uint32_t size : sizes) {
        pages.page_bytes = size;
        bool any = false;
        for (size_t place = 0; place < 2; ++place) {
            try {
                const uint64_t offset = place * uint64_t{size};
                const Meta meta = read_meta(file, offset);
                if (meta.page_bytes != size) corrupt(file, offset, "damaged header page");
                check_meta(file, meta, offset);
                pages.damage[place].clear();
                pages.commit[place] = meta.txn_id;
                pages.content[place].resize(size);
                file.read_at(pages.content[place].data(), size, offset);
                any = true;
            } catch (const Error& error) {
                pages.damage[place] = error.message();
                failed = error;
            }
        }
        if (any) return pages;
    }
    throw Error(*failed);
}

namespace {

/// `seen`: the newest commit of the header pages that were looked at.
DataFile check_once(core::FileSystem& files, const std::filesystem::path& path,
                    std::optional<uint64_t>& seen) {
    const std::optional<core::FileInfo> info = core::file_info(files, path);
    if (!info || info->size_bytes == 0) return {};
    const core::File file(files, path, core::OpenMode::Read);
    const Meta first = read_meta(file, 0);
    if (!is_page_size(first.page_bytes))
        corrupt(file, kPageHeaderBytes + kFreeTreeAt,
                "page size of " + std::to_string(first.page_bytes) + " bytes");
    // liblmdb's first write, of both header pages, was cut off: nothing was ever committed.
    if (first.txn_id == 0 && info->size_bytes < 2 * uint64_t{first.page_bytes}) return {};
    const Meta second = read_meta(file, first.page_bytes);
    if (second.page_bytes != first.page_bytes)
        corrupt(file, first.page_bytes, "the two header pages differ in page size");

    const Meta& newest = first.txn_id < second.txn_id ? second : first;
    seen = newest.txn_id;
    const uint64_t newest_at = &newest == &first ? 0 : first.page_bytes;
    // Asked after the header was read: a writer writes its pages first.
    const uint64_t size_bytes = file.info().size_bytes;
    const uint64_t pages_there = size_bytes / newest.page_bytes;
    check_meta(file, newest, newest_at);
    if (newest.last_page >= pages_there) {
        const std::string says = "the file has " + std::to_string(size_bytes) +
                                 " bytes, its header says " +
                                 std::to_string((newest.last_page + 1) * newest.page_bytes);
        // A list of that many pages is out of proportion for a file that only misses free ones at
        // its end.
        if (newest.last_page - pages_there > pages_there + 65536) corrupt(file, size_bytes, says);
        // liblmdb does not write pages that were freed in the transaction that made them.
        if (const auto used = FreeTree(file, newest, pages_there).first_used())
            corrupt(file, *used * newest.page_bytes, says);
    }
    return {.exists = true, .page_bytes = first.page_bytes};
}

/// Of the header pages as they stand, whole or not.
std::optional<uint64_t> newest_commit(core::FileSystem& files, const std::filesystem::path& path) {
    try {
        const core::File file(files, path, core::OpenMode::Read);
        const Meta first = read_meta(file, 0);
        return std::max(first.txn_id, read_meta(file, first.page_bytes).txn_id);
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace

DataFile check_data_file(core::FileSystem& files, const std::filesystem::path& path) {
    while (true) {
        std::optional<uint64_t> seen;
        try {
            return check_once(files, path, seen);
        } catch (const Error& error) {
            // Beside a writer the pages of an older commit are used again: damage is what is
            // still there when nobody has written.
            const auto now = newest_commit(files, path);
            if (error.code() != ErrorCode::Corrupt || !seen || !now || now == seen) throw;
        }
    }
}

}  // namespace keel::db::lmdb
