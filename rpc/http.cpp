#include "rpc/http.hpp"

#include "rpc/http_connection.hpp"
// Behind http_connection.hpp, which has what Asio misses.
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <mutex>
#include <thread>

#include "core/base.hpp"
#include "core/fault.hpp"
#include "rpc/ipc.hpp"

namespace keel::rpc {
namespace {

constexpr unsigned kWaitingMax = 64;  // requests that wait for something; more of them queue
constexpr auto kRetryAfter = std::chrono::milliseconds(100);  // accept failed

struct Listener {
    ListenerOptions options;
    Tcp::acceptor acceptor;
    asio::steady_timer retry;  // after accept failed, e.g. for want of descriptors

    Listener(asio::io_context& context, ListenerOptions from)
        : options(std::move(from)), acceptor(context), retry(context) {}
};

/// Cores that this process may run on.
unsigned cores_for_us() {
    cpu_set_t cores;
    if (::sched_getaffinity(0, sizeof cores, &cores) != 0) {
        return std::max(1U, std::thread::hardware_concurrency());
    }
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&cores)));
}

}  // namespace

struct HttpServer::Impl {
    Shared shared;
    std::vector<std::unique_ptr<IoThread>> io;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::unique_ptr<IpcListener> ipc;
    bool is_started = false;
    size_t next = 0;  // first I/O thread only
    std::once_flag stopped;
    std::atomic<bool> is_stopping = false;
    Leads leads{io, shared.options.on_note};

    void accept(Listener& listener);
    void accepted(Listener& listener, IoThread& target, Socket socket);
    void accept_ipc();
    void stop();
};

void HttpServer::Impl::accept(Listener& listener) {
    IoThread& target = *io[next++ % io.size()];
    listener.acceptor.async_accept(
        target.context,
        asio::bind_executor(
            io[0]->context.get_executor(),
            [this, &listener, &target](const ErrorCode& error, Socket socket) {
                if (error == asio::error::operation_aborted || !listener.acceptor.is_open()) return;
                if (!error) {
                    accepted(listener, target, std::move(socket));
                    accept(listener);
                    return;
                }
                listener.retry.expires_after(kRetryAfter);
                listener.retry.async_wait([this, &listener](const ErrorCode& cancelled) {
                    if (!cancelled) accept(listener);
                });
            }));
}

void HttpServer::Impl::accepted(Listener& listener, IoThread& target, Socket socket) {
    const bool full =
        shared.connections.load(std::memory_order_relaxed) >= shared.options.connections_max;
    const auto connection =
        std::make_shared<HttpConnection>(shared, target, listener.options, std::move(socket),
                                         full ? ConnectionSlot() : ConnectionSlot(shared));
    asio::dispatch(target.context, [connection, full] {
        if (full) {
            connection->refuse_service();
        } else {
            connection->start();
        }
    });
}

void HttpServer::Impl::accept_ipc() {
    IoThread& target = *io[next++ % io.size()];
    ipc->acceptor().async_accept(
        target.context,
        asio::bind_executor(io[0]->context.get_executor(), [this, &target](const ErrorCode& error,
                                                                           LocalSocket socket) {
            if (error == asio::error::operation_aborted || !ipc->acceptor().is_open()) return;
            if (error) {
                ipc->retry().expires_after(kRetryAfter);
                ipc->retry().async_wait([this](const ErrorCode& cancelled) {
                    if (!cancelled) accept_ipc();
                });
                return;
            }
            // Beyond the limit: closed without a word, there is none for it here.
            if (shared.connections.load(std::memory_order_relaxed) <
                shared.options.connections_max) {
                asio::post(target.context, [this, &target, slot = ConnectionSlot(shared),
                                            taken = std::move(socket)]() mutable {
                    serve_ipc(shared, target, ipc->options(), std::move(taken), std::move(slot));
                });
            }
            accept_ipc();
        }));
}

