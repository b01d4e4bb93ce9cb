#include "state/trie/whole_trie.hpp"

#include <algorithm>

#include "core/base.hpp"
#include "core/endian.hpp"
#include "core/rlp.hpp"
#include "crypto/keccak.hpp"

namespace keel::state {

namespace {

constexpr size_t kSlots = 16;
// The root and the sixteen nodes below it. All have sixteen children, which are hashes: a node of
// a part is never shorter than one, because the rest of its path is 31 bytes.
constexpr size_t kTops = 1 + kSlots;
constexpr size_t kHashItemBytes = 1 + core::Hash32::kSize;
constexpr size_t kTopPayloadBytes = kSlots * kHashItemBytes + 1;
constexpr size_t kTopBytes = 3 + kTopPayloadBytes;
constexpr uint8_t kNoTop[kTopBytes] = {};
// Paths of the tops: none, or one nibble.
constexpr uint8_t kNibbles[kSlots] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
// Parts that are made ahead of the one whose rows are taken.
constexpr size_t kWindow = 24;
// How far ahead keys and values are asked for, which lie in another order.
constexpr size_t kLookAhead = 12;

core::ByteView path_of_top(size_t top) {
    return top == 0 ? core::ByteView() : core::ByteView(kNibbles + top - 1, 1);
}

core::Bytes branch_of(std::span<const core::Bytes> references) {
    core::Bytes rlp;
    rlp.reserve(kTopBytes);
    core::rlp_append_list_header(rlp, kTopPayloadBytes);
    for (const core::Bytes& reference : references) core::append(rlp, reference);
    core::rlp_append_string(rlp, {});  // no value: keys are all of one length
    KEEL_ASSERT(rlp.size() == kTopBytes);
    return rlp;
}

core::Bytes hash_item(const core::Hash32& hash) {
    core::Bytes item;
    core::rlp_append_string(item, hash);
    return item;
}

}  // namespace

WholeTrie::WholeTrie(std::span<const core::Hash32> keys, const std::vector<bool>& leave_out,
                     size_t value_bytes_max, Values values)
    : keys_(keys),
      leave_out_(leave_out),
      value_bytes_max_(value_bytes_max),
      values_(std::move(values)) {
    group();
    size_t smallest = SIZE_MAX;
    for (size_t part = 0; part < kParts; ++part)
        smallest = std::min(smallest, begin_[part + 1] - begin_[part]);
    in_parts_ = references_.size() >= kKeysOfPartsMin && smallest > 0;
    const size_t count = in_parts_ ? kParts : 1;
    work_.emplace(count, kWindow, threads_for(count), [this](size_t part) { return make(part); });
}

WholeTrie::~WholeTrie() = default;

void WholeTrie::group() {
    const auto counts = [this](size_t index) { return leave_out_.empty() || !leave_out_[index]; };
    for (size_t index = 0; index < keys_.size(); ++index)
        if (counts(index)) ++begin_[keys_[index][0] + size_t{1}];
    for (size_t part = 0; part < kParts; ++part) begin_[part + 1] += begin_[part];
    references_.resize(begin_[kParts]);
    std::array<size_t, kParts> next;
    std::copy_n(begin_.begin(), kParts, next.begin());
    for (size_t index = 0; index < keys_.size(); ++index) {
        if (!counts(index)) continue;
        references_[next[keys_[index][0]]++] = {core::load_be<uint64_t>(keys_[index].data() + 1),
                                                static_cast<uint32_t>(index)};
    }
}

Commitment WholeTrie::make(size_t part) const {
    const auto first = references_.begin() + static_cast<ptrdiff_t>(in_parts_ ? begin_[part] : 0);
    const auto last = in_parts_ ? references_.begin() + static_cast<ptrdiff_t>(begin_[part + 1])
                                : references_.end();
    std::vector<Reference> sorted(first, last);
    std::sort(sorted.begin(), sorted.end(), [&](const Reference& a, const Reference& b) {
        if (in_parts_ && a.head != b.head) return a.head < b.head;
        return keys_[a.index] < keys_[b.index];
    });
    core::Bytes values;
    values.reserve(sorted.size() * value_bytes_max_);  // so that views of it stay
    std::vector<TrieUpdate> updates;
    updates.reserve(sorted.size());
    for (size_t i = 0; i < sorted.size(); ++i) {
        const Reference& reference = sorted[i];
        if (i + kLookAhead < sorted.size()) {
            __builtin_prefetch(&keys_[sorted[i + kLookAhead].index]);
            values_.prefetch(sorted[i + kLookAhead].index);
        }
        const size_t at = values.size();
        values_.append(reference.index, values);
        KEEL_ASSERT(values.size() - at <= value_bytes_max_);
        updates.push_back({keys_[reference.index], core::ByteView(values).sub(at)});
    }
    return in_parts_ ? Commitment::resolve_part(updates, 2) : Commitment::resolve_new(updates);
}

std::optional<WholeTrie::Row> WholeTrie::next() {
    for (;;) {
        if (current_) {
            if (next_change_ < current_->changes().size()) {
                const NodeChange& change = current_->changes()[next_change_++];
                return Row{change.path, *change.rlp};
            }
            current_.reset();
        }
        // A top stands before the first of its parts, the root before all.
        const size_t tops_due = in_parts_ ? 1 + std::min(next_part_ / kSlots + 1, kSlots) : 0;
        if (tops_given_ < tops_due) return Row{path_of_top(tops_given_++), {kNoTop, sizeof kNoTop}};
        if (!begin_part()) return std::nullopt;
    }
}

bool WholeTrie::begin_part() {
    if (next_part_ == work_->count()) return false;
    current_ = work_->next();
    next_change_ = 0;
    if (in_parts_) {
        KEEL_ASSERT(current_->reference().size() == kHashItemBytes);
        part_references_[next_part_] = current_->reference().to_bytes();
    } else {
        root_ = current_->root();
    }
    if (++next_part_ == work_->count() && in_parts_) finish_top();
    return true;
}

void WholeTrie::finish_top() {
    std::array<core::Bytes, kSlots> references;
    top_rlp_.resize(kTops);
    for (size_t slot = 0; slot < kSlots; ++slot) {
        const auto parts = std::span(part_references_).subspan(slot * kSlots, kSlots);
        top_rlp_[1 + slot] = branch_of(parts);
        references[slot] = hash_item(crypto::keccak256(top_rlp_[1 + slot]));
    }
    top_rlp_[0] = branch_of(references);
    root_ = crypto::keccak256(top_rlp_[0]);
    for (size_t top = 0; top < kTops; ++top) top_rows_.push_back({path_of_top(top), top_rlp_[top]});
}

}  // namespace keel::state
