#pragma once

// Filters that are polled: eth_newFilter and its like. Source: RPC.md 3.2; geth's eth/filters.
//
// Nothing is gathered while nobody asks: a filter keeps the head that it has told of last, and an
// answer is what lies between that and the head of now. A branch that came and went between two
// polls does not show.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "rpc/eth/log_filter.hpp"

namespace keel::rpc {

struct PolledFilter {
    enum class Kind : uint8_t { Logs, Blocks, PendingTxs };

    PolledFilter(Kind filter_kind, eth::LogFilter wanted_logs, bool full_txs)
        : kind(filter_kind), logs(std::move(wanted_logs)), full(full_txs) {}

    const Kind kind;
    const eth::LogFilter logs;
    const bool full;  // PendingTxs: objects, not hashes

    std::mutex mutex;  // guards the two below; held while a poll is answered
    chain::BlockId told_head;
    uint64_t told_txs = 0;  // place in the pool's record
};

/// The filters of all clients. Any thread.
class Filters {
  public:
    static constexpr size_t kFiltersMax = 10'000;
    static constexpr uint64_t kIdleMaxMs = 5 * 60 * 1000;

    /// Its id; none: there are too many.
    std::optional<std::string> add(std::shared_ptr<PolledFilter> filter, uint64_t now_ms);
    /// Null: unknown, or not asked for too long. Counts as a use.
    std::shared_ptr<PolledFilter> find(const std::string& id, uint64_t now_ms);
    bool remove(const std::string& id, uint64_t now_ms);
    size_t size() const;

  private:
    struct Entry {
        std::shared_ptr<PolledFilter> filter;
        uint64_t used_ms;
    };
    void drop_idle(uint64_t now_ms);

    mutable std::mutex mutex_;  // guards all below
    std::unordered_map<std::string, Entry> filters_;
    uint64_t swept_ms_ = 0;
};

}  // namespace keel::rpc
