#include "rpc/debug/replay.hpp"

#include "chain/chain.hpp"
#include "chain/dao.hpp"
#include "chain/system_calls.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"

namespace keel::rpc::debug {
namespace {

[[noreturn]] void throw_refused(const chain::BlockId& id, const chain::Rejection& rejection) {
    throw core::Fault(core::FaultKind::Damaged, "stored block " + std::to_string(id.number) + " " +
                                                    core::to_hex_prefixed(id.hash) +
                                                    " is refused: " + rejection.text);
}

/// Takes the tracer away again, whatever happens.
class Watched {
  public:
    Watched(evm::Workspace& workspace, evm::Tracer* tracer) : workspace_(workspace) {
        workspace_.set_tracer(tracer);
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    ~Watched() { workspace_.set_tracer(nullptr); }

  private:
    evm::Workspace& workspace_;
};

}  // namespace

Answer<std::unique_ptr<BlockReplay>> BlockReplay::of(Call& call, const chain::BlockId& id) {
    if (id.number == 0) return fail(Code::Failed, "genesis is not traceable");
    Snapshot& snapshot = call.snapshot();
    const chain::BlockReader& blocks = snapshot.blocks();
    const chain::BlockId parent = blocks.parent_of(id);
    std::unique_ptr<BlockReplay> replay(new BlockReplay(call, id));
    auto state = snapshot.state(parent);
    if (!state) return core::unexpected(state.error());
    replay->state_ = *std::move(state);
    replay->hashes_ = chain::ancestor_hashes(snapshot.txn(), snapshot.tables(), parent);
    replay->tx_hashes_ = blocks.tx_hashes(id);
    replay->tx_count_ = replay->tx_hashes_.size();
    const core::Header header = snapshot.header(id);
    const chain::ForkSchedule& schedule = *call.backend.schedule;
    const chain::BlockRules rules = snapshot.rules(schedule, id, header);
    replay->env_ = chain::block_env(header, rules, schedule.config());
    replay->room_ = chain::tx_room(replay->env_);
    state::Journal& journal = call.worker.journal();
    journal.begin_block(*replay->state_, *replay->hashes_);
    const auto begun =
        chain::begin_block_calls(call.worker.workspace(), journal, replay->env_, header);
    if (!begun) throw_refused(id, begun.error());
    if (chain::is_dao_block(schedule.config(), header.number)) {
        chain::move_dao_balances(journal, rules.rules);
    }
    return replay;
}

chain::TxOutcome BlockReplay::run_next(evm::Tracer* tracer) {
    const chain::BlockReader& blocks = call_.snapshot().blocks();
    const core::Tx tx = blocks.tx(id_, next_);
    const auto sender = blocks.sender(id_, next_);
    if (!sender) throw core::Fault(core::FaultKind::Damaged, "sender of a transaction is missing");
    evm::Workspace& workspace = call_.worker.workspace();
    const Watched watched(workspace, tracer);
    auto outcome = chain::execute_tx(workspace, journal(), env_, tx, *sender, room_);
    if (!outcome) throw_refused(id_, outcome.error());
    room_.gas_left -= outcome->gas_used;
    room_.blob_gas_left -= tx.blob_hashes.size() * chain::kGasPerBlob;
    ++next_;
    return *std::move(outcome);
}

}  // namespace keel::rpc::debug
