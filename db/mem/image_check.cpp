// Looking at an image file: db/tools/image.hpp.

#include <fmt/format.h>
#define XXH_STATIC_LINKING_ONLY  // the state's layout, to have it as a member
#include <xxhash.h>

#include <algorithm>

#include "core/hex.hpp"
#include "db/error.hpp"
#include "db/mem/catalogue.hpp"
#include "db/mem/image.hpp"
#include "db/tools/image.hpp"

namespace keel::db::tools {
namespace {

using mem::BranchItems;
using mem::header;
using mem::ImageHeader;
using mem::kNoPage;
using mem::kPageBytes;
using mem::PageNo;
using mem::PageType;
using mem::RunHeader;

constexpr size_t kIssuesKept = 100;
// Pages read at once, and between two calls of the progress.
constexpr PageNo kPiecePages = 256;

uint64_t offset_of(PageNo number) {
    return uint64_t{number} * kPageBytes;
}

/// Bytes of a tree page that nothing is in.
uint64_t free_bytes_of(const uint8_t* page) {
    const size_t entry_bytes =
        header(page).type == PageType::Leaf ? mem::kLeafEntryBytes : mem::kBranchEntryBytes;
    return header(page).heap - mem::kBodyAt - entry_bytes * header(page).count;
}

struct alignas(8) PageBuffer {
    uint8_t bytes[kPageBytes];
};

class Inspection {
  public:
    Inspection(const core::File& file, const ImageHeader& header, ImageReport& report,
               const Progress& progress)
        : file_(file),
          header_(header),
          report_(report),
          progress_(progress),
          pages_(static_cast<PageNo>(header.page_count)),
          seen_(pages_, kUnknown),
          buffers_(mem::kDepthMax + 1) {}

    void run() {
        read_all();
        check_catalogue();
        for (PageNo number = mem::kImageHeaderPages; number < pages_; ++number)
            if (seen_[number] == kWhole) issue(number, "a page that no tree leads to");
        if (report_.sound() && digest_ != header_.digest)
            issue(0, fmt::format("the digest in the header is {:016x}, that of the pages {:016x}",
                                 header_.digest, digest_));
    }

  private:
    // What is known of a page.
    static constexpr uint8_t kUnknown = 0;  // damaged, or inside a run
    static constexpr uint8_t kWhole = 1;    // right by itself, and in no tree so far
    static constexpr uint8_t kUsed = 2;

    void issue(PageNo page, std::string what) {
        ++report_.issues_found;
        if (report_.issues.size() < kIssuesKept)
            report_.issues.push_back(
                {offset_of(page),
                 page == 0 ? std::move(what) : fmt::format("page {}: {}", page, what)});
    }

    /// Every page by itself, in the order of the file.
    void read_all() {
        XXH3_state_t digest;
        XXH3_64bits_reset(&digest);
        std::vector<uint8_t> piece(kPiecePages * kPageBytes);
        PageNo in_piece = 0;
        PageNo piece_at = mem::kImageHeaderPages;
        for (PageNo number = mem::kImageHeaderPages; number < pages_;) {
            if (number >= piece_at + in_piece || in_piece == 0) {
                piece_at = number;
                in_piece = std::min(kPiecePages, pages_ - number);
                const size_t bytes = size_t{in_piece} * kPageBytes;
                if (file_.read_at(piece.data(), bytes, offset_of(number)) != bytes)
                    throw Error(ErrorCode::Corrupt,
                                fmt::format("{} is damaged at offset {}: the file ends there",
                                            report_.path, offset_of(number)));
                if (progress_) progress_(number, pages_);
            }
            const uint8_t* const page = piece.data() + size_t{number - piece_at} * kPageBytes;
            const uint64_t checksum = header(page).checksum;
            XXH3_64bits_update(&digest, &checksum, sizeof checksum);
            if (header(page).number != number) {
                issue(number, fmt::format("it says that it is number {}", header(page).number));
                ++number;
            } else if (header(page).type == PageType::Run) {
                number = check_run(number, *reinterpret_cast<const RunHeader*>(page));
            } else {
                check_tree_page(number, page);
                ++number;
            }
        }
        if (progress_) progress_(pages_, pages_);
        digest_ = XXH3_64bits_digest(&digest);
    }

