#include "node/daemon.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "chain/genesis.hpp"
#include "core/clock.hpp"
#include "core/fault.hpp"
#include "core/files.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "node/jwt_file.hpp"
#include "node/logging.hpp"
#include "node/pages.hpp"
#include "node/solo.hpp"
#include "rpc/dev/solo.hpp"
#include "rpc/engine/builder.hpp"
#include "rpc/engine/engine.hpp"
#include "rpc/engine/payloads.hpp"
#include "rpc/filters.hpp"
#include "rpc/head_change.hpp"
#include "rpc/head_signal.hpp"
#include "rpc/pool/pool.hpp"
#include "rpc/subscriptions.hpp"
#include "state/codecs.hpp"
#include "state/tables.hpp"

namespace keel::node {
namespace {

// geth's for this port.
constexpr size_t kEngineBatchItemsMax = 2'000;
constexpr size_t kEngineBatchBytesMax = 250'000'000;
constexpr size_t kCountedBlocksMax = 1024;  // of a reorganisation
constexpr const char* kExplorerSocket = "/ui/socket";
constexpr const char* kIpcName = "keel.ipc";
constexpr const char* kEnodeName = "enode";
const std::vector<std::string> kExplorerApi = {"eth", "net", "web3", "debug", "txpool", "rpc"};
const std::vector<std::string> kPlainApi = {"eth", "net", "web3"};
const std::vector<std::string> kSoloApi = {"eth", "net", "web3", "debug", "txpool", "rpc"};
const std::vector<std::string> kEngineApi = {"engine", "eth", "net", "web3"};

/// What the store says of its chain.
struct Stored {
    chain::ChainConfig config;
    uint64_t network_id = 0;
    chain::BlockId head;
};

Stored load(const db::Database& database, const state::Tables& tables) {
    const db::ReadTxn txn = database.begin_ro();
    const chain::BlockReader blocks(txn, tables);
    static_cast<void>(blocks.genesis_hash());  // throws when there is none
    const auto config = blocks.setting(chain::setting::kConfig);
    const auto head = blocks.head();
    if (!config || !head) {
        throw core::Fault(core::FaultKind::Damaged,
                          "the stored chain has no config or no head; run keel db check");
    }
    Stored stored;
    stored.config = chain::parse_chain_config(config->text(), "the stored config");
    stored.network_id = stored.config.chain_id;
    if (const auto id = blocks.setting(chain::setting::kNetworkId)) {
        stored.network_id = state::number_of_key(*id);
    }
    stored.head = *head;
    return stored;
}

/// Coordinates of a point that belongs to the store's id and to nothing else.
core::Bytes node_key_of(const std::string& uid) {
    core::Hash32 secret = crypto::keccak256(core::ByteView("keel node " + uid));
    auto key = crypto::public_key(secret);
    while (!key) {  // once in 2^128
        secret = crypto::keccak256(secret);
        key = crypto::public_key(secret);
    }
    return {key->begin(), key->end()};
}

}  // namespace

std::string ready_line(const Ready& ready) {
    const std::string metrics = ready.metrics == "-" ? "" : " metrics=" + ready.metrics;
    return fmt::format("ready http={} ws={} engine={} ipc={}{} number={} hash={}", ready.http,
                       ready.ws, ready.engine, ready.ipc, metrics, ready.head.number,
                       core::to_hex_prefixed(ready.head.hash));
}

std::string ready_json(const Ready& ready) {
    rpc::JsonOut out;
    const auto place = [&out](std::string_view name, const std::string& value) {
        out.key(name);
        if (value == "-") {
            out.null();
        } else {
            out.string(value);
        }
    };
    out.begin_object();
    place("http", ready.http);
    place("ws", ready.ws);
    place("engine", ready.engine);
    place("ipc", ready.ipc);
    place("metrics", ready.metrics);
    out.key("number");
    out.number(ready.head.number);
    out.data("hash", ready.head.hash);
    out.end_object();
    return std::string(out.text());
}

struct Daemon::Impl {
    state::Tables tables;
    Stored stored;
    chain::ForkSchedule schedule;
    rpc::Backend backend;
    rpc::Backend engine_backend;  // the same with an engine, for the port that needs a token
    rpc::Filters filters;
    rpc::HeadSignal head_signal;
    std::optional<rpc::Metrics> metrics;
    chain::BlockId counted_head;  // up to which reorganisations are counted
    std::optional<ServicePages> service_pages;
    std::optional<MetricsPages> metrics_pages;
    std::optional<rpc::Dispatcher> explorer_dispatcher;
    std::optional<rpc::Subscriptions> subscriptions;
    std::optional<rpc::engine::Engine> engine;
    rpc::engine::Payloads payloads;
    std::optional<rpc::pool::Pool> pool;
    std::optional<rpc::dev::Solo> solo;
    std::optional<rpc::Dispatcher> http_dispatcher;
    std::optional<rpc::Dispatcher> ws_dispatcher;
    std::optional<rpc::Dispatcher> ipc_dispatcher;
    std::optional<rpc::Dispatcher> engine_dispatcher;
    Ready ready;
    rpc::HttpServer server;  // last: it uses all of the above

