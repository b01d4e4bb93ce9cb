#include "rpc/http_connection.hpp"

#include <poll.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>

#include "rpc/gzip.hpp"
#include "rpc/http_rules.hpp"
#include "rpc/websocket.hpp"

namespace keel::rpc {
namespace {

namespace beast_http = boost::beast::http;

constexpr size_t kBufferBytes = 8 * 1024;
constexpr size_t kLargeBufferBytes = 64 * 1024;  // while a large body comes
constexpr size_t kGzipFromBytes = 1024;
constexpr unsigned kNoContent = 204;  // has no length either (RFC 9110, 8.6)
constexpr size_t kOriginBytesMax = 256;
// After a refusal the rest of the request is read and dropped, so that the client sees the answer
// instead of a reset.
constexpr uint64_t kDrainMs = 2'000;
constexpr size_t kDrainBytesMax = size_t{16} << 20;

std::string_view path_of(std::string_view target) {
    return target.substr(0, target.find('?'));
}

}  // namespace

HttpConnection::HttpConnection(Shared& shared, IoThread& io, const ListenerOptions& listener,
                               Socket socket, ConnectionSlot slot)
    : shared_(shared),
      io_(io),
      listener_(listener),
      socket_(std::move(socket)),
      slot_(std::move(slot)) {}

void HttpConnection::start() {
    ErrorCode error;
    socket_.non_blocking(true, error);
    socket_.set_option(Tcp::no_delay(true), error);
    const auto peer = socket_.remote_endpoint(error);
    loopback_ = !error && peer.address().is_loopback();
    socket_handle_ = socket_.native_handle();
    io_.add(shared_from_this());
    if (io_.stopping) {
        close();
        return;
    }
    set_deadline(shared_.options.header_timeout_ms);
    read();
}

void HttpConnection::refuse_service() {
    ErrorCode error;
    socket_.non_blocking(true, error);
    io_.add(shared_from_this());
    if (refuse(Refusal{.status = 503, .text = "too many connections"})) read();
}

void HttpConnection::check_deadline(uint64_t now_ms) {
    if (now_ms >= deadline_ms_) close();
}

void HttpConnection::begin_stop() {
    keep_alive_ = false;
    if (state_ != State::Working && state_ != State::Writing) close();
}

void HttpConnection::close() {
    if (state_ == State::Closed) return;
    state_ = State::Closed;
    end_parts();
    ErrorCode ignored;
    socket_.close(ignored);
    io_.remove(shared_from_this());
}

void HttpConnection::make_room() {
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

void HttpConnection::read() {
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

void HttpConnection::on_read(size_t bytes) {
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

bool HttpConnection::advance() {
    while (begin_ < end_) {
        if (state_ == State::Idle) {
            state_ = State::Receiving;
            head_checked_ = false;
            head_bytes_ = 0;
            parser_.emplace(head_, body_, listener_.body_bytes_max);
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
        switch (answer()) {
            case After::Next:
                break;
            case After::Wait:
                return state_ == State::Draining;
            case After::Leave:
                return false;
        }
    }
    return true;
}

std::optional<HttpConnection::Refusal> HttpConnection::check_head() const {
    const ListenerOptions& options = listener_;
    if (head_.method == HttpMethod::Other) {
        return Refusal{.status = 405, .text = "method not allowed"};
    }
    if (wants_websocket()) return check_upgrade();
    const std::string_view path = path_of(head_.target);
    const bool page = is_page();
    if (!page && (path != options.path || options.dispatcher == nullptr)) {
        return Refusal{.status = 404, .text = "404 page not found"};
    }
    if (auto refusal = check_token()) return refusal;
    if (!host_allowed(head_.host, options.vhosts)) {
        if (shared_.options.on_note) {
            shared_.options.on_note(fmt::format("refused host \"{}\": allow it with --{}.vhosts",
                                                head_.host, options.name));
        }
        return Refusal{.status = 403, .text = "invalid host specified"};
    }
    if (page) return std::nullopt;
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

std::optional<HttpConnection::Refusal> HttpConnection::check_token() const {
    if (!listener_.jwt_secret) return std::nullopt;
    auto reason = refuse_token(head_.authorization, *listener_.jwt_secret,
                               static_cast<int64_t>(core::wall_clock_s()));
    if (!reason) return std::nullopt;
    if (shared_.options.on_note) {
        shared_.options.on_note(
            fmt::format("refused a token on port {}: {}", listener_.name, *reason));
    }
    return Refusal{.status = 401, .text = *std::move(reason)};
}

bool HttpConnection::wants_websocket() const {
    return head_.method == HttpMethod::Get && head_.upgrades_to_websocket && parser_->upgrade() &&
           (listener_.websocket.dispatcher != nullptr || websocket_of_path() != nullptr);
}

const WebSocketOptions* HttpConnection::websocket_of_path() const {
    const std::string_view path = path_of(head_.target);
    for (const WebSocketOptions* const each : {&listener_.websocket, &listener_.page_websocket}) {
        if (each->dispatcher != nullptr && path == each->path) return each;
    }
    return nullptr;
}

std::optional<HttpConnection::Refusal> HttpConnection::check_upgrade() const {
    const WebSocketOptions* const found = websocket_of_path();
    if (found == nullptr) return Refusal{.status = 404, .text = "404 page not found"};
    const WebSocketOptions& options = *found;
    if (auto refusal = check_token()) return refusal;
    if (found == &listener_.page_websocket) {
        // Only for pages that came from here under a name that is this host's.
        if (host_allowed(head_.host, listener_.vhosts) &&
            is_same_origin(head_.origin, head_.host)) {
            return std::nullopt;
        }
        return Refusal{.status = 403, .text = "origin not allowed"};
    }
    // Programs send no Origin; browsers always do, and tell the truth.
    if (!head_.origin.empty() && !websocket_origin_allowed(head_.origin, options.origins)) {
        if (shared_.options.on_note) {
            shared_.options.on_note(
                fmt::format("refused origin \"{}\": allow it with --ws.origins", head_.origin));
        }
        return Refusal{.status = 403, .text = "origin not allowed"};
    }
    return std::nullopt;
}

void HttpConnection::upgrade(const WebSocketOptions& options) {
    state_ = State::Closed;
    io_.remove(shared_from_this());
    serve_websocket(
        shared_, io_, options, std::move(socket_), std::move(slot_),
        {.host = head_.host, .key = head_.websocket_key, .version = head_.websocket_version});
}

HttpConnection::After HttpConnection::answer() {
    if (wants_websocket()) {
        // A client sends nothing before it has the answer (RFC 6455, 4.1).
        if (begin_ != end_) {
            return after(refuse(Refusal{.status = 400, .text = "400 Bad Request"}));
        }
        upgrade(*websocket_of_path());
        return After::Wait;
    }
    if (head_.method == HttpMethod::Options) return after(answer_preflight());
    if (is_page()) return after(answer_page(parser_->body()));
    // Load balancers ask so whether anybody is there.
    if (head_.method == HttpMethod::Get && parser_->body().empty()) {
        return after(send_plain(200, {}));
    }
    return answer_call();
}

HttpConnection::After HttpConnection::answer_call() {
    Stream::reset();
    exchange_ = io_.take_exchange();
    std::string_view body = parser_->body();
    if (!parser_->body_in_place()) {
        body_.reserve(body_.size() + kJsonPadding);
        body = body_;
    }
    const Dispatcher& dispatcher = *listener_.dispatcher;
    const Cost cost = dispatcher.parse(*exchange_, body);
    if (cost == Cost::Cheap) {
        dispatcher.run(*exchange_, io_.lead->worker);
        return after(send_answer());
    }
    state_ = State::Working;
    deadline_ms_ = kNoDeadline;
    exchange_->caller = this;
    if (cost == Cost::State && shared_.leads->may_run()) {
        OnLead lead(*shared_.leads, io_);
        dispatcher.run(*exchange_, lead.worker());
        exchange_->caller = nullptr;
        if (lead.end()) return after(send_answer());
        lead.leave([self = shared_from_this()] { self->answered_elsewhere(); });
        return After::Leave;
    }
    if (cost == Cost::Heavy && head_.takes_chunks) {
        begin_header(200, "application/json", {});
        header_ += "Transfer-Encoding: chunked\r\n\r\n";
        exchange_->stream = this;
    }
    shared_.pool_of(cost).push(shared_from_this());
    return After::Wait;
}

void HttpConnection::run_in_pool(Worker& worker) {
    listener_.dispatcher->run(*exchange_, worker);
    exchange_->stream = nullptr;
    exchange_->caller = nullptr;
    if (has_begun()) await_part();
    asio::post(io_.context, [self = shared_from_this()] { self->answered_elsewhere(); });
}

void HttpConnection::answered_elsewhere() {
    if (state_ == State::Closed) return;
    if (has_begun()) end_stream();
    if (state_ == State::Closed) return;
    go_on(has_begun() ? send() : send_answer());
}

void HttpConnection::go_on(bool is_sent) {
    if (is_sent ? advance() : state_ == State::Draining) read();
}

bool HttpConnection::has_gone() const {
    // Nothing is read while a request is at work. Whoever sends no more counts as gone, as with
    // other servers: it does not show whether it still listens.
    pollfd state{.fd = socket_handle_, .events = POLLRDHUP, .revents = 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool HttpConnection::await_part() {
    std::unique_lock lock(part_mutex_);
    part_sent_.wait(lock, [this] { return has_gone_ || !is_sending_; });
    return !has_gone_;
}

bool HttpConnection::take(std::string_view part) {
    if (!await_part()) return false;
    part_.clear();
    if (bytes() == part.size()) {  // the first one
        part_ += header_;
    }
    fmt::format_to(std::back_inserter(part_), "{:x}\r\n", part.size());
    part_ += part;
    part_ += "\r\n";
    {
        const std::scoped_lock lock(part_mutex_);
        is_sending_ = true;
    }
    asio::post(io_.context, [self = shared_from_this()] {
        if (self->state_ == State::Closed) return;
        self->unsent_ = self->part_;
        self->set_deadline(self->shared_.options.write_timeout_ms);
        self->send_rest();
    });
    return true;
}

void HttpConnection::part_sent() {
    deadline_ms_ = kNoDeadline;
    {
        const std::scoped_lock lock(part_mutex_);
        is_sending_ = false;
    }
    part_sent_.notify_all();
}

void HttpConnection::end_parts() {
    {
        const std::scoped_lock lock(part_mutex_);
        has_gone_ = true;
    }
    part_sent_.notify_all();
}

void HttpConnection::end_stream() {
    part_ = {};
    if (is_broken()) {
        close();
        return;
    }
    JsonOut& out = exchange_->out;
    header_ = fmt::format("{:x}\r\n", out.size());
    out.prepend(header_);
    out.raw("\r\n0\r\n\r\n");
}

bool HttpConnection::is_page() const {
    return listener_.pages != nullptr &&
           (head_.method == HttpMethod::Get || head_.method == HttpMethod::Post) &&
           listener_.pages->has(path_of(head_.target));
}

bool HttpConnection::answer_page(std::string_view body) {
    const Page page = listener_.pages->answer({.is_post = head_.method == HttpMethod::Post,
                                               .path = path_of(head_.target),
                                               .body = body,
                                               .health_checks = head_.health_checks});
    exchange_ = io_.take_exchange();
    exchange_->out.clear();
    exchange_->out.raw(page.body);
    write_header(page.status, page.type, page.headers);
    return send();
}

bool HttpConnection::answer_preflight() {
    if (!origin_allowed(head_.origin, listener_.cors_domains) || head_.requested_method.empty()) {
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

bool HttpConnection::refuse(const ErrorCode& error) {
    if (error == beast_http::error::body_limit) {
        return refuse(Refusal{
            .status = 413,
            .text = fmt::format("content length too large (limit {} bytes: --rpc.http-body-limit)",
                                listener_.body_bytes_max)});
    }
    if (error == beast_http::error::header_limit) {
        return refuse(Refusal{.status = 431, .text = "headers too large"});
    }
    return refuse(Refusal{.status = 400, .text = "400 Bad Request"});
}

bool HttpConnection::refuse(const Refusal& refusal) {
    keep_alive_ = false;
    drained_bytes_ = 0;
    send_plain(refusal.status, refusal.text);
    return state_ == State::Draining;
}

bool HttpConnection::send_plain(unsigned status, std::string_view text, std::string_view headers) {
    exchange_ = io_.take_exchange();
    exchange_->out.clear();
    exchange_->out.raw(text);
    write_header(status, text.empty() ? "" : "text/plain; charset=utf-8", headers);
    return send();
}

bool HttpConnection::send_answer() {
    JsonOut& out = exchange_->out;
    if (head_.accepts_gzip && !loopback_ && out.size() >= kGzipFromBytes) {
        gzip(out);
        write_header(200, "application/json", "Content-Encoding: gzip\r\n");
    } else {
        write_header(200, "application/json", {});
    }
    return send();
}

void HttpConnection::begin_header(unsigned status, std::string_view type,
                                  std::string_view headers) {
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
    const std::vector<std::string>& cors = listener_.cors_domains;
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
}

void HttpConnection::write_header(unsigned status, std::string_view type,
                                  std::string_view headers) {
    JsonOut& out = exchange_->out;
    begin_header(status, type, headers);
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

bool HttpConnection::send() {
    unsent_ = exchange_->out.whole();
    set_deadline(shared_.options.write_timeout_ms);
    ErrorCode error;
    while (!unsent_.empty()) {
        const size_t bytes =
            socket_.write_some(asio::const_buffer(unsent_.data(), unsent_.size()), error);
        if (error == asio::error::would_block || error == asio::error::try_again) {
            state_ = State::Writing;
            send_rest();
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

void HttpConnection::send_rest() {
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
                                     self->send_rest();
                                 } else if (self->state_ == State::Working) {
                                     self->part_sent();
                                 } else {
                                     self->go_on(self->sent());
                                 }
                             });
}

bool HttpConnection::sent() {
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

}  // namespace keel::rpc