    void check_tree_page(PageNo number, const uint8_t* page) {
        const uint64_t computed =
            XXH3_64bits(page + sizeof(uint64_t), kPageBytes - sizeof(uint64_t));
        if (computed != header(page).checksum)
            return issue(number, fmt::format("stored checksum {:016x}, computed {:016x}",
                                             header(page).checksum, computed));
        if (const char* const fault = mem::page_fault(page)) return issue(number, fault);
        ++(header(page).type == PageType::Leaf ? report_.leaves : report_.branches);
        seen_[number] = kWhole;
    }

    /// Returns the page behind the run.
    PageNo check_run(PageNo number, const RunHeader& run) {
        const PageNo behind = number + run.page_count;
        if (run.page_count == 0 || run.page_count > pages_ - number ||
            run.page_count != mem::run_pages(run.value_bytes)) {
            issue(number,
                  fmt::format("a run of {} pages for {} bytes", run.page_count, run.value_bytes));
            return number + 1;
        }
        const uint64_t end = offset_of(number) + mem::kRunBodyAt + run.value_bytes;
        if (checksum_of(offset_of(number) + sizeof run.checksum, end) != run.checksum) {
            issue(number, "the checksum of the run is wrong");
        } else {
            seen_[number] = kWhole;
            ++report_.runs;
            report_.run_pages += run.page_count;
        }
        return behind;
    }

    uint64_t checksum_of(uint64_t from, uint64_t end) {
        XXH3_state_t state;
        XXH3_64bits_reset(&state);
        value_.resize(kPiecePages * kPageBytes);
        while (from < end) {
            const auto bytes = static_cast<size_t>(std::min<uint64_t>(value_.size(), end - from));
            const size_t got = file_.read_at(value_.data(), bytes, from);
            XXH3_64bits_update(&state, value_.data(), got);
            if (got < bytes) break;
            from += bytes;
        }
        return XXH3_64bits_digest(&state);
    }

    /// A tree's figures as they are counted, and how far its walk is.
    struct Walk {
        const char* table;
        bool dup;
        uint64_t entries = 0;
        uint64_t keys = 0;
        uint64_t leaves = 0;
        uint64_t branches = 0;
        uint64_t run_pages = 0;
        uint64_t free_bytes = 0;
        Bytes last_key = {};
        Bytes last_value = {};
        std::vector<std::pair<std::string, Bytes>>* rows = nullptr;  // the catalogue's
    };

    /// Null: it is no page of a tree at this level, and that has been said.
    const uint8_t* enter(const Walk& walk, PageNo number, PageNo parent, unsigned level) {
        const auto wrong = [&](const char* what) {
            issue(parent, fmt::format("table {}: refers to page {}, {}", walk.table, number, what));
            return nullptr;
        };
        if (number < mem::kImageHeaderPages || number >= pages_) return wrong("which is not there");
        if (seen_[number] == kUnknown) return wrong("which is damaged or none");
        if (seen_[number] == kUsed) return wrong("which has another place already");
        uint8_t* const page = buffers_[level].bytes;
        file_.read_at(page, kPageBytes, offset_of(number));
        if (header(page).type == PageType::Run || header(page).level != level)
            return wrong("which is of another level");
        seen_[number] = kUsed;
        return page;
    }

    /// Walks what is under a page; returns the number of its entries.
    uint64_t walk_page(Walk& walk, PageNo number, PageNo parent, unsigned level) {
        const uint8_t* const page = enter(walk, number, parent, level);
        if (page == nullptr) return 0;
        walk.free_bytes += free_bytes_of(page);
        if (level == 0) return walk_leaf(walk, number, page);
        ++walk.branches;
        BranchItems items;
        items.decode(page);
        uint64_t entries = 0;
        for (size_t i = 0; i < items.items.size(); ++i) {
            const mem::BranchItem& item = items.items[i];
            if (i > 0 && walk.entries > 0 &&
                !is_before(walk, walk.last_key, walk.last_value, item.separator.key,
                           item.separator.value))
                issue(number, fmt::format("table {}: separator {} is not behind the entries before "
                                          "it",
                                          walk.table, i));
            lower_bounds_.push_back(i == 0 ? nullptr : &item.separator);
            const uint64_t under = walk_page(walk, item.child, number, level - 1);
            lower_bounds_.pop_back();
            if (under != item.count)
                issue(number, fmt::format("table {}: link {} says {} entries, counted are {}",
                                          walk.table, i, item.count, under));
            entries += under;
        }
        return entries;
    }

