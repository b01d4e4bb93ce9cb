#include "chain/chain.hpp"

#include <algorithm>

#include "chain/ancestors.hpp"
#include "chain/chain_impl.hpp"
#include "chain/genesis.hpp"
#include "chain/log_index.hpp"
#include "core/fault.hpp"
#include "state/codecs.hpp"
#include "state/history.hpp"
#include "state/indexer.hpp"
#include "state/unwind.hpp"

namespace keel::chain {

namespace {

ChainConfig stored_config(const db::Database& database, const state::Tables& tables) {
    const db::ReadTxn txn = database.begin_ro();
    const BlockReader reader(txn, tables);
    reader.genesis_hash();  // tells what to do when there is none
    const auto json = reader.setting(setting::kConfig);
    if (!json) {
        throw core::Fault(core::FaultKind::Damaged,
                          "table Chain has a genesis but no config: run keel db check");
    }
    return parse_chain_config(json->text(), "config in the data directory");
}

}  // namespace

Chain::Impl::Impl(const db::Database& database, Options chain_options)
    : options(std::move(chain_options)),
      tables(database),
      schedule(stored_config(database, tables)),
      fork_choice(tables),
      ethash(options.ethash != nullptr ? *options.ethash : own_ethash) {
    executor.workspace.set_tracer(options.tracer);
    executor.state_roots = options.state_roots;
}

const StoredBlock* Chain::Impl::find(const db::ReadTxn& txn, const core::Hash32& hash) {
    if (head_block && head_block->id.hash == hash) return &*head_block;
    if (last_block && last_block->id.hash == hash) return &*last_block;
    const BlockReader reader(txn, tables);
    const auto id = reader.id_of(hash);
    if (!id) return nullptr;
    auto header = reader.header(*id);
    const auto total_difficulty = reader.total_difficulty(*id);
    if (!header || !total_difficulty) {
        throw core::Fault(core::FaultKind::Damaged,
                          "header or total difficulty of a stored block is missing: run keel db "
                          "check");
    }
    bool proof_of_stake = false;
    if (id->number > 0) {
        const auto before = reader.total_difficulty(reader.parent_of(*id));
        proof_of_stake = before && schedule.is_proof_of_stake(*before);
    }
    last_block = StoredBlock{*id, *std::move(header), *total_difficulty, proof_of_stake};
    return &*last_block;
}

const StoredBlock& Chain::Impl::head(const db::ReadTxn& txn) {
    if (!head_block) {
        const StoredBlock* found = find(txn, fork_choice.head(txn).hash);
        if (found == nullptr) {
            throw core::Fault(core::FaultKind::Damaged,
                              "the head is not a stored block: run keel db check");
        }
        head_block = *found;
    }
    return *head_block;
}

Chain::Chain(const db::Database& database, Options options)
    : impl_(std::make_unique<Impl>(database, std::move(options))) {}

Chain::~Chain() = default;

const ForkSchedule& Chain::schedule() const noexcept {
    return impl_->schedule;
}

const state::Tables& Chain::tables() const noexcept {
    return impl_->tables;
}

bool Chain::set_head(db::WriteTxn& txn, const core::Hash32& hash) {
    const auto id = BlockReader(txn, impl_->tables).id_of(hash);
    if (!id) return false;
    if (impl_->fork_choice.head(txn) == *id) return true;
    impl_->fork_choice.set_head(txn, *id);
    const StoredBlock* block = impl_->find(txn, hash);
    impl_->head_block = *block;
    return true;
}

void Chain::set_safe(db::WriteTxn& txn, const std::optional<BlockId>& id) {
    put_position(txn, impl_->tables, setting::kSafe, id);
}

void Chain::set_finalized(db::WriteTxn& txn, const std::optional<BlockId>& id) {
    put_position(txn, impl_->tables, setting::kFinalized, id);
}

std::optional<BadBlock> Chain::bad_block(const db::ReadTxn& txn, const core::Hash32& hash) const {
    auto bad = find_bad_block(txn, impl_->tables, hash);
    if (bad && bad->producer != impl_->options.producer) return std::nullopt;
    return bad;
}

void Chain::on_abort() {
    impl_->fork_choice.on_abort();
    impl_->head_block.reset();
    impl_->last_block.reset();
    impl_->pending_bytes = 0;
}

void Chain::on_commit() {
    impl_->fork_choice.on_commit();
    impl_->pending_bytes = 0;
}

size_t Chain::pending_bytes() const noexcept {
    return impl_->pending_bytes;
}

bool Chain::index(db::WriteTxn& txn, uint64_t blocks_max) {
    const state::Tables& tables = impl_->tables;
    const uint64_t head = impl_->fork_choice.head(txn).number;
    const uint64_t indexed = BlockReader(txn, tables).indexed();
    const uint64_t last = indexed + std::min(blocks_max, head - indexed);
    if (last == indexed) return last == head;
    state::index_history(txn, tables, indexed + 1, last + 1);
    index_logs(txn, tables, indexed + 1, last + 1);
    put_setting(txn, tables, setting::kIndexed, state::number_key(last));
    return last == head;
}

std::unique_ptr<state::StateReader> state_at(const db::ReadTxn& txn, const state::Tables& tables,
                                             uint64_t canonical_number) {
    const BlockReader reader(txn, tables);
    const auto head = reader.head();
    if (!head || canonical_number >= head->number) {
        return std::make_unique<state::NewestState>(txn, tables);
    }
    return std::make_unique<state::PastState>(
        txn, tables, canonical_number,
        state::HistoryEnd{.head = head->number, .indexed = reader.indexed()});
}

state::ChangeSet changes_back_to(const db::ReadTxn& txn, const state::Tables& tables,
                                 uint64_t canonical_number) {
    state::StateShift shift(txn, tables);
    const auto head = BlockReader(txn, tables).head();
    for (uint64_t number = head ? head->number : 0; number > canonical_number; --number) {
        state::Values before = state::read_change_set(txn, tables, number);
        shift.exchange(before);
    }
    return shift.net();
}

std::unique_ptr<state::BlockHashes> ancestor_hashes(const db::ReadTxn& txn,
                                                    const state::Tables& tables,
                                                    const BlockId& parent) {
    return std::make_unique<AncestorHashes>(txn, tables, parent);
}

}  // namespace keel::chain
