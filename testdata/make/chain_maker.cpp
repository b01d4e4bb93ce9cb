#include "testdata/make/chain_maker.hpp"

#include <fmt/core.h>

#include <stdexcept>

#include "chain/base_fee.hpp"
#include "chain/blob_fee.hpp"
#include "chain/ethash_difficulty.hpp"
#include "chain/genesis.hpp"
#include "core/types/account.hpp"
#include "crypto/keccak.hpp"
#include "state/trie/ordered_root.hpp"

namespace keel::testdata {
namespace {

// The last 256 ancestors and all before them.
class Ancestors final : public state::BlockHashes {
  public:
    explicit Ancestors(const std::vector<BlockParts>& blocks) : blocks_(blocks) {}
    core::Hash32 block_hash(uint64_t number) override {
        return number < blocks_.size() ? hash_of(blocks_[number].header) : core::Hash32();
    }

  private:
    const std::vector<BlockParts>& blocks_;
};

core::Hash32 root_of(const std::vector<core::Bytes>& values) {
    const std::vector<core::ByteView> views(values.begin(), values.end());
    return state::ordered_root(views);
}

}  // namespace

core::Bytes encode(const BlockParts& parts) {
    core::Bytes rlp;
    const size_t begin = core::rlp_begin_list(rlp);
    core::append_header(rlp, parts.header);
    const size_t begin_txs = core::rlp_begin_list(rlp);
    for (const core::Bytes& raw : parts.txs) {
        // A legacy transaction stands there as it is, another one as a string.
        if (!raw.empty() && raw[0] >= 0xc0) {
            core::append(rlp, raw);
        } else {
            core::rlp_append_string(rlp, raw);
        }
    }
    core::rlp_end_list(rlp, begin_txs);
    core::append_ommers(rlp, parts.ommers);
    if (parts.withdrawals) {
        const size_t begin_withdrawals = core::rlp_begin_list(rlp);
        for (const core::Withdrawal& each : *parts.withdrawals) core::append_withdrawal(rlp, each);
        core::rlp_end_list(rlp, begin_withdrawals);
    }
    core::rlp_end_list(rlp, begin);
    return rlp;
}

core::Hash32 hash_of(const core::Header& header) {
    core::Bytes rlp;
    core::append_header(rlp, header);
    return crypto::keccak256(rlp);
}

void put_body_roots(BlockParts& parts) {
    parts.header.tx_root = root_of(parts.txs);
    core::Bytes ommers;
    core::append_ommers(ommers, parts.ommers);
    parts.header.ommers_hash = crypto::keccak256(ommers);
    if (parts.header.withdrawals_root && parts.withdrawals) {
        std::vector<core::Bytes> values(parts.withdrawals->size());
        for (size_t i = 0; i < values.size(); ++i) {
            core::append_withdrawal(values[i], (*parts.withdrawals)[i]);
        }
        parts.header.withdrawals_root = root_of(values);
    }
}

struct ChainMaker::Made {
    BlockParts parts;
    chain::BlockOutcome outcome;
};

ChainMaker::ChainMaker(std::string genesis_json)
    : ChainMaker(chain::parse_genesis(genesis_json, "genesis")) {
    genesis_json_ = std::move(genesis_json);
}

ChainMaker::ChainMaker(const chain::Genesis& genesis)
    : schedule_(genesis.config),
      database_(db::open_ephemeral(state::schema(), uint64_t{1} << 32)),
      tables_(database_),
      executor_(std::make_unique<chain::Executor>()) {
    const chain::GenesisWritten written = chain::write_genesis(database_, genesis);
    BlockParts parts;
    parts.header = chain::genesis_header(genesis, written.state_root);
    totals_.push_back(parts.header.difficulty);
    blocks_.push_back(std::move(parts));
}

ChainMaker::~ChainMaker() = default;

std::unique_ptr<ChainMaker> ChainMaker::up_to(uint64_t number) const {
    auto copy = std::make_unique<ChainMaker>(genesis_json_);
    for (uint64_t i = 0; i < number; ++i) {
        const BlockParts& again = copy->add(plans_[i]);
        if (hash_of(again.header) != hash(i + 1)) {
            throw std::runtime_error(fmt::format("block {} is another one the second time", i + 1));
        }
    }
    return copy;
}

uint64_t ChainMaker::nonce(const core::Address& address) const {
    uint64_t nonce = 0;
    database_.view([&](const db::ReadTxn& txn) {
        state::NewestState state(txn, tables_);
        if (const auto account = state.account(address)) nonce = account->nonce;
    });
    return nonce;
}

chain::BlockRules ChainMaker::rules_at(uint64_t timestamp) const {
    return schedule_.at(number() + 1, timestamp, schedule_.is_proof_of_stake(totals_.back()));
}

core::Header ChainMaker::candidate(const core::Header& parent, bool parent_has_ommers,
                                   const core::U256& parent_total, uint64_t timestamp) const {
    const bool proof_of_stake = schedule_.is_proof_of_stake(parent_total);
    const chain::BlockRules block = schedule_.at(parent.number + 1, timestamp, proof_of_stake);
    const core::ForkRules& rules = block.rules;
    core::Header header;
    header.parent_hash = hash_of(parent);
    header.number = parent.number + 1;
    header.timestamp = timestamp;
    header.gas_limit = parent.gas_limit;
    if (!proof_of_stake) {
        header.difficulty = chain::ethash_difficulty({.number = header.number,
                                                      .timestamp = timestamp,
                                                      .parent_timestamp = parent.timestamp,
                                                      .parent_difficulty = parent.difficulty,
                                                      .parent_has_ommers = parent_has_ommers},
                                                     rules);
        // One of the 10 blocks from the DAO fork on (EIP-779).
        const auto dao = schedule_.config().dao;
        if (dao && schedule_.config().dao_support && header.number >= *dao &&
            header.number < *dao + 10) {
            header.extra_data = core::ByteView("dao-hard-fork").to_bytes();
        }
    }
    if (rules.eip_1559) {
        if (parent.base_fee) {
            header.base_fee =
                chain::next_base_fee(*parent.base_fee, parent.gas_limit, parent.gas_used);
        } else {
            header.base_fee = core::U256(chain::kInitialBaseFee);
            header.gas_limit *= chain::kElasticityMultiplier;
        }
    }
    if (rules.eip_4895) header.withdrawals_root = core::kEmptyTrieRoot;
    if (rules.eip_4844) {
        header.blob_gas_used = 0;
        header.excess_blob_gas =
            chain::next_excess_blob_gas({.excess_blob_gas = parent.excess_blob_gas.value_or(0),
                                         .blob_gas_used = parent.blob_gas_used.value_or(0),
                                         .base_fee = parent.base_fee.value_or(core::U256{})},
                                        block.blobs, rules.eip_7918);
        header.parent_beacon_root = core::Hash32();
    }
    if (rules.eip_7685) header.requests_hash = core::kEmptyRequestsHash;
    return header;
}

ChainMaker::Made ChainMaker::execute(const BlockPlan& plan) const {
    const BlockParts& parent = blocks_.back();
    BlockParts parts;
    parts.header = candidate(parent.header, parent.header.ommers_hash != core::kEmptyOmmersHash,
                             totals_.back(), plan.timestamp);
    const chain::BlockRules rules = rules_at(plan.timestamp);
    core::Header& header = parts.header;
    header.coinbase = plan.coinbase;
    header.mix_hash = plan.mix_hash;
    if (plan.gas_limit) header.gas_limit = *plan.gas_limit;
    if (!plan.extra_data.empty()) header.extra_data = plan.extra_data;
    if (header.parent_beacon_root) header.parent_beacon_root = plan.beacon_root;
    parts.txs = plan.txs;
    parts.ommers = plan.ommers;
    if (header.withdrawals_root) parts.withdrawals = plan.withdrawals;
    put_body_roots(parts);
    if (header.blob_gas_used) {
        uint64_t blobs = 0;
        for (const core::Bytes& raw : parts.txs) {
            const auto tx = core::decode_tx(raw);
            if (!tx) throw std::runtime_error("a transaction does not decode");
            blobs += tx->blob_hashes.size();
        }
        header.blob_gas_used = blobs * chain::kGasPerBlob;
    }

    auto sealed = crypto::seal(encode(parts));
    if (!sealed) throw std::runtime_error(fmt::format("block {} does not decode", header.number));
    if (!crypto::recover_senders(*sealed, rules.rules)) {
        throw std::runtime_error(
            fmt::format("block {}: a transaction has no sender", header.number));
    }
    std::optional<chain::BlockOutcome> outcome;
    std::string refusal;
    database_.view([&](const db::ReadTxn& txn) {
        state::NewestState state(txn, tables_);
        state::NewestTries tries(txn, tables_);
        Ancestors ancestors(blocks_);
        auto executed =
            chain::execute_block(*executor_, schedule_, rules, *sealed, state, tries, ancestors);
        if (executed) {
            outcome = std::move(*executed);
        } else {
            refusal = executed.error().text;
        }
    });
    if (!outcome) throw std::runtime_error(fmt::format("block {}: {}", header.number, refusal));
    header.gas_used = outcome->gas_used;
    header.bloom = outcome->bloom;
    header.receipts_root = chain::receipts_root(outcome->receipts);
    header.state_root = outcome->state_root;
    if (header.requests_hash) header.requests_hash = chain::requests_hash(outcome->requests);
    return {std::move(parts), std::move(*outcome)};
}

BlockParts ChainMaker::make(const BlockPlan& plan) const {
    return execute(plan).parts;
}

const BlockParts& ChainMaker::add(const BlockPlan& plan) {
    Made made = execute(plan);
    database_.update([&](db::WriteTxn& txn) {
        state::write_flat_state(txn, tables_, made.outcome.changes);
        state::write_trie_rows(txn, tables_, made.outcome.tries);
    });
    totals_.push_back(totals_.back() + made.parts.header.difficulty);
    plans_.push_back(plan);
    receipts_.push_back(std::move(made.outcome.receipts));
    blocks_.push_back(std::move(made.parts));
    return blocks_.back();
}

core::Header ChainMaker::make_ommer(uint64_t parent, uint64_t timestamp,
                                    const core::Address& coinbase) const {
    const core::Header& above = block(parent).header;
    core::Header ommer = candidate(above, above.ommers_hash != core::kEmptyOmmersHash,
                                   total_difficulty(parent), timestamp);
    ommer.coinbase = coinbase;
    ommer.state_root = above.state_root;  // not checked: an ommer is never executed
    return ommer;
}

core::Bytes ChainMaker::file(uint64_t first, uint64_t last) const {
    core::Bytes rlp;
    for (uint64_t i = first; i <= last; ++i) core::append(rlp, encode(block(i)));
    return rlp;
}

Draft::Draft(const ChainMaker& chain, uint64_t timestamp) : chain_(chain) {
    plan.timestamp = timestamp;
}

uint64_t Draft::next_nonce(const core::Address& address) const {
    const auto known = nonces_.find(address);
    if (known != nonces_.end()) return known->second;
    return nonces_[address] = chain_.nonce(address);
}

uint64_t Draft::send(const Signer& from, TxPlan tx) {
    if (!tx.nonce) {
        tx.nonce = next_nonce(from.address);
        ++nonces_[from.address];
    }
    plan.txs.push_back(sign_tx(from, tx));
    return *tx.nonce;
}

}  // namespace keel::testdata
