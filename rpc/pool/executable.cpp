// The record of what has become executable, for who wants to be told.

#include "core/hex.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::pool {
namespace {

constexpr size_t kRecordMax = 100'000;
constexpr size_t kNotedSpare = 1024;

std::string key_of(const core::Hash32& hash) {
    return std::string(core::ByteView(hash).text());
}

}  // namespace

void Pool::note_executable(state::StateReader& state, const core::Address& sender) {
    const auto own = by_sender_.find(sender);
    if (own == by_sender_.end()) return;
    std::vector<TxHandle> fresh;
    const auto account = state.account(sender);
    uint64_t next = account ? account->nonce : 0;
    for (auto at = own->second.find(next); at != own->second.end() && at->first == next; ++at) {
        ++next;
        if (noted_.insert(key_of(at->second->hash)).second) fresh.push_back(at->second);
    }
    if (fresh.empty()) return;
    for (const TxHandle& each : fresh) executable_.push_back(each->hash);
    while (executable_.size() > kRecordMax) {
        executable_.pop_front();
        ++executable_first_;
    }
    if (noted_.size() > 2 * by_hash_.size() + kNotedSpare) {
        std::erase_if(noted_, [this](const std::string& key) { return !by_hash_.contains(key); });
    }
    if (on_executable_) on_executable_(fresh);
}

void Pool::follow() {
    const std::scoped_lock lock(mutex_);
    if (!head_) return;  // nobody has asked or sent anything yet
    Snapshot snapshot(database_, tables_);
    follow_head(snapshot);
}

uint64_t Pool::executable_count() {
    const std::scoped_lock lock(mutex_);
    return executable_first_ + executable_.size();
}

std::vector<Pool::Arrival> Pool::executable_since(uint64_t& count) {
    const std::scoped_lock lock(mutex_);
    Snapshot snapshot(database_, tables_);
    follow_head(snapshot);
    std::vector<Arrival> arrivals;
    for (uint64_t at = std::max(count, executable_first_);
         at < executable_first_ + executable_.size(); ++at) {
        const core::Hash32& hash = executable_[at - executable_first_];
        const auto found = by_hash_.find(key_of(hash));
        arrivals.push_back({hash, found == by_hash_.end() ? nullptr : found->second});
    }
    count = executable_first_ + executable_.size();
    return arrivals;
}

}  // namespace keel::rpc::pool
