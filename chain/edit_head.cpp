// Values of the head's state that no transaction has put there (solo mode).

#include <algorithm>

#include "chain/chain_impl.hpp"
#include "chain/log_index.hpp"
#include "core/base.hpp"
#include "state/codecs.hpp"
#include "state/history.hpp"
#include "state/indexer.hpp"
#include "state/state_root.hpp"

namespace keel::chain {

using state::AccountValue;
using state::SlotValue;
using state::Values;

namespace {

/// Slots of both, ascending; `first` counts where both have one.
void merge_slots(Values& into, AccountValue& account, std::span<const SlotValue> first,
                 std::span<const SlotValue> second) {
    account.first_slot = static_cast<uint32_t>(into.slots.size());
    std::ranges::set_union(first, second, std::back_inserter(into.slots), {}, &SlotValue::slot,
                           &SlotValue::slot);
    account.slot_count = static_cast<uint32_t>(into.slots.size()) - account.first_slot;
}

/// All keys of both; where both have one the older value counts.
Values merged(const Values& older, const Values& newer) {
    Values both;
    auto old_one = older.accounts.begin();
    auto new_one = newer.accounts.begin();
    while (old_one != older.accounts.end() || new_one != newer.accounts.end()) {
        const bool has_old =
            old_one != older.accounts.end() &&
            (new_one == newer.accounts.end() || !(new_one->address < old_one->address));
        const bool has_new =
            new_one != newer.accounts.end() && (!has_old || new_one->address == old_one->address);
        AccountValue account = has_old ? *old_one : *new_one;
        merge_slots(both, account,
                    has_old ? older.slots_of(*old_one) : std::span<const SlotValue>(),
                    has_new ? newer.slots_of(*new_one) : std::span<const SlotValue>());
        both.accounts.push_back(account);
        if (has_old) ++old_one;
        if (has_new) ++new_one;
    }
    return both;
}

}  // namespace

/// So that the keys that join its change set are found by the history.
void ForkChoice::unindex_head(db::WriteTxn& txn, const BlockId& block) const {
    if (block.number == 0 || BlockReader(txn, tables_).indexed() < block.number) return;
    state::StateShift unwound(txn, tables_);
    Values values = state::read_change_set(txn, tables_, block.number);
    unwound.exchange(values);
    const uint64_t last = block.number - 1;
    state::unindex_history(txn, tables_, unwound, last);
    unindex_logs(txn, tables_, std::span(&block, 1), last);
    put_setting(txn, tables_, setting::kIndexed, state::number_key(last));
}

void ForkChoice::edit_head(db::WriteTxn& txn, Values& values,
                           std::span<const state::NewCode> codes) {
    const BlockId block = head(txn);
    unindex_head(txn, block);
    state::Layer layer;
    {
        state::StateShift shift(txn, tables_);
        shift.exchange(values);
        layer.changes = shift.net();
    }
    layer.changes.codes.assign(codes.begin(), codes.end());
    state::NewestTries tries(txn, tables_);
    const core::Hash32 root = state::resolve_state_root(tries, layer.changes, &layer.tries);
    const Values before = merged(state::read_change_set(txn, tables_, block.number), values);
    state::delete_change_set(txn, tables_, block.number);
    state::write_change_set(txn, tables_, block.number, before);
    write_state(txn, layer);
    const auto header = BlockReader(txn, tables_).header(block);
    KEEL_ASSERT(header.has_value(), "the head is a stored block");
    put_edited_root(txn, tables_, block,
                    root == header->state_root ? std::nullopt : std::optional(root));
    // Those in memory lead to what this state was.
    layers_.clear();
    bases_.clear();
}

void Chain::edit_head(db::WriteTxn& txn, Values& values, std::span<const state::NewCode> codes) {
    impl_->fork_choice.edit_head(txn, values, codes);
}

}  // namespace keel::chain
