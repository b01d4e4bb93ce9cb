#include "rpc/http.hpp"

#include "rpc/http_request.hpp"
// Behind http_request.hpp, which has what Asio misses.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/error.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>

#include "core/base.hpp"
#include "core/clock.hpp"
#include "core/fault.hpp"
#include "rpc/gzip.hpp"
#include "rpc/http_rules.hpp"

namespace keel::rpc {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using Tcp = asio::ip::tcp;
// The executor is named: Tcp::socket hides it behind virtual calls.
using Socket = asio::basic_stream_socket<Tcp, asio::io_context::executor_type>;
using ErrorCode = boost::system::error_code;

constexpr size_t kBufferBytes = 8 * 1024;
constexpr size_t kLargeBufferBytes = 64 * 1024;  // while a large body comes
constexpr size_t kSpareExchanges = 64;           // an I/O thread
constexpr size_t kGzipFromBytes = 1024;
constexpr unsigned kNoContent = 204;  // has no length either (RFC 9110, 8.6)
constexpr size_t kOriginBytesMax = 256;
constexpr auto kTick = std::chrono::seconds(1);
constexpr uint64_t kNoDeadline = UINT64_MAX;
// After a refusal the rest of the request is read and dropped, so that the client sees the answer
// instead of a reset.
constexpr uint64_t kDrainMs = 2'000;
constexpr size_t kDrainBytesMax = size_t{16} << 20;

struct Listener {
    ListenerOptions options;
    Tcp::acceptor acceptor;
    asio::steady_timer retry;  // after accept failed, e.g. for want of descriptors

    Listener(asio::io_context& context, ListenerOptions from)
        : options(std::move(from)), acceptor(context), retry(context) {}
};

class Connection;

/// Requests that are not answered where they were read. Any thread.
class Pool {
  public:
    void start(unsigned threads);
    void push(std::shared_ptr<Connection> connection);
    /// Runs what is queued, then ends the threads.
    void stop();

  private:
    void run();

    std::mutex mutex_;  // guards the two below; held over no call
    std::deque<std::shared_ptr<Connection>> queue_;
    bool stopping_ = false;
    std::condition_variable some_;
    std::vector<std::jthread> threads_;
};

/// A thread and its connections. All members but `context` belong to the thread.
struct IoThread {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    asio::steady_timer timer{context};
    Worker worker;
    std::vector<std::unique_ptr<Exchange>> spare;
    std::unordered_set<std::shared_ptr<Connection>> connections;
    bool stopping = false;
    uint64_t cut_at_ms = kNoDeadline;

