#pragma once

// Serves one chain until it is told to stop (DESIGN.md 9).
//
// Order of starting: settings of the store, head, all listeners bound, ready. A request during
// loading is impossible: nobody listens yet. Order of stopping: listeners, requests at work, then
// the caller closes the store.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/block_store.hpp"
#include "db/database.hpp"
#include "rpc/dispatch.hpp"
#include "rpc/http.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::node {

struct DaemonOptions {
    bool http = true;
    rpc::ListenerOptions http_listener;                // its dispatcher is made here
    std::optional<std::vector<std::string>> http_api;  // none: eth, net, web3; in solo mode more
    /// On a port of its own, and for those who ask for it on HTTP's; in solo mode they always may.
    bool ws = false;
    rpc::ListenerOptions ws_listener = {.name = "ws", .port = 8546};
    std::vector<std::string> ws_origins;
    std::optional<std::vector<std::string>> ws_api;  // as http_api
    /// The Engine API's port; its dispatcher and secret are put in here.
    rpc::ListenerOptions engine_listener = {
        .name = "authrpc", .port = 8551, .body_bytes_max = uint64_t{128} << 20};
    bool health = true;            // erigon's page at /health
    std::optional<bool> explorer;  // a page at /ui; none: where only this machine can see it
    bool metrics = false;
    rpc::ListenerOptions metrics_listener = {.name = "metrics", .port = 6060};
    bool ipc = true;
    std::filesystem::path ipc_path;         // a mere name: in the data directory
    std::filesystem::path jwt_secret_file;  // empty: jwt.hex in the data directory
    uint64_t reorg_depth_max = 0;           // 0: any
    rpc::pool::PoolOptions pool;
    rpc::BuildingOptions building;  // without extra data: the program's version
    /// Blocks are made here (docs/solo.md); then there is no Engine API.
    bool solo = false;
    uint64_t solo_period_s = 0;              // 0: a block for each transaction
    std::optional<uint64_t> solo_gas_limit;  // none: as the parent's
    rpc::DispatchLimits limits;
    rpc::ServerOptions server;
    std::optional<uint64_t> network_id;  // none: as stored
    uint64_t call_gas_cap = 50'000'000;
    uint64_t call_ms_max = 5'000;  // of eth_call and its like; 0: any time
    uint64_t return_data_max = 0;  // bytes that eth_call returns; 0: any number
    rpc::LogLimits log_limits;
    uint64_t sync_wait_ms = 20'000;  // of sendRawTransactionSync, where the caller says nothing
    uint64_t sync_wait_ms_max = 60'000;
    std::string client_version;
    std::string producer;  // version and commit, for marks of bad blocks
    std::string version;   // "v1.2.3"
    std::string commit;    // 8 hex digits, or none
};

/// Where it listens, and what it served first.
struct Ready {
    std::string http = "-";  // ADDR:PORT; "-": off
    std::string ws = "-";
    std::string engine = "-";
    std::string ipc = "-";
    std::string metrics = "-";
    chain::BlockId head;
};

/// `ready http=… ws=… engine=… ipc=… [metrics=…] number=N hash=0x…`
std::string ready_line(const Ready& ready);
/// The same as one JSON object; null where off.
std::string ready_json(const Ready& ready);

class Daemon {
  public:
    /// Listens and serves when it returns. Throws Fault::Usage when there is no genesis, what
    /// rpc::HttpServer throws, and faults of the store. The database outlives it.
    Daemon(const db::Database& database, DaemonOptions options);
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    /// Stops.
    ~Daemon();

    const Ready& ready() const noexcept;
    /// Finishes what is at work; idempotent. Any thread.
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace keel::node
