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
constexpr size_t kCatalogueEntriesAt = 64;
constexpr size_t kCatalogueBranchPagesAt = 72;
constexpr size_t kCatalogueLeafPagesAt = 80;
constexpr size_t kDigestAt = 88;
constexpr size_t kProducerAt = 96;
constexpr size_t kProducerBytes = 160;
constexpr size_t kHeaderChecksumAt = kPageBytes - 8;

constexpr size_t kWriteBufferBytes = size_t{1} << 20;

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

ImageHeader read_image_header(const core::File& file) {
    const uint64_t file_bytes = file.info().size_bytes;
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
        if (!row || row->tree.root >= header.page_count)
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
      digest_(std::make_unique<Digest>()) {
    buffer_.reserve(kWriteBufferBytes);
    XXH3_64bits_reset(&digest_->state);
    written_bytes_ = uint64_t{kImageHeaderPages} * kPageBytes;
}

ImageWriter::~ImageWriter() = default;

void ImageWriter::flush() {
    file_.write_at(ByteView(buffer_), written_bytes_);
    written_bytes_ += buffer_.size();
    buffer_.clear();
}

void ImageWriter::append_bytes(ByteView bytes) {
    if (buffer_.size() + bytes.size() > kWriteBufferBytes) flush();
    if (bytes.size() > kWriteBufferBytes) {
        file_.write_at(bytes, written_bytes_);
        written_bytes_ += bytes.size();
        return;
    }
    core::append(buffer_, bytes);
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
    flush();
    header.page_count = next_;
    header.digest = XXH3_64bits_digest(&digest_->state);
    alignas(8) uint8_t page[kPageBytes];
    encode_header(header, page);
    for (PageNo copy = 0; copy < kImageHeaderPages; ++copy)
        file_.write_at({page, kPageBytes}, uint64_t{copy} * kPageBytes);
    file_.sync();
}

TreeBuilder::TreeBuilder(ImageWriter& out, bool dup) : out_(out) {
    tree_.dup = dup;
    std::memset(leaf_, 0, kPageBytes);
    leaf_init(leaf_);
}

void TreeBuilder::add(ByteView key, ByteView value) {
    LeafRecord record = {key, value};
    if (kRecordHeadBytes + key.size() + value.size() > kRecordBytesMax) {
        record = {key, {}, out_.append_run(value), static_cast<uint32_t>(value.size())};
        tree_.overflow_pages += run_pages(value.size());
    }
    const size_t count = header(leaf_).count;
    if (count > 0) {
        const LeafRecord last = leaf_record(leaf_, count - 1);
        if (!tree_.dup || last.key != key) ++tree_.keys;
        if (!leaf_fits(leaf_, record_bytes(record))) {
            const Separator next =
                shortest_separator({last.key, last.value}, {record.key, record.value}, tree_.dup);
            OwnedSeparator owned = {next.key.to_bytes(), next.value.to_bytes()};
            emit_leaf();
            leaf_separator_ = std::move(owned);
        }
    } else {
        ++tree_.keys;
    }
    ++tree_.entries;
    leaf_insert(leaf_, header(leaf_).count, record);
}

void TreeBuilder::emit_leaf() {
    const uint64_t count = header(leaf_).count;
    const PageNo number = out_.append_page(leaf_);
    ++tree_.leaf_pages;
    add_link(0, leaf_separator_, number, count);
    std::memset(leaf_, 0, kPageBytes);
    leaf_init(leaf_);
}

void TreeBuilder::add_link(size_t level, const OwnedSeparator& separator, PageNo child,
                           uint64_t count) {
    if (level == levels_.size()) levels_.emplace_back();
    const size_t bytes =
        kBranchEntryBytes + kRecordHeadBytes + separator.key.size() + separator.value.size();
    const BranchItem item = {separator.view(), child, count};
    {
        Level& at = levels_[level];
        at.items.push_back(item);
        // The prefix, where it is stored, is not longer than a key.
        const size_t prefix_at_most = kKeyBytesMax;
        const bool fits =
            at.bytes_at_most + bytes + prefix_at_most <= kBodyBytes ||
            branch_bytes(at.items.data(), at.items.data() + at.items.size()) <= kBodyBytes;
        at.items.pop_back();
        if (!fits) emit_branch(level);
    }
    Level& at = levels_[level];
    at.separators.push_back(separator);
    // Views of the vectors' heap memory, which moves along with them.
    at.items.push_back({at.separators.back().view(), child, count});
    at.bytes_at_most += bytes;
}

void TreeBuilder::emit_branch(size_t level) {
    alignas(8) uint8_t page[kPageBytes] = {};
    uint64_t count = 0;
    {
        const Level& at = levels_[level];
        for (const BranchItem& item : at.items) count += item.count;
        branch_encode(page, static_cast<uint8_t>(level + 1), at.items.data(),
                      at.items.data() + at.items.size());
    }
    const PageNo number = out_.append_page(page);
    ++tree_.branch_pages;
    const OwnedSeparator separator = std::move(levels_[level].separators.front());
    levels_[level].separators.clear();
    levels_[level].items.clear();
    levels_[level].bytes_at_most = 0;
    levels_[level].emitted = true;
    add_link(level + 1, separator, number, count);
}

Tree TreeBuilder::finish() {
    if (header(leaf_).count == 0) return tree_;  // an empty table: a leaf is begun by an entry only
    emit_leaf();
    for (size_t level = 0;; ++level) {
        const Level& at = levels_[level];
        if (!at.emitted && at.items.size() == 1) {
            tree_.root = at.items.front().child;
            tree_.depth = static_cast<uint8_t>(level + 1);
            KEEL_ASSERT(level + 1 <= kDepthMax);
            return tree_;
        }
        emit_branch(level);
    }
}

void write_image(core::FileSystem& files, const std::filesystem::path& path, const PageSpace& space,
                 const TreeView& catalogue, ImageHeader& header) {
    ImageWriter out(files, path);
    std::vector<std::pair<std::string, TableRow>> rows;
    Path at;
    if (descend_first(space, catalogue, at)) {
        do {
            const LeafRecord record = record_at(space, at);
            std::optional<TableRow> row = decode_row(record.value);
            if (!row) throw Error(ErrorCode::Corrupt, "a row of the catalogue is damaged");
            TreeBuilder builder(out, row->tree.dup);
            Path entry;
            if (descend_first(space, row->tree, entry)) {
                do {
                    const LeafRecord found = record_at(space, entry);
                    builder.add(found.key, space.value(found));
                } while (step_next(space, entry));
            }
            const Tree built = builder.finish();
            if (built.entries != row->tree.entries || built.keys != row->tree.keys)
                throw Error(ErrorCode::Corrupt,
                            fmt::format("table {} has {} entries of {} keys; its row says {} of {}",
                                        record.key.text(), built.entries, built.keys,
                                        row->tree.entries, row->tree.keys));
            row->tree = built;
            rows.emplace_back(record.key.text(), *row);
        } while (step_next(space, at));
    }
    TreeBuilder builder(out, false);
    for (const auto& [name, row] : rows) builder.add(name, encode_row(row));
    header.catalogue = builder.finish();
    out.finish(header);
}

}  // namespace keel::db::mem