    std::unique_ptr<Exchange> take_exchange();
    void give_back(std::unique_ptr<Exchange> exchange);
    void tick();
    void schedule_tick();
    void begin_stop(uint64_t grace_ms);
    void end_if_done();
};

/// What connections share.
struct Shared {
    ServerOptions options;
    Pool pool;
    Pool writer;  // of one thread
    std::atomic<size_t> connections = 0;
};

/// One client. Its I/O thread only, but for run_in_pool.
class Connection final : public std::enable_shared_from_this<Connection> {
  public:
    /// `counted`: against the limit; who is only told that it is reached is not.
    Connection(Shared& shared, IoThread& io, const Listener& listener, Socket socket, bool counted);
    ~Connection() {
        if (counted_) shared_.connections.fetch_sub(1, std::memory_order_relaxed);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start();
    void check_deadline(uint64_t now_ms);
    /// I3: ends at once, or behind the answer that is due.
    void begin_stop();
    void close();
    /// A thread of the pool; nothing else touches the connection meanwhile.
    void run_in_pool(Worker& worker);
    void refuse_service();

  private:
    // Idle -> Receiving (first byte) -> Working (pool) -> Writing (socket full) -> Idle;
    // Receiving -> Draining (refused); any -> Closed.
    enum class State : uint8_t { Idle, Receiving, Working, Writing, Draining, Closed };

    void read();
    void on_read(size_t bytes);
    /// Parses and answers what has come; true: wants more bytes.
    bool advance();
    /// Answers the request that is complete; true: done, the next may come.
    bool answer();
    bool answer_without_dispatch();
    bool answer_preflight();
    /// What the head alone decides; none: go on.
    struct Refusal {
        unsigned status;
        std::string text;
    };
    std::optional<Refusal> check_head() const;
    /// Answers with a text and drops the rest; the connection ends. True: wants bytes to drop.
    bool refuse(const Refusal& refusal);
    bool refuse(const ErrorCode& error);
    bool send_plain(unsigned status, std::string_view text, std::string_view headers = {});
    bool send_answer();
    void write_header(unsigned status, std::string_view type, std::string_view headers);
    /// True: all is sent and the connection goes on.
    bool send();
    void wait_to_send();
    bool sent();
    void make_room();
    void set_deadline(uint64_t timeout_ms) {
        deadline_ms_ = core::monotonic_coarse_ms() + timeout_ms;
    }

    Shared& shared_;
    IoThread& io_;
    const Listener& listener_;
    Socket socket_;
    const bool counted_;
    State state_ = State::Idle;
    bool head_checked_ = false;
    bool keep_alive_ = true;
    bool loopback_ = false;
    uint64_t deadline_ms_ = kNoDeadline;
    std::vector<char> buffer_;  // [begin_, end_) is received; kJsonPadding stay free behind it
    size_t begin_ = 0;
    size_t end_ = 0;
    size_t head_bytes_ = 0;
    size_t drained_bytes_ = 0;
    RequestHead head_;
    std::string body_;
    std::optional<RequestParser> parser_;
    std::unique_ptr<Exchange> exchange_;
    std::string header_;
    std::string_view unsent_;
};

// ---- Pool ----

void Pool::start(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

void Pool::push(std::shared_ptr<Connection> connection) {
    {
        const std::scoped_lock lock(mutex_);
        queue_.push_back(std::move(connection));
    }
    some_.notify_one();
}

void Pool::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    some_.notify_all();
    threads_.clear();
}

void Pool::run() {
    Worker worker;
    for (;;) {
        std::unique_lock lock(mutex_);
        some_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        const std::shared_ptr<Connection> connection = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        connection->run_in_pool(worker);
    }
}

// ---- IoThread ----

std::unique_ptr<Exchange> IoThread::take_exchange() {
    if (spare.empty()) return std::make_unique<Exchange>();
    auto exchange = std::move(spare.back());
    spare.pop_back();
    return exchange;
}

void IoThread::give_back(std::unique_ptr<Exchange> exchange) {
    if (spare.size() >= kSpareExchanges) return;
    exchange->trim();
    spare.push_back(std::move(exchange));
}

void IoThread::schedule_tick() {
    timer.expires_after(kTick);
    timer.async_wait([this](const ErrorCode& error) {
        if (!error) tick();
    });
}

void IoThread::tick() {
    const uint64_t now = core::monotonic_coarse_ms();
    const std::vector<std::shared_ptr<Connection>> all(connections.begin(), connections.end());
    for (const auto& connection : all) {
        if (now >= cut_at_ms) {
            connection->close();
        } else {
            connection->check_deadline(now);
        }
    }
    end_if_done();
    if (work.owns_work()) schedule_tick();
}

void IoThread::begin_stop(uint64_t grace_ms) {
    stopping = true;
    cut_at_ms = core::monotonic_coarse_ms() + grace_ms;
    const std::vector<std::shared_ptr<Connection>> all(connections.begin(), connections.end());
    for (const auto& connection : all) connection->begin_stop();
    end_if_done();
}

void IoThread::end_if_done() {
    if (!stopping || !connections.empty()) return;
    timer.cancel();
    work.reset();
}

// ---- Connection ----

Connection::Connection(Shared& shared, IoThread& io, const Listener& listener, Socket socket,
                       bool counted)
    : shared_(shared), io_(io), listener_(listener), socket_(std::move(socket)), counted_(counted) {
    if (counted_) shared_.connections.fetch_add(1, std::memory_order_relaxed);
}

void Connection::start() {
    ErrorCode error;
    socket_.non_blocking(true, error);
    socket_.set_option(Tcp::no_delay(true), error);
    const auto peer = socket_.remote_endpoint(error);
    loopback_ = !error && peer.address().is_loopback();
    io_.connections.insert(shared_from_this());
    if (io_.stopping) {
        close();
        return;
    }
    set_deadline(shared_.options.header_timeout_ms);
    read();
}

void Connection::refuse_service() {
    ErrorCode error;
    socket_.non_blocking(true, error);
    io_.connections.insert(shared_from_this());
    if (refuse(Refusal{.status = 503, .text = "too many connections"})) read();
}

void Connection::check_deadline(uint64_t now_ms) {
    if (now_ms >= deadline_ms_) close();
}

void Connection::begin_stop() {
    keep_alive_ = false;
    if (state_ != State::Working && state_ != State::Writing) close();
}

void Connection::close() {
    if (state_ == State::Closed) return;
    state_ = State::Closed;
    ErrorCode ignored;
    socket_.close(ignored);
    io_.connections.erase(shared_from_this());
    io_.end_if_done();
}

void Connection::make_room() {
    if (begin_ == end_) {
        begin_ = end_ = 0;
        if (state_ == State::Idle && buffer_.size() > kBufferBytes) {
            buffer_.resize(kBufferBytes);
            buffer_.shrink_to_fit();
        }
    } else if (begin_ > 0) {
        std::copy(buffer_.begin() + static_cast<ptrdiff_t>(begin_),
                  buffer_.begin() + static_cast<ptrdiff_t>(end_), buffer_.begin());
        end_ -= begin_;
        begin_ = 0;
    }
    const bool in_body = parser_ && head_checked_ && state_ == State::Receiving;
    const size_t least = in_body ? kLargeBufferBytes : kBufferBytes;
    if (buffer_.size() < least) buffer_.resize(least);
    // A header that does not fit: kHeaderBytesMax bounds it.
    if (end_ + kJsonPadding >= buffer_.size()) buffer_.resize(2 * buffer_.size());
}

void Connection::read() {
    make_room();
    const auto room = asio::buffer(buffer_.data() + end_, buffer_.size() - kJsonPadding - end_);
    socket_.async_read_some(room,
                            [self = shared_from_this()](const ErrorCode& error, size_t bytes) {
                                // Whoever only connects and goes, as probes do, is no error.
                                if (error) {
                                    self->close();
                                } else {
                                    self->on_read(bytes);
                                }
                            });
}

void Connection::on_read(size_t bytes) {
    if (state_ == State::Closed) return;
    if (state_ == State::Draining) {
        drained_bytes_ += bytes;
        if (drained_bytes_ > kDrainBytesMax) {
            close();
        } else {
            read();
        }
        return;
    }
    end_ += bytes;
    if (advance()) read();
}

bool Connection::advance() {
    while (begin_ < end_) {
        if (state_ == State::Idle) {
            state_ = State::Receiving;
            head_checked_ = false;
            head_bytes_ = 0;
            parser_.emplace(head_, body_, listener_.options.body_bytes_max);
            set_deadline(shared_.options.header_timeout_ms);
        }
        ErrorCode error;
        const size_t taken =
            parser_->put(asio::const_buffer(buffer_.data() + begin_, end_ - begin_), error);
        begin_ += taken;
        if (!head_checked_) head_bytes_ += taken;
        if (error == beast_http::error::need_more) {
            if (!head_checked_ && head_bytes_ + (end_ - begin_) > kHeaderBytesMax) {
                return refuse(make_error_code(beast_http::error::header_limit));
            }
            return true;
        }
        if (error) return refuse(error);
        if (!head_checked_ && parser_->is_header_done()) {
            head_checked_ = true;
            if (const auto refusal = check_head()) return refuse(*refusal);
            set_deadline(shared_.options.body_timeout_ms);
            if (head_.expects_continue && !parser_->is_done() && begin_ == end_) {
                constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
                socket_.write_some(asio::buffer(kContinue.data(), kContinue.size()), error);
            }
        }
        if (!parser_->is_done()) continue;
        keep_alive_ = parser_->keep_alive() && !io_.stopping;
        // A connection that ends is read on, to drop what comes.
        if (!answer()) return state_ == State::Draining;
    }
    return true;
}

std::optional<Connection::Refusal> Connection::check_head() const {
    const ListenerOptions& options = listener_.options;
    if (head_.method == HttpMethod::Other) {
        return Refusal{.status = 405, .text = "method not allowed"};
    }
    const std::string_view path = std::string_view(head_.target).substr(0, head_.target.find('?'));
    if (path != options.path) return Refusal{.status = 404, .text = "404 page not found"};
    if (options.jwt_secret) {
        if (auto reason = refuse_token(head_.authorization, *options.jwt_secret,
                                       static_cast<int64_t>(core::wall_clock_s()))) {
            if (shared_.options.on_note) {
                shared_.options.on_note(
                    fmt::format("refused a token on port {}: {}", options.name, *reason));
            }
            return Refusal{.status = 401, .text = *std::move(reason)};
        }
    }
    if (!host_allowed(head_.host, options.vhosts)) {
        if (shared_.options.on_note) {
            shared_.options.on_note(fmt::format("refused host \"{}\": allow it with --{}.vhosts",
                                                head_.host, options.name));
        }
        return Refusal{.status = 403, .text = "invalid host specified"};
    }
    const bool has_body = !parser_->is_done();
    if (head_.method == HttpMethod::Options || (head_.method == HttpMethod::Get && !has_body)) {
        return std::nullopt;
    }
    if (!head_.has_json_content_type) {
        return Refusal{.status = 415,
                       .text = "invalid content type, only application/json is supported"};
    }
    return std::nullopt;
}

bool Connection::answer() {
    if (head_.method == HttpMethod::Options) return answer_preflight();
    // Load balancers ask so whether anybody is there.
    if (head_.method == HttpMethod::Get && parser_->body().empty()) return send_plain(200, {});
    exchange_ = io_.take_exchange();
    std::string_view body = parser_->body();
    if (!parser_->body_in_place()) {
        body_.reserve(body_.size() + kJsonPadding);
        body = body_;
    }
    const Dispatcher& dispatcher = *listener_.options.dispatcher;
    const Cost cost = dispatcher.parse(*exchange_, body);
    if (cost == Cost::Cheap) {
        dispatcher.run(*exchange_, io_.worker);
        return send_answer();
    }
    state_ = State::Working;
    deadline_ms_ = kNoDeadline;
    (cost == Cost::Writer ? shared_.writer : shared_.pool).push(shared_from_this());
    return false;
}

void Connection::run_in_pool(Worker& worker) {
    listener_.options.dispatcher->run(*exchange_, worker);
    asio::post(io_.context, [self = shared_from_this()] {
        if (self->state_ == State::Closed) return;
        if (self->send_answer()) {
            if (self->advance()) self->read();
        } else if (self->state_ == State::Draining) {
            self->read();
        }
    });
}

bool Connection::answer_preflight() {
    if (!origin_allowed(head_.origin, listener_.options.cors_domains) ||
        head_.requested_method.empty()) {
        return send_plain(200, {});
    }
    // Fetch, 3.2.2; any header, POST and GET (RPC over nothing else).
    std::string headers =
        "Access-Control-Allow-Methods: POST, GET\r\nAccess-Control-Max-Age: 600\r\n";
    if (!head_.requested_headers.empty() && head_.requested_headers.size() <= kOriginBytesMax) {
        headers += fmt::format("Access-Control-Allow-Headers: {}\r\n", head_.requested_headers);
    }
    return send_plain(kNoContent, {}, headers);
}

bool Connection::refuse(const ErrorCode& error) {
    if (error == beast_http::error::body_limit) {
        return refuse(Refusal{
            .status = 413,
            .text = fmt::format("content length too large (limit {} bytes: --rpc.http-body-limit)",
                                listener_.options.body_bytes_max)});
    }
    if (error == beast_http::error::header_limit) {
        return refuse(Refusal{.status = 431, .text = "headers too large"});
    }
    return refuse(Refusal{.status = 400, .text = "400 Bad Request"});
}

bool Connection::refuse(const Refusal& refusal) {
    keep_alive_ = false;
    drained_bytes_ = 0;
    send_plain(refusal.status, refusal.text);
    return state_ == State::Draining;
}

bool Connection::send_plain(unsigned status, std::string_view text, std::string_view headers) {
    exchange_ = io_.take_exchange();
    exchange_->out.clear();
    exchange_->out.raw(text);
    write_header(status, text.empty() ? "" : "text/plain; charset=utf-8", headers);
    return send();
}

bool Connection::send_answer() {
    JsonOut& out = exchange_->out;
    if (head_.accepts_gzip && !loopback_ && out.size() >= kGzipFromBytes) {
        gzip(out);
        write_header(200, "application/json", "Content-Encoding: gzip\r\n");
    } else {
        write_header(200, "application/json", {});
    }
    return send();
}

void Connection::write_header(unsigned status, std::string_view type, std::string_view headers) {
    JsonOut& out = exchange_->out;
    header_.clear();
    if (status == 200) {
        header_ += "HTTP/1.1 200 OK\r\n";
    } else {
        fmt::format_to(std::back_inserter(header_), "HTTP/1.1 {} {}\r\n", status,
                       reason_phrase(status));
    }
    if (!type.empty()) {
        header_ += "Content-Type: ";
        header_ += type;
        header_ += "\r\n";
    }
    const std::vector<std::string>& cors = listener_.options.cors_domains;
    if (!cors.empty()) {
        header_ += "Vary: Origin\r\n";
        if (!head_.origin.empty() && head_.origin.size() <= kOriginBytesMax &&
            origin_allowed(head_.origin, cors)) {
            const bool all = std::ranges::find(cors, "*") != cors.end();
            header_ += "Access-Control-Allow-Origin: ";
            header_ += all ? std::string_view("*") : std::string_view(head_.origin);
            header_ += "\r\n";
        }
    }
    header_ += headers;
    if (!keep_alive_) header_ += "Connection: close\r\n";
    if (status != kNoContent) {
        header_ += "Content-Length: ";
        std::array<char, 24> digits{};
        const auto end = fmt::format_to_n(digits.begin(), digits.size(), "{}", out.size());
        header_.append(digits.data(), end.size);
        header_ += "\r\n";
    }
    header_ += "\r\n";
    out.prepend(header_);
}

bool Connection::send() {
    unsent_ = exchange_->out.whole();
    set_deadline(shared_.options.write_timeout_ms);
    ErrorCode error;
    while (!unsent_.empty()) {
        const size_t bytes =
            socket_.write_some(asio::const_buffer(unsent_.data(), unsent_.size()), error);
        if (error == asio::error::would_block || error == asio::error::try_again) {
            state_ = State::Writing;
            wait_to_send();
            return false;
        }
        if (error) {
            close();
            return false;
        }
        unsent_.remove_prefix(bytes);
    }
    return sent();
}

void Connection::wait_to_send() {
    socket_.async_write_some(asio::const_buffer(unsent_.data(), unsent_.size()),
                             [self = shared_from_this()](const ErrorCode& error, size_t bytes) {
                                 if (self->state_ == State::Closed) return;
                                 if (error) {
                                     self->close();
                                     return;
                                 }
                                 self->unsent_.remove_prefix(bytes);
                                 if (!self->unsent_.empty()) {
                                     self->set_deadline(self->shared_.options.write_timeout_ms);
                                     self->wait_to_send();
                                 } else if (self->sent()) {
                                     if (self->advance()) self->read();
                                 } else if (self->state_ == State::Draining) {
                                     self->read();
                                 }
                             });
}

bool Connection::sent() {
    io_.give_back(std::move(exchange_));
    unsent_ = {};
    parser_.reset();
    if (body_.capacity() > kLargeBufferBytes) {
        body_.clear();
        body_.shrink_to_fit();
    }
    if (keep_alive_ && !io_.stopping) {
        state_ = State::Idle;
        set_deadline(shared_.options.idle_timeout_ms);
        return true;
    }
    ErrorCode ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    if (io_.stopping) {
        close();
        return false;
    }
    state_ = State::Draining;
    begin_ = end_ = 0;
    set_deadline(kDrainMs);
    return false;
}

}  // namespace

// ---- HttpServer ----

struct HttpServer::Impl {
    Shared shared;
    std::vector<std::unique_ptr<IoThread>> io;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<std::jthread> threads;
    size_t next = 0;  // first I/O thread only
    std::once_flag stopped;

