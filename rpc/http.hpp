#pragma once

// Servers for JSON-RPC over HTTP/1.1 and WebSocket. One set of threads serves any number of
// listeners, each with its own methods and limits.
//
// I1  A connection belongs to one I/O thread and has at most one request at work, a WebSocket a few
//     (rpc/peer.hpp).
// I2  A cheap request is answered on that thread, and one that reads state too as long as it is
//     short (rpc/leads.hpp); others in the pool, or on the one thread of those that write, whose
//     queues are thereby bounded by the number of connections.
// I3  stop() lets requests that are at work finish and answers them; then every connection closes.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/dispatch.hpp"
#include "rpc/jwt.hpp"
#include "rpc/pages.hpp"

namespace keel::rpc {

struct ServerOptions {
    unsigned io_threads = 0;    // 0: by the machine
    unsigned pool_threads = 0;  // 0: by the machine
    size_t connections_max = 1024;
    uint64_t header_timeout_ms = 30'000;
    uint64_t body_timeout_ms = 30'000;
    uint64_t write_timeout_ms = 30'000;  // since the client last took a byte
    uint64_t idle_timeout_ms = 120'000;
    uint64_t stop_grace_ms = 5'000;  // then connections are cut
    uint64_t ping_ms = 30'000;       // of a WebSocket that is silent; its answer may take as long
    size_t queue_bytes_max = size_t{16} << 20;  // notifications that wait for one client
    /// Told of what an operator should know, e.g. a host that was refused; any thread.
    std::function<void(std::string_view)> on_note = {};
};

/// WebSocket on a listener (RFC 6455): a GET that asks for it becomes one.
struct WebSocketOptions {
    const Dispatcher* dispatcher = nullptr;  // lifetime: outlives the server; null: not offered
    std::string path = "/";
    std::vector<std::string> origins = {};  // pages that may connect; none: this host's
    uint64_t message_bytes_max = uint64_t{15} << 20;
};

struct ListenerOptions {
    std::string name = "http";  // for messages
    std::string address = "127.0.0.1";
    uint16_t port = 8545;  // 0: any that is free
    std::string path = "/";
    std::vector<std::string> cors_domains = {};       // none: no CORS; "*": all
    std::vector<std::string> vhosts = {"localhost"};  // "*": all; IP literals always pass
    uint64_t body_bytes_max = uint64_t{5} << 20;      // geth
    std::optional<JwtSecret> jwt_secret = {};         // requests need a token of it
    const Dispatcher* dispatcher = nullptr;  // lifetime: outlives the server; null: no HTTP
    WebSocketOptions websocket = {};
    Pages* pages = nullptr;                // lifetime: outlives the server; null: none
    WebSocketOptions page_websocket = {};  // for pages of this listener alone
};

/// Bytes of a socket's path at most (sockaddr_un).
inline constexpr size_t kIpcPathMax = 107;

/// A Unix socket (rpc/ipc.hpp).
struct IpcOptions {
    std::string path;
    const Dispatcher* dispatcher = nullptr;  // lifetime: outlives the server
    size_t message_bytes_max = size_t{32} << 20;
};

class HttpServer {
  public:
    explicit HttpServer(ServerOptions options);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    /// Stops.
    ~HttpServer();

    /// Binds and listens; nobody is served before start(). Returns the port. Throws Fault::Failed
    /// when the address is in use, Fault::Usage when it is none.
    uint16_t listen(ListenerOptions options);
    /// The same for a Unix socket. Throws Fault::Failed when it cannot be made.
    void listen_ipc(IpcOptions options);
    void start();
    /// Idempotent; returns when all threads have ended.
    void stop();
    bool is_stopping() const noexcept;
    /// Clients now; of them WebSockets and Unix sockets. Any thread.
    size_t connections() const noexcept;
    size_t lasting_connections() const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace keel::rpc
