#include "db/mem/image.hpp"

#include <fmt/format.h>
#define XXH_STATIC_LINKING_ONLY  // the state's layout, to have it as a member
#include <xxhash.h>

#include <algorithm>

#include "db/error.hpp"
#include "db/mem/catalogue.hpp"

namespace keel::db::mem {
namespace {

// Layout of a header page; docs/store-format.md.
constexpr std::string_view kMagic{"keel.img", 8};
constexpr size_t kMagicAt = 0;
constexpr size_t kVersionAt = 8;
constexpr size_t kPageBytesAt = 12;
constexpr size_t kPageCountAt = 16;
constexpr size_t kCommitAt = 24;
constexpr size_t kTimeAt = 32;
constexpr size_t kUidAt = 40;
constexpr size_t kCatalogueRootAt = 56;
constexpr size_t kCatalogueDepthAt = 60;
constexpr size_t kFlagsAt = 61;
constexpr uint8_t kHasLog = 1;
constexpr size_t kCatalogueEntriesAt = 64;
constexpr size_t kCatalogueBranchPagesAt = 72;
constexpr size_t kCatalogueLeafPagesAt = 80;
constexpr size_t kDigestAt = 88;
constexpr size_t kProducerAt = 96;
constexpr size_t kProducerBytes = 160;
constexpr size_t kHeaderChecksumAt = kPageBytes - 8;

// Of an image that is copied.
constexpr PageNo kReadAheadPages = 256;

void encode_header(const ImageHeader& header, uint8_t* page) {
    std::memset(page, 0, kPageBytes);
    std::memcpy(page + kMagicAt, kMagic.data(), kMagic.size());
    core::store_le(page + kVersionAt, kImageVersion);
    core::store_le(page + kPageBytesAt, static_cast<uint32_t>(kPageBytes));
    core::store_le(page + kPageCountAt, header.page_count);
    core::store_le(page + kCommitAt, header.commit_id);
    core::store_le(page + kTimeAt, header.time_s);
    std::memcpy(page + kUidAt, header.uid.data(), header.uid.size());
    core::store_le(page + kCatalogueRootAt, header.catalogue.root);
    page[kCatalogueDepthAt] = header.catalogue.depth;
    page[kFlagsAt] = header.has_log ? kHasLog : 0;
    core::store_le(page + kCatalogueEntriesAt, header.catalogue.entries);
    core::store_le(page + kCatalogueBranchPagesAt, header.catalogue.branch_pages);
    core::store_le(page + kCatalogueLeafPagesAt, header.catalogue.leaf_pages);
    core::store_le(page + kDigestAt, header.digest);
    std::memcpy(page + kProducerAt, header.producer.data(),
                std::min(header.producer.size(), kProducerBytes));
    core::store_le(page + kHeaderChecksumAt, XXH3_64bits(page, kHeaderChecksumAt));
}

bool header_checksum_right(const uint8_t* page) {
    return core::load_le<uint64_t>(page + kHeaderChecksumAt) ==
           XXH3_64bits(page, kHeaderChecksumAt);
}

ImageHeader decode_header(const uint8_t* page) {
    ImageHeader header;
    header.page_count = core::load_le<uint64_t>(page + kPageCountAt);
    header.commit_id = core::load_le<uint64_t>(page + kCommitAt);
    header.time_s = core::load_le<uint64_t>(page + kTimeAt);
    std::memcpy(header.uid.data(), page + kUidAt, header.uid.size());
    header.catalogue.root = core::load_le<uint32_t>(page + kCatalogueRootAt);
    header.catalogue.depth = page[kCatalogueDepthAt];
    header.has_log = (page[kFlagsAt] & kHasLog) != 0;
    header.catalogue.entries = core::load_le<uint64_t>(page + kCatalogueEntriesAt);
    header.catalogue.keys = header.catalogue.entries;
    header.catalogue.branch_pages = core::load_le<uint64_t>(page + kCatalogueBranchPagesAt);
    header.catalogue.leaf_pages = core::load_le<uint64_t>(page + kCatalogueLeafPagesAt);
    header.digest = core::load_le<uint64_t>(page + kDigestAt);
    const auto* const producer = reinterpret_cast<const char*>(page + kProducerAt);
    header.producer.assign(producer, strnlen(producer, kProducerBytes));
    return header;
}

[[noreturn]] void corrupt(const core::File& file, uint64_t offset, const std::string& what) {
    throw Error(ErrorCode::Corrupt,
                fmt::format("{} is damaged at offset {}: {}", file.path().string(), offset, what));
}

}  // namespace

ImageHeader read_image_header(const core::File& file, uint64_t file_bytes) {
    uint8_t pages[kImageHeaderPages][kPageBytes] = {};
    const size_t got = file.read_at(pages, sizeof pages, 0);
    const uint8_t* best = nullptr;
    uint32_t other_version = 0;
    bool any_magic = false;
    for (const uint8_t* const page : {pages[0], pages[1]}) {
        if (std::memcmp(page + kMagicAt, kMagic.data(), kMagic.size()) != 0) continue;
        any_magic = true;
        if (core::load_le<uint32_t>(page + kVersionAt) != kImageVersion) {
            other_version = core::load_le<uint32_t>(page + kVersionAt);
            continue;
        }
        if (!header_checksum_right(page)) continue;
        if (best == nullptr ||
            core::load_le<uint64_t>(page + kCommitAt) > core::load_le<uint64_t>(best + kCommitAt))
            best = page;
    }
    if (best == nullptr && other_version != 0)
        throw Error(ErrorCode::VersionMismatch,
                    fmt::format("{} has format version {}; this program knows version {}",
                                file.path().string(), other_version, kImageVersion));
    if (best == nullptr && got < sizeof pages)
        corrupt(file, got, fmt::format("the file ends after {} bytes", file_bytes));
    if (best == nullptr)
        corrupt(file, 0,
                any_magic ? "neither copy of the header has the right checksum"
                          : "not an image of this program");
    const uint32_t page_bytes = core::load_le<uint32_t>(best + kPageBytesAt);
    if (page_bytes != kPageBytes)
        corrupt(file, kPageBytesAt, fmt::format("page size {}", page_bytes));
    ImageHeader header = decode_header(best);
    if (header.page_count < kImageHeaderPages || header.page_count > UINT32_MAX)
        corrupt(file, kPageCountAt, fmt::format("page count {}", header.page_count));
    if (file_bytes != header.page_count * kPageBytes)
        corrupt(file, std::min(file_bytes, header.page_count * kPageBytes),
                fmt::format("{} bytes; the header says {} pages of {}", file_bytes,
                            header.page_count, kPageBytes));
    if (header.catalogue.root >= header.page_count || header.catalogue.depth > kDepthMax ||
        (header.catalogue.root == kNoPage) != (header.catalogue.depth == 0))
        corrupt(file, kCatalogueRootAt, fmt::format("catalogue at page {}", header.catalogue.root));
    return header;
}

void check_image_catalogue(const PageSpace& space, const ImageHeader& header,
                           const std::filesystem::path& path) {
    Path at;
    if (!descend_first(space, header.catalogue, at)) return;
    do {
        const LeafRecord record = record_at(space, at);
        const std::optional<TableRow> row = decode_row(space.value(record));
        if (!row || row->tree.root >= header.page_count || !valid_table_name(record.key.text()))
            throw Error(ErrorCode::Corrupt,
                        fmt::format("{} is damaged at offset {}: row of table {} in the catalogue",
                                    path.string(), uint64_t{at.page[at.leaf()]} * kPageBytes,
                                    record.key.text()));
    } while (step_next(space, at));
}

struct ImageWriter::Digest {
    XXH3_state_t state;
};

ImageWriter::ImageWriter(core::FileSystem& files, const std::filesystem::path& path)
    : file_(files, path, core::OpenMode::CreateEmptied, false),
      out_(file_, uint64_t{kImageHeaderPages} * kPageBytes),
      digest_(std::make_unique<Digest>()) {
    XXH3_64bits_reset(&digest_->state);
}

ImageWriter::~ImageWriter() = default;

void ImageWriter::append_bytes(ByteView bytes) {
    if (out_.append(bytes) && written_) written_(next_);
}

const core::File& ImageWriter::flushed() {
    out_.flush();
    return file_;
}

void ImageWriter::digest(uint64_t checksum) {
    XXH3_64bits_update(&digest_->state, &checksum, sizeof checksum);
}

PageNo ImageWriter::append_page(uint8_t* page) {
    header(page).number = next_;
    header(page).checksum = page_checksum(page);
    digest(header(page).checksum);
    append_bytes({page, kPageBytes});
    return next_++;
}

PageNo ImageWriter::append_run(ByteView value) {
    const uint32_t pages = run_pages(value.size());
    RunHeader head = {};
    head.number = next_;
    head.type = PageType::Run;
    head.page_count = pages;
    head.value_bytes = value.size();
    // The checksum goes over header and value as they will lie behind each other.
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, reinterpret_cast<const uint8_t*>(&head) + sizeof head.checksum,
                       sizeof head - sizeof head.checksum);
    XXH3_64bits_update(&state, value.data(), value.size());
    head.checksum = XXH3_64bits_digest(&state);
    digest(head.checksum);
    append_bytes({reinterpret_cast<const uint8_t*>(&head), sizeof head});
    append_bytes(value);
    static constexpr uint8_t kZeros[kPageBytes] = {};
    append_bytes({kZeros, size_t{pages} * kPageBytes - sizeof head - value.size()});
    const PageNo first = next_;
    next_ += pages;
    return first;
}

