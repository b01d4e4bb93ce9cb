#include "db/mem/tree_builder.hpp"

#include <algorithm>

namespace keel::db::mem {
namespace {

// More links than this no branch has, whatever its separators.
constexpr size_t kLinksMax = kBodyBytes / kBranchEntryBytes + 1;

}  // namespace

TreeBuilder::TreeBuilder(PageSink& out, bool dup) : out_(out) {
    tree_.dup = dup;
    begin_leaf();
}

void TreeBuilder::begin_leaf() noexcept {
    count_ = 0;
    heap_ = kPageBytes;
}

ByteView TreeBuilder::last_key() const noexcept {
    const uint8_t* const record = leaf_.data() + slots_[count_ - 1];
    return {record + kRecordHeadBytes, core::load_le<uint16_t>(record)};
}

Separator TreeBuilder::last() const noexcept {
    const uint8_t* const record = leaf_.data() + slots_[count_ - 1];
    const ByteView key = last_key();
    const uint16_t value_bytes = core::load_le<uint16_t>(record + 2);
    if (value_bytes == kInRun) return {key, {}};
    return {key, {key.data() + key.size(), value_bytes}};
}

void TreeBuilder::add(ByteView key, ByteView value) {
    const bool in_run = kRecordHeadBytes + key.size() + value.size() > kRecordBytesMax;
    const size_t bytes =
        kRecordHeadBytes + key.size() + (in_run ? kRunReferenceBytes : value.size());
    PageNo run = kNoPage;
    if (in_run) {
        run = out_.append_run(value);
        tree_.overflow_pages += run_pages(value.size());
    }
    if (count_ == 0 || !tree_.dup || last_key() != key) ++tree_.keys;
    if (count_ > 0 && heap_ < kBodyAt + (count_ + 1) * kLeafEntryBytes + bytes)
        emit_leaf(shortest_separator(last(), {key, in_run ? ByteView() : value}, tree_.dup));
    ++tree_.entries;
    heap_ -= bytes;
    slots_[count_++] = static_cast<uint16_t>(heap_);
    uint8_t* to = leaf_.data() + heap_;
    core::store_le(to, static_cast<uint16_t>(key.size()));
    core::store_le(to + 2, in_run ? kInRun : static_cast<uint16_t>(value.size()));
    to += kRecordHeadBytes;
    if (!key.empty()) std::memcpy(to, key.data(), key.size());
    to += key.size();
    if (in_run) {
        core::store_le(to, run);
        core::store_le(to + 4, static_cast<uint32_t>(value.size()));
    } else if (!value.empty()) {
        std::memcpy(to, value.data(), value.size());
    }
}

void TreeBuilder::emit_leaf(const Separator& next) {
    uint8_t* const page = leaf_.data();
    const auto key_of = [page](uint16_t slot) {
        return ByteView(page + slot + kRecordHeadBytes, core::load_le<uint16_t>(page + slot));
    };
    // Keys ascend: what the first and the last share, all share.
    const ByteView first = key_of(slots_[0]);
    const ByteView prefix = first.sub(0, common_bytes(first, key_of(slots_[count_ - 1])));
    leaf_init(page);
    PageHeader& head = header(page);
    head.count = static_cast<uint16_t>(count_);
    head.heap = static_cast<uint16_t>(heap_);
    head.prefix_bytes = static_cast<uint16_t>(prefix.size());
    head.prefix_head = head_of(prefix.sub(0, kHeadBytes), 0);
    uint8_t* to = page + kBodyAt;
    for (size_t i = 0; i < count_; ++i, to += kHeadBytes)
        core::store_le(to, head_of(key_of(slots_[i]), prefix.size()));
    std::memcpy(to, slots_.data(), count_ * sizeof slots_[0]);
    to += count_ * sizeof slots_[0];
    std::memset(to, 0, static_cast<size_t>(page + heap_ - to));
    const PageNo number = out_.append_page(page);
    ++tree_.leaf_pages;
    add_link(0, separator_, number, count_);
    std::ranges::copy(next.key, separator_key_.begin());
    std::ranges::copy(next.value, separator_value_.begin());
    separator_ = {{separator_key_.data(), next.key.size()},
                  {separator_value_.data(), next.value.size()}};
    begin_leaf();
}

void TreeBuilder::add_link(size_t level, const Separator& separator, PageNo child, uint64_t count) {
    if (level == levels_.size()) {
        levels_.emplace_back();
        levels_.back().items.reserve(kLinksMax);
        levels_.back().bytes.reserve(kLinksMax * (kKeyBytesMax + kDupValueBytesMax));
    }
    const size_t bytes =
        kBranchEntryBytes + kRecordHeadBytes + separator.key.size() + separator.value.size();
    {
        Level& at = levels_[level];
        at.items.push_back({separator, child, count});
        // The prefix, where it is stored, is not longer than a key.
        const bool fits =
            at.bytes_at_most + bytes + kKeyBytesMax <= kBodyBytes ||
            branch_bytes(at.items.data(), at.items.data() + at.items.size()) <= kBodyBytes;
        at.items.pop_back();
        if (!fits) emit_branch(level);
    }
    Level& at = levels_[level];
    const auto keep = [&at](ByteView view) {
        const size_t first = at.bytes.size();
        KEEL_ASSERT(first + view.size() <= at.bytes.capacity(), "views into the bytes must stay");
        core::append(at.bytes, view);
        return ByteView(at.bytes.data() + first, view.size());
    };
    const Separator kept = {keep(separator.key), keep(separator.value)};
    at.items.push_back({kept, child, count});
    at.bytes_at_most += bytes;
}

void TreeBuilder::emit_branch(size_t level) {
    alignas(8) uint8_t page[kPageBytes] = {};
    std::array<uint8_t, kKeyBytesMax> key;
    std::array<uint8_t, kDupValueBytesMax> value;
    Separator separator;
    uint64_t count = 0;
    {
        Level& at = levels_[level];
        for (const BranchItem& item : at.items) count += item.count;
        branch_encode(page, static_cast<uint8_t>(level + 1), at.items.data(),
                      at.items.data() + at.items.size());
        separator = at.items.front().separator;
        std::ranges::copy(separator.key, key.begin());
        std::ranges::copy(separator.value, value.begin());
        separator = {{key.data(), separator.key.size()}, {value.data(), separator.value.size()}};
        at.items.clear();
        at.bytes.clear();
        at.bytes_at_most = 0;
        at.emitted = true;
    }
    const PageNo number = out_.append_page(page);
    ++tree_.branch_pages;
    add_link(level + 1, separator, number, count);
}

Tree TreeBuilder::finish() {
    if (count_ == 0) return tree_;  // an empty table: a leaf is begun by an entry only
    emit_leaf({});
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

}  // namespace keel::db::mem