    Impl(const db::Database& database, DaemonOptions& options)
        : tables(database),
          stored(load(database, tables)),
          schedule(stored.config),
          server(with_notes(std::move(options.server))) {
        backend.database = database;
        backend.tables = &tables;
        backend.schedule = &schedule;
        backend.network_id = options.network_id.value_or(stored.network_id);
        backend.client_version = std::move(options.client_version);
        backend.call_gas_cap = options.call_gas_cap;
        backend.call_ms_max = options.call_ms_max;
        backend.return_data_max = options.return_data_max;
        backend.on_fault = [](std::string_view what) {
            spdlog::error("request_failed reason={}", log_value(what));
        };
        backend.version = std::move(options.version);
        if (!options.commit.empty()) backend.commit = "0x" + options.commit;
        ready.head = stored.head;
        counted_head = stored.head;
        if (options.metrics) {
            metrics.emplace(rpc::all_method_names(options.solo));
            backend.metrics = &*metrics;
        }
        options.pool.now_s = core::wall_clock_s;
        if (options.solo) {
            // Whoever tests here sends what no public node would take.
            options.pool.fee_cap_wei = 0;
            options.pool.tip_wei_min = 0;
            options.pool.allows_unprotected = true;
            backend.client_version = solo_client_version(backend.client_version);
        }
        pool.emplace(database, tables, schedule, options.pool);
        backend.pool = &*pool;
        subscriptions.emplace(database, tables, schedule);
        pool->on_executable([this](const auto& txs) { subscriptions->txs_executable(txs); });
        backend.filters = &filters;
        backend.head_signal = &head_signal;
        backend.log_limits = options.log_limits;
        backend.sync_wait_ms = options.sync_wait_ms;
        backend.sync_wait_ms_max = options.sync_wait_ms_max;
        backend.datadir = std::filesystem::absolute(database.path()).string();
        backend.node_key = node_key_of(database.uid());
        backend.subscriptions = &*subscriptions;
        backend.building = std::move(options.building);
        if (backend.building.extra_data.empty()) {
            core::append(backend.building.extra_data, "keel/" + backend.version);
        }
        const auto on_note = [](std::string_view what) { spdlog::info("{}", what); };
        if (options.solo) {
            solo.emplace(database, schedule, *pool,
                         rpc::dev::Solo::Options{.period_s = options.solo_period_s,
                                                 .gas_limit = options.solo_gas_limit,
                                                 .producer = std::move(options.producer),
                                                 .extra_data = backend.building.extra_data,
                                                 .on_note = on_note,
                                                 .on_head = [this] { head_changed(); }});
            backend.solo = &*solo;
            return;
        }
        engine.emplace(database,
                       rpc::engine::Engine::Options{.producer = std::move(options.producer),
                                                    .reorg_depth_max = options.reorg_depth_max,
                                                    .on_note = on_note,
                                                    .on_head = [this] { head_changed(); },
                                                    .on_work =
                                                        [this](const auto& work) {
                                                            if (metrics) count_work(work);
                                                        }});
        backend.set_head = [this](const chain::BlockId& id) -> rpc::Answer<void> {
            const auto moved =
                engine->forkchoice_updated({.head = id.hash, .safe = {}, .finalized = {}});
            if (!moved) return core::unexpected(moved.error());
            if (!moved->head) return rpc::fail(rpc::Code::Failed, "the head could not be set");
            return {};
        };
        backend.commit_block = [this](const rpc::engine::BuiltBlock& built) -> rpc::Answer<void> {
            const auto status = engine->new_payload(rpc::engine::payload_of(built));
            if (!status.is_valid()) {
                return rpc::fail(rpc::Code::Failed,
                                 "the block that was built is refused: " +
                                     status.validation_error.value_or("its parent is unknown"));
            }
            return backend.set_head({built.block.header.number, built.hash});
        };
        engine_backend = backend;
        engine_backend.engine = &*engine;
        engine_backend.payloads = &payloads;
    }

