#pragma once

// A connection that speaks HTTP/1.1.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "rpc/http_request.hpp"
#include "rpc/server_threads.hpp"
#include "rpc/stream.hpp"

namespace keel::rpc {

/// One client of HTTP. Its I/O thread only, but for run_in_pool.
class HttpConnection final : public Client,
                             public Job,
                             public Stream,
                             public Caller,
                             public std::enable_shared_from_this<HttpConnection> {
  public:
    /// `slot`: empty for who is only told that there is none. lifetime: the listener's options.
    HttpConnection(Shared& shared, IoThread& io, const ListenerOptions& listener, Socket socket,
                   ConnectionSlot slot);
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    void start();
    void check_deadline(uint64_t now_ms) override;
    /// I3: ends at once, or behind the answer that is due.
    void begin_stop() override;
    void close() override;
    /// A thread of the pool; nothing else touches the connection meanwhile.
    void run_in_pool(Worker& worker) override;
    void refuse_service();
    bool has_gone() const override;

  private:
    // Idle -> Receiving (first byte) -> Working (pool) -> Writing (socket full) -> Idle;
    // Receiving -> Draining (refused); any -> Closed.
    enum class State : uint8_t { Idle, Receiving, Working, Writing, Draining, Closed };

    void read();
    void on_read(size_t bytes);
    /// Parses and answers what has come; true: wants more bytes.
    bool advance();
    /// What becomes of a request that is complete.
    enum class After : uint8_t {
        Next,   // it is answered, the next may come
        Wait,   // something calls back, or the connection ends
        Leave,  // it belongs to another thread now
    };
    After answer();
    After answer_call();
    After after(bool is_done) const noexcept { return is_done ? After::Next : After::Wait; }
    /// Behind an answer that was not made where the request was read.
    void answered_elsewhere();
    void go_on(bool is_sent);
    bool answer_preflight();
    bool is_page() const;
    bool answer_page(std::string_view body);
    /// What the head alone decides; none: go on.
    struct Refusal {
        unsigned status;
        std::string text;
    };
    std::optional<Refusal> check_head() const;
    /// Of a request that asks for another protocol.
    std::optional<Refusal> check_upgrade() const;
    std::optional<Refusal> check_token() const;
    bool wants_websocket() const;
    /// The socket goes on as a WebSocket; this connection ends.
    void upgrade(const WebSocketOptions& options);
    const WebSocketOptions* websocket_of_path() const;
    /// Answers with a text and drops the rest; the connection ends. True: wants bytes to drop.
    bool refuse(const Refusal& refusal);
    bool refuse(const ErrorCode& error);
    bool send_plain(unsigned status, std::string_view text, std::string_view headers = {});
    bool send_answer();
    void write_header(unsigned status, std::string_view type, std::string_view headers);
    /// Up to where the length of the body would stand.
    void begin_header(unsigned status, std::string_view type, std::string_view headers);
    /// A thread of the pool.
    bool take(std::string_view part) override;
    /// Waits until the part before is sent; false: the client has gone.
    bool await_part();
    void end_stream();
    void end_parts();
    /// True: all is sent and the connection goes on.
    bool send();
    /// What the socket does not take at once: of an answer, or of a part of one.
    void send_rest();
    void part_sent();
    bool sent();
    void make_room();
    void set_deadline(uint64_t timeout_ms) {
        deadline_ms_ = core::monotonic_coarse_ms() + timeout_ms;
    }

    Shared& shared_;
    IoThread& io_;
    const ListenerOptions& listener_;
    Socket socket_;
    int socket_handle_ = -1;  // to look at from other threads
    ConnectionSlot slot_;
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

    // An answer in parts: the pool's thread fills one while the other is on its way.
    std::string part_;       // its turn: as is_sending_ says
    std::mutex part_mutex_;  // guards the two below
    bool is_sending_ = false;
    bool has_gone_ = false;
    std::condition_variable part_sent_;
};

}  // namespace keel::rpc
