#include "rpc/eth/simulator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chain/base_fee.hpp"
#include "chain/chain.hpp"
#include "chain/ethash_difficulty.hpp"
#include "chain/execute_block.hpp"
#include "chain/system_calls.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "rpc/eth/execution.hpp"
#include "state/trie/ordered_root.hpp"

namespace keel::rpc::eth {
namespace {

using chain::Verdict;
using core::ByteView;
using core::Hash32;
using core::U256;

constexpr uint64_t kWeiPerGwei = 1'000'000'000;

Error invalid_tx(const chain::Rejection& rejection, uint64_t gas) {
    Error error = refusal_of(rejection, gas);
    switch (rejection.verdict) {
        case Verdict::TxNonceTooLow:
            error.code = Code::NonceTooLow;
            break;
        case Verdict::TxNonceTooHigh:
            error.code = Code::NonceTooHigh;
            break;
        case Verdict::TxMaxFeeBelowBaseFee:
            error.code = Code::BaseFeeTooLow;
            break;
        case Verdict::TxIntrinsicGas:
        case Verdict::TxFloorGas:
            error.code = Code::IntrinsicGas;
            break;
        case Verdict::TxInsufficientFunds:
            error.code = Code::InsufficientFunds;
            break;
        case Verdict::TxGasLimitReached:
            error.code = Code::BlockGasLimit;
            break;
        case Verdict::TxSenderNotEoa:
            error.code = Code::SenderNotEoa;
            break;
        case Verdict::TxInitCodeTooLarge:
            error.code = Code::InitCodeTooLarge;
            break;
        case Verdict::TxPriorityAboveMaxFee:
        case Verdict::TxFeeOverflow:
            error.code = Code::InvalidParams;
            break;
        default:
            error.code = Code::Internal;
            break;
    }
    return error;
}

Error internal(const chain::Rejection& rejection) {
    return {.code = Code::Internal, .message = rejection.text};
}

Hash32 root_of(const std::vector<core::Withdrawal>& withdrawals) {
    std::vector<core::Bytes> encoded(withdrawals.size());
    for (size_t i = 0; i < withdrawals.size(); ++i) append_withdrawal(encoded[i], withdrawals[i]);
    const std::vector<ByteView> values(encoded.begin(), encoded.end());
    return state::ordered_root(values);
}

}  // namespace

/// Hashes of simulated blocks, and below them those of the base's branch.
class Simulator::Hashes final : public state::BlockHashes {
  public:
    Hashes(std::unique_ptr<state::BlockHashes> below) : below_(std::move(below)) {}
    void add(uint64_t number, const Hash32& hash) { simulated_[number] = hash; }
    Hash32 block_hash(uint64_t number) override {
        const auto found = simulated_.find(number);
        return found != simulated_.end() ? found->second : below_->block_hash(number);
    }

