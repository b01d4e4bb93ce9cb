#include "rpc/filters.hpp"

#include "rpc/random_id.hpp"

namespace keel::rpc {
namespace {

constexpr uint64_t kSweepMs = 10'000;

}  // namespace

void Filters::drop_idle(uint64_t now_ms) {
    if (now_ms < swept_ms_ + kSweepMs && filters_.size() < kFiltersMax) return;
    swept_ms_ = now_ms;
    std::erase_if(filters_,
                  [now_ms](const auto& each) { return now_ms > each.second.used_ms + kIdleMaxMs; });
}

std::optional<std::string> Filters::add(std::shared_ptr<PolledFilter> filter, uint64_t now_ms) {
    const std::scoped_lock lock(mutex_);
    drop_idle(now_ms);
    if (filters_.size() >= kFiltersMax) return std::nullopt;
    std::string id = random_id();
    filters_[id] = {.filter = std::move(filter), .used_ms = now_ms};
    return id;
}

std::shared_ptr<PolledFilter> Filters::find(const std::string& id, uint64_t now_ms) {
    const std::scoped_lock lock(mutex_);
    drop_idle(now_ms);
    const auto found = filters_.find(id);
    if (found == filters_.end()) return nullptr;
    if (now_ms > found->second.used_ms + kIdleMaxMs) {
        filters_.erase(found);
        return nullptr;
    }
    found->second.used_ms = now_ms;
    return found->second.filter;
}

bool Filters::remove(const std::string& id, uint64_t now_ms) {
    const std::scoped_lock lock(mutex_);
    drop_idle(now_ms);
    return filters_.erase(id) > 0;
}

size_t Filters::size() const {
    const std::scoped_lock lock(mutex_);
    return filters_.size();
}

}  // namespace keel::rpc
