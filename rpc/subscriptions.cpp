#include "rpc/subscriptions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "rpc/eth/block_logs.hpp"
#include "rpc/random_id.hpp"

namespace keel::rpc {
namespace {

// A head that jumps further is told of by its newest blocks.
constexpr size_t kBlocksMax = 1024;

std::shared_ptr<const std::string> shared_text(const JsonOut& out) {
    return std::make_shared<const std::string>(out.text());
}

void send(const Subscription& to, std::shared_ptr<const std::string> result) {
    if (!to.is_active()) return;
    if (const auto subscriber = to.subscriber()) subscriber->notify(to, std::move(result));
}

}  // namespace

Subscriptions::Subscriptions(db::Database database, const state::Tables& tables,
                             const chain::ForkSchedule& schedule)
    : database_(std::move(database)), tables_(tables), schedule_(schedule) {
    head_ = Snapshot(database_, tables_).head();
}

Answer<std::shared_ptr<Subscription>> Subscriptions::begin(Subscriber& subscriber,
                                                           Subscription::Wish wish) {
    if (subscriber.subscription_count.load() >= kPerConnectionMax) {
        return fail(Code::Failed,
                    fmt::format("too many subscriptions (max {} a connection)", kPerConnectionMax));
    }
    auto subscription = std::make_shared<Subscription>(random_id(), std::move(wish), subscriber);
    const std::scoped_lock lock(mutex_);
    all_.emplace(subscription->id(), subscription);
    return subscription;
}

bool Subscriptions::end(const Subscriber& subscriber, std::string_view id) {
    std::shared_ptr<Subscription> ended;
    {
        const std::scoped_lock lock(mutex_);
        const auto found = all_.find(std::string(id));
        if (found == all_.end() || found->second->subscriber().get() != &subscriber) return false;
        ended = std::move(found->second);
        all_.erase(found);
    }
    const bool was_there = !ended->has_ended();
    ended->end();
    return was_there;
}

Subscriptions::List Subscriptions::active(Topic topic) {
    List list;
    const std::scoped_lock lock(mutex_);
    std::erase_if(all_, [](const auto& each) { return each.second->has_ended(); });
    for (const auto& [id, each] : all_) {
        if (each->wish().topic == topic) list.push_back(each);
    }
    return list;
}

size_t Subscriptions::size() const {
    const std::scoped_lock lock(mutex_);
    return static_cast<size_t>(
        std::ranges::count_if(all_, [](const auto& each) { return !each.second->has_ended(); }));
}

void Subscriptions::head_changed() {
    const std::scoped_lock lock(telling_);
    Snapshot snapshot(database_, tables_);
    const chain::BlockId newest = snapshot.head();
    const chain::BlockId before = std::exchange(head_, newest);
    if (before == newest) return;
    const List heads = active(Topic::NewHeads);
    const List logs = active(Topic::Logs);
    const List receipts = active(Topic::TransactionReceipts);
    if (heads.empty() && logs.empty() && receipts.empty()) return;
    const HeadChange change = change_since(snapshot, before, kBlocksMax);
    for (const chain::BlockId& id : change.removed) tell_logs(snapshot, logs, id, true);
    for (const chain::BlockId& id : change.added) {
        tell_logs(snapshot, logs, id, false);
        tell_receipts(snapshot, receipts, id);
        tell_head(snapshot, heads, id);
    }
    // Set back to an ancestor.
    if (change.added.empty()) tell_head(snapshot, heads, newest);
}

void Subscriptions::tell_head(Snapshot& snapshot, const List& to, const chain::BlockId& id) {
    if (to.empty()) return;
    JsonOut out;
    out.begin_object();
    eth::write_header_members(out, snapshot.header(id), id.hash);
    out.end_object();
    const auto text = shared_text(out);
    for (const auto& each : to) send(*each, text);
}

void Subscriptions::tell_logs(Snapshot& snapshot, const List& to, const chain::BlockId& id,
                              bool removed) {
    if (to.empty()) return;
    JsonOut out;
    List matching;
    eth::visit_logs(
        snapshot, id,
        [&](const chain::LogView& log) {
            matching.clear();
            for (const auto& each : to) {
                if (each->wish().logs.matches(log)) matching.push_back(each);
            }
            return !matching.empty();
        },
        [&](const chain::LogView& log, const eth::MinedPlace& place, const core::Hash32& tx_hash,
            uint64_t index) {
            out.clear();
            eth::write_log(out, log, place, tx_hash, index, removed);
            const auto text = shared_text(out);
            for (const auto& each : matching) send(*each, text);
        });
}

void Subscriptions::tell_receipts(Snapshot& snapshot, const List& to, const chain::BlockId& id) {
    if (to.empty()) return;
    eth::ReceiptWriter writer(snapshot, schedule_, id);
    const std::vector<core::Hash32> hashes = snapshot.blocks().tx_hashes(id);
    std::shared_ptr<const std::string> all;
    JsonOut out;
    for (const auto& each : to) {
        const std::vector<core::Hash32>& wanted = each->wish().tx_hashes;
        out.clear();
        if (wanted.empty()) {
            if (!all) {
                writer.write_all(out);
                all = shared_text(out);
            }
            if (!hashes.empty()) send(*each, all);
            continue;
        }
        bool any = false;
        out.begin_array();
        for (size_t i = 0; i < hashes.size(); ++i) {
            if (std::ranges::find(wanted, hashes[i]) == wanted.end()) continue;
            writer.write_one(out, i);
            any = true;
        }
        out.end_array();
        if (any) send(*each, shared_text(out));
    }
}

void Subscriptions::txs_executable(const std::vector<pool::TxHandle>& txs) {
    if (txs.empty()) return;
    const List to = active(Topic::PendingTxs);
    if (to.empty()) return;
    const bool any_full =
        std::ranges::any_of(to, [](const auto& each) { return each->wish().full; });
    for (const pool::TxHandle& tx : txs) {
        JsonOut out;
        out.data(tx->hash);
        const auto hash = shared_text(out);
        std::shared_ptr<const std::string> object;
        if (any_full) {
            out.clear();
            eth::write_pooled_tx(out, tx->tx, tx->hash, tx->sender);
            object = shared_text(out);
        }
        for (const auto& each : to) send(*each, each->wish().full ? object : hash);
    }
}

}  // namespace keel::rpc
