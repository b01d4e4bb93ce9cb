#include "state/trie/eager_trie.hpp"

#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "state/trie/nibbles.hpp"
#include "state/trie/node.hpp"

namespace keel::state {

namespace {

using core::Bytes;
using core::ByteView;
using Values = std::map<Bytes, Bytes>;
using Nodes = std::map<Bytes, Bytes>;

Bytes nibbles_of(ByteView key) {
    Bytes nibbles(2 * key.size());
    expand_nibbles(key, nibbles.data());
    return nibbles;
}

/// Builds the node of the values [first, last), which share `depth` nibbles, and everything below;
/// returns its RLP. Source: yellow paper, appendix D, functions c and n.
Bytes build(Values::const_iterator first, Values::const_iterator last, size_t depth, Nodes& nodes);

/// Appends what the parent of those values holds.
void append_reference(Bytes& to, Values::const_iterator first, Values::const_iterator last,
                      size_t depth, Nodes& nodes) {
    if (first == last) {
        core::rlp_append_string(to, ByteView());
        return;
    }
    const Bytes rlp = build(first, last, depth, nodes);
    if (rlp.size() < core::Hash32::kSize)
        core::append(to, rlp);
    else
        core::rlp_append_string(to, crypto::keccak256(rlp));
}

Bytes build(Values::const_iterator first, Values::const_iterator last, size_t depth, Nodes& nodes) {
    const ByteView front = first->first;
    const ByteView back = std::prev(last)->first;
    const size_t shared = common_prefix(front, back);
    Bytes rlp;
    Bytes packed;
    if (std::next(first) == last) {
        append_hex_prefix(packed, front.sub(depth), true);
        core::rlp_append_string(rlp, packed);
        core::rlp_append_string(rlp, first->second);
    } else if (shared > depth) {
        append_hex_prefix(packed, front.sub(depth, shared - depth), false);
        core::rlp_append_string(rlp, packed);
        append_reference(rlp, first, last, shared, nodes);
    } else {
        ByteView value;
        auto from = first;
        if (from->first.size() == depth) value = (from++)->second;
        for (uint8_t nibble = 0; nibble < 16; ++nibble) {
            auto to = from;
            while (to != last && to->first[depth] == nibble) ++to;
            append_reference(rlp, from, to, depth + 1, nodes);
            from = to;
        }
        core::rlp_append_string(rlp, value);
    }
    core::rlp_end_list(rlp, 0);
    nodes[front.sub(0, depth).to_bytes()] = rlp;
    return rlp;
}

}  // namespace

void EagerTrie::insert(ByteView key, ByteView value) {
    if (value.empty())
        erase(key);
    else
        values_[nibbles_of(key)] = value.to_bytes();
}

void EagerTrie::erase(ByteView key) {
    values_.erase(nibbles_of(key));
}

core::Hash32 EagerTrie::root() const {
    if (values_.empty()) return empty_root();
    Nodes nodes;
    return crypto::keccak256(build(values_.begin(), values_.end(), 0, nodes));
}

std::map<Bytes, Bytes> EagerTrie::nodes() const {
    Nodes nodes;
    if (!values_.empty()) build(values_.begin(), values_.end(), 0, nodes);
    return nodes;
}

}  // namespace keel::state
