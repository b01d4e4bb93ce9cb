#include <sys/resource.h>

#include <fmt/format.h>

#include "node/pages.hpp"
#include "rpc/pool/pool.hpp"
#include "rpc/snapshot.hpp"

namespace keel::node {
namespace {

size_t count_of(const std::map<core::Address, rpc::pool::BySender>& group) {
    size_t count = 0;
    for (const auto& [sender, txs] : group) count += txs.size();
    return count;
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void write_chain(rpc::MetricsText& to, const rpc::Backend& backend) {
    rpc::Snapshot snapshot(backend.database, *backend.tables);
    const auto number = [](const std::optional<chain::BlockId>& id) {
        return id ? static_cast<double>(id->number) : 0.0;
    };
    const chain::BlockId head = snapshot.head();
    to.gauge("chain_head_block", number(head));
    to.gauge("chain_head_header", number(head));
    to.gauge("chain_head_safe", number(snapshot.blocks().safe()));
    to.gauge("chain_head_finalized", number(snapshot.blocks().finalized()));
    to.gauge("chain_head_timestamp", static_cast<double>(snapshot.header(head).timestamp));
    to.labelled("sync", "gauge", "stage=\"execution\"", number(head));
}

void write_pool(rpc::MetricsText& to, rpc::pool::Pool& pool) {
    const rpc::pool::Content content = pool.content();
    to.gauge("txpool_pending", static_cast<double>(count_of(content.pending)));
    to.gauge("txpool_queued", static_cast<double>(count_of(content.queued)));
}

void write_tables(rpc::MetricsText& to, const db::Database& database) {
    const db::ReadTxn txn = database.begin_ro();
    const auto each = [&](std::string_view name, uint64_t db::TableStat::* member) {
        for (const db::TableSpec& table : txn.list_tables()) {
            const db::TableStat stat = txn.stat(database.table(table.name));
            to.labelled(name, "gauge", fmt::format("table=\"{}\"", table.name),
                        static_cast<double>(stat.*member));
        }
    };
    each("reth_db_table_size", &db::TableStat::bytes);
    each("reth_db_table_entries", &db::TableStat::entries);
}

void write_store(rpc::MetricsText& to, const db::Stats& stats) {
    const auto bytes = [&to](std::string_view name, uint64_t value) {
        to.gauge(name, static_cast<double>(value));
    };
    const auto count = [&to](std::string_view name, uint64_t value) {
        to.counter(name, static_cast<double>(value));
    };
    bytes("db_size", stats.image_bytes + stats.log_bytes);
    bytes("keel_store_image_bytes", stats.image_bytes);
    bytes("keel_store_log_bytes", stats.log_bytes);
    bytes("keel_store_memory_bytes", stats.anonymous_bytes);
    bytes("keel_store_free_bytes", stats.free_bytes);
    bytes("keel_store_pinned_bytes", stats.pinned_bytes);
    bytes("keel_store_readers", stats.readers);
    bytes("keel_store_oldest_reader_commits", stats.view_id - stats.oldest_view_id);
    count("keel_store_commits", stats.commits);
    count("keel_store_puts", stats.puts);
    count("keel_store_deletes", stats.deletes);
    count("keel_store_pages_written", stats.pages_written);
}

void write_process(rpc::MetricsText& to) {
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return;
    to.counter("process_cpu_seconds_total",
               seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    to.gauge("keel_process_peak_bytes", static_cast<double>(usage.ru_maxrss) * 1024);
}

}  // namespace

bool MetricsPages::has(std::string_view path) const {
    return path == "/metrics" || path == "/debug/metrics/prometheus";
}

rpc::Page MetricsPages::answer(const rpc::PageRequest&) {
    rpc::MetricsText text;
    write_chain(text, backend_);
    if (backend_.pool != nullptr) write_pool(text, *backend_.pool);
    metrics_.write(text);
    write_store(text, backend_.database.stats());
    write_tables(text, backend_.database);
    const Connections connections = connections_();
    text.gauge("keel_connections", static_cast<double>(connections.all));
    text.gauge("keel_ws_connections", static_cast<double>(connections.lasting));
    text.labelled("keel_build_info", "gauge",
                  fmt::format("version=\"{}\",commit=\"{}\"", backend_.version, backend_.commit),
                  1);
    text.labelled("reth_info", "gauge", fmt::format("version=\"{}\"", backend_.version), 1);
    write_process(text);
    return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = text.text()};
}

}  // namespace keel::node
