#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "core/types/hash.hpp"
#include "state/trie/nibbles.hpp"

namespace keel::state {

/// The stored nodes of one trie, by path. Every node has a row under its own path (one nibble a
/// byte, the root under the empty path), leaves and those short enough to be embedded in their
/// parent too.
class NodeReader {
  public:
    virtual ~NodeReader() = default;
    /// RLP of the node at `path`; none when no node is there. The view lives until the commitment
    /// that asked is destroyed.
    virtual std::optional<core::ByteView> node(core::ByteView path) = 0;
};

/// What becomes of one key of the trie: a new value (never empty), or none: the key is deleted.
struct TrieUpdate {
    core::Hash32 key;  // keccak256 of the address or slot
    std::optional<core::ByteView> value;
};

/// A row of the stored trie that is different now.
struct NodeChange {
    core::ByteView path;
    std::optional<core::ByteView> rlp;     // none: delete it
    std::optional<core::ByteView> before;  // none: it was not there; a view of the NodeReader
};

/// A trie's root after a batch of updates, and the rows that lead to it. Nothing is hashed before
/// the batch is complete: one walk over the nodes that the keys touch, then each touched node is
/// encoded and hashed once, all nodes of one height together. Deleting a key that is not there
/// changes nothing.
class Commitment {
  public:
    /// `updates` ascend by key, each key once; their values live as long as this. Throws
    /// Fault::Damaged when stored nodes do not make a trie.
    static Commitment resolve(NodeReader& stored, std::span<const TrieUpdate> updates);

    /// The same of a trie of which nothing is stored. The values are not looked at afterwards.
    static Commitment resolve_new(std::span<const TrieUpdate> updates);
    /// A part of such a trie: all keys begin with the same `depth` nibbles, so that parts can be
    /// made on several threads. `root` is of no use then.
    static Commitment resolve_part(std::span<const TrieUpdate> updates, size_t depth);

    const core::Hash32& root() const noexcept { return root_; }
    /// Of a part: what the branch above holds of it.
    core::ByteView reference() const noexcept { return reference_; }
    /// Ascending by path; rows that came out as they were are left out.
    std::span<const NodeChange> changes() const noexcept { return changes_; }
    size_t nodes_hashed() const noexcept { return nodes_hashed_; }

  private:
    friend class CommitmentWalk;
    using KeyNibbles = std::array<uint8_t, kKeyNibbles>;

    Commitment() = default;

    core::Hash32 root_;
    core::Bytes reference_;
    size_t nodes_hashed_ = 0;
    std::vector<NodeChange> changes_;   // views of the three below
    std::vector<KeyNibbles> new_keys_;  // of the updates, in their order
    std::deque<KeyNibbles> old_keys_;   // of stored nodes that were read; never moves
    core::Bytes encoded_;
};

}  // namespace keel::state
