#pragma once

// Solo mode: a chain whose blocks are made here, for people without a consensus client
// (docs/solo.md).
//
// I1  A block goes the road of every other one: built by the builder, inserted by the chain, one
//     commit. It is there when the call that made it answers.
// I2  Settings are of this process: after a restart the chain is there, they are as at the start.
// I3  Of a saved point everything comes back: head, edits of its state, pool, settings.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "chain/chain.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::dev {

/// What an account shall be; absent members stay as they are.
struct AccountEdit {
    core::Address address;
    std::optional<core::U256> balance = {};
    std::optional<core::U256> more_balance = {};  // on top of what is there, 2^256 - 1 at most
    std::optional<uint64_t> nonce = {};
    std::optional<core::Bytes> code = {};
    std::optional<state::SlotValue> slot = {};
};

/// What is otherwise than a plain node would have it.
struct Settings {
    bool automine = true;
    uint64_t interval_ms = 0;  // between blocks by the clock; 0: none
    int64_t clock_offset_s = 0;
    std::optional<uint64_t> timestamp_step_s = {};  // between blocks, instead of the clock
    std::optional<uint64_t> gas_limit = {};         // none: as the parent's
    core::Address coinbase = {};
    std::set<core::Address> impersonated = {};
    bool impersonates_all = false;
    // Of the next block alone.
    std::optional<uint64_t> next_timestamp = {};
    std::optional<core::U256> next_base_fee = {};
    std::optional<core::Hash32> next_prev_randao = {};
};

/// Any thread; one call at a time is at work, others wait.
class Solo {
  public:
    struct Options {
        uint64_t period_s = 0;                   // a block so often; 0: one for each transaction
        std::optional<uint64_t> gas_limit = {};  // none: as the parent's
        std::string producer = {};
        core::Bytes extra_data = {};
        /// Told of faults that nobody else hears of; may be empty.
        std::function<void(std::string_view)> on_note = {};
        /// Called behind each commit, before the answer; must not call the solo. May be empty.
        std::function<void()> on_head = {};
    };
    /// lifetime: schedule and pool.
    Solo(const db::Database& database, const chain::ForkSchedule& schedule, pool::Pool& pool,
         Options options);
    Solo(const Solo&) = delete;
    Solo& operator=(const Solo&) = delete;
    /// Ends the clock's blocks.
    ~Solo();

    /// A transaction has come into the pool: a block, if that is the rule now. One that cannot pay
    /// for it is refused and leaves the pool, since nothing else would lower the fee.
    Answer<void> on_pooled(const core::Hash32& hash);
    /// `count` blocks, `interval_s` between them; the first takes what waits.
    Answer<void> mine(uint64_t count, uint64_t interval_s = 1);
    bool may_send(const core::Address& sender);
    void edit(const AccountEdit& edit);
    /// Number of the point, for revert().
    uint64_t save();
    /// False: there is no such point. It and all later ones are used up.
    bool revert(uint64_t point);
    /// Takes back the last blocks, and their transactions with them; false: there are not so many.
    bool roll_back(uint64_t depth);
    /// Back to the genesis, as it was written.
    void reset();

    Settings settings();
    template <class Change>
    void change(const Change& change_settings) {
        const std::scoped_lock lock(mutex_);
        change_settings(settings_);
        clock_changed_.notify_all();
    }
    /// Timestamp that a block would have now.
    uint64_t next_timestamp();
    /// Wei a gas that a block would ask for now.
    core::U256 next_base_fee();
    /// A random number of this process, for metadata.
    const core::Hash32& instance() const noexcept { return instance_; }

  private:
    struct Edit {
        chain::BlockId block;
        state::Values before;
    };
    struct Point {
        chain::BlockId head;
        size_t edits;  // that were made before
        std::vector<pool::TxHandle> pool;
        Settings settings;
    };

    Settings first_settings() const;
    template <class Change>
    auto in_txn(const Change& change);
    /// On the head as `txn` sees it. 0: it would be empty, and that is not wanted.
    Answer<size_t> mine_one(db::WriteTxn& txn, pool::Pool* pool, uint64_t timestamp,
                            bool may_be_empty);
    Answer<void> mine_locked(uint64_t count, uint64_t interval_s, bool may_be_empty);
    core::Header head_header(const db::ReadTxn& txn) const;
    uint64_t timestamp_after(const core::Header& head) const;
    core::U256 base_fee_after(const core::Header& head) const;
    void after_block(uint64_t timestamp);
    void go_to(db::WriteTxn& txn, const chain::BlockId& head);
    void edit_state(db::WriteTxn& txn, state::Values& values,
                    std::span<const state::NewCode> codes = {});
    void run_clock(const std::stop_token& stop);
    void note(std::string_view text) const {
        if (options_.on_note) options_.on_note(text);
    }

    const db::Database database_;
    const chain::ForkSchedule& schedule_;
    pool::Pool& pool_;
    const Options options_;
    const core::Hash32 instance_;
    std::mutex mutex_;  // guards all below; held while a block is made
    std::condition_variable_any clock_changed_;
    chain::Chain chain_;
    Worker worker_;
    Settings settings_;
    std::vector<Edit> edits_;  // while there is a point to go back to
    std::map<uint64_t, Point> points_;
    uint64_t next_point_ = 1;
    std::jthread clock_;  // last: uses all of the above
};

}  // namespace keel::rpc::dev