void ImageWriter::finish(ImageHeader& header) {
    out_.flush();
    if (written_) written_(next_);
    header.page_count = next_;
    header.digest = XXH3_64bits_digest(&digest_->state);
    alignas(8) uint8_t page[kPageBytes];
    encode_header(header, page);
    for (PageNo copy = 0; copy < kImageHeaderPages; ++copy)
        file_.write_at({page, kPageBytes}, uint64_t{copy} * kPageBytes);
    file_.sync();
}

namespace {

/// The tree as it is to be written: built from its entries, or, where it is packed already, its
/// pages with their new numbers.
Tree copy_tree(ImageWriter& out, const PageSpace& space, const Tree& tree) {
    if (tree.root == kNoPage) return {.dup = tree.dup};
    if (!tree.packed && tree.root >= space.image_pages()) {
        TreeBuilder builder(out, tree.dup);
        Path entry;
        if (descend_first(space, tree, entry)) {
            do {
                const LeafRecord found = record_at(space, entry);
                builder.add(found.key, space.value(found));
            } while (step_next(space, entry));
        }
        return builder.finish();
    }
    const auto pages =
        static_cast<PageNo>(tree.branch_pages + tree.leaf_pages + tree.overflow_pages);
    const PageNo first = tree.root + 1 - pages;
    const PageNo up = out.pages() - first;  // modulo 2^32: the numbers may become smaller
    const bool has_runs = tree.overflow_pages > 0;
    alignas(8) uint8_t copy[kPageBytes];
    PageNo read_ahead = first;
    for (PageNo number = first; number <= tree.root;) {
        if (number >= read_ahead) {
            space.will_need(read_ahead, 2 * kReadAheadPages);
            read_ahead += kReadAheadPages;
        }
        const uint8_t* const page = space.page(number);
        if (header(page).type == PageType::Run) {
            const auto& run = *reinterpret_cast<const RunHeader*>(page);
            out.append_run({page + kRunBodyAt, run.value_bytes});
            number += run.page_count;
            continue;
        }
        std::memcpy(copy, page, kPageBytes);
        if (header(page).type == PageType::Branch) {
            for (size_t i = 0; i < header(page).count; ++i) links(copy)[i].child += up;
        } else if (has_runs) {
            leaf_renumber_runs(copy, up);
        }
        out.append_page(copy);
        ++number;
    }
    Tree copied = tree;
    copied.root += up;
    copied.packed = false;
    return copied;
}

/// Pages of all tables, as their rows say.
uint64_t pages_of(const PageSpace& space, const TreeView& catalogue) {
    uint64_t pages = 0;
    each_row(space, catalogue, [&pages](std::string_view, const TableRow& row) {
        pages += row.tree.branch_pages + row.tree.leaf_pages + row.tree.overflow_pages;
    });
    return pages;
}

}  // namespace

