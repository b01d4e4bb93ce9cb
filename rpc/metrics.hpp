#pragma once

// What is counted while requests are served, and its text for Prometheus. Names: RPC.md 7.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace keel::rpc {

/// Durations by size: four steps to each power of two. Any thread; a reader sees counts that may
/// be a moment apart.
class Durations {
  public:
    void add(uint64_t ns) noexcept;
    uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
    uint64_t sum_ns() const noexcept { return sum_ns_.load(std::memory_order_relaxed); }
    /// Nanoseconds that this part of them does not exceed, within an eighth; 0: there are none.
    uint64_t quantile_ns(double part) const noexcept;

  private:
    static constexpr size_t kSteps = 4;
    static constexpr size_t kBuckets = 64 * kSteps;

    std::atomic<uint64_t> count_ = 0;
    std::atomic<uint64_t> sum_ns_ = 0;
    std::array<std::atomic<uint32_t>, kBuckets> buckets_ = {};
};

/// Lines of the text format, each family with its type in front.
class MetricsText {
  public:
    void gauge(std::string_view name, double value) { one(name, "gauge", value); }
    void counter(std::string_view name, double value) { one(name, "counter", value); }
    /// With labels, as `name="value"` between commas; the family is begun by its first line.
    void labelled(std::string_view name, std::string_view type, std::string_view labels,
                  double value);
    void summary(std::string_view name, const Durations& durations);
    /// The same in seconds.
    void summary_in_seconds(std::string_view name, const Durations& durations);
    const std::string& text() const noexcept { return text_; }

  private:
    void one(std::string_view name, std::string_view type, double value);
    void family(std::string_view name, std::string_view type);

    std::string text_;
    std::string family_;
};

/// Any thread.
class Metrics {
  public:
    struct Method {
        std::string name;
        std::atomic<uint64_t> at_work = 0;
        Durations success, failure;
    };

    /// For these methods; others are not counted.
    explicit Metrics(const std::vector<std::string_view>& methods);
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// Null: it is not counted. lifetime: this.
    Method* find(std::string_view method) noexcept;
    void done(Method& method, uint64_t ns, bool succeeded) noexcept;
    void head_changed(size_t added, size_t removed) noexcept;
    /// The pool has taken a transaction, or said why not.
    void tx_sent(std::string_view refusal) noexcept;
    void blobs_asked(size_t asked, size_t found) noexcept;
    // Work on blocks that came by the Engine API, in nanoseconds.
    Durations decodes, commits, payloads, forkchoices;
    void executed(uint64_t ns, uint64_t gas, uint64_t txs) noexcept;
    void write(MetricsText& to) const;

  private:
    std::vector<std::unique_ptr<Method>> methods_;  // by name
    std::unordered_map<std::string_view, Method*> by_name_;
    Durations all_;
    std::atomic<uint64_t> requests_ = 0;
    std::atomic<uint64_t> failures_ = 0;
    std::atomic<uint64_t> txs_valid_ = 0;
    std::atomic<uint64_t> txs_invalid_ = 0;
    std::atomic<uint64_t> txs_known_ = 0;
    std::atomic<uint64_t> txs_underpriced_ = 0;
    std::atomic<uint64_t> txs_overflowed_ = 0;
    std::atomic<uint64_t> reorgs_ = 0;
    std::atomic<uint64_t> blocks_added_ = 0;  // by reorganisations
    std::atomic<uint64_t> blocks_dropped_ = 0;
    std::atomic<uint64_t> blobs_asked_ = 0;
    std::atomic<uint64_t> blobs_found_ = 0;
    std::atomic<uint64_t> blob_hits_ = 0;
    std::atomic<uint64_t> blob_misses_ = 0;
    std::atomic<uint64_t> blob_parts_ = 0;
    Durations executions_;
    Durations gas_rates_;  // Mgas a second, of each block
    std::atomic<uint64_t> gas_executed_ = 0;
    std::atomic<uint64_t> txs_executed_ = 0;
    std::atomic<uint64_t> last_gas_rate_ = 0;  // gas a second
};

}  // namespace keel::rpc
