#pragma once

#include <array>
#include <optional>

#include "core/rlp.hpp"
#include "core/types/hash.hpp"
#include "state/trie/nibbles.hpp"

namespace keel::state {

/// Root of a trie without keys: keccak256 of the empty string's RLP.
core::Hash32 empty_root() noexcept;

enum class NodeKind : uint8_t { Leaf, Extension, Branch };

/// What a parent holds of a child, as an RLP item with its header: a string of 32 bytes (keccak256
/// of the child's RLP) or, where that RLP is shorter than 32 bytes, the RLP itself. An empty view
/// means that there is no child. Source: yellow paper, appendix D.
using ChildReference = core::ByteView;

/// The hash in a reference; none when the child is embedded or absent.
std::optional<core::Hash32> referenced_hash(ChildReference reference) noexcept;

/// The parts of one node; all views alias the decoded RLP.
struct NodeView {
    NodeKind kind = NodeKind::Leaf;
    PackedPath path;                            // leaf, extension
    core::ByteView value;                       // leaf; branch: empty unless a key ends there
    ChildReference child;                       // extension
    std::array<ChildReference, 16> children{};  // branch
};

/// Strict: fails on everything that is not exactly one node. Whether an embedded child is a node is
/// seen when it is decoded itself.
core::RlpResult<NodeView> decode_node(core::ByteView rlp);

}  // namespace keel::state
