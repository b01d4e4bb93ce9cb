#include <fmt/format.h>

#include <algorithm>

#include "chain/chain.hpp"
#include "chain/execute_tx.hpp"
#include "rpc/eth/call_request.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {
namespace {

/// For the genesis, which has no ancestors.
class NoHashes final : public state::BlockHashes {
  public:
    core::Hash32 block_hash(uint64_t) override { return {}; }
};

std::unique_ptr<state::BlockHashes> hashes_before(Snapshot& snapshot, const chain::BlockId& id) {
    if (id.number == 0) return std::make_unique<NoHashes>();
    return chain::ancestor_hashes(snapshot.txn(), snapshot.tables(),
                                  snapshot.blocks().parent_of(id));
}

/// The environment of the block, with what the caller wants to be otherwise.
chain::BlockEnv environment(Call& call, const chain::BlockId& id, const BlockOverride& change) {
    const chain::ForkSchedule& schedule = *call.backend.schedule;
    core::Header header = call.snapshot().header(id);
    chain::BlockRules rules = call.snapshot().rules(schedule, id, header);
    if (change.number) header.number = *change.number;
    if (change.time) header.timestamp = *change.time;
    if (change.number || change.time) {
        rules = schedule.at(header.number, header.timestamp, rules.rules.eip_3675);
    }
    chain::BlockEnv env = chain::block_env(header, rules, schedule.config());
    evm::BlockContext& context = env.context;
    if (change.gas_limit) context.gas_limit = *change.gas_limit;
    if (change.difficulty) context.difficulty = *change.difficulty;
    if (change.fee_recipient) context.coinbase = *change.fee_recipient;
    if (change.prev_randao) context.prev_randao = *change.prev_randao;
    if (change.base_fee) context.base_fee = *change.base_fee;
    if (change.blob_base_fee) context.blob_base_fee = *change.blob_base_fee;
    return env;
}

/// Nothing is owed to anybody: only funds are checked, and prices where one was given.
constexpr chain::TxChecks kCallChecks = {
    .nonce = false, .sender_is_eoa = false, .balance = true, .base_fee = false, .gas_cap = false};

Answer<void> write_outcome(JsonOut& out, const chain::TxOutcome& outcome) {
    if (outcome.succeeded()) {
        out.data(outcome.output);
        return {};
    }
    if (outcome.status == evm::Status::Revert) {
        return core::unexpected(Error{.code = Code::Reverted,
                                      .message = revert_message(outcome.output),
                                      .data = outcome.output});
    }
    return fail(Code::Failed, std::string(vm_error_text(outcome.status)));
}

}  // namespace

Answer<void> call(Call& call) {
    Args args(call.params, 4);
    const auto object = args.object(0);
    const BlockSelector selector = args.block_or_latest(1);
    const auto state_object = args.optional_object(2);
    const auto block_object = args.optional_object(3);
    if (!args.ok()) return args.error();
    const auto request = parse_call_request(*object);
    if (!request) return core::unexpected(request.error());
    const auto state_change = parse_state_override(state_object);
    if (!state_change) return core::unexpected(state_change.error());
    const auto block_change = parse_block_override(block_object);
    if (!block_change) return core::unexpected(block_change.error());

    const auto id = call.snapshot().require(selector);
    if (!id) return core::unexpected(id.error());
    const auto state = call.snapshot().state(*id);
    if (!state) return core::unexpected(state.error());
    const core::U256 chain_id(call.backend.schedule->config().chain_id);
    if (request->chain_id && *request->chain_id != chain_id) {
        return fail(Code::Failed,
                    fmt::format("chainId does not match node's (have={}, want={})",
                                request->chain_id->to_decimal(), chain_id.to_decimal()));
    }

    chain::BlockEnv env = environment(call, *id, *block_change);
    const uint64_t gas =
        std::min(request->gas.value_or(call.backend.call_gas_cap), call.backend.call_gas_cap);
    const core::Tx tx = request->to_tx(gas, env.rules.rules.eip_1559);
    // Without a price nothing costs anything, as geth has it.
    if (tx.max_fee.is_zero() && tx.max_priority_fee.is_zero()) env.context.base_fee = {};
    if (tx.max_fee_per_blob_gas.is_zero()) env.context.blob_base_fee = {};
    chain::TxRoom room = chain::tx_room(env);
    room.gas_left = UINT64_MAX;

    OverriddenState overridden(**state, *state_change);
    state::StateReader& reader =
        state_change->empty() ? **state : static_cast<state::StateReader&>(overridden);
    const auto hashes = hashes_before(call.snapshot(), *id);
    state::Journal& journal = call.worker.journal();
    journal.begin_block(reader, *hashes);
    const auto outcome = chain::execute_tx(call.worker.workspace(), journal, env, tx, request->from,
                                           room, kCallChecks);
    if (!outcome) {
        return fail(Code::Failed,
                    fmt::format("err: {} (supplied gas {})", outcome.error().text, gas));
    }
    return write_outcome(call.out, *outcome);
}

}  // namespace keel::rpc::eth
