#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "chain/block_store.hpp"
#include "db/database.hpp"
#include "state/layer.hpp"
#include "state/tables.hpp"
#include "state/unwind.hpp"

namespace keel::chain {

/// What a block does to the state of its parent, and the trie rows that it replaces.
struct ExecutedLayer {
    state::Layer layer;
    state::TrieChanges tries_before;
};

/// Which of the stored blocks are canonical, and the state of every other one.
///
/// I1. The flat tables and the trie are those of the head.
/// I2. A canonical block has a change set (the values before it), any other one but the genesis a
///     row in ForwardChangeSet (the values after it); never both.
/// I3. A block's layer says what it does to the state of its parent. So the state of any stored
///     block is the newest one, then the way back to where its branch leaves the canonical chain
///     (a *base*), then the layers of its branch; and a layer stays right whatever becomes head.
///
/// Layers of the last kLayersKept executed blocks stay in memory, forwards and backwards. When one
/// is missing, a base is made of the stored values of all blocks on the way, whose trie is resolved
/// once. One thread.
class ForkChoice {
  public:
    static constexpr size_t kLayersKept = 16;
    static constexpr size_t kBasesKept = 4;

    /// lifetime: `tables`.
    explicit ForkChoice(const state::Tables& tables) : tables_(tables) {}

    BlockId head(const db::ReadTxn& txn);

    /// From the newest state to that of a stored block, lowest layer first; empty for the head.
    class Path {
      public:
        state::LayerPath layers() const noexcept { return view_; }
        void push(std::shared_ptr<const state::Layer> layer) {
            view_.push_back(layer.get());
            owned_.push_back(std::move(layer));
        }

      private:
        std::vector<std::shared_ptr<const state::Layer>> owned_;
        std::vector<const state::Layer*> view_;
    };
    Path path_to(const db::ReadTxn& txn, const BlockId& block);

    /// A block that was executed on the head becomes head. Its parts are stored already.
    void extend(db::WriteTxn& txn, const BlockId& block, std::span<const core::Hash32> tx_hashes,
                ExecutedLayer layer);
    /// A block that was executed and does not become head now.
    void add_branch_block(db::WriteTxn& txn, const BlockId& block, ExecutedLayer layer);

    /// Makes a stored block head: unwinds to the common ancestor, applies the branch. Nothing is
    /// executed, and nothing is hashed where layers and bases in memory lead there; else the root
    /// is resolved once over all blocks. Throws Fault::Damaged when it is not the header's.
    void set_head(db::WriteTxn& txn, const BlockId& block);

    /// Values of the head's state, exchanged: see Chain::edit_head.
    void edit_head(db::WriteTxn& txn, state::Values& values, std::span<const state::NewCode> codes);

    /// What was kept since the last commit belongs to a transaction that is gone.
    void on_abort();
    void on_commit();

  private:
    struct Kept {
        BlockId block;
        std::shared_ptr<const state::Layer> layer;
        std::shared_ptr<const state::Layer> back;  // from the block's state to its parent's
        bool committed;
    };
    struct Base {
        BlockId block;
        std::shared_ptr<const state::Layer> layer;  // from the head's state
    };
    /// A block's ancestors and itself that are not canonical, newest first; and the canonical block
    /// that they grow from.
    struct Branch {
        std::vector<BlockId> blocks;
        BlockId fork;
    };

    Branch branch_of(const BlockReader& reader, const BlockId& block) const;
    const Kept* find_kept(const BlockId& block) const;
    /// Layers that lead from the head back to `fork`, or the last of them to a base; false: some
    /// are not kept.
    bool push_way_back(const BlockReader& reader, const BlockId& head, const BlockId& fork,
                       Path& path) const;
    std::optional<Path> path_in_memory(const BlockReader& reader, const BlockId& head,
                                       const Branch& branch) const;
    state::Values after_values_of(const db::ReadTxn& txn, const BlockId& block) const;
    state::Layer resolve(const db::ReadTxn& txn, const state::StateShift& shift,
                         const BlockId& block) const;
    void unindex_head(db::WriteTxn& txn, const BlockId& block) const;
    void unwind(db::WriteTxn& txn, const BlockId& block, state::StateShift& shift) const;
    void unwind(db::WriteTxn& txn, const BlockId& block, const state::Layer& layer) const;
    void make_not_canonical(db::WriteTxn& txn, const BlockId& block, core::ByteView after) const;
    void apply(db::WriteTxn& txn, const BlockId& block, const state::Layer& layer) const;
    void apply(db::WriteTxn& txn, const BlockId& block, state::StateShift& shift) const;
    void make_canonical(db::WriteTxn& txn, const BlockId& block) const;
    void write_state(db::WriteTxn& txn, const state::Layer& layer) const;
    void keep(const BlockId& block, ExecutedLayer layer);
    void move_head(db::WriteTxn& txn, const BlockId& block);

    const state::Tables& tables_;
    std::optional<BlockId> head_;
    std::deque<Kept> layers_;  // oldest first
    std::deque<Base> bases_;   // all from the present head
};

}  // namespace keel::chain
