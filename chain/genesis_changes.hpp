#pragma once

#include <memory>

#include "chain/genesis.hpp"
#include "state/change_set.hpp"
#include "state/state_root.hpp"

namespace keel::chain {

/// The state of `alloc` as changes of nothing; storage roots not yet resolved. Empty accounts stay
/// (EVM.md 8.1).
state::ChangeSet genesis_changes(const std::map<core::Address, GenesisAccount>& alloc);

/// The state of a genesis, whichever form its alloc has.
std::shared_ptr<const state::NewState> genesis_state(const Genesis& genesis);

/// Root of such changes; `rows` may be null.
core::Hash32 resolve_genesis(state::ChangeSet& changes, state::TrieChanges* rows);

}  // namespace keel::chain
