#include "rpc/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace keel::rpc {
namespace {

constexpr std::array kQuantiles = {0.5, 0.75, 0.95, 0.99, 0.999};

uint64_t load(const std::atomic<uint64_t>& value) noexcept {
    return value.load(std::memory_order_relaxed);
}
void raise(std::atomic<uint64_t>& value, uint64_t by = 1) noexcept {
    value.fetch_add(by, std::memory_order_relaxed);
}

/// Whole numbers as they are: what counts bytes or blocks is not rounded.
std::string number_text(double value) {
    constexpr double kExact = 9007199254740992;  // 2^53
    const bool is_whole = value > -kExact && value < kExact &&
                          value == static_cast<double>(static_cast<int64_t>(value));
    return is_whole ? fmt::format("{}", static_cast<int64_t>(value)) : fmt::format("{}", value);
}

}  // namespace

void Durations::add(uint64_t ns) noexcept {
    count_.fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(ns, std::memory_order_relaxed);
    const uint64_t value = std::max<uint64_t>(ns, kSteps);
    const auto power = static_cast<size_t>(std::bit_width(value) - 1);
    const size_t step = (value >> (power - 2)) & (kSteps - 1);
    buckets_[power * kSteps + step].fetch_add(1, std::memory_order_relaxed);
}

uint64_t Durations::quantile_ns(double part) const noexcept {
    uint64_t total = 0;
    for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
    if (total == 0) return 0;
    const auto wanted =
        std::max<uint64_t>(1, static_cast<uint64_t>(part * static_cast<double>(total) + 0.999999));
    uint64_t seen = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
        seen += buckets_[i].load(std::memory_order_relaxed);
        if (seen < wanted) continue;
        const size_t power = i / kSteps;
        const uint64_t step = uint64_t{1} << (power - std::min<size_t>(power, 2));
        return (uint64_t{1} << power) + step * (i % kSteps) + step / 2;
    }
    return 0;
}

void MetricsText::family(std::string_view name, std::string_view type) {
    if (family_ == name) return;
    family_ = name;
    text_ += fmt::format("# TYPE {} {}\n", name, type);
}

void MetricsText::one(std::string_view name, std::string_view type, double value) {
    family(name, type);
    text_ += fmt::format("{} {}\n", name, number_text(value));
}

void MetricsText::labelled(std::string_view name, std::string_view type, std::string_view labels,
                           double value) {
    family(name, type);
    text_ += fmt::format("{}{{{}}} {}\n", name, labels, number_text(value));
}

void MetricsText::summary(std::string_view name, const Durations& durations) {
    family(name, "summary");
    for (const double part : kQuantiles) {
        text_ += fmt::format("{}{{quantile=\"{}\"}} {}\n", name, part, durations.quantile_ns(part));
    }
    text_ +=
        fmt::format("{}_sum {}\n{}_count {}\n", name, durations.sum_ns(), name, durations.count());
}

void MetricsText::summary_in_seconds(std::string_view name, const Durations& durations) {
    family(name, "summary");
    for (const double part : kQuantiles) {
        text_ += fmt::format("{}{{quantile=\"{}\"}} {}\n", name, part,
                             static_cast<double>(durations.quantile_ns(part)) / 1e9);
    }
    text_ += fmt::format("{}_sum {}\n{}_count {}\n", name,
                         static_cast<double>(durations.sum_ns()) / 1e9, name, durations.count());
}

Metrics::Metrics(const std::vector<std::string_view>& methods) {
    for (const std::string_view name : methods) {
        auto method = std::make_unique<Method>();
        method->name = name;
        methods_.push_back(std::move(method));
    }
    std::ranges::sort(methods_, {}, [](const auto& each) { return std::string_view(each->name); });
    for (const auto& each : methods_) by_name_.emplace(each->name, each.get());
}

Metrics::Method* Metrics::find(std::string_view method) noexcept {
    const auto found = by_name_.find(method);
    return found == by_name_.end() ? nullptr : found->second;
}

void Metrics::done(Method& method, uint64_t ns, bool succeeded) noexcept {
    raise(requests_);
    if (!succeeded) raise(failures_);
    all_.add(ns);
    (succeeded ? method.success : method.failure).add(ns);
}

void Metrics::head_changed(size_t added, size_t removed) noexcept {
    if (removed == 0) return;
    raise(reorgs_);
    raise(blocks_added_, added);
    raise(blocks_dropped_, removed);
}

