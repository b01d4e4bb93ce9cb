#include "chain/execute_tx.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "core/base.hpp"
#include "crypto/recover.hpp"
#include "evm/precompiles/table.hpp"

namespace keel::chain {

using core::Address;
using core::ForkRules;
using core::Tx;
using core::U256;
using core::unexpected;
using state::Journal;

namespace {

constexpr int64_t kExistingAuthorityRefund = 12'500;  // EIP-7702: PER_EMPTY_ACCOUNT - PER_AUTH_BASE
constexpr auto kGasMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());

struct Fees {
    U256 price;  // wei a gas, what the sender pays
    U256 tip;    // wei a gas, what the coinbase gets
    U256 blobs;  // wei
};

// Source: EIP-1559, EIP-4844. A price below the base fee is let through by callers who leave that
// check out; then there is no tip.
Fees fees_of(const Tx& tx, const TxRoom& room) noexcept {
    Fees fees;
    fees.price = tx.max_fee;
    const U256& base_fee = room.base_fee;
    if (tx.max_fee >= base_fee) {
        fees.tip = std::min(tx.max_fee - base_fee, tx.max_priority_fee);
        fees.price = base_fee + fees.tip;
    }
    fees.blobs = U256(tx.blob_hashes.size() * kGasPerBlob) * room.blob_base_fee;
    return fees;
}

// EIP-2929, EIP-2930, EIP-3651. Precompiles are warm by their address; the Evm warms the account
// that a create makes.
void warm_up(Journal& journal, const ForkRules& rules, const Tx& tx, const Address& sender,
             const Address& coinbase) {
    if (!rules.eip_2929) return;
    journal.access_account(sender);
    if (tx.to) journal.access_account(*tx.to);
    for (const core::AccessListEntry& entry : tx.access_list) {
        journal.access_account(entry.address);
        for (const core::Hash32& key : entry.keys) {
            journal.access_slot(entry.address, U256::load_be32(key.data()));
        }
    }
    if (rules.eip_3651) journal.access_account(coinbase);
}

// EIP-7702, behaviour: a tuple that fails is skipped.
void authorize(Journal& journal, const core::Authorization& authorization, uint64_t chain_id) {
    const bool any_chain = authorization.chain_id.is_zero();
    if (!any_chain && authorization.chain_id != U256(chain_id)) return;
    if (authorization.nonce == UINT64_MAX) return;
    const auto authority = crypto::recover_authority(authorization);
    if (!authority) return;
    journal.access_account(*authority);
    const core::ByteView code = journal.code(*authority);
    if (!code.empty() && !evm::delegate_of(code)) return;
    if (journal.nonce(*authority) != authorization.nonce) return;

    if (journal.account_exists(*authority)) journal.add_refund(kExistingAuthorityRefund);
    if (authorization.address.is_zero()) {
        journal.set_code(*authority, {});
    } else {
        std::array<uint8_t, 3 + Address::kSize> designator{0xef, 0x01, 0x00};
        std::ranges::copy(authorization.address.bytes, designator.begin() + 3);
        journal.set_code(*authority, designator);
    }
    journal.increment_nonce(*authority);
}

/// The message of the transaction. `nonce`: the sender's before the transaction.
evm::Message message_of(const Tx& tx, const Address& sender, uint64_t nonce, uint64_t gas) {
    evm::Message message;
    message.kind = tx.to ? evm::CallKind::Call : evm::CallKind::Create;
    message.gas = static_cast<int64_t>(gas);
    message.sender = sender;
    message.recipient = tx.to ? *tx.to : evm::create_address(sender, nonce);
    message.code_address = message.recipient;
    message.input = tx.data;
    message.value = tx.value;
    return message;
}

}  // namespace

