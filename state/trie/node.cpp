#include "state/trie/node.hpp"

namespace keel::state {

namespace {

using core::RlpError;
using core::unexpected;

constexpr uint8_t kEmptyString = 0x80;
constexpr uint8_t kHashHeader = 0xa0;  // string of 32 bytes
constexpr uint8_t kListMin = 0xc0;
constexpr size_t kHashItemBytes = 33;

core::RlpResult<ChildReference> child_reference(core::ByteView item) {
    if (item.size() == 1 && item[0] == kEmptyString) return ChildReference{};
    const bool hash = item.size() == kHashItemBytes && item[0] == kHashHeader;
    const bool embedded = item[0] >= kListMin && item.size() < core::Hash32::kSize;
    if (!hash && !embedded) return unexpected(RlpError::InvalidValue);
    return item;
}

core::RlpResult<NodeView> decode_branch(std::array<core::ByteView, 16> items,
                                        core::RlpReader rest) {
    NodeView node;
    node.kind = NodeKind::Branch;
    for (size_t slot = 0; slot < items.size(); ++slot) {
        const auto child = child_reference(items[slot]);
        if (!child) return unexpected(child.error());
        node.children[slot] = *child;
    }
    const auto value = rest.string();
    if (!value) return unexpected(value.error());
    node.value = *value;
    if (const auto end = rest.end(); !end) return unexpected(end.error());
    return node;
}

/// A branch whose children are hashes or nothing, and without a value: nearly every branch of a
/// state trie. None: anything else, for the general way to judge.
std::optional<NodeView> decode_hash_branch(core::ByteView payload) noexcept {
    constexpr size_t kChildren = 16;
    if (payload.size() <= kChildren || (payload.size() - kChildren - 1) % (kHashItemBytes - 1) != 0)
        return std::nullopt;
    NodeView node;
    node.kind = NodeKind::Branch;
    const uint8_t* at = payload.data();
    const uint8_t* const value = payload.end() - 1;
    for (ChildReference& child : node.children) {
        if (at >= value) return std::nullopt;
        if (*at == kEmptyString) {
            ++at;
            continue;
        }
        if (*at != kHashHeader || static_cast<size_t>(value - at) < kHashItemBytes)
            return std::nullopt;
        child = {at, kHashItemBytes};
        at += kHashItemBytes;
    }
    if (at != value || *value != kEmptyString) return std::nullopt;
    return node;
}

core::RlpResult<NodeView> decode_short(core::RlpReader items) {
    const auto packed = items.string();
    if (!packed) return unexpected(packed.error());
    const auto path = parse_hex_prefix(*packed);
    if (!path) return unexpected(RlpError::InvalidValue);
    NodeView node;
    node.path = *path;
    if (path->leaf) {
        node.kind = NodeKind::Leaf;
        const auto value = items.string();
        if (!value) return unexpected(value.error());
        if (value->empty()) return unexpected(RlpError::InvalidValue);
        node.value = *value;
    } else {
        node.kind = NodeKind::Extension;
        const auto item = items.item();
        if (!item) return unexpected(item.error());
        const auto child = child_reference(*item);
        if (!child) return unexpected(child.error());
        if (child->empty() || path->nibbles == 0) return unexpected(RlpError::InvalidValue);
        node.child = *child;
    }
    return node;
}

}  // namespace

core::Hash32 empty_root() noexcept {
    // keccak256(0x80), as the yellow paper's appendix D defines the root of no keys.
    return core::Hash32(std::array<uint8_t, 32>{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6,
                                                0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e,
                                                0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0,
                                                0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21});
}

std::optional<core::Hash32> referenced_hash(ChildReference reference) noexcept {
    if (reference.size() != kHashItemBytes || reference[0] != kHashHeader) return std::nullopt;
    return core::Hash32(reference.sub(1));
}

core::RlpResult<NodeView> decode_node(core::ByteView rlp) {
    const auto outer = core::rlp_outer_list(rlp);
    if (!outer) return unexpected(outer.error());
    if (const auto branch = decode_hash_branch(outer->rest())) return *branch;
    core::RlpReader rest = *outer;
    std::array<core::ByteView, 16> items;
    size_t count = 0;
    while (count < items.size() && !rest.at_end()) {
        const auto item = rest.item();
        if (!item) return unexpected(item.error());
        items[count++] = *item;
    }
    if (count == items.size()) return decode_branch(items, rest);
    if (count < 2) return unexpected(RlpError::ListTooShort);
    if (count > 2) return unexpected(RlpError::UnexpectedLength);
    return decode_short(*outer);
}

}  // namespace keel::state
