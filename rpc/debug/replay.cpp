#include "rpc/debug/replay.hpp"

#include <fmt/format.h>

#include "chain/chain.hpp"
#include "chain/dao.hpp"
#include "chain/system_calls.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"

namespace keel::rpc::debug {

core::unexpected<Error> BlockReplay::refused(const chain::Rejection& rejection) const {
    if (!is_stored_) return fail(Code::Failed, "tracing failed: " + rejection.text);
    throw core::Fault(core::FaultKind::Damaged,
                      fmt::format("stored block {} {} is refused: {}", sealed_.block.header.number,
                                  core::to_hex_prefixed(sealed_.hash), rejection.text));
}

Answer<std::unique_ptr<BlockReplay>> BlockReplay::of(Call& call, const chain::BlockId& id) {
    if (id.number == 0) return fail(Code::Failed, "genesis is not traceable");
    const chain::BlockReader& blocks = call.snapshot().blocks();
    auto sealed = crypto::seal(blocks.block_rlp(id));
    if (!sealed) throw core::Fault(core::FaultKind::Damaged, "a stored block does not decode");
    for (size_t i = 0; i < sealed->tx_hashes.size(); ++i) {
        const auto sender = blocks.sender(id, i);
        if (!sender) {
            throw core::Fault(core::FaultKind::Damaged, "sender of a transaction is missing");
        }
        sealed->senders.push_back(*sender);
    }
    std::unique_ptr<BlockReplay> replay(new BlockReplay(call, *std::move(sealed)));
    if (auto begun = replay->begin(blocks.parent_of(id)); !begun) {
        return core::unexpected(begun.error());
    }
    return replay;
}

Answer<std::unique_ptr<BlockReplay>> BlockReplay::of_given(Call& call, crypto::SealedBlock sealed) {
    const core::Header& header = sealed.block.header;
    if (header.number == 0) return fail(Code::Failed, "genesis is not traceable");
    const chain::BlockId parent{header.number - 1, header.parent_hash};
    if (call.snapshot().blocks().id_of(header.parent_hash) != parent) {
        return fail(Code::Failed,
                    fmt::format("parent {} not found", core::to_hex_prefixed(header.parent_hash)));
    }
    const chain::ForkSchedule& schedule = *call.backend.schedule;
    const chain::BlockId id{header.number, sealed.hash};
    const chain::BlockRules rules = call.snapshot().rules(schedule, id, header);
    if (const auto recovered = crypto::recover_senders(sealed, rules.rules); !recovered) {
        return fail(Code::Failed,
                    fmt::format("invalid signature of transaction {}", recovered.error().tx_index));
    }
    std::unique_ptr<BlockReplay> replay(new BlockReplay(call, std::move(sealed)));
    replay->is_stored_ = false;
    if (auto begun = replay->begin(parent); !begun) return core::unexpected(begun.error());
    return replay;
}

Answer<void> BlockReplay::begin(const chain::BlockId& parent) {
    Snapshot& snapshot = call_.snapshot();
    auto state = snapshot.state(parent);
    if (!state) return core::unexpected(state.error());
    state_ = *std::move(state);
    hashes_ = chain::ancestor_hashes(snapshot.txn(), snapshot.tables(), parent);
    const core::Header& header = sealed_.block.header;
    const chain::ForkSchedule& schedule = *call_.backend.schedule;
    const chain::BlockRules rules =
        snapshot.rules(schedule, {.number = header.number, .hash = sealed_.hash}, header);
    env_ = chain::block_env(header, rules, schedule.config());
    room_ = chain::tx_room(env_);
    journal().begin_block(*state_, *hashes_);
    const auto begun = chain::begin_block_calls(call_.worker.workspace(), journal(), env_, header);
    if (!begun) return refused(begun.error());
    if (chain::is_dao_block(schedule.config(), header.number)) {
        chain::move_dao_balances(journal(), rules.rules);
    }
    return {};
}

TracedTx BlockReplay::describe_next(uint64_t deadline_ms) {
    return {.tx = sealed_.block.txs.at(next_),
            .sender = sealed_.senders.at(next_),
            .env = env_,
            .journal = journal(),
            .block_hash = sealed_.hash,
            .hash = sealed_.tx_hashes.at(next_),
            .index = next_,
            .logs_before = logs_before_,
            .deadline_ms = deadline_ms};
}

Answer<chain::TxOutcome> BlockReplay::run_next(evm::Tracer* tracer) {
    const core::Tx& tx = sealed_.block.txs.at(next_);
    evm::Workspace& workspace = call_.worker.workspace();
    const Watched watched(workspace, tracer);
    auto outcome =
        chain::execute_tx(workspace, journal(), env_, tx, sealed_.senders.at(next_), room_);
    if (!outcome) return refused(outcome.error());
    room_.gas_left -= outcome->gas_used;
    room_.blob_gas_left -= tx.blob_hashes.size() * chain::kGasPerBlob;
    logs_before_ += outcome->logs.size();
    ++next_;
    return *std::move(outcome);
}

std::unique_ptr<state::StateReader> BlockReplay::take_state() {
    layer_.changes = journal().take_changes();
    // Roots are not computed here; it only matters whether there is any storage.
    for (state::AccountChange& change : layer_.changes.accounts) {
        if (!change.after || change.after->storage_root != core::kEmptyTrieRoot) continue;
        for (uint32_t i = 0; i < change.slot_count; ++i) {
            if (layer_.changes.slots[change.first_slot + i].after.is_zero()) continue;
            change.after->storage_root = {};
            break;
        }
    }
    return std::make_unique<state::LayeredState>(*state_, path_);
}

}  // namespace keel::rpc::debug
