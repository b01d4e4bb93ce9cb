#include "rpc/eth/execution.hpp"

#include <fmt/format.h>

#include "chain/chain.hpp"
#include "rpc/duration.hpp"

namespace keel::rpc::eth {
namespace {

/// For the genesis, which has no ancestors.
class NoHashes final : public state::BlockHashes {
  public:
    core::Hash32 block_hash(uint64_t) override { return {}; }
};

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

}  // namespace

std::string time_over_text(uint64_t limit_ms) {
    return fmt::format("execution aborted (timeout = {})", duration_text(limit_ms));
}

std::unique_ptr<state::BlockHashes> hashes_before(Snapshot& snapshot, const chain::BlockId& id) {
    if (id.number == 0) return std::make_unique<NoHashes>();
    return chain::ancestor_hashes(snapshot.txn(), snapshot.tables(),
                                  snapshot.blocks().parent_of(id));
}

Answer<CallParams> parse_call_params(Args& args, std::optional<JsonValue> object,
                                     std::optional<JsonValue> state_object,
                                     std::optional<JsonValue> block_object) {
    if (!args.ok()) return args.error();
    auto request = parse_call_request(*object);
    if (!request) return core::unexpected(request.error());
    auto state = parse_state_override(state_object);
    if (!state) return core::unexpected(state.error());
    auto block = parse_block_override(block_object);
    if (!block) return core::unexpected(block.error());
    return CallParams{*std::move(request), *std::move(state), *std::move(block)};
}

Answer<std::unique_ptr<Execution>> Execution::of_request(Call& call) {
    Args args(call.params, 4);
    const auto object = args.object(0);
    const BlockSelector selector = args.block_or_latest(1);
    const auto state_object = args.optional_object(2);
    const auto block_object = args.optional_object(3);
    auto params = parse_call_params(args, object, state_object, block_object);
    if (!params) return core::unexpected(params.error());
    const auto id = call.snapshot().require(selector);
    if (!id) return core::unexpected(id.error());
    return prepare(call, *id, *std::move(params));
}

Answer<std::unique_ptr<Execution>> Execution::prepare(Call& call, const chain::BlockId& id,
                                                      CallParams params) {
    auto below = call.snapshot().state(id);
    if (!below) return core::unexpected(below.error());
    return prepare_on(call, id, std::move(params), *std::move(below));
}

Answer<std::unique_ptr<Execution>> Execution::prepare_on(
    Call& call, const chain::BlockId& id, CallParams params,
    std::unique_ptr<state::StateReader> below) {
    const core::U256 chain_id(call.backend.schedule->config().chain_id);
    const CallRequest& request = params.request;
    if (request.chain_id && *request.chain_id != chain_id) {
        return fail(Code::Failed,
                    fmt::format("chainId does not match node's (have={}, want={})",
                                request.chain_id->to_decimal(), chain_id.to_decimal()));
    }
    std::unique_ptr<Execution> execution(new Execution(call, std::move(params)));
    execution->env_ = environment(call, id, execution->params_.block);
    // Without a price nothing costs anything, as geth has it.
    const core::Tx tx = execution->tx(0);
    evm::BlockContext& context = execution->env_.context;
    if (tx.max_fee.is_zero() && tx.max_priority_fee.is_zero()) context.base_fee = {};
    if (tx.max_fee_per_blob_gas.is_zero()) context.blob_base_fee = {};
    execution->below_ = std::move(below);
    execution->top_ = execution->below_.get();
    if (const StateOverride& state = execution->params_.state; !state.empty()) {
        execution->top_ = &execution->overridden_.emplace(*execution->below_, state);
        auto precompiles = moved_precompiles(state, execution->env_.rules.rules);
        if (!precompiles) return core::unexpected(precompiles.error());
        execution->precompiles_ = *std::move(precompiles);
    }
    execution->hashes_ = hashes_before(call.snapshot(), id);
    return execution;
}

core::Result<chain::TxOutcome, chain::Rejection> Execution::execute(const core::Tx& tx) {
    chain::TxRoom room = chain::tx_room(env_);
    room.gas_left = UINT64_MAX;
    const MovedPrecompiles moved(call_.worker.workspace(), precompiles_);
    auto outcome = chain::execute_tx(call_.worker.workspace(), journal(), env_, tx,
                                     params_.request.from, room, kCallChecks);
    if (outcome) outcome->output = returned_by(*outcome, journal());
    return outcome;
}

core::Bytes returned_by(const chain::TxOutcome& outcome, state::Journal& journal) {
    if (outcome.created && outcome.succeeded()) return journal.code(*outcome.created).to_bytes();
    return outcome.output;
}

Error refusal_of(const chain::Rejection& rejection, uint64_t gas) {
    return {.code = Code::Failed,
            .message = fmt::format("err: {} (supplied gas {})", rejection.text, gas)};
}

Error failure_of(const chain::TxOutcome& outcome) {
    if (outcome.status == evm::Status::Revert) {
        return {.code = Code::Reverted,
                .message = revert_message(outcome.output),
                .data = outcome.output};
    }
    return {.code = Code::Failed, .message = std::string(vm_error_text(outcome.status))};
}

}  // namespace keel::rpc::eth