    /// Behind each commit that moves the head. That is done; what fails here must not undo it.
    void head_changed() {
        try {
            subscriptions->head_changed();
            pool->follow();
            head_signal.head_changed();
            if (metrics) count_head();
        } catch (const std::exception& fault) {
            spdlog::error("notifying_failed reason={}", log_value(fault.what()));
        }
    }

    void count_work(const rpc::engine::BlockWork& work) {
        using Part = rpc::engine::BlockWork::Part;
        switch (work.part) {
            case Part::Decode:
                return metrics->decodes.add(work.ns);
            case Part::Execute:
                return metrics->executed(work.ns, work.gas, work.txs);
            case Part::Commit:
                return metrics->commits.add(work.ns);
            case Part::Payload:
                return metrics->payloads.add(work.ns);
            case Part::Forkchoice:
                return metrics->forkchoices.add(work.ns);
        }
    }

    void count_head() {
        rpc::Snapshot snapshot(backend.database, tables);
        const chain::BlockId newest = snapshot.head();
        const chain::BlockId before = std::exchange(counted_head, newest);
        if (before == newest || snapshot.header(newest).parent_hash == before.hash) return;
        const rpc::HeadChange change = rpc::change_since(snapshot, before, kCountedBlocksMax);
        metrics->head_changed(change.added.size(), change.removed.size());
    }

