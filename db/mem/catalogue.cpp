#include "db/mem/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keel::db::mem {
namespace {

// Layout of a row; docs/store-format.md.
constexpr size_t kKindAt = 0;
constexpr size_t kFlagsAt = 1;
constexpr size_t kDepthAt = 2;
constexpr size_t kRootAt = 4;
constexpr size_t kEntriesAt = 8;
constexpr size_t kKeysAt = 16;
constexpr size_t kBranchPagesAt = 24;
constexpr size_t kLeafPagesAt = 32;
constexpr size_t kOverflowPagesAt = 40;
constexpr size_t kSequenceAt = 48;
static_assert(kSequenceAt + 8 == kTableRowBytes);
constexpr uint8_t kAppendOnly = 1;
constexpr uint8_t kPacked = 2;  // in memory only: all trees of an image are

}  // namespace

std::array<uint8_t, kTableRowBytes> encode_row(const TableRow& row) noexcept {
    std::array<uint8_t, kTableRowBytes> bytes = {};
    bytes[kKindAt] = row.tree.dup ? 1 : 0;
    bytes[kFlagsAt] =
        static_cast<uint8_t>((row.append_only ? kAppendOnly : 0) | (row.tree.packed ? kPacked : 0));
    bytes[kDepthAt] = row.tree.depth;
    core::store_le(&bytes[kRootAt], row.tree.root);
    core::store_le(&bytes[kEntriesAt], row.tree.entries);
    core::store_le(&bytes[kKeysAt], row.tree.keys);
    core::store_le(&bytes[kBranchPagesAt], row.tree.branch_pages);
    core::store_le(&bytes[kLeafPagesAt], row.tree.leaf_pages);
    core::store_le(&bytes[kOverflowPagesAt], row.tree.overflow_pages);
    core::store_le(&bytes[kSequenceAt], row.sequence);
    return bytes;
}

std::optional<TableRow> decode_row(ByteView bytes) noexcept {
    if (bytes.size() != kTableRowBytes || bytes[kKindAt] > 1 || bytes[kDepthAt] > kDepthMax)
        return std::nullopt;
    TableRow row;
    row.tree.dup = bytes[kKindAt] == 1;
    row.append_only = (bytes[kFlagsAt] & kAppendOnly) != 0;
    row.tree.packed = (bytes[kFlagsAt] & kPacked) != 0;
    row.tree.depth = bytes[kDepthAt];
    row.tree.root = core::load_le<uint32_t>(bytes.data() + kRootAt);
    if ((row.tree.root == kNoPage) != (row.tree.depth == 0)) return std::nullopt;
    row.tree.entries = core::load_le<uint64_t>(bytes.data() + kEntriesAt);
    row.tree.keys = core::load_le<uint64_t>(bytes.data() + kKeysAt);
    row.tree.branch_pages = core::load_le<uint64_t>(bytes.data() + kBranchPagesAt);
    row.tree.leaf_pages = core::load_le<uint64_t>(bytes.data() + kLeafPagesAt);
    row.tree.overflow_pages = core::load_le<uint64_t>(bytes.data() + kOverflowPagesAt);
    row.sequence = core::load_le<uint64_t>(bytes.data() + kSequenceAt);
    return row;
}

std::optional<TableRow> find_row(const PageSpace& space, const TreeView& catalogue,
                                 std::string_view name) {
    const std::optional<ByteView> bytes = tree_get(space, catalogue, name);
    if (!bytes) return std::nullopt;
    const std::optional<TableRow> row = decode_row(*bytes);
    if (!row)
        throw Error(ErrorCode::Corrupt,
                    fmt::format("the catalogue's row of table {} is damaged", name));
    return row;
}

TableStat to_stat(const TableRow& row) noexcept {
    const uint64_t pages = row.tree.branch_pages + row.tree.leaf_pages + row.tree.overflow_pages;
    return {.kind = row.tree.dup ? Kind::DupSort : Kind::Plain,
            .entries = row.tree.entries,
            .keys = row.tree.keys,
            .depth = row.tree.depth,
            .branch_pages = row.tree.branch_pages,
            .leaf_pages = row.tree.leaf_pages,
            .overflow_pages = row.tree.overflow_pages,
            .bytes = pages * kPageBytes,
            .sequence = row.sequence};
}

bool valid_table_name(std::string_view name) noexcept {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    };
    return !name.empty() && name.size() <= kTableNameBytesMax && !name.starts_with("_keel") &&
           std::ranges::all_of(name, allowed);
}

TableNames::~TableNames() {
    for (const auto& info : infos_) delete info.load(std::memory_order_relaxed);
}

uint16_t TableNames::add(std::string_view name, Kind kind, bool declared) {
    if (ids_.size() == kHandlesMax)
        throw Error(ErrorCode::TooManyTables,
                    fmt::format("table {}: more than {} names asked for", name, kHandlesMax));
    const auto id = static_cast<uint16_t>(ids_.size());
    auto info = std::make_unique<Info>(std::string(name), kind, declared);
    ids_.emplace(name, id);
    infos_[id].store(info.release(), std::memory_order_release);  // pairs with find()
    return id;
}

void TableNames::declare(const TableSpec& spec) {
    const std::lock_guard guard(mutex_);
    if (!ids_.contains(spec.name)) add(spec.name, spec.kind, true);
}

Table TableNames::resolve(std::string_view name, Kind kind_if_new) {
    const std::lock_guard guard(mutex_);
    const auto found = ids_.find(name);
    if (found != ids_.end()) return {found->second, find(found->second)->kind.load()};
    return {add(name, kind_if_new, false), kind_if_new};
}

}  // namespace keel::db::mem