    uint64_t walk_leaf(Walk& walk, PageNo number, const uint8_t* page) {
        ++walk.leaves;
        const size_t count = header(page).count;
        for (size_t i = 0; i < count; ++i) {
            const mem::LeafRecord record = mem::leaf_record(page, i);
            const bool same_key = walk.entries > 0 && ByteView(walk.last_key) == record.key;
            if (walk.entries > 0 &&
                !is_before(walk, walk.last_key, walk.last_value, record.key, record.value))
                issue(number, fmt::format("table {}: entry {} is out of order", walk.table, i));
            if (i == 0) check_lower_bounds(walk, number, record);
            if (mem::heads(page)[i] != mem::head_of(record.key, header(page).prefix_bytes))
                issue(number,
                      fmt::format("table {}: head {} is not that of its key", walk.table, i));
            if (record.run != kNoPage) walk_run(walk, number, record);
            if (!same_key) ++walk.keys;
            ++walk.entries;
            walk.last_key.assign(record.key.begin(), record.key.end());
            if (walk.dup) walk.last_value.assign(record.value.begin(), record.value.end());
            if (walk.rows != nullptr)
                walk.rows->emplace_back(record.key.text(), record.value.to_bytes());
        }
        return count;
    }

    void check_lower_bounds(const Walk& walk, PageNo number, const mem::LeafRecord& first) {
        for (const mem::Separator* const bound : lower_bounds_) {
            if (bound == nullptr) continue;
            const auto order = first.key <=> bound->key;
            if (order < 0 || (order == 0 && walk.dup && first.value < bound->value))
                issue(number, fmt::format("table {}: entries before the separator that leads to "
                                          "them",
                                          walk.table));
        }
    }

    void walk_run(Walk& walk, PageNo leaf, const mem::LeafRecord& record) {
        RunHeader run = {};
        const bool there = record.run < pages_ && seen_[record.run] == kWhole;
        if (there) file_.read_at(&run, sizeof run, offset_of(record.run));
        if (!there || run.type != PageType::Run || run.value_bytes != record.run_bytes)
            return issue(leaf, fmt::format("table {}: page {} is not the value of {} bytes that it "
                                           "refers to",
                                           walk.table, record.run, record.run_bytes));
        seen_[record.run] = kUsed;
        walk.run_pages += run.page_count;
    }

    static bool is_before(const Walk& walk, ByteView key, ByteView value, ByteView next_key,
                          ByteView next_value) {
        const auto order = key <=> next_key;
        return order != 0 || !walk.dup ? order < 0 : value < next_value;
    }

    void walk_tree(Walk& walk, const mem::Tree& tree) {
        if (tree.root == kNoPage) return;
        if (tree.depth == 0 || tree.depth > mem::kDepthMax)
            return issue(0, fmt::format("table {}: depth {}", walk.table, tree.depth));
        walk_page(walk, tree.root, 0, tree.depth - 1U);
    }

    void expect(const Walk& walk, const char* what, uint64_t said, uint64_t counted) {
        if (said != counted)
            issue(0, fmt::format("table {}: the catalogue says {} {}, counted are {}", walk.table,
                                 said, what, counted));
    }

    void check_catalogue() {
        std::vector<std::pair<std::string, Bytes>> rows;
        Walk catalogue{.table = "(catalogue)", .dup = false};
        catalogue.rows = &rows;
        walk_tree(catalogue, header_.catalogue);
        expect(catalogue, "tables", header_.catalogue.entries, catalogue.entries);
        for (const auto& [name, bytes] : rows) {
            const std::optional<mem::TableRow> row = mem::decode_row(bytes);
            if (!row || !mem::valid_table_name(name)) {
                issue(header_.catalogue.root, fmt::format("the row of table {} is none", name));
                continue;
            }
            Walk walk{.table = name.c_str(), .dup = row->tree.dup};
            walk_tree(walk, row->tree);
            expect(walk, "entries", row->tree.entries, walk.entries);
            expect(walk, "keys", row->tree.keys, walk.keys);
            expect(walk, "leaves", row->tree.leaf_pages, walk.leaves);
            expect(walk, "branches", row->tree.branch_pages, walk.branches);
            expect(walk, "pages of runs", row->tree.overflow_pages, walk.run_pages);
            report_.tables.push_back({.name = name,
                                      .stat = mem::to_stat(*row),
                                      .append_only = row->append_only,
                                      .root = row->tree.root,
                                      .free_bytes = walk.free_bytes});
        }
    }

