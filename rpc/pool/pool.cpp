#include "rpc/pool/pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "chain/tx_rules.hpp"
#include "core/hex.hpp"
#include "crypto/kzg.hpp"
#include "crypto/recover.hpp"

namespace keel::rpc::pool {
namespace {

using core::U256;

constexpr size_t kTxBytesMax = 128 * 1024;
constexpr size_t kBlobTxBytesMax = 1024 * 1024;
constexpr size_t kBlobsOfTxMax = 6;
constexpr size_t kBlobBytes = 131'072;
constexpr size_t kPointBytes = 48;
constexpr size_t kCellsPerBlob = 128;  // EIP-7594
constexpr uint64_t kBump = 10;         // per cent, of what a replacement must offer more
constexpr uint64_t kBlobBump = 100;

core::unexpected<Error> refuse(std::string text) {
    return fail(Code::Failed, std::move(text));
}

std::string key_of(const core::Hash32& hash) {
    return std::string(core::ByteView(hash).text());
}

bool is_blob(const PooledTx& pooled) {
    return pooled.tx.type == core::TxType::Blob;
}

/// The proofs of a sidecar whose counts and lengths are right.
bool proofs_hold(const Sidecar& sidecar) {
    std::vector<core::ByteView> commitments, parts,
        proofs(sidecar.proofs.begin(), sidecar.proofs.end());
    if (sidecar.version == 0) {
        parts.assign(sidecar.blobs.begin(), sidecar.blobs.end());
        commitments.assign(sidecar.commitments.begin(), sidecar.commitments.end());
        return crypto::verify_blob_kzg_proof_batch(parts, commitments, proofs).value_or(false);
    }
    std::vector<core::Bytes> cells;  // of each blob
    std::vector<uint64_t> indices;
    for (const core::Bytes& blob : sidecar.blobs) {
        auto own = crypto::kzg_cells(blob);
        if (!own) return false;
        cells.push_back(*std::move(own));
    }
    for (size_t i = 0; i < cells.size(); ++i) {
        for (uint64_t cell = 0; cell < kCellsPerBlob; ++cell) {
            commitments.push_back(sidecar.commitments[i]);
            indices.push_back(cell);
            parts.push_back(
                core::ByteView(cells[i]).sub(cell * crypto::kCellBytes, crypto::kCellBytes));
        }
    }
    return crypto::verify_cell_kzg_proof_batch(commitments, indices, parts, proofs).value_or(false);
}

Answer<void> check_sidecar(const PooledTx& pooled, const core::ForkRules& rules) {
    if (!is_blob(pooled)) return {};
    if (!pooled.sidecar) return refuse("missing sidecar in blob transaction");
    const Sidecar& sidecar = *pooled.sidecar;
    const size_t blobs = pooled.tx.blob_hashes.size();
    if (blobs > kBlobsOfTxMax) {
        return refuse(fmt::format("transaction blob limit exceeded: blob count {}, limit {}", blobs,
                                  kBlobsOfTxMax));
    }
    // Proofs of blobs are turned into those of cells where a block needs them.
    if (sidecar.version == 1 && !rules.eip_7594) {
        return refuse(
            fmt::format("Wrong sidecar format: version {} is not for this fork", sidecar.version));
    }
    const size_t proofs = sidecar.version == 1 ? blobs * kCellsPerBlob : blobs;
    const auto all_of = [](const std::vector<core::Bytes>& parts, size_t bytes) {
        return std::ranges::all_of(parts,
                                   [bytes](const auto& part) { return part.size() == bytes; });
    };
    if (sidecar.blobs.size() != blobs || sidecar.commitments.size() != blobs ||
        sidecar.proofs.size() != proofs || !all_of(sidecar.blobs, kBlobBytes) ||
        !all_of(sidecar.commitments, kPointBytes) || !all_of(sidecar.proofs, kPointBytes)) {
        return refuse("Wrong sidecar format: counts or lengths of blobs, commitments or proofs");
    }
    for (size_t i = 0; i < blobs; ++i) {
        if (crypto::kzg_versioned_hash(sidecar.commitments[i]) != pooled.tx.blob_hashes[i]) {
            return refuse(fmt::format("blob {}: commitment does not fit the versioned hash", i));
        }
    }
    if (!proofs_hold(sidecar)) return refuse("KZG verification error: a proof does not hold");
    return {};
}

/// Whether `now` is above `before` by at least the bump.
bool is_bumped(const U256& before, const U256& now, uint64_t per_cent) {
    const auto wanted = core::checked_mul(before, 100 + per_cent);
    return now > before && wanted && now >= *wanted / U256(100);
}

bool may_replace(const PooledTx& before, const PooledTx& now) {
    const uint64_t bump = is_blob(now) ? kBlobBump : kBump;
    return is_bumped(before.tx.max_fee, now.tx.max_fee, bump) &&
           is_bumped(before.tx.max_priority_fee, now.tx.max_priority_fee, bump) &&
           (!is_blob(now) ||
            is_bumped(before.tx.max_fee_per_blob_gas, now.tx.max_fee_per_blob_gas, bump));
}

double ether(const U256& wei) {
    return static_cast<double>((wei / U256(1'000'000'000)).saturated64()) / 1e9;
}

}  // namespace

chain::BlockRules Pool::rules_behind(Snapshot& snapshot, uint64_t time_s) const {
    const chain::BlockId head = snapshot.head();
    const auto total = snapshot.blocks().total_difficulty(head);
    return schedule_.at(head.number + 1, time_s,
                        schedule_.is_proof_of_stake(total.value_or(U256{})));
}

Answer<void> Pool::check(Snapshot& snapshot, const PooledTx& pooled) const {
    const core::Tx& tx = pooled.tx;
    const size_t bytes_max = is_blob(pooled) ? kBlobTxBytesMax : kTxBytesMax;
    if (pooled.network_bytes > bytes_max) {
        return refuse(fmt::format("oversized data: transaction size {}, limit {}",
                                  pooled.network_bytes, bytes_max));
    }
    const core::Header head = snapshot.header(snapshot.head());
    const chain::BlockRules rules = rules_behind(snapshot, head.timestamp + 1);
    if (tx.gas > head.gas_limit) return refuse("exceeds block gas limit");
    if (auto checked = chain::check_tx_alone(tx, rules); !checked) {
        // A fork may lie between the head and the next block.
        const uint64_t now_s = options_.now_s ? options_.now_s() : 0;
        if (now_s <= head.timestamp + 1 ||
            !chain::check_tx_alone(tx, rules_behind(snapshot, now_s))) {
            return refuse(checked.error().text);
        }
    }
    if (!tx.chain_id && !options_.allows_unprotected) {
        return refuse("only replay-protected (EIP-155) transactions allowed over RPC");
    }
    if (tx.max_priority_fee < U256(options_.tip_wei_min)) {
        return refuse(
            fmt::format("transaction gas price below minimum: gas tip cap {}, minimum "
                        "needed {}",
                        tx.max_priority_fee.to_decimal(), options_.tip_wei_min));
    }
    const auto fee = core::checked_mul(tx.max_fee, tx.gas);
    if (options_.fee_cap_wei > 0 && (!fee || *fee > U256(options_.fee_cap_wei))) {
        return refuse(fmt::format("tx fee ({:.2f} ether) exceeds the configured cap ({:.2f} ether)",
                                  ether(fee.value_or(U256{})), ether(U256(options_.fee_cap_wei))));
    }
    return check_sidecar(pooled, rules.rules);
}

Answer<void> Pool::check_against_sender(state::StateReader& state, const PooledTx& pooled) const {
    const core::Tx& tx = pooled.tx;
    const core::Account account = state.account(pooled.sender).value_or(core::Account{});
    if (tx.nonce < account.nonce) {
        return refuse(
            fmt::format("nonce too low: next nonce {}, tx nonce {}", account.nonce, tx.nonce));
    }
    const auto cost = pooled.cost_max();
    if (!cost || *cost > account.balance) {
        const U256 shown = cost.value_or(~U256{});
        return refuse(fmt::format(
            "insufficient funds for gas * price + value: balance {}, tx cost {}, overshot {}",
            account.balance.to_decimal(), shown.to_decimal(),
            (shown - account.balance).to_decimal()));
    }
    const auto others = by_sender_.find(pooled.sender);
    if (others == by_sender_.end()) return {};
    const BySender& own = others->second;
    if (is_blob(*own.begin()->second) != is_blob(pooled)) return refuse("address already reserved");
    const auto same = own.find(tx.nonce);
    if (same != own.end() && !may_replace(*same->second, pooled)) {
        const core::Tx& old = same->second->tx;
        return refuse(
            fmt::format("replacement transaction underpriced: old tip {} cap {}, new tip {} cap {}",
                        old.max_priority_fee.to_decimal(), old.max_fee.to_decimal(),
                        tx.max_priority_fee.to_decimal(), tx.max_fee.to_decimal()));
    }
    // EIP-7702: what a delegated account can pay may change within a block.
    if (account.code_hash != core::kEmptyCodeHash && same == own.end()) {
        return refuse("in-flight transaction limit reached for delegated accounts");
    }
    U256 all = *cost;
    for (const auto& [nonce, each] : own) {
        if (nonce == tx.nonce) continue;
        const auto sum = core::checked_add(all, each->cost_max().value_or(U256{}));
        if (!sum || *sum > account.balance) {
            return refuse(
                fmt::format("insufficient funds for gas * price + value: balance {}, queued cost "
                            "{}, tx cost {}",
                            account.balance.to_decimal(), all.to_decimal(), cost->to_decimal()));
        }
        all = *sum;
    }
    size_t executable = 0;
    while (own.contains(account.nonce + executable)) ++executable;
    const bool is_gapped = tx.nonce > account.nonce + executable;
    const size_t queued = own.size() - executable;
    if (same == own.end() && is_gapped && queued >= options_.queued_of_sender_max) {
        return refuse("txpool is full");
    }
    return {};
}

Answer<void> Pool::make_room(const PooledTx& pooled) {
    if (pooled.sidecar) {
        while (!mined_blobs_.empty() &&
               blob_bytes_ + pooled.network_bytes > options_.blob_bytes_max) {
            drop_oldest_mined();
        }
        if (blob_bytes_ + pooled.network_bytes > options_.blob_bytes_max) {
            return refuse("txpool is full");
        }
    }
    if (by_hash_.size() < options_.txs_max) return {};
    // The lowest tip goes, and of a sender the last nonce: nothing else waits for it.
    const BySender* poorest = nullptr;
    for (const auto& [sender, txs] : by_sender_) {
        const TxHandle& last = txs.rbegin()->second;
        if (poorest == nullptr ||
            last->tx.max_priority_fee < poorest->rbegin()->second->tx.max_priority_fee) {
            poorest = &txs;
        }
    }
    const TxHandle victim = poorest->rbegin()->second;
    if (pooled.tx.max_priority_fee <= victim->tx.max_priority_fee) {
        return refuse("transaction underpriced");
    }
    erase(victim->hash);
    return {};
}

void Pool::insert(PooledTx pooled) {
    const auto own = by_sender_.find(pooled.sender);
    if (own != by_sender_.end()) {
        const auto same = own->second.find(pooled.tx.nonce);
        if (same != own->second.end()) erase(core::Hash32(same->second->hash));
    }
    pooled.arrival = arrivals_++;
    put(std::make_shared<const PooledTx>(std::move(pooled)));
}

void Pool::put(const TxHandle& handle) {
    if (handle->sidecar) blob_bytes_ += handle->network_bytes;
    by_hash_[key_of(handle->hash)] = handle;
    by_sender_[handle->sender][handle->tx.nonce] = handle;
}

void Pool::erase(const core::Hash32& hash) {
    const auto found = by_hash_.find(key_of(hash));
    if (found == by_hash_.end()) return;
    const TxHandle handle = found->second;
    if (handle->sidecar) blob_bytes_ -= handle->network_bytes;
    by_hash_.erase(found);
    const auto own = by_sender_.find(handle->sender);
    own->second.erase(handle->tx.nonce);
    if (own->second.empty()) by_sender_.erase(own);
}

Answer<core::Hash32> Pool::admit(Snapshot& snapshot, PooledTx pooled,
                                 const std::optional<core::Address>& given_sender) {
    if (by_hash_.contains(key_of(pooled.hash))) return refuse("already known");
    if (auto checked = check(snapshot, pooled); !checked) return core::unexpected(checked.error());
    const chain::BlockRules rules =
        rules_behind(snapshot, snapshot.header(snapshot.head()).timestamp + 1);
    const U256 chain_id(schedule_.config().chain_id);
    std::optional<core::Address> sender = given_sender;
    if (!sender) {
        if (const auto signer = crypto::recover_sender(pooled.tx, rules.rules)) sender = *signer;
    }
    if (!sender || (pooled.tx.chain_id && *pooled.tx.chain_id != chain_id)) {
        return refuse(sender ? fmt::format("invalid sender: invalid chain id for signer: have {} "
                                           "want {}",
                                           pooled.tx.chain_id->to_decimal(), chain_id.to_decimal())
                             : "invalid sender: invalid transaction v, r, s values");
    }
    pooled.sender = *sender;
    const auto state = snapshot.state(snapshot.head());
    if (!state) return core::unexpected(state.error());
    if (auto checked = check_against_sender(**state, pooled); !checked) {
        return core::unexpected(checked.error());
    }
    if (auto made = make_room(pooled); !made) return core::unexpected(made.error());
    const core::Hash32 hash = pooled.hash;
    const core::Address from = pooled.sender;
    insert(std::move(pooled));
    note_executable(**state, from);
    return hash;
}

Answer<core::Hash32> Pool::add(core::ByteView network_form) {
    return add(network_form, std::nullopt);
}

Answer<core::Hash32> Pool::add_unsigned(core::ByteView network_form, const core::Address& sender) {
    return add(network_form, std::optional(sender));
}

Answer<core::Hash32> Pool::add(core::ByteView network_form,
                               const std::optional<core::Address>& sender) {
    auto pooled = decode_network_form(network_form);
    if (!pooled) return core::unexpected(pooled.error());
    const std::scoped_lock lock(mutex_);
    Snapshot snapshot(database_, tables_);
    follow_head(snapshot);
    return admit(snapshot, *std::move(pooled), sender);
}

bool Pool::drop(const core::Hash32& hash) {
    const std::scoped_lock lock(mutex_);
    const bool is_here = by_hash_.contains(key_of(hash));
    erase(hash);
    return is_here;
}

std::vector<TxHandle> Pool::all() {
    const std::scoped_lock lock(mutex_);
    Snapshot snapshot(database_, tables_);
    follow_head(snapshot);
    std::vector<TxHandle> txs;
    for (const auto& [hash, each] : by_hash_) txs.push_back(each);
    std::ranges::sort(txs, {}, [](const TxHandle& each) { return each->arrival; });
    return txs;
}

void Pool::replace(const std::vector<TxHandle>& txs) {
    const std::scoped_lock lock(mutex_);
    Snapshot snapshot(database_, tables_);
    head_ = snapshot.head();
    while (!by_hash_.empty()) erase(core::Hash32(by_hash_.begin()->second->hash));
    for (const TxHandle& each : txs) put(each);
}

void Pool::follow_head(Snapshot& snapshot) {
    const chain::BlockId head = snapshot.head();
    if (head_ == head) return;
    const chain::BlockReader& blocks = snapshot.blocks();
    std::vector<core::Bytes> dropped;  // the last one first
    if (head_) {
        for (chain::BlockId at = *head_; at.number > 0 && !blocks.is_canonical(at);
             at = blocks.parent_of(at)) {
            for (size_t i = blocks.tx_count(at); i-- > 0;) {
                dropped.push_back(blocks.tx_raw(at, i)->to_bytes());
            }
        }
    }
    head_ = head;
    const auto state = snapshot.state(head);
    if (!state) return;
    std::vector<core::Hash32> gone;
    std::vector<TxHandle> mined;
    for (const auto& [sender, txs] : by_sender_) {
        const core::Account account = (*state)->account(sender).value_or(core::Account{});
        for (const auto& [nonce, each] : txs) {
            const auto cost = each->cost_max();
            if (nonce >= account.nonce && cost && *cost <= account.balance) continue;
            gone.push_back(each->hash);
            if (nonce < account.nonce && each->sidecar) mined.push_back(each);
        }
    }
    for (const core::Hash32& hash : gone) erase(hash);
    for (const TxHandle& each : mined) keep_mined(each, head.number);
    // Those that are not valid any more, or have lost their blobs, stay out. The others by their
    // nonces, so that none waits behind a gap that only lasts until the next one.
    for (const core::Bytes& raw : std::views::reverse(dropped)) {
        auto pooled = restore(raw);
        if (pooled) (void)admit(snapshot, *std::move(pooled));
    }
    for (const auto& [waiting, txs] : by_sender_) note_executable(**state, waiting);
    const auto finalized = blocks.finalized();
    while (finalized && !mined_blobs_.empty() &&
           mined_blobs_.front().head_number <= finalized->number) {
        drop_oldest_mined();
    }
}

void Pool::keep_mined(const TxHandle& handle, uint64_t head_number) {
    blob_bytes_ += handle->network_bytes;
    mined_blobs_.push_back({handle, head_number});
}

void Pool::drop_oldest_mined() {
    blob_bytes_ -= mined_blobs_.front().tx->network_bytes;
    mined_blobs_.pop_front();
}

std::optional<PooledTx> Pool::restore(core::ByteView raw) {
    auto pooled = decode_network_form(raw);
    if (!pooled) return std::nullopt;
    if (!is_blob(*pooled)) return *std::move(pooled);
    const auto found = std::ranges::find_if(
        mined_blobs_, [&](const Mined& each) { return each.tx->hash == pooled->hash; });
    if (found == mined_blobs_.end()) return std::nullopt;
    PooledTx kept = found->tx->copy();
    blob_bytes_ -= kept.network_bytes;
    mined_blobs_.erase(found);
    return kept;
}

TxHandle Pool::find(const core::Hash32& hash) {
    const std::scoped_lock lock(mutex_);
    Snapshot snapshot(database_, tables_);
    follow_head(snapshot);
    const auto found = by_hash_.find(key_of(hash));
    return found == by_hash_.end() ? nullptr : found->second;
}

TxHandle Pool::find_blob(const core::Hash32& versioned_hash) {
    const auto has = [&](const TxHandle& each) {
        return each->sidecar && std::ranges::find(each->tx.blob_hashes, versioned_hash) !=
                                    each->tx.blob_hashes.end();
    };
    const std::scoped_lock lock(mutex_);
    for (const auto& [key, each] : by_hash_) {
        if (has(each)) return each;
    }
    for (const Mined& each : mined_blobs_) {
        if (has(each.tx)) return each.tx;
    }
    return nullptr;
}

TxHandle Pool::with_cells(const TxHandle& handle) {
    if (!handle->sidecar) return nullptr;
    if (handle->sidecar->version == 1) return handle;
    auto sidecar = with_cell_proofs(*handle->sidecar);  // long: others go on meanwhile
    if (!sidecar) return nullptr;
    PooledTx copied = handle->copy();
    copied.sidecar = *std::move(sidecar);
    const auto changed = std::make_shared<const PooledTx>(std::move(copied));
    const std::scoped_lock lock(mutex_);
    const auto found = by_hash_.find(key_of(handle->hash));
    if (found != by_hash_.end()) {
        found->second = changed;
        by_sender_[changed->sender][changed->tx.nonce] = changed;
    }
    for (Mined& each : mined_blobs_) {
        if (each.tx->hash == changed->hash) each.tx = changed;
    }
    return changed;
}

void Pool::split(state::StateReader& state, const core::Address& sender, Content& into) const {
    const auto own = by_sender_.find(sender);
    if (own == by_sender_.end()) return;
    const auto account = state.account(sender);
    uint64_t next = account ? account->nonce : 0;
    for (const auto& [nonce, each] : own->second) {
        if (nonce == next) {
            into.pending[sender].emplace(nonce, each);
            ++next;
        } else {
            into.queued[sender].emplace(nonce, each);
        }
    }
}

Content Pool::content() {
    const std::scoped_lock lock(mutex_);
    Snapshot snapshot(database_, tables_);
    follow_head(snapshot);
    Content content;
    const auto state = snapshot.state(snapshot.head());
    if (!state) return content;
    for (const auto& [sender, txs] : by_sender_) split(**state, sender, content);
    return content;
}

Content Pool::content_of(const core::Address& sender) {
    const std::scoped_lock lock(mutex_);
    Snapshot snapshot(database_, tables_);
    follow_head(snapshot);
    Content content;
    const auto state = snapshot.state(snapshot.head());
    if (state) split(**state, sender, content);
    return content;
}

uint64_t Pool::next_nonce(const core::Address& sender) {
    const std::scoped_lock lock(mutex_);
    Snapshot snapshot(database_, tables_);
    follow_head(snapshot);
    Content content;
    const auto state = snapshot.state(snapshot.head());
    if (!state) return 0;
    split(**state, sender, content);
    const auto pending = content.pending.find(sender);
    if (pending != content.pending.end()) return pending->second.rbegin()->first + 1;
    const auto account = (*state)->account(sender);
    return account ? account->nonce : 0;
}

}  // namespace keel::rpc::pool