void HttpServer::Impl::stop() {
    if (!is_started) return;
    asio::post(io[0]->context, [this] {
        ErrorCode ignored;
        for (const auto& listener : listeners) {
            listener->acceptor.close(ignored);
            listener->retry.cancel();
        }
        if (ipc) ipc->close();
    });
    for (const auto& thread : io) {
        asio::post(thread->context,
                   [this, one = thread.get()] { one->begin_stop(shared.options.stop_grace_ms); });
    }
    leads.join();
    shared.pool.stop();
    shared.heavy.stop();
    shared.writer.stop();
    shared.waiting.stop();
}

HttpServer::HttpServer(ServerOptions options) : impl_(std::make_unique<Impl>()) {
    const unsigned cores = cores_for_us();
    if (options.io_threads == 0) options.io_threads = std::clamp(cores, 1U, 8U);
    if (options.pool_threads == 0) options.pool_threads = std::clamp(cores, 2U, 32U);
    impl_->shared.options = std::move(options);
    for (unsigned i = 0; i < impl_->shared.options.io_threads; ++i) {
        impl_->io.push_back(std::make_unique<IoThread>());
    }
}

HttpServer::~HttpServer() {
    stop();
}

uint16_t HttpServer::listen(ListenerOptions options) {
    KEEL_ASSERT((options.dispatcher != nullptr || options.websocket.dispatcher != nullptr ||
                 options.pages != nullptr) &&
                !impl_->is_started);
    ErrorCode error;
    const auto address = asio::ip::make_address(
        options.address == "localhost" ? "127.0.0.1" : options.address, error);
    if (error) {
        throw core::Fault(core::FaultKind::Usage, fmt::format("--{}.addr {}: not an IP address",
                                                              options.name, options.address));
    }
    auto listener = std::make_unique<Listener>(impl_->io[0]->context, std::move(options));
    const Tcp::endpoint endpoint(address, listener->options.port);
    Tcp::acceptor& acceptor = listener->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        const ListenerOptions& failed = listener->options;
        const bool in_use = error == asio::error::address_in_use;
        throw core::Fault(
            core::FaultKind::Failed,
            fmt::format("cannot listen on {}:{}: {}{}", failed.address, failed.port,
                        error.message(),
                        in_use ? fmt::format("; stop who listens there, or choose another with "
                                             "--{}.port (0: any that is free)",
                                             failed.name)
                               : std::string()));
    }
    const uint16_t port = acceptor.local_endpoint().port();
    impl_->listeners.push_back(std::move(listener));
    return port;
}

void HttpServer::listen_ipc(IpcOptions options) {
    KEEL_ASSERT(options.dispatcher != nullptr && !impl_->is_started);
    impl_->ipc = std::make_unique<IpcListener>(impl_->io[0]->context, std::move(options));
}

void HttpServer::start() {
    impl_->shared.pool.start(impl_->shared.options.pool_threads);
    impl_->shared.heavy.start(std::max(1U, impl_->shared.options.pool_threads / 2));
    impl_->shared.writer.start(1);
    impl_->shared.waiting.start(kWaitingMax);
    for (const auto& listener : impl_->listeners) impl_->accept(*listener);
    if (impl_->ipc) impl_->accept_ipc();
    for (const auto& thread : impl_->io) thread->schedule_tick();
    impl_->shared.leads = &impl_->leads;
    impl_->leads.start(impl_->shared.options.pool_threads);
    impl_->is_started = true;
}

bool HttpServer::is_stopping() const noexcept {
    return impl_->is_stopping.load(std::memory_order_relaxed);
}

size_t HttpServer::connections() const noexcept {
    return impl_->shared.connections.load(std::memory_order_relaxed);
}

size_t HttpServer::lasting_connections() const noexcept {
    return impl_->shared.lasting_connections.load(std::memory_order_relaxed);
}

void HttpServer::stop() {
    impl_->is_stopping.store(true, std::memory_order_relaxed);
    std::call_once(impl_->stopped, [this] { impl_->stop(); });
}

}  // namespace keel::rpc