    const core::File& file_;
    const ImageHeader& header_;
    ImageReport& report_;
    const Progress& progress_;
    const PageNo pages_;
    std::vector<uint8_t> seen_;                        // by page
    std::vector<PageBuffer> buffers_;                  // by level
    std::vector<const mem::Separator*> lower_bounds_;  // of the links that led here; null: none
    std::vector<uint8_t> value_;
    uint64_t digest_ = 0;
};

}  // namespace

ImageReport inspect_image(core::FileSystem& files, const std::filesystem::path& path,
                          const Progress& progress) {
    const core::File file(files, path, core::OpenMode::Read, false);
    const ImageHeader header = mem::read_image_header(file);
    ImageReport report;
    report.path = path.string();
    report.bytes = header.page_count * kPageBytes;
    report.pages = header.page_count;
    report.commit_id = header.commit_id;
    report.time_s = header.time_s;
    report.uid = core::to_hex(ByteView(header.uid));
    report.producer = header.producer;
    report.has_log = header.has_log;
    report.digest = header.digest;
    report.catalogue_root = header.catalogue.root;
    Inspection(file, header, report, progress).run();
    return report;
}

ImagePage read_image_page(core::FileSystem& files, const std::filesystem::path& path,
                          uint64_t number) {
    const core::File file(files, path, core::OpenMode::Read, false);
    const ImageHeader image = mem::read_image_header(file);
    if (number < mem::kImageHeaderPages || number >= image.page_count)
        throw Error(ErrorCode::NotFound,
                    fmt::format("{}: there is no page {}; it has pages {} to {}", path.string(),
                                number, mem::kImageHeaderPages, image.page_count - 1));
    PageBuffer buffer;
    const auto page_number = static_cast<PageNo>(number);
    file.read_at(buffer.bytes, kPageBytes, offset_of(page_number));
    const uint8_t* const page = buffer.bytes;
    ImagePage out;
    out.number = page_number;
    out.checksum = header(page).checksum;
    out.level = header(page).level;
    const auto damaged = [&](std::string_view what) {
        return Error(ErrorCode::Corrupt,
                     fmt::format("{} is damaged at offset {}: page {}: {}", path.string(),
                                 offset_of(page_number), number, what));
    };
    if (header(page).number != page_number)
        throw damaged(
            fmt::format("it says that it is number {}, or is inside a run", header(page).number));
    if (header(page).type == PageType::Run) {
        const RunHeader run = *reinterpret_cast<const RunHeader*>(page);
        out.type = "run";
        out.run_pages = run.page_count;
        out.value_bytes = run.value_bytes;
        if (run.value_bytes > (image.page_count - number) * kPageBytes - mem::kRunBodyAt)
            throw damaged("value longer than the image");
        Bytes whole(static_cast<size_t>(mem::kRunBodyAt + run.value_bytes));
        file.read_at(whole.data(), whole.size(), offset_of(page_number));
        out.checksum_right = XXH3_64bits(whole.data() + sizeof(uint64_t),
                                         whole.size() - sizeof(uint64_t)) == out.checksum;
        return out;
    }
    out.checksum_right =
        XXH3_64bits(page + sizeof(uint64_t), kPageBytes - sizeof(uint64_t)) == out.checksum;
    if (const char* const fault = mem::page_fault(page)) throw damaged(fault);
    out.free_bytes = free_bytes_of(page);
    if (header(page).type == PageType::Leaf) {
        out.type = "leaf";
        for (size_t i = 0; i < header(page).count; ++i) {
            const mem::LeafRecord record = mem::leaf_record(page, i);
            out.items.push_back(
                {.key = record.key.to_bytes(),
                 .value = record.value.to_bytes(),
                 .page = record.run,
                 .count = record.run != kNoPage ? record.run_bytes : record.value.size()});
        }
        if (!out.items.empty())
            out.prefix = ByteView(out.items[0].key).sub(0, header(page).prefix_bytes).to_bytes();
        return out;
    }
    out.type = "branch";
    BranchItems items;
    items.decode(page);
    for (const mem::BranchItem& item : items.items)
        out.items.push_back({.key = item.separator.key.to_bytes(),
                             .value = item.separator.value.to_bytes(),
                             .page = item.child,
                             .count = item.count});
    if (out.items.size() > 1)
        out.prefix = ByteView(out.items[1].key).sub(0, header(page).prefix_bytes).to_bytes();
    return out;
}

}  // namespace keel::db::tools
