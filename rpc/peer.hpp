#pragma once

// A client whose connection lasts and is written to from both ends: WebSocket, IPC.
//
// P1  Requests of one connection are at work at the same time; an answer goes when it is ready.
// P2  Nothing is read while kRequestsMax are at work or kAnswerBytesMax of answers wait: whoever
//     does not read cannot ask.
// P3  An answer that a thread gives in parts goes while it is made; other messages wait behind it.
//     One at a time: a second one waits for the first to end.
// P4  Notifications wait in a queue of bounded size; a client that lets it fill is cut off. Who
//     notifies never waits.

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "rpc/server_threads.hpp"
#include "rpc/subscription.hpp"

namespace keel::rpc {

/// Its I/O thread only, but for notify().
class Peer : public Client,
             public Subscriber,
             public Caller,
             public std::enable_shared_from_this<Peer> {
  public:
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() override;

    void notify(const Subscription& subscription, std::shared_ptr<const std::string> result) final;
    std::weak_ptr<Subscriber> weak_subscriber() final { return weak_from_this(); }
    void check_deadline(uint64_t now_ms) final;
    void begin_stop() final;
    void close() final;
    /// Any thread.
    bool has_gone() const final { return has_gone_.load(std::memory_order_relaxed); }

  protected:
    using Buffers = std::array<asio::const_buffer, 3>;
    /// Why the server ends a connection.
    enum class Reason : uint8_t { GoingAway, TooSlow };

    Peer(Shared& shared, IoThread& io, const Dispatcher& dispatcher, ConnectionSlot slot);
    /// The connection stands: joins the thread's clients and reads.
    void begin();
    /// One message has come; leaves `text` empty. Reads on as P2 allows.
    void received(std::string& text);
    /// What write() was given has gone.
    void written();
    /// Nothing more will come: what is due is sent, then the connection closes.
    void input_ended();
    bool is_closed() const noexcept { return closed_; }
    bool is_ending() const noexcept { return ending_; }

    /// Waits for the next message, then received(); never calls it at once.
    virtual void read() = 0;
    /// Sends one message, then written().
    virtual void write(const Buffers& message) = 0;
    /// Sends a part of a message, then written().
    virtual void write_part(asio::const_buffer part, bool is_last) = 0;
    /// Says goodbye where the protocol has a word for it, then close().
    virtual void say_goodbye(Reason reason) = 0;
    virtual void close_socket() = 0;

    Shared& shared_;
    IoThread& io_;

  private:
    class Request;
    class Parts;
    /// A message that waits: an answer, one in parts, or a notification of two parts.
    struct Outgoing {
        std::unique_ptr<Exchange> answer;
        std::shared_ptr<Parts> parts = {};
        std::string head;
        std::shared_ptr<const std::string> result;

        size_t size() const noexcept;
    };

    void answered(std::unique_ptr<Exchange> exchange);
    void request_done(std::unique_ptr<Exchange> exchange);
    void part_ready(const std::shared_ptr<Parts>& parts);
    void parts_done(const std::shared_ptr<Parts>& parts, std::unique_ptr<Exchange> exchange);
    void pump_parts();
    void drop_outgoing();
    void read_on();
    void pump();
    void take_notifications();
    void end(Reason reason);
    void end_if_done();

    const Dispatcher& dispatcher_;
    ConnectionSlot slot_;
    std::deque<Outgoing> outgoing_;
    std::vector<std::shared_ptr<Subscription>> subscriptions_;
    uint64_t deadline_ms_ = kNoDeadline;
    size_t at_work_ = 0;
    size_t answer_bytes_ = 0;  // that wait
    bool has_begun_ = false;
    bool reading_ = false;
    bool writing_ = false;
    bool stopping_ = false;
    bool ending_ = false;
    bool closed_ = false;
    std::atomic<bool> has_gone_ = false;

    std::mutex mutex_;  // guards all below; held over no call
    std::vector<Outgoing> notifications_;
    size_t notification_bytes_ = 0;  // of those in outgoing_ too
    bool is_woken_ = false;          // a wake-up is under way
    bool is_cut_off_ = false;
};

}  // namespace keel::rpc