BlockEnv block_env(const core::Header& header, const BlockRules& rules, const ChainConfig& config) {
    BlockEnv env;
    env.rules = rules;
    env.chain_id = config.chain_id;
    evm::BlockContext& context = env.context;
    context.coinbase = header.coinbase;
    context.number = header.number;
    context.timestamp = header.timestamp;
    context.gas_limit = header.gas_limit;
    context.difficulty = header.difficulty;
    context.prev_randao = header.mix_hash;
    context.base_fee = header.base_fee.value_or(U256{});
    if (rules.rules.eip_4844) {
        context.blob_base_fee =
            blob_base_fee(header.excess_blob_gas.value_or(0), rules.blobs.base_fee_update_fraction);
    }
    context.chain_id = U256(config.chain_id);
    return env;
}

TxRoom tx_room(const BlockEnv& env) noexcept {
    return {.gas_left = env.context.gas_limit,
            .blob_gas_left = env.rules.blobs.max * kGasPerBlob,
            .base_fee = env.context.base_fee,
            .blob_base_fee = env.context.blob_base_fee,
            .chain_id = env.chain_id};
}

core::Result<TxOutcome, Rejection> execute_tx(evm::Workspace& workspace, Journal& journal,
                                              const BlockEnv& env, const Tx& tx,
                                              const Address& sender, const TxRoom& room,
                                              const TxChecks& checks) {
    if (auto checked = check_tx(tx, sender, env.rules, room, journal, checks); !checked) {
        return unexpected(std::move(checked.error()));
    }
    const ForkRules& rules = env.rules.rules;
    const Fees fees = fees_of(tx, room);
    const IntrinsicGas intrinsic = intrinsic_gas(tx, rules);
    KEEL_ASSERT(intrinsic.gas <= tx.gas && intrinsic.floor <= tx.gas);

    journal.begin_transaction(rules);
    const uint64_t nonce = journal.nonce(sender);
    if (checks.balance) journal.sub_balance(sender, U256(tx.gas) * fees.price + fees.blobs);
    journal.increment_nonce(sender);
    warm_up(journal, rules, tx, sender, env.context.coinbase);
    for (const core::Authorization& authorization : tx.authorizations) {
        authorize(journal, authorization, env.chain_id);
    }
    if (rules.eip_7702 && tx.to) {
        if (const auto delegate = evm::delegate_of(journal.code(*tx.to))) {
            journal.access_account(*delegate);
        }
    }

    // A limit beyond 63 bits can only stand in a block that no chain has: such gas is never used.
    const uint64_t for_message = std::min(tx.gas - intrinsic.gas, kGasMax);
    const uint64_t set_aside = tx.gas - intrinsic.gas - for_message;
    const evm::Message message = message_of(tx, sender, nonce, for_message);
    const evm::TxContext context{
        .origin = sender, .gas_price = fees.price, .blob_hashes = tx.blob_hashes};
    evm::Evm evm(workspace, journal, rules, env.context, context);
    const evm::CallResult result = evm.execute(message);

    TxOutcome outcome;
    outcome.status = result.status;
    outcome.effective_price = fees.price;
    outcome.output = result.output.to_bytes();
    if (!tx.to) outcome.created = message.recipient;
    outcome.gas_before_refund = tx.gas - set_aside - static_cast<uint64_t>(result.gas_left);
    outcome.refund = journal.refund();
    KEEL_ASSERT(outcome.refund >= 0, "refunds are given back before they are taken");
    const uint64_t refund_max = outcome.gas_before_refund / (rules.eip_3529 ? 5 : 2);
    outcome.gas_used =
        outcome.gas_before_refund - std::min(static_cast<uint64_t>(outcome.refund), refund_max);
    outcome.gas_used = std::max(outcome.gas_used, intrinsic.floor);

    if (checks.balance) journal.add_balance(sender, U256(tx.gas - outcome.gas_used) * fees.price);
    // Also with 0: the coinbase is touched.
    journal.add_balance(env.context.coinbase,
                        checks.balance ? U256(outcome.gas_used) * fees.tip : U256{});
    outcome.logs = journal.take_logs();
    journal.end_transaction();
    return outcome;
}

}  // namespace keel::chain
