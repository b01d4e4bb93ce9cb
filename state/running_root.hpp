#pragma once

#include <map>
#include <optional>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "state/change_set.hpp"
#include "state/state_root.hpp"
#include "state/values.hpp"

namespace keel::state {

/// The state root within a block, asked for again and again: receipts before Byzantium carry it
/// after each transaction (EIP-658 ended that). Each time only the keys that changed since are
/// resolved, on top of the nodes that the times before have made.
class RunningRoot {
  public:
    /// lifetime: `stored`, the tries before the block.
    explicit RunningRoot(TrieReader& stored) : nodes_(stored) {}

    /// Root after `dirty`, as Journal::take_dirty_values has it.
    core::Hash32 after(Values dirty);

    /// The storage roots that the block has led to, into its changes.
    void put_storage_roots(ChangeSet& changes) const;
    /// All rows that were made or removed; some may be as they are stored.
    TrieChanges rows() const;
    /// The same rows as they are stored.
    TrieChanges rows_before();

  private:
    struct Less {
        using is_transparent = void;
        bool operator()(core::ByteView a, core::ByteView b) const noexcept { return a < b; }
    };
    /// None: the row is gone.
    using Rows = std::map<core::Bytes, std::optional<core::Bytes>, Less>;

    class Nodes final : public TrieReader {
      public:
        explicit Nodes(TrieReader& stored) : stored_(stored) {}
        std::optional<core::ByteView> account_node(core::ByteView path) override;
        std::optional<core::ByteView> storage_node(const core::Address& address,
                                                   core::ByteView path) override;
        void put(const TrieChanges& changes);
        TrieReader& stored() noexcept { return stored_; }

        Rows account;  // path
        Rows storage;  // address ‖ path

      private:
        TrieReader& stored_;
        core::Bytes key_;
    };

    Nodes nodes_;
    std::map<core::Address, core::Hash32> storage_roots_;  // of accounts whose storage changed
};

}  // namespace keel::state
