#include "rpc/engine/builder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chain/base_fee.hpp"
#include "chain/body_rules.hpp"
#include "chain/chain.hpp"
#include "chain/execute_block.hpp"
#include "chain/system_calls.hpp"
#include "core/base.hpp"
#include "core/fault.hpp"
#include "crypto/keccak.hpp"
#include "crypto/recover.hpp"
#include "rpc/eth/objects.hpp"
#include "state/state_root.hpp"
#include "state/trie/ordered_root.hpp"

namespace keel::rpc::engine {
namespace {

using core::ByteView;
using core::U256;

constexpr uint64_t kWeiPerGwei = 1'000'000'000;
constexpr uint64_t kGasLimitBoundDivisor = 1024;  // yellow paper, 4.3.4
constexpr uint64_t kGasLimitMin = 5'000;
// More than a header with all fields and the prefixes of all lists take.
constexpr size_t kBytesAroundTxs = 2'048;

/// As far towards the target as one block may go.
uint64_t next_gas_limit(uint64_t parent, uint64_t target) {
    const uint64_t step = std::max<uint64_t>(parent / kGasLimitBoundDivisor, 1) - 1;
    target = std::max(target, kGasLimitMin);
    return std::clamp(target, parent - step, parent + step);
}

/// RLP of each.
std::vector<core::Bytes> encode(const std::vector<core::Withdrawal>& withdrawals) {
    std::vector<core::Bytes> encoded(withdrawals.size());
    for (size_t i = 0; i < withdrawals.size(); ++i) append_withdrawal(encoded[i], withdrawals[i]);
    return encoded;
}

core::Hash32 root_of(const std::vector<core::Withdrawal>& withdrawals) {
    const std::vector<core::Bytes> encoded = encode(withdrawals);
    const std::vector<ByteView> values(encoded.begin(), encoded.end());
    return state::ordered_root(values);
}

/// Transactions of one sender in the order of their nonces, and what the next of them would pay.
struct Queue {
    std::vector<pool::TxHandle> txs = {};
    size_t next = 0;
    U256 price = {};

    const pool::TxHandle& front() const { return txs[next]; }
    /// For a heap: the best price comes first, the first that came at equality.
    static bool is_behind(const Queue& a, const Queue& b) {
        if (a.price != b.price) return a.price < b.price;
        return a.front()->arrival > b.front()->arrival;
    }
};

class Builder {
  public:
    Builder(const BuildSite& site, const BuildTask& task)
        : site_(site), task_(task), schedule_(site.schedule), journal_(site.worker.journal()) {}

    Answer<BuiltBlock> build();

  private:
    void begin_header(const chain::BlockId& parent_id, const core::Header& parent);
    Answer<void> take_given();
    void take_best();
    /// One of the pool's, with the proofs that this block's sidecars must have.
    bool take_pooled(const pool::TxHandle& handle);
    /// Executes one transaction into the block; a refusal leaves the block as it was.
    core::Result<void, chain::Rejection> take(const pool::TxHandle& handle);
    Answer<void> finish(state::TrieReader& tries);

