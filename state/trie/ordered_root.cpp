#include "state/trie/ordered_root.hpp"

#include <array>
#include <vector>

#include "core/base.hpp"
#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "state/trie/nibbles.hpp"
#include "state/trie/node.hpp"

namespace keel::state {

namespace {

using core::Bytes;
using core::ByteView;

constexpr uint64_t kSmallIndexEnd = 0x80;        // below it an index is its own RLP, but 0 is 0x80
constexpr size_t kIndexNibblesMax = 18;          // 9 bytes of RLP
constexpr size_t kLeafOverheadMax = 9 + 11 + 9;  // headers of list and value, the packed path
/// Second parts below it are joined with what stands before them.
constexpr size_t kJoinedBytesMax = 1024;

struct Item {
    std::array<uint8_t, kIndexNibblesMax> nibbles;
    size_t count;
    crypto::TwoParts value;

    ByteView key() const noexcept { return {nibbles.data(), count}; }
    size_t value_size() const noexcept { return value.first.size() + value.second.size(); }
    ByteView joined_part() const noexcept {
        return value.second.size() < kJoinedBytesMax ? value.second : ByteView();
    }
    ByteView part_apart() const noexcept {
        return value.second.size() < kJoinedBytesMax ? ByteView() : value.second;
    }
};

/// What a parent holds of a node: its RLP below 32 bytes, else the string of its hash.
struct Reference {
    std::array<uint8_t, 33> bytes;
    size_t count = 0;

    void set(ByteView rlp) noexcept {
        count = rlp.size();
        std::copy(rlp.begin(), rlp.end(), bytes.begin());
    }
    void set(const core::Hash32& hash) noexcept {
        bytes[0] = 0xa0;
        std::copy_n(hash.data(), core::Hash32::kSize, bytes.begin() + 1);
        count = bytes.size();
    }
    ByteView view() const noexcept { return {bytes.data(), count}; }
};

/// No rlp(index) begins with another one, so every value stands in a leaf, whose depth its two
/// neighbours decide: the leaves, nearly all of the bytes, are encoded and hashed first, as one
/// batch.
class OrderedTrie {
  public:
    template <class Value>
    explicit OrderedTrie(std::span<const Value> values) {
        items_.reserve(values.size());
        const size_t small_end = std::min<size_t>(values.size(), kSmallIndexEnd);
        for (size_t index = 1; index < small_end; ++index) add(index, values[index]);
        add(0, values[0]);
        for (size_t index = small_end; index < values.size(); ++index) add(index, values[index]);
        hash_leaves();
    }

    core::Hash32 root() {
        Bytes rlp;
        if (items_.size() == 1) {
            append_leaf_start(items_[0], 0, rlp);
            const ByteView apart = items_[0].part_apart();
            return apart.empty() ? crypto::keccak256(rlp) : crypto::keccak256(rlp, apart);
        }
        encode(0, items_.size(), 0, rlp);
        return crypto::keccak256(rlp);
    }

  private:
    void add(uint64_t index, ByteView value) { add(index, crypto::TwoParts{value, {}}); }
    void add(uint64_t index, const crypto::TwoParts& value) {
        KEEL_ASSERT(!value.first.empty());
        Bytes key;
        core::rlp_append_uint(key, index);
        Item& item = items_.emplace_back();
        expand_nibbles(key, item.nibbles.data());
        item.count = 2 * key.size();
        item.value = value;
    }

    /// The leaf up to the part of its value that stays where it is.
    void append_leaf_start(const Item& item, size_t depth, Bytes& to) {
        packed_.clear();
        append_hex_prefix(packed_, item.key().sub(depth), true);
        if (item.value.second.empty()) {
            core::rlp_append_list_header(
                to, core::rlp_string_length(packed_) + core::rlp_string_length(item.value.first));
            core::rlp_append_string(to, packed_);
            core::rlp_append_string(to, item.value.first);
            return;
        }
        const size_t size = item.value_size();  // at least 2
        core::rlp_append_list_header(
            to, core::rlp_string_length(packed_) + core::rlp_header_length(size) + size);
        core::rlp_append_string(to, packed_);
        core::rlp_append_string_header(to, size);
        core::append(to, item.value.first);
        core::append(to, item.joined_part());
    }

    void hash_leaves() {
        leaves_.resize(items_.size());
        if (items_.size() == 1) return;  // the root itself
        Bytes encoded;
        size_t length_max = 0;
        for (const Item& item : items_)
            length_max += item.value_size() - item.part_apart().size() + kLeafOverheadMax;
        encoded.reserve(length_max);
        std::vector<size_t> ends;
        size_t before = 0;  // nibbles shared with the item before
        for (size_t at = 0; at < items_.size(); ++at) {
            const bool last = at + 1 == items_.size();
            const size_t after = last ? 0 : common_prefix(items_[at].key(), items_[at + 1].key());
            append_leaf_start(items_[at], std::max(before, after) + 1, encoded);
            ends.push_back(encoded.size());
            before = after;
        }
        std::vector<crypto::TwoParts> inputs;
        std::vector<size_t> hashed;
        size_t begin = 0;
        for (size_t at = 0; at < items_.size(); ++at) {
            const ByteView rlp = ByteView(encoded).sub(begin, ends[at] - begin);
            const ByteView apart = items_[at].part_apart();
            begin = ends[at];
            if (apart.empty() && rlp.size() < core::Hash32::kSize) {
                leaves_[at].set(rlp);
            } else {
                inputs.push_back({rlp, apart});
                hashed.push_back(at);
            }
        }
        std::vector<core::Hash32> hashes(inputs.size());
        crypto::keccak256_batch(inputs, hashes);
        for (size_t at = 0; at < hashed.size(); ++at) leaves_[hashed[at]].set(hashes[at]);
    }

    Reference reference(size_t first, size_t last, size_t depth) {
        if (last - first == 1) return leaves_[first];
        Bytes rlp;
        encode(first, last, depth, rlp);
        Reference result;
        if (rlp.size() < core::Hash32::kSize)
            result.set(ByteView(rlp));
        else
            result.set(crypto::keccak256(rlp));
        return result;
    }

    /// Appends the RLP of the node above items [first, last), two at least, which share `depth`
    /// nibbles.
    void encode(size_t first, size_t last, size_t depth, Bytes& to) {
        const size_t begin = core::rlp_begin_list(to);
        const size_t shared = common_prefix(items_[first].key(), items_[last - 1].key());
        if (shared > depth) {
            Bytes packed;
            append_hex_prefix(packed, items_[first].key().sub(depth, shared - depth), false);
            core::rlp_append_string(to, packed);
            core::append(to, reference(first, last, shared).view());
        } else {
            for (uint8_t nibble = 0; nibble < 16; ++nibble) {
                size_t end = first;
                while (end < last && items_[end].nibbles[depth] == nibble) ++end;
                if (end == first)
                    core::rlp_append_string(to, ByteView());
                else
                    core::append(to, reference(first, end, depth + 1).view());
                first = end;
            }
            core::rlp_append_string(to, ByteView());  // the branch's own value
        }
        core::rlp_end_list(to, begin);
    }

    std::vector<Item> items_;        // ascending by key
    std::vector<Reference> leaves_;  // of each item
    Bytes packed_;
};

}  // namespace

core::Hash32 ordered_root(std::span<const ByteView> values) {
    if (values.empty()) return empty_root();
    return OrderedTrie(values).root();
}

core::Hash32 ordered_root_of_parts(std::span<const crypto::TwoParts> values) {
    if (values.empty()) return empty_root();
    return OrderedTrie(values).root();
}

}  // namespace keel::state