    void accept(Listener& listener);
    void accepted(Listener& listener, IoThread& target, Socket socket);
    void run(IoThread& thread);
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
                listener.retry.expires_after(std::chrono::milliseconds(100));
                listener.retry.async_wait([this, &listener](const ErrorCode& cancelled) {
                    if (!cancelled) accept(listener);
                });
            }));
}

void HttpServer::Impl::accepted(Listener& listener, IoThread& target, Socket socket) {
    const bool full =
        shared.connections.load(std::memory_order_relaxed) >= shared.options.connections_max;
    const auto connection =
        std::make_shared<Connection>(shared, target, listener, std::move(socket), !full);
    asio::dispatch(target.context, [connection, full] {
        if (full) {
            connection->refuse_service();
        } else {
            connection->start();
        }
    });
}

void HttpServer::Impl::run(IoThread& thread) {
    for (;;) {
        // One of the four edges: what a handler could not do ends that handler alone.
        try {
            thread.context.run();
            return;
        } catch (const std::exception& fault) {
            if (shared.options.on_note) shared.options.on_note(fault.what());
        }
    }
}

void HttpServer::Impl::stop() {
    if (threads.empty()) return;
    asio::post(io[0]->context, [this] {
        ErrorCode ignored;
        for (const auto& listener : listeners) {
            listener->acceptor.close(ignored);
            listener->retry.cancel();
        }
    });
    for (const auto& thread : io) {
        asio::post(thread->context,
                   [this, one = thread.get()] { one->begin_stop(shared.options.stop_grace_ms); });
    }
    threads.clear();
    shared.pool.stop();
    shared.writer.stop();
}

HttpServer::HttpServer(ServerOptions options) : impl_(std::make_unique<Impl>()) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    if (options.io_threads == 0) options.io_threads = std::clamp(cores / 2, 1U, 8U);
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
    KEEL_ASSERT(options.dispatcher != nullptr && impl_->threads.empty());
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

void HttpServer::start() {
    impl_->shared.pool.start(impl_->shared.options.pool_threads);
    impl_->shared.writer.start(1);
    for (const auto& listener : impl_->listeners) impl_->accept(*listener);
    for (const auto& thread : impl_->io) {
        thread->schedule_tick();
        impl_->threads.emplace_back([this, one = thread.get()] { impl_->run(*one); });
    }
}

void HttpServer::stop() {
    std::call_once(impl_->stopped, [this] { impl_->stop(); });
}

}  // namespace keel::rpc
