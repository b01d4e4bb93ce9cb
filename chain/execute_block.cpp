#include "chain/execute_block.hpp"

#include <utility>

#include "chain/dao.hpp"
#include "chain/ethash_difficulty.hpp"
#include "chain/system_calls.hpp"
#include "core/base.hpp"
#include "state/running_root.hpp"

namespace keel::chain {

using core::U256;
using core::unexpected;

namespace {

constexpr uint64_t kWeiPerGwei = 1'000'000'000;

core::Result<void, Rejection> execute_txs(Executor& executor, const BlockEnv& env,
                                          const crypto::SealedBlock& sealed,
                                          state::RunningRoot* running_root, BlockOutcome& outcome) {
    const std::vector<core::Tx>& txs = sealed.block.txs;
    KEEL_ASSERT(sealed.senders.size() == txs.size(), "senders are recovered before");
    TxRoom room = tx_room(env);
    outcome.receipts.reserve(txs.size());
    for (size_t i = 0; i < txs.size(); ++i) {
        auto executed = execute_tx(executor.workspace, executor.journal, env, txs[i],
                                   sealed.senders[i], room, checks_of(txs[i]));
        if (!executed) {
            return unexpected(in_tx(i, sealed.tx_hashes[i], std::move(executed.error())));
        }
        // Both are within the room, or the transaction would have been refused.
        room.gas_left -= executed->gas_used;
        room.blob_gas_left -= txs[i].blob_hashes.size() * kGasPerBlob;
        outcome.gas_used += executed->gas_used;

        core::Receipt& receipt = outcome.receipts.emplace_back();
        receipt.type = txs[i].type;
        receipt.success = executed->succeeded();
        receipt.cumulative_gas_used = outcome.gas_used;
        receipt.logs = std::move(executed->logs);
        if (running_root != nullptr) {
            receipt.state_root = running_root->after(executor.journal.take_dirty_values());
        }
    }
    return {};
}

// EIP-4895. Each withdrawal stands alone: one of 0 removes an empty account (EIP-161).
void pay_withdrawals(state::Journal& journal, const core::ForkRules& rules,
                     const std::vector<core::Withdrawal>& withdrawals) {
    for (const core::Withdrawal& withdrawal : withdrawals) {
        journal.begin_transaction(rules);
        journal.add_balance(withdrawal.address, U256(withdrawal.amount) * U256(kWeiPerGwei));
        journal.end_transaction();
    }
}

// Yellow paper, 11.3. An ommer is at most six blocks older.
void pay_rewards(state::Journal& journal, const core::ForkRules& rules, const core::Block& block) {
    const U256 reward = block_reward(rules);
    journal.begin_transaction(rules);
    for (const core::Header& ommer : block.ommers) {
        const uint64_t age = block.header.number - ommer.number;
        KEEL_ASSERT(age >= 1 && age <= 6, "rules of ommers are checked before");
        journal.add_balance(ommer.coinbase, reward * U256(8 - age) / U256(8));
    }
    journal.add_balance(block.header.coinbase,
                        reward + U256(block.ommers.size()) * (reward / U256(32)));
    journal.end_transaction();
}

core::Result<void, Rejection> gather_requests(Executor& executor, const BlockEnv& env,
                                              const ChainConfig& config, BlockOutcome& outcome) {
    if (env.rules.rules.eip_6110) {
        auto deposits = deposit_requests(outcome.receipts, config.deposit_contract);
        if (!deposits) return unexpected(std::move(deposits.error()));
        if (!deposits->empty()) {
            outcome.requests.push_back({core::RequestType::Deposit, std::move(*deposits)});
        }
    }
    return end_block_calls(executor.workspace, executor.journal, env, outcome.requests);
}

}  // namespace

core::Result<BlockOutcome, Rejection> execute_block(
    Executor& executor, const ForkSchedule& schedule, const BlockRules& block_rules,
    const crypto::SealedBlock& sealed, state::StateReader& reader, state::TrieReader& tries,
    state::BlockHashes& hashes) {
    const core::Block& block = sealed.block;
    const core::Header& header = block.header;
    const core::ForkRules& rules = block_rules.rules;
    const BlockEnv env = block_env(header, block_rules, schedule.config());
    state::Journal& journal = executor.journal;
    BlockOutcome outcome;

    journal.begin_block(reader, hashes);
    std::optional<state::RunningRoot> running_root;  // each receipt has one
    if (!rules.eip_658) {
        running_root.emplace(tries);
        journal.remember_dirty_keys();
    }
    if (auto called = begin_block_calls(executor.workspace, journal, env, header); !called) {
        return unexpected(std::move(called.error()));
    }
    if (is_dao_block(schedule.config(), header.number)) move_dao_balances(journal, rules);
    if (auto executed =
            execute_txs(executor, env, sealed, running_root ? &*running_root : nullptr, outcome);
        !executed) {
        return unexpected(std::move(executed.error()));
    }
    if (block.withdrawals) pay_withdrawals(journal, rules, *block.withdrawals);
    if (!rules.eip_3675) pay_rewards(journal, rules, block);
    if (auto gathered = gather_requests(executor, env, schedule.config(), outcome); !gathered) {
        return unexpected(std::move(gathered.error()));
    }
    outcome.bloom = fill_blooms(outcome.receipts);
    outcome.receipt_row = encode_receipts(outcome.receipts);
    if (running_root) {
        outcome.state_root = running_root->after(journal.take_dirty_values());
        outcome.changes = journal.take_changes();
        running_root->put_storage_roots(outcome.changes);
        outcome.tries = running_root->rows();
        outcome.tries_before = running_root->rows_before();
    } else if (!executor.state_roots) {
        outcome.changes = journal.take_changes();
        outcome.state_root = header.state_root;
    } else {
        outcome.changes = journal.take_changes();
        outcome.state_root = state::resolve_state_root(tries, outcome.changes, &outcome.tries,
                                                       &outcome.tries_before);
    }
    return outcome;
}

}  // namespace keel::chain