  private:
    std::unique_ptr<state::BlockHashes> below_;
    std::map<uint64_t, Hash32> simulated_;
};

Simulator::Simulator(Call& call, const chain::BlockId& base, const SimulateRequest& request)
    : call_(call),
      request_(request),
      schedule_(*call.backend.schedule),
      journal_(call.worker.journal()),
      parent_(call.snapshot().header(base)),
      parent_hash_(base.hash),
      gas_left_(call.backend.call_gas_cap == 0 ? UINT64_MAX : call.backend.call_gas_cap),
      time_limit_(call.worker.workspace(), call.backend.call_ms_max),
      newest_tries_(call.snapshot().txn(), call.snapshot().tables()) {
    Snapshot& snapshot = call.snapshot();
    const auto total_difficulty = snapshot.blocks().total_difficulty(base);
    proof_of_stake_ = total_difficulty && schedule_.is_proof_of_stake(*total_difficulty);
    hashes_ =
        std::make_unique<Hashes>(chain::ancestor_hashes(snapshot.txn(), snapshot.tables(), base));
    if (base != snapshot.head()) {
        layer_.changes = chain::changes_back_to(snapshot.txn(), snapshot.tables(), base.number);
        state::resolve_state_root(newest_tries_, layer_.changes, &layer_.tries);
        path_ = {&layer_};
        layered_tries_.emplace(newest_tries_, path_);
    }
}

Simulator::~Simulator() = default;

Answer<std::unique_ptr<Simulator>> Simulator::on(Call& call, const chain::BlockId& base,
                                                 const SimulateRequest& request) {
    auto state = call.snapshot().state(base);
    if (!state) return core::unexpected(state.error());
    std::unique_ptr<Simulator> simulator(new Simulator(call, base, request));
    simulator->state_ = *std::move(state);
    simulator->journal_.begin_block(*simulator->state_, *simulator->hashes_);
    return simulator;
}

core::Header Simulator::begin_header(const SimulatedBlock& block) const {
    const BlockOverride& change = block.block;
    core::Header header;
    header.parent_hash = parent_hash_;
    header.number = *change.number;
    header.timestamp = *change.time;
    header.coinbase = change.fee_recipient.value_or(parent_.coinbase);
    header.gas_limit = change.gas_limit.value_or(parent_.gas_limit);
    header.mix_hash = change.prev_randao.value_or(Hash32{});
    if (!proof_of_stake_) header.difficulty = change.difficulty.value_or(parent_.difficulty);
    const chain::BlockRules block_rules =
        schedule_.at(header.number, header.timestamp, proof_of_stake_);
    const core::ForkRules& rules = block_rules.rules;
    if (rules.eip_1559) {
        if (change.base_fee) {
            header.base_fee = *change.base_fee;
        } else if (!request_.validates) {
            header.base_fee = U256{};
        } else {
            header.base_fee =
                parent_.base_fee
                    ? chain::next_base_fee(*parent_.base_fee, parent_.gas_limit, parent_.gas_used)
                    : U256(chain::kInitialBaseFee);
        }
    }
    if (rules.eip_4844) {
        header.blob_gas_used = 0;
        header.excess_blob_gas =
            chain::next_excess_blob_gas({.excess_blob_gas = parent_.excess_blob_gas.value_or(0),
                                         .blob_gas_used = parent_.blob_gas_used.value_or(0),
                                         .base_fee = parent_.base_fee.value_or(U256{})},
                                        block_rules.blobs, rules.eip_7918);
        header.parent_beacon_root = change.beacon_root.value_or(Hash32{});
    }
    return header;
}

Answer<void> Simulator::apply(const StateOverride& changes, const core::ForkRules& rules) {
    if (changes.empty()) return {};
    journal_.begin_transaction(rules);
    for (const auto& [address, change] : changes) {
        if (change.replaces_storage) {
            // A fresh account has no slots; the rest of it stays.
            const uint64_t nonce = journal_.nonce(address);
            const core::Bytes code = journal_.code(address).to_bytes();
            journal_.create_account(address, nonce);
            journal_.set_code(address, code);
        }
        if (change.nonce) journal_.set_nonce(address, *change.nonce);
        if (change.code) journal_.set_code(address, *change.code);
        if (change.balance) journal_.set_balance(address, *change.balance);
        for (const auto& [slot, value] : change.slots) journal_.set_storage(address, slot, value);
    }
    journal_.end_transaction();
    return {};
}

Answer<core::Tx> Simulator::make_tx(const CallRequest& request, const chain::BlockEnv& env,
                                    uint64_t gas_used) {
    const uint64_t room = env.context.gas_limit - std::min(gas_used, env.context.gas_limit);
    const uint64_t gas = request.gas.value_or(room);
    if (gas > room) {
        return fail(Code::BlockGasLimit,
                    fmt::format("block gas limit reached: remaining: {}, required: {}", room, gas));
    }
    core::Tx tx = request.to_tx(std::min(gas, gas_left_), true);
    if (request.gas_price) tx.type = core::TxType::Legacy;
    tx.nonce = request.nonce.value_or(journal_.nonce(request.from));
    if (tx.type != core::TxType::Legacy) {
        tx.chain_id = request.chain_id.value_or(U256(env.chain_id));
    }
    return tx;
}

Answer<void> Simulator::run_calls(const SimulatedBlock& block, const chain::BlockEnv& env,
                                  SimulatedOutcome& outcome, std::vector<core::Receipt>& receipts) {
    const chain::TxChecks checks = {.nonce = request_.validates,
                                    .sender_is_eoa = false,
                                    .balance = true,
                                    .base_fee = request_.validates,
                                    .gas_cap = false};
    core::Header& header = outcome.block.header;
    chain::TxRoom room = chain::tx_room(env);
    room.gas_left = UINT64_MAX;  // make_tx sees to it
    TransferTracer tracer(journal_, request_.traces_transfers);
    const Watched watched(call_.worker.workspace(), &tracer);
    for (const CallRequest& request : block.calls) {
        auto tx = make_tx(request, env, header.gas_used);
        if (!tx) return core::unexpected(tx.error());
        auto executed = chain::execute_tx(call_.worker.workspace(), journal_, env, *tx,
                                          request.from, room, checks);
        if (!executed) return core::unexpected(invalid_tx(executed.error(), tx->gas));
        const uint64_t blob_gas = tx->blob_hashes.size() * chain::kGasPerBlob;
        room.blob_gas_left -= blob_gas;
        header.gas_used += executed->gas_used;
        if (header.blob_gas_used) *header.blob_gas_used += blob_gas;
        gas_left_ -= std::min(gas_left_, executed->gas_used);

        core::Receipt& receipt = receipts.emplace_back();
        receipt.type = tx->type;
        receipt.success = executed->succeeded();
        receipt.cumulative_gas_used = header.gas_used;
        receipt.logs = executed->logs;
        if (!env.rules.rules.eip_658) receipt.state_root = resolve_root();

        core::Bytes& raw = outcome.raw_txs.emplace_back();
        append_tx(raw, *tx);
        outcome.tx_hashes.push_back(crypto::keccak256(raw));
        outcome.senders.push_back(request.from);
        outcome.block.txs.push_back(*std::move(tx));
        std::vector<TransferTracer::TracedLog> logs = tracer.take_logs();
        executed->output = returned_by(*executed, journal_);
        outcome.calls.push_back({*std::move(executed), std::move(logs)});
    }
    return {};
}

Hash32 Simulator::resolve_root() {
    state::ChangeSet changes = journal_.changes();
    state::TrieReader& tries =
        layered_tries_ ? static_cast<state::TrieReader&>(*layered_tries_) : newest_tries_;
    return state::resolve_state_root(tries, changes, nullptr);
}

void Simulator::finish(SimulatedOutcome& outcome, std::vector<core::Receipt>& receipts,
                       const core::ForkRules& rules, const core::Requests& requests) {
    core::Header& header = outcome.block.header;
    if (rules.eip_7685) header.requests_hash = chain::requests_hash(requests);
    if (outcome.block.withdrawals) header.withdrawals_root = root_of(*outcome.block.withdrawals);
    header.bloom = chain::fill_blooms(receipts);
    header.receipts_root = chain::receipts_root(receipts);
    const std::vector<ByteView> raws(outcome.raw_txs.begin(), outcome.raw_txs.end());
    header.tx_root = state::ordered_root(raws);
    header.state_root = resolve_root();
    core::Bytes rlp;
    append_header(rlp, header);
    outcome.hash = crypto::keccak256(rlp);
    rlp.clear();
    append_block(rlp, outcome.block);
    outcome.size = rlp.size();
    hashes_->add(header.number, outcome.hash);
    parent_ = header;
    parent_hash_ = outcome.hash;
}

Answer<SimulatedOutcome> Simulator::run(const SimulatedBlock& block) {
    SimulatedOutcome outcome;
    core::Header& header = outcome.block.header;
    header = begin_header(block);
    const chain::BlockRules block_rules =
        schedule_.at(header.number, header.timestamp, proof_of_stake_);
    const core::ForkRules& rules = block_rules.rules;
    chain::BlockEnv env = chain::block_env(header, block_rules, schedule_.config());
    if (block.block.blob_base_fee) env.context.blob_base_fee = *block.block.blob_base_fee;
    const auto precompiles = moved_precompiles(block.state, rules);
    if (!precompiles) return core::unexpected(precompiles.error());
    if (auto applied = apply(block.state, rules); !applied) {
        return core::unexpected(applied.error());
    }
    evm::Workspace& workspace = call_.worker.workspace();
    const MovedPrecompiles moved(workspace, *precompiles);
    if (auto begun = chain::begin_block_calls(workspace, journal_, env, header); !begun) {
        return core::unexpected(internal(begun.error()));
    }
    std::vector<core::Receipt> receipts;
    if (auto ran = run_calls(block, env, outcome, receipts); !ran) {
        return core::unexpected(ran.error());
    }
    if (rules.eip_4895) {
        outcome.block.withdrawals =
            block.block.withdrawals.value_or(std::vector<core::Withdrawal>{});
        for (const core::Withdrawal& one : *outcome.block.withdrawals) {
            journal_.begin_transaction(rules);
            journal_.add_balance(one.address, U256(one.amount) * U256(kWeiPerGwei));
            journal_.end_transaction();
        }
    }
    if (!rules.eip_3675) {
        journal_.begin_transaction(rules);
        journal_.add_balance(header.coinbase, chain::block_reward(rules));
        journal_.end_transaction();
    }
    core::Requests requests;
    if (rules.eip_6110) {
        auto deposits = chain::deposit_requests(receipts, schedule_.config().deposit_contract);
        if (!deposits) return core::unexpected(internal(deposits.error()));
        if (!deposits->empty()) {
            requests.push_back({core::RequestType::Deposit, *std::move(deposits)});
        }
    }
    if (auto ended = chain::end_block_calls(workspace, journal_, env, requests); !ended) {
        return core::unexpected(internal(ended.error()));
    }
    finish(outcome, receipts, rules, requests);
    return outcome;
}

}  // namespace keel::rpc::eth
