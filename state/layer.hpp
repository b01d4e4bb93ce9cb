#pragma once

#include <optional>
#include <span>
#include <vector>

#include "state/change_set.hpp"
#include "state/reader.hpp"
#include "state/state_root.hpp"

namespace keel::state {

/// What one step does to a state: execution of a block relative to its parent, or the way from the
/// newest state to that of another block. It belongs to the two states, not to whatever the head
/// is, so it stays right when the head moves.
struct Layer {
    ChangeSet changes;  // storage roots resolved
    TrieChanges tries;

    /// What it takes in memory, about.
    size_t bytes() const noexcept {
        size_t codes = 0;
        for (const NewCode& code : changes.codes) codes += code.code.size();
        return changes.accounts.size() * sizeof(AccountChange) +
               changes.slots.size() * sizeof(SlotChange) + codes + tries.account.bytes() +
               tries.storage.bytes();
    }
};

/// The way back; `tries` are the rows as they were. It has no codes: those that were there before
/// are stored.
Layer way_back(const ChangeSet& changes, TrieChanges tries);

/// From the newest state upwards; the last one is looked through first.
/// lifetime: the layers outlive every view of them.
using LayerPath = std::span<const Layer* const>;

/// The state on top of the layers.
class LayeredState final : public StateReader {
  public:
    /// lifetime: `newest` and the layers.
    LayeredState(StateReader& newest, LayerPath layers) : newest_(newest), layers_(layers) {}

    std::optional<core::Account> account(const core::Address& address) override;
    core::U256 storage(const core::Address& address, const core::U256& slot) override;
    std::optional<core::ByteView> code(const core::Hash32& hash) override;
    void each_slot(const core::Address& address, const OnSlot& on_slot) override;

  private:
    StateReader& newest_;
    LayerPath layers_;
};

/// The tries on top of the layers.
class LayeredTries final : public TrieReader {
  public:
    /// lifetime: `newest` and the layers.
    LayeredTries(TrieReader& newest, LayerPath layers) : newest_(newest), layers_(layers) {}

    std::optional<core::ByteView> account_node(core::ByteView path) override;
    std::optional<core::ByteView> storage_node(const core::Address& address,
                                               core::ByteView path) override;

  private:
    TrieReader& newest_;
    LayerPath layers_;
};

}  // namespace keel::state