    /// ADDR:PORT
    std::string listen(rpc::ListenerOptions listener) {
        const std::string address = listener.address;
        const uint16_t port = server.listen(std::move(listener));
        const bool is_ipv6 = address.find(':') != std::string::npos;
        return fmt::format("{}:{}", is_ipv6 ? "[" + address + "]" : address, port);
    }
    void listen_for_clients(DaemonOptions& options) {
        rpc::ListenerOptions& http = options.http_listener;
        rpc::ListenerOptions& ws = options.ws_listener;
        const auto& default_api = options.solo ? kSoloApi : kPlainApi;
        if (options.ws || options.solo) {
            ws_dispatcher.emplace(backend, options.ws_api.value_or(default_api), options.limits);
            ws.websocket.dispatcher = &*ws_dispatcher;
            ws.websocket.path = ws.path;
            ws.websocket.origins = std::move(options.ws_origins);
            http.websocket = ws.websocket;
        }
        add_pages(options);
        const bool is_one_port =
            options.http && ws.port == http.port && ws.port != 0 && ws.address == http.address;
        if (options.http) {
            http_dispatcher.emplace(backend, options.http_api.value_or(default_api),
                                    options.limits);
            http.dispatcher = &*http_dispatcher;
            ready.http = listen(std::move(http));
        }
        if (options.ws) ready.ws = is_one_port ? ready.http : listen(std::move(ws));
    }
    void add_pages(DaemonOptions& options) {
        rpc::ListenerOptions& http = options.http_listener;
        const bool is_local =
            http.address == "127.0.0.1" || http.address == "::1" || http.address == "localhost";
        const bool has_explorer = options.explorer.value_or(is_local);
        service_pages.emplace(backend,
                              ServicePages::Options{.has_explorer = has_explorer,
                                                    .has_health = options.health,
                                                    .socket_path = kExplorerSocket},
                              [this] { return server.is_stopping(); });
        http.pages = &*service_pages;
        if (!has_explorer) return;
        // To others it shows what they are offered anyway.
        explorer_dispatcher.emplace(backend,
                                    is_local ? kExplorerApi : options.http_api.value_or(kPlainApi),
                                    options.limits);
        http.page_websocket.dispatcher = &*explorer_dispatcher;
        http.page_websocket.path = kExplorerSocket;
    }
    void listen_for_metrics(DaemonOptions& options) {
        if (!options.metrics) return;
        metrics_pages.emplace(backend, *metrics, [this] {
            return MetricsPages::Connections{.all = server.connections(),
                                             .lasting = server.lasting_connections()};
        });
        options.metrics_listener.pages = &*metrics_pages;
        ready.metrics = listen(std::move(options.metrics_listener));
    }
    void listen_at_socket(const db::Database& database, DaemonOptions& options) {
        if (!options.ipc) return;
        const bool is_named = !options.ipc_path.empty();
        std::filesystem::path path = is_named ? options.ipc_path : kIpcName;
        if (!path.has_parent_path()) path = std::filesystem::path(database.path()) / path;
        path = std::filesystem::absolute(path);
        if (!is_named && path.native().size() > rpc::kIpcPathMax) {
            spdlog::warn("ipc_off reason={}",
                         log_value("the path is too long for a socket: " + path.string()));
            return;
        }
        ipc_dispatcher.emplace(backend, rpc::namespace_names(), options.limits);
        server.listen_ipc({.path = path.string(), .dispatcher = &*ipc_dispatcher});
        ready.ipc = path.string();
    }
    void listen_for_engine(const db::Database& database, DaemonOptions& options) {
        core::SystemFiles files;
        std::filesystem::path secret = options.jwt_secret_file;
        if (secret.empty()) secret = std::filesystem::path(database.path()) / kJwtFileName;
        rpc::ListenerOptions listener = std::move(options.engine_listener);
        listener.jwt_secret = load_jwt_secret(files, secret);
        rpc::DispatchLimits limits = options.limits;
        limits.batch_items_max = kEngineBatchItemsMax;
        limits.batch_bytes_max = kEngineBatchBytesMax;
        engine_dispatcher.emplace(engine_backend, kEngineApi, limits);
        listener.dispatcher = &*engine_dispatcher;
        listener.websocket.dispatcher = &*engine_dispatcher;
        listener.websocket.message_bytes_max = listener.body_bytes_max;
        ready.engine = listen(std::move(listener));
    }

    /// For scripts that want it without a request (hive/enode.sh). Made of the store's id: nothing
    /// is lost with it, so no start waits for the disk.
    void write_enode(const db::Database& database) const {
        core::SystemFiles files;
        const std::filesystem::path path = std::filesystem::path(database.path()) / kEnodeName;
        const std::string text = rpc::enode_of(backend.node_key) + "\n";
        const auto info = core::file_info(files, path);
        if (info && info->size_bytes == text.size() &&
            core::ByteView(core::read_file(files, path)).text() == text) {
            return;
        }
        core::File(files, path, core::OpenMode::CreateEmptied).write_at(core::ByteView(text), 0);
    }

    static rpc::ServerOptions with_notes(rpc::ServerOptions options) {
        options.on_note = [](std::string_view what) {
            spdlog::warn("rpc_note text={}", log_value(what));
        };
        return options;
    }
};

Daemon::Daemon(const db::Database& database, DaemonOptions options)
    : impl_(std::make_unique<Impl>(database, options)) {
    impl_->listen_for_clients(options);
    impl_->listen_for_metrics(options);
    if (!options.solo) impl_->listen_for_engine(database, options);
    impl_->listen_at_socket(database, options);
    impl_->write_enode(database);
    impl_->server.start();
}

Daemon::~Daemon() = default;

const Ready& Daemon::ready() const noexcept {
    return impl_->ready;
}

void Daemon::stop() {
    impl_->head_signal.close();
    impl_->server.stop();
}

}  // namespace keel::node