void ImageBuilder::add(std::string name, TableRow row) {
    const Tree built = copy_tree(out_, space_, row.tree);
    if (built.entries != row.tree.entries || built.keys != row.tree.keys)
        throw Error(ErrorCode::Corrupt,
                    fmt::format("table {} has {} entries of {} keys; its row says {} of {}", name,
                                built.entries, built.keys, row.tree.entries, row.tree.keys));
    row.tree = built;
    rows_.emplace_back(std::move(name), row);
}

void ImageBuilder::finish(ImageHeader& header) {
    TreeBuilder builder(out_, false);
    for (const auto& [name, row] : rows_) builder.add(name, encode_row(row));
    header.catalogue = builder.finish();
    out_.finish(header);
}

void write_image(core::FileSystem& files, const std::filesystem::path& path, const PageSpace& space,
                 const TreeView& catalogue, ImageHeader& header, const tools::Progress& progress) {
    ImageBuilder image(files, path, space);
    if (progress) {
        const uint64_t all = pages_of(space, catalogue);
        image.out().watch(
            [&progress, all](PageNo pages) { progress(std::min<uint64_t>(pages, all), all); });
    }
    each_row(space, catalogue, [&](std::string_view name, const TableRow& row) {
        image.add(std::string(name), row);
    });
    image.finish(header);
}

}  // namespace keel::db::mem
