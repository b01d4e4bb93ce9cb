#include "rpc/dev/solo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "chain/base_fee.hpp"
#include "core/base.hpp"
#include "core/clock.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "core/random.hpp"
#include "crypto/keccak.hpp"
#include "rpc/dev/keys.hpp"
#include "rpc/engine/builder.hpp"
#include "state/history.hpp"
#include "state/reader.hpp"

namespace keel::rpc::dev {
namespace {

using chain::BlockId;
using core::U256;

constexpr uint64_t kIndexStep = 128;
constexpr uint64_t kMsPerSecond = 1'000;

uint64_t later_by(uint64_t time, int64_t seconds) {
    if (seconds >= 0) return time + static_cast<uint64_t>(seconds);
    const auto back = static_cast<uint64_t>(-seconds);
    return time > back ? time - back : 0;
}

int64_t seconds_between(uint64_t from, uint64_t to) {
    return static_cast<int64_t>(to) - static_cast<int64_t>(from);
}

crypto::SealedBlock seal(const engine::BuiltBlock& built) {
    core::Bytes rlp;
    core::append_block(rlp, built.block);
    auto sealed = crypto::seal(std::move(rlp));
    KEEL_ASSERT(sealed.has_value(), "a block that was built decodes");
    for (const pool::TxHandle& each : built.kept) sealed->senders.push_back(each->sender);
    return *std::move(sealed);
}

}  // namespace

Solo::Solo(const db::Database& database, const chain::ForkSchedule& schedule, pool::Pool& pool,
           Options options)
    : database_(database),
      schedule_(schedule),
      pool_(pool),
      options_(std::move(options)),
      instance_(core::random_bytes<32>()),
      chain_(database, {.header_checks = {.gas_limit_step = false, .base_fee = false},
                        .producer = options_.producer}) {
    settings_ = first_settings();
    clock_ = std::jthread([this](const std::stop_token& stop) { run_clock(stop); });
}

Settings Solo::first_settings() const {
    return {.automine = options_.period_s == 0,
            .interval_ms = options_.period_s * kMsPerSecond,
            .gas_limit = options_.gas_limit};
}

Solo::~Solo() {
    clock_.request_stop();
    clock_.join();
}

template <class Change>
auto Solo::in_txn(const Change& change) {
    auto begun = database_.begin_rw();
    KEEL_ASSERT(begun.has_value(), "the directory's writer is ours");
    db::WriteTxn txn = *std::move(begun);
    try {
        auto answer = change(txn);
        txn.commit();
        chain_.on_commit();
        if (options_.on_head) options_.on_head();
        return answer;
    } catch (...) {
        txn.abort();
        chain_.on_abort();
        throw;
    }
}

core::Header Solo::head_header(const db::ReadTxn& txn) const {
    const chain::BlockReader blocks(txn, chain_.tables());
    const auto head = blocks.head();
    auto header = head ? blocks.header(*head) : std::nullopt;
    if (!header) throw core::Fault(core::FaultKind::Damaged, "the chain has no head");
    return *std::move(header);
}

uint64_t Solo::timestamp_after(const core::Header& head) const {
    if (settings_.next_timestamp) return *settings_.next_timestamp;
    if (settings_.timestamp_step_s) return head.timestamp + *settings_.timestamp_step_s;
    return std::max(head.timestamp + 1, later_by(core::wall_clock_s(), settings_.clock_offset_s));
}

uint64_t Solo::next_timestamp() {
    const std::scoped_lock lock(mutex_);
    return timestamp_after(head_header(database_.begin_ro()));
}

U256 Solo::base_fee_after(const core::Header& head) const {
    if (settings_.next_base_fee) return *settings_.next_base_fee;
    return chain::next_base_fee(head.base_fee.value_or(U256{}), head.gas_limit, head.gas_used);
}

U256 Solo::next_base_fee() {
    const std::scoped_lock lock(mutex_);
    return base_fee_after(head_header(database_.begin_ro()));
}

Answer<size_t> Solo::mine_one(db::WriteTxn& txn, pool::Pool* pool, uint64_t timestamp,
                              bool may_be_empty) {
    const core::Header parent = head_header(txn);
    if (timestamp <= parent.timestamp) {
        return fail(Code::Failed, fmt::format("timestamp {} is not above that of the head, {}",
                                              timestamp, parent.timestamp));
    }
    engine::BuildTask task;
    task.attributes.timestamp = timestamp;
    task.attributes.prev_randao = settings_.next_prev_randao.value_or(
        crypto::keccak256(chain::BlockReader(txn, chain_.tables()).head()->hash));
    task.attributes.fee_recipient = settings_.coinbase;
    task.attributes.withdrawals.emplace();
    task.attributes.parent_beacon_root.emplace();
    task.extra_data = options_.extra_data;
    task.gas_limit = settings_.gas_limit.value_or(parent.gas_limit);
    task.base_fee = settings_.next_base_fee;
    const auto built = engine::build_block({.txn = txn,
                                            .tables = chain_.tables(),
                                            .schedule = schedule_,
                                            .worker = worker_,
                                            .pool = pool},
                                           task);
    if (!built) return core::unexpected(built.error());
    const size_t count = built->block.txs.size();
    if (count == 0 && !may_be_empty) return size_t{0};
    crypto::SealedBlock sealed = seal(*built);
    const auto inserted = chain_.insert_block(txn, sealed, chain::HeadRule::Import);
    if (!inserted) {
        return fail(Code::Failed,
                    fmt::format("the block that was built is refused: {}", inserted.error().text));
    }
    const BlockId id = inserted->id;
    if (id.number >= chain::BlockReader(txn, chain_.tables()).indexed() + kIndexStep) {
        chain_.index(txn, kIndexStep);
    }
    after_block(timestamp);
    return count;
}

void Solo::after_block(uint64_t timestamp) {
    // A time that was set is where the clock goes on from; one that runs ahead does not fall back.
    const int64_t ahead = seconds_between(core::wall_clock_s(), timestamp);
    if (settings_.next_timestamp) {
        settings_.clock_offset_s = ahead;
    } else {
        settings_.clock_offset_s = std::max(settings_.clock_offset_s, ahead);
    }
    settings_.next_timestamp.reset();
    settings_.next_base_fee.reset();
    settings_.next_prev_randao.reset();
}

Answer<void> Solo::mine_locked(uint64_t count, uint64_t interval_s, bool may_be_empty) {
    // A refusal leaves them as they were.
    const Settings before = settings_;
    uint64_t left = count;
    std::optional<uint64_t> last;  // timestamp
    const auto mine_next = [&](db::WriteTxn& txn, pool::Pool* pool) {
        const uint64_t timestamp = last ? *last + interval_s : timestamp_after(head_header(txn));
        last = timestamp;
        --left;
        return mine_one(txn, pool, timestamp, may_be_empty);
    };
    const auto settle = [this](db::WriteTxn& txn) {
        const auto head = chain::BlockReader(txn, chain_.tables()).head();
        chain_.set_safe(txn, head);
        chain_.set_finalized(txn, head);
    };
    Answer<size_t> mined = size_t{0};
    // What waits goes into the first ones, each of them committed, so that the pool follows; the
    // rest is empty and one commit.
    while (left > 0 && !pool_.content().pending.empty()) {
        mined = in_txn([&](db::WriteTxn& txn) {
            auto one = mine_next(txn, &pool_);
            if (one) settle(txn);
            return one;
        });
        if (!mined) break;
        if (*mined == 0) break;  // what waits does not fit
    }
    if (mined && left > 0 && may_be_empty) {
        mined = in_txn([&](db::WriteTxn& txn) {
            Answer<size_t> one = size_t{0};
            while (one && left > 0) one = mine_next(txn, nullptr);
            if (one) settle(txn);
            return one;
        });
    }
    if (!mined) {
        settings_ = before;
        return core::unexpected(mined.error());
    }
    return {};
}

Answer<void> Solo::on_pooled(const core::Hash32& hash) {
    const std::scoped_lock lock(mutex_);
    if (!settings_.automine) return {};
    const U256 base_fee = base_fee_after(head_header(database_.begin_ro()));
    if (const auto pooled = pool_.find(hash); pooled && pooled->tx.max_fee < base_fee) {
        pool_.drop(hash);
        return fail(Code::Failed,
                    fmt::format("max fee per gas less than block base fee: address {}, "
                                "maxFeePerGas: {}, baseFee: {}",
                                core::to_hex_prefixed(pooled->sender),
                                pooled->tx.max_fee.to_decimal(), base_fee.to_decimal()));
    }
    return mine_locked(1, 1, false);
}

Answer<void> Solo::mine(uint64_t count, uint64_t interval_s) {
    const std::scoped_lock lock(mutex_);
    return mine_locked(count, interval_s, true);
}

bool Solo::may_send(const core::Address& sender) {
    const std::scoped_lock lock(mutex_);
    return settings_.impersonates_all || settings_.impersonated.contains(sender);
}

Settings Solo::settings() {
    const std::scoped_lock lock(mutex_);
    return settings_;
}

void Solo::edit_state(db::WriteTxn& txn, state::Values& values,
                      std::span<const state::NewCode> codes) {
    chain_.edit_head(txn, values, codes);
}

void Solo::edit(const AccountEdit& edit) {
    const std::scoped_lock lock(mutex_);
    in_txn([&](db::WriteTxn& txn) {
        state::NewestState newest(txn, chain_.tables());
        const auto before = newest.account(edit.address);
        core::Account account = before.value_or(core::Account{});
        std::vector<state::NewCode> codes;
        if (edit.balance) account.balance = *edit.balance;
        if (edit.more_balance) {
            const U256 sum = account.balance + *edit.more_balance;
            account.balance = sum < account.balance ? ~U256{} : sum;
        }
        if (edit.nonce) account.nonce = *edit.nonce;
        if (edit.code) {
            account.code_hash = crypto::keccak256(*edit.code);
            if (!edit.code->empty()) codes.push_back({account.code_hash, *edit.code});
        }
        // EIP-161: there are no new empty accounts, unless for a slot.
        const bool stays_absent =
            !before && account.is_empty() && !(edit.slot && !edit.slot->value.is_zero());
        if (stays_absent) return true;
        state::Values values;
        if (edit.slot) values.slots.push_back(*edit.slot);
        values.accounts.push_back({.address = edit.address,
                                   .account = account,
                                   .first_slot = 0,
                                   .slot_count = static_cast<uint32_t>(values.slots.size())});
        const BlockId head = *chain::BlockReader(txn, chain_.tables()).head();
        edit_state(txn, values, codes);
        if (!points_.empty()) edits_.push_back({head, std::move(values)});
        return true;
    });
}

uint64_t Solo::save() {
    const std::scoped_lock lock(mutex_);
    const db::ReadTxn txn = database_.begin_ro();
    const BlockId head = *chain::BlockReader(txn, chain_.tables()).head();
    points_[next_point_] = {
        .head = head, .edits = edits_.size(), .pool = pool_.all(), .settings = settings_};
    return next_point_++;
}

void Solo::go_to(db::WriteTxn& txn, const BlockId& head) {
    chain_.set_head(txn, head.hash);
    chain_.set_safe(txn, head);
    chain_.set_finalized(txn, head);
}

bool Solo::revert(uint64_t number) {
    const std::scoped_lock lock(mutex_);
    const auto found = points_.find(number);
    if (found == points_.end()) return false;
    const Point point = std::move(found->second);
    in_txn([&](db::WriteTxn& txn) {
        go_to(txn, point.head);
        // Edits of blocks above went with them.
        for (size_t i = edits_.size(); i-- > point.edits;) {
            if (edits_[i].block == point.head) edit_state(txn, edits_[i].before);
        }
        return true;
    });
    edits_.resize(point.edits);
    points_.erase(points_.find(number), points_.end());
    if (points_.empty()) edits_.clear();
    settings_ = point.settings;
    pool_.replace(point.pool);
    clock_changed_.notify_all();
    return true;
}

bool Solo::roll_back(uint64_t depth) {
    const std::scoped_lock lock(mutex_);
    const std::vector<pool::TxHandle> waiting = pool_.all();
    const bool is_done = in_txn([&](db::WriteTxn& txn) {
        const chain::BlockReader blocks(txn, chain_.tables());
        const uint64_t newest = blocks.head()->number;
        if (depth > newest) return false;
        go_to(txn, {newest - depth, blocks.canonical_hash(newest - depth).value()});
        return true;
    });
    // What the blocks held would come back.
    if (is_done) pool_.replace(waiting);
    return is_done;
}

void Solo::reset() {
    const std::scoped_lock lock(mutex_);
    in_txn([&](db::WriteTxn& txn) {
        const chain::BlockReader blocks(txn, chain_.tables());
        const BlockId genesis{.number = 0, .hash = blocks.genesis_hash()};
        go_to(txn, genesis);
        // What edits have made of it; nobody else writes this change set.
        state::Values written = state::read_change_set(txn, chain_.tables(), 0);
        if (!written.accounts.empty()) edit_state(txn, written);
        return true;
    });
    points_.clear();
    edits_.clear();
    settings_ = first_settings();
    pool_.replace({});
    clock_changed_.notify_all();
}

void Solo::run_clock(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        const uint64_t interval_ms = settings_.interval_ms;
        const auto changed = [&] { return settings_.interval_ms != interval_ms; };
        if (interval_ms == 0) {
            clock_changed_.wait(lock, stop, changed);
            continue;
        }
        if (clock_changed_.wait_for(lock, stop, std::chrono::milliseconds(interval_ms), changed) ||
            stop.stop_requested()) {
            continue;
        }
        // Nobody waits for an answer here: what goes wrong is said, and the next block is tried.
        try {
            if (const auto mined = mine_locked(1, 1, true); !mined) {
                note(fmt::format("solo_block_failed reason=\"{}\"", mined.error().message));
            }
        } catch (const std::exception& fault) {
            note(fmt::format("solo_block_failed reason=\"{}\"", fault.what()));
        }
    }
}

}  // namespace keel::rpc::dev
