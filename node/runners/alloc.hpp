#pragma once

#include <memory>
#include <optional>
#include <string>

#include "node/runners/fixture_json.hpp"
#include "state/change_set.hpp"
#include "state/reader.hpp"
#include "state/state_root.hpp"

namespace keel::node::runners {

/// The state that `pre` says, in memory, with its tries. It never changes: every entry of a state
/// test starts from it. Built raw, without the rules of transactions: empty accounts stay. Many
/// readers on one thread.
class AllocState final : public state::StateReader, public state::TrieReader {
  public:
    explicit AllocState(const Alloc& alloc);

    const core::Hash32& root() const noexcept { return root_; }

    std::optional<core::Account> account(const core::Address& address) override;
    core::U256 storage(const core::Address& address, const core::U256& slot) override;
    std::optional<core::ByteView> code(const core::Hash32& hash) override;
    void each_slot(const core::Address& address, const OnSlot& on_slot) override;

    std::optional<core::ByteView> account_node(core::ByteView path) override;
    std::optional<core::ByteView> storage_node(const core::Address& address,
                                               core::ByteView path) override;

  private:
    const state::AccountChange* find_account(const core::Address& address) const;

    state::ChangeSet content_;  // from nothing to `pre`; codes ascending
    state::TrieChanges tries_;
    core::Hash32 root_;
};

/// `before` with `changes` applied.
Alloc applied(const Alloc& before, const state::ChangeSet& changes);

/// What is different first, accounts in ascending order: "account 0x…: balance is …, expected …".
std::optional<std::string> first_difference(const Alloc& expected, const Alloc& actual);

}  // namespace keel::node::runners