void Metrics::tx_sent(std::string_view refusal) noexcept {
    if (refusal.empty()) {
        raise(txs_valid_);
    } else if (refusal.starts_with("already known")) {
        raise(txs_known_);
    } else if (refusal.find("underpriced") != std::string_view::npos) {
        raise(txs_underpriced_);
    } else if (refusal.starts_with("txpool is full")) {
        raise(txs_overflowed_);
    } else {
        raise(txs_invalid_);
    }
}

void Metrics::blobs_asked(size_t asked, size_t found) noexcept {
    raise(blobs_asked_, asked);
    raise(blobs_found_, found);
    raise(found == asked ? blob_hits_ : (found == 0 ? blob_misses_ : blob_parts_));
}

void Metrics::executed(uint64_t ns, uint64_t gas, uint64_t txs) noexcept {
    executions_.add(ns);
    raise(gas_executed_, gas);
    raise(txs_executed_, txs);
    if (ns == 0 || gas == 0) return;
    const double gas_a_second = static_cast<double>(gas) * 1e9 / static_cast<double>(ns);
    gas_rates_.add(static_cast<uint64_t>(gas_a_second / 1e6));
    last_gas_rate_.store(static_cast<uint64_t>(gas_a_second), std::memory_order_relaxed);
}

void Metrics::write(MetricsText& to) const {
    const auto number = [](const std::atomic<uint64_t>& value) {
        return static_cast<double>(load(value));
    };
    to.summary("chain_inserts", payloads);
    to.summary("chain_validation", decodes);
    to.summary("chain_execution", executions_);
    to.summary("chain_write", commits);
    to.summary("chain_mgasps", gas_rates_);
    to.counter("exec_txs_done", number(txs_executed_));
    to.counter("exec_mgas_done", number(gas_executed_) / 1e6);
    to.counter("exec_blocks_done", static_cast<double>(executions_.count()));
    to.summary_in_seconds("reth_consensus_engine_beacon_new_payload_latency", payloads);
    to.summary_in_seconds("reth_consensus_engine_beacon_forkchoice_updated_latency", forkchoices);
    to.gauge("reth_sync_execution_gas_per_second", number(last_gas_rate_));
    to.counter("chain_reorg_executes", number(reorgs_));
    to.counter("chain_reorg_add", number(blocks_added_));
    to.counter("chain_reorg_drop", number(blocks_dropped_));
    to.counter("txpool_valid", number(txs_valid_));
    to.counter("txpool_invalid", number(txs_invalid_));
    to.counter("txpool_known", number(txs_known_));
    to.counter("txpool_underpriced", number(txs_underpriced_));
    to.counter("txpool_overflowed", number(txs_overflowed_));
    to.counter("engine_getblobs_requested", number(blobs_asked_));
    to.counter("engine_getblobs_available", number(blobs_found_));
    to.counter("engine_getblobs_hit", number(blob_hits_));
    to.counter("engine_getblobs_miss", number(blob_misses_));
    to.counter("engine_getblobs_partial", number(blob_parts_));
    const double requests = number(requests_);
    const double failures = number(failures_);
    to.gauge("rpc_requests", requests);
    to.gauge("rpc_success", requests - failures);
    to.gauge("rpc_failure", failures);
    to.gauge("rpc_total", requests);
    to.summary("rpc_duration_all", all_);
    for (const auto& each : methods_) {
        if (each->success.count() > 0) {
            to.summary(fmt::format("rpc_duration_{}_success", each->name), each->success);
        }
        if (each->failure.count() > 0) {
            to.summary(fmt::format("rpc_duration_{}_failure", each->name), each->failure);
        }
    }
    // The same as erigon's and reth's boards read it.
    for (const auto& each : methods_) {
        for (const bool succeeded : {true, false}) {
            const Durations& durations = succeeded ? each->success : each->failure;
            if (durations.count() == 0) continue;
            for (const double part : kQuantiles) {
                to.labelled("rpc_duration_seconds", "summary",
                            fmt::format("method=\"{}\",success=\"{}\",quantile=\"{}\"", each->name,
                                        succeeded ? "success" : "failure", part),
                            static_cast<double>(durations.quantile_ns(part)) / 1e9);
            }
        }
    }
    for (const auto& each : methods_) {
        const uint64_t count = each->success.count() + each->failure.count();
        if (count == 0) continue;
        to.labelled("reth_rpc_server_calls_time_seconds", "summary",
                    fmt::format("method=\"{}\",quantile=\"0.5\"", each->name),
                    static_cast<double>(each->success.quantile_ns(0.5)) / 1e9);
    }
    for (const auto& each : methods_) {
        to.labelled("keel_rpc_inflight", "gauge", fmt::format("method=\"{}\"", each->name),
                    number(each->at_work));
    }
}

}  // namespace keel::rpc