    const BuildSite& site_;
    const BuildTask& task_;
    const chain::ForkSchedule& schedule_;
    state::Journal& journal_;
    chain::BlockRules rules_;
    chain::BlockEnv env_;
    chain::TxRoom room_{};
    size_t bytes_left_ = SIZE_MAX;  // for transactions
    BuiltBlock built_;
    std::vector<core::Receipt> receipts_;
};

void Builder::begin_header(const chain::BlockId& parent_id, const core::Header& parent) {
    const PayloadAttributes& attributes = task_.attributes;
    core::Header& header = built_.block.header;
    header.parent_hash = parent_id.hash;
    header.number = parent_id.number + 1;
    header.timestamp = attributes.timestamp;
    header.coinbase = attributes.fee_recipient;
    header.mix_hash = attributes.prev_randao;
    header.extra_data = task_.extra_data;
    header.gas_limit =
        task_.gas_limit.value_or(next_gas_limit(parent.gas_limit, task_.gas_limit_target));
    rules_ = schedule_.at(header.number, header.timestamp, true);
    header.base_fee =
        parent.base_fee ? chain::next_base_fee(*parent.base_fee, parent.gas_limit, parent.gas_used)
                        : U256(chain::kInitialBaseFee);
    if (task_.base_fee) header.base_fee = task_.base_fee;
    if (rules_.rules.eip_4895) built_.block.withdrawals = attributes.withdrawals;
    if (rules_.rules.eip_7934) {
        bytes_left_ = chain::kBlockBytesMax - kBytesAroundTxs;
        if (built_.block.withdrawals) {
            for (const core::Bytes& one : encode(*built_.block.withdrawals)) {
                bytes_left_ -= std::min(bytes_left_, one.size());
            }
        }
    }
    if (!rules_.rules.eip_4844) return;
    header.blob_gas_used = 0;
    header.excess_blob_gas =
        chain::next_excess_blob_gas({.excess_blob_gas = parent.excess_blob_gas.value_or(0),
                                     .blob_gas_used = parent.blob_gas_used.value_or(0),
                                     .base_fee = parent.base_fee.value_or(U256{})},
                                    rules_.blobs, rules_.rules.eip_7918);
    header.parent_beacon_root = attributes.parent_beacon_root;
}

core::Result<void, chain::Rejection> Builder::take(const pool::TxHandle& handle) {
    const core::Tx& tx = handle->tx;
    const size_t bytes = tx.raw.size() + core::rlp_header_length(tx.raw.size());
    if (bytes > bytes_left_) {
        return core::unexpected(chain::reject<chain::Verdict::BlockTooLarge>(
            chain::kBlockBytesMax - bytes_left_ + bytes, chain::kBlockBytesMax));
    }
    auto executed = chain::execute_tx(site_.worker.workspace(), journal_, env_, tx, handle->sender,
                                      room_, chain::checks_of(tx));
    if (!executed) return core::unexpected(std::move(executed.error()));
    core::Header& header = built_.block.header;
    const uint64_t blob_gas = tx.blob_hashes.size() * chain::kGasPerBlob;
    bytes_left_ -= bytes;
    room_.gas_left -= executed->gas_used;
    room_.blob_gas_left -= blob_gas;
    header.gas_used += executed->gas_used;
    if (header.blob_gas_used) *header.blob_gas_used += blob_gas;
    const U256 tip = executed->effective_price - env_.context.base_fee;
    built_.value = built_.value + tip * U256(executed->gas_used);
    core::Receipt& receipt = receipts_.emplace_back();
    receipt.type = tx.type;
    receipt.success = executed->succeeded();
    receipt.cumulative_gas_used = header.gas_used;
    receipt.logs = std::move(executed->logs);
    built_.block.txs.push_back(tx);
    built_.kept.push_back(handle);
    return {};
}

Answer<void> Builder::take_given() {
    for (const core::Bytes& bytes : *task_.txs) {
        auto pooled = pool::decode_network_form(bytes);
        if (!pooled) return core::unexpected(pooled.error());
        const auto sender = crypto::recover_sender(pooled->tx, rules_.rules);
        if (!sender) return fail(Code::Failed, "invalid transaction v, r, s values");
        pooled->sender = *sender;
        const auto handle = std::make_shared<const pool::PooledTx>(*std::move(pooled));
        if (auto taken = take(handle); !taken) return fail(Code::Failed, taken.error().text);
    }
    return {};
}

bool Builder::take_pooled(const pool::TxHandle& handle) {
    const bool has_blobs = handle->sidecar.has_value();
    const bool has_cells = has_blobs && handle->sidecar->version == 1;
    if (has_cells && !rules_.rules.eip_7594) return false;
    if (!take(handle)) return false;
    if (!has_blobs || has_cells || !rules_.rules.eip_7594) return true;
    // Of before the fork. Its proofs hold, so those of its cells can be made.
    const pool::TxHandle changed = site_.pool->with_cells(handle);
    KEEL_ASSERT(changed != nullptr, "what is in the pool has blobs");
    built_.block.txs.back() = changed->tx;
    built_.kept.back() = changed;
    return true;
}

void Builder::take_best() {
    if (site_.pool == nullptr) return;
    const auto price_next = [&](Queue& queue) {
        queue.price = eth::effective_gas_price(queue.front()->tx, env_.context.base_fee);
    };
    std::vector<Queue> queues;  // a heap
    for (const auto& [sender, txs] : site_.pool->content().pending) {
        Queue& queue = queues.emplace_back();
        for (const auto& [nonce, each] : txs) queue.txs.push_back(each);
        price_next(queue);
    }
    std::ranges::make_heap(queues, Queue::is_behind);
    while (!queues.empty()) {
        std::ranges::pop_heap(queues, Queue::is_behind);
        Queue& best = queues.back();
        // What does not go in now would have to before the sender's later ones.
        const bool taken = take_pooled(best.front());
        if (!taken || ++best.next == best.txs.size()) {
            queues.pop_back();
            continue;
        }
        price_next(best);
        std::ranges::push_heap(queues, Queue::is_behind);
    }
}

Answer<void> Builder::finish(state::TrieReader& tries) {
    core::Header& header = built_.block.header;
    const core::ForkRules& rules = rules_.rules;
    if (built_.block.withdrawals) {
        for (const core::Withdrawal& one : *built_.block.withdrawals) {
            journal_.begin_transaction(rules);
            journal_.add_balance(one.address, U256(one.amount) * U256(kWeiPerGwei));
            journal_.end_transaction();
        }
        header.withdrawals_root = root_of(*built_.block.withdrawals);
    }
    if (rules.eip_6110) {
        auto deposits = chain::deposit_requests(receipts_, schedule_.config().deposit_contract);
        if (!deposits) return fail(Code::Failed, deposits.error().text);
        if (!deposits->empty()) {
            built_.requests.push_back({core::RequestType::Deposit, *std::move(deposits)});
        }
    }
    if (auto ended =
            chain::end_block_calls(site_.worker.workspace(), journal_, env_, built_.requests);
        !ended) {
        return fail(Code::Failed, ended.error().text);
    }
    if (rules.eip_7685) header.requests_hash = chain::requests_hash(built_.requests);
    header.bloom = chain::fill_blooms(receipts_);
    header.receipts_root = chain::receipts_root(receipts_);
    std::vector<ByteView> raws;
    for (const core::Tx& tx : built_.block.txs) raws.push_back(tx.raw);
    header.tx_root = state::ordered_root(raws);
    state::ChangeSet changes = journal_.changes();
    header.state_root = state::resolve_state_root(tries, changes, nullptr);
    core::Bytes rlp;
    append_header(rlp, header);
    built_.hash = crypto::keccak256(rlp);
    return {};
}

Answer<BuiltBlock> Builder::build() {
    const chain::BlockReader blocks(site_.txn, site_.tables);
    const auto head = blocks.head();
    const auto parent_header = head ? blocks.header(*head) : std::nullopt;
    if (!parent_header) throw core::Fault(core::FaultKind::Damaged, "the chain has no head");
    const chain::BlockId parent = *head;
    begin_header(parent, *parent_header);
    env_ = chain::block_env(built_.block.header, rules_, schedule_.config());
    room_ = chain::tx_room(env_);
    state::NewestState state(site_.txn, site_.tables);
    state::NewestTries tries(site_.txn, site_.tables);
    const auto hashes = chain::ancestor_hashes(site_.txn, site_.tables, parent);
    journal_.begin_block(state, *hashes);
    if (auto begun =
            chain::begin_block_calls(site_.worker.workspace(), journal_, env_, built_.block.header);
        !begun) {
        return fail(Code::Failed, begun.error().text);
    }
    if (task_.txs) {
        if (auto taken = take_given(); !taken) return core::unexpected(taken.error());
    } else {
        take_best();
    }
    if (auto finished = finish(tries); !finished) return core::unexpected(finished.error());
    return std::move(built_);
}

void write_list(JsonOut& out, std::string_view name, const std::vector<pool::TxHandle>& kept,
                std::vector<core::Bytes> pool::Sidecar::* part) {
    out.key(name);
    out.begin_array();
    for (const pool::TxHandle& each : kept) {
        if (!each->sidecar) continue;
        for (const core::Bytes& bytes : (*each->sidecar).*part) out.data(bytes);
    }
    out.end_array();
}

void write_payload(JsonOut& out, const BuiltBlock& built) {
    const core::Header& header = built.block.header;
    out.begin_object();
    out.data("parentHash", header.parent_hash);
    out.data("feeRecipient", header.coinbase);
    out.data("stateRoot", header.state_root);
    out.data("receiptsRoot", header.receipts_root);
    out.data("logsBloom", header.bloom);
    out.data("prevRandao", header.mix_hash);
    out.quantity("blockNumber", header.number);
    out.quantity("gasLimit", header.gas_limit);
    out.quantity("gasUsed", header.gas_used);
    out.quantity("timestamp", header.timestamp);
    out.data("extraData", header.extra_data);
    out.quantity("baseFeePerGas", header.base_fee.value_or(U256{}));
    out.data("blockHash", built.hash);
    out.key("transactions");
    out.begin_array();
    for (const core::Tx& tx : built.block.txs) out.data(tx.raw);
    out.end_array();
    if (built.block.withdrawals) eth::write_withdrawals(out, *built.block.withdrawals);
    if (header.blob_gas_used) out.quantity("blobGasUsed", *header.blob_gas_used);
    if (header.excess_blob_gas) out.quantity("excessBlobGas", *header.excess_blob_gas);
    out.end_object();
}

}  // namespace

Answer<BuiltBlock> build_block(const BuildSite& site, const BuildTask& task) {
    return Builder(site, task).build();
}

Answer<BuiltBlock> build_block(Call& call, const BuildTask& task) {
    return build_block({.txn = call.snapshot().txn(),
                        .tables = *call.backend.tables,
                        .schedule = *call.backend.schedule,
                        .worker = call.worker,
                        .pool = call.backend.pool},
                       task);
}

NewPayload payload_of(const BuiltBlock& built) {
    NewPayload payload;
    payload.header = built.block.header;
    payload.logs_bloom = core::ByteView(built.block.header.bloom).to_bytes();
    payload.block_hash = built.hash;
    payload.withdrawals = built.block.withdrawals;
    payload.blob_hashes.emplace();
    for (const core::Tx& tx : built.block.txs) {
        payload.txs.push_back(tx.raw.to_bytes());
        payload.blob_hashes->insert(payload.blob_hashes->end(), tx.blob_hashes.begin(),
                                    tx.blob_hashes.end());
    }
    if (!built.block.header.requests_hash) return payload;
    payload.requests.emplace();
    for (const core::Request& request : built.requests) {
        core::Bytes& bytes = payload.requests->emplace_back();
        bytes.push_back(static_cast<uint8_t>(request.type));
        core::append(bytes, request.data);
    }
    return payload;
}

void write_built(JsonOut& out, const BuiltBlock& built, unsigned version) {
    if (version == 1) {
        write_payload(out, built);
        return;
    }
    out.begin_object();
    out.key("executionPayload");
    write_payload(out, built);
    out.quantity("blockValue", built.value);
    if (version >= 3) {
        out.key("blobsBundle");
        out.begin_object();
        write_list(out, "commitments", built.kept, &pool::Sidecar::commitments);
        write_list(out, "proofs", built.kept, &pool::Sidecar::proofs);
        write_list(out, "blobs", built.kept, &pool::Sidecar::blobs);
        out.end_object();
        out.key("shouldOverrideBuilder");
        out.boolean(false);
    }
    if (version >= 4) {
        out.key("executionRequests");
        out.begin_array();
        for (const core::Request& request : built.requests) {
            core::Bytes bytes(1 + request.data.size(), static_cast<uint8_t>(request.type));
            std::ranges::copy(request.data, bytes.begin() + 1);
            out.data(bytes);
        }
        out.end_array();
    }
    out.end_object();
}

}  // namespace keel::rpc::engine
