#include "rpc/peer.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <utility>

#include "core/base.hpp"
#include "core/clock.hpp"
#include "rpc/stream.hpp"

namespace keel::rpc {
namespace {

constexpr size_t kRequestsMax = 16;
constexpr size_t kAnswerBytesMax = size_t{4} << 20;
constexpr size_t kKeepTextBytes = 64 * 1024;
constexpr uint64_t kGoodbyeMs = 2'000;
constexpr uint64_t kStopGoodbyeMs = 250;  // of a client that says nothing while the server ends
// A message goes as a whole: a slow line gets time by its size.
constexpr uint64_t kBytesAMsMin = 64;
constexpr std::string_view kNotificationEnd = "}}";

}  // namespace

/// An answer that a thread of a pool gives in parts, one of which is on its way at a time.
class Peer::Parts final : public Stream, public std::enable_shared_from_this<Parts> {
  public:
    explicit Parts(std::weak_ptr<Peer> peer) : peer_(std::move(peer)) {}

    /// Waits until the part before is sent; false: the client has gone. A thread of a pool.
    bool await() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return has_gone_ || !is_full_; });
        return !has_gone_;
    }

    // The rest: the peer's I/O thread.
    /// What is to be sent now; none: it is not there yet.
    std::optional<std::string_view> text() {
        const std::scoped_lock lock(mutex_);
        if (is_full_) return part_;
        if (rest) return rest->out.text();
        return std::nullopt;
    }
    bool is_last() {
        const std::scoped_lock lock(mutex_);
        return !is_full_;
    }
    void sent() {
        {
            const std::scoped_lock lock(mutex_);
            is_full_ = false;
        }
        changed_.notify_all();
    }
    void drop() {
        {
            const std::scoped_lock lock(mutex_);
            has_gone_ = true;
        }
        changed_.notify_all();
    }
    bool is_queued = false;
    std::unique_ptr<Exchange> rest;  // the end, once it is there

  private:
    bool take(std::string_view part) override {
        if (!await()) return false;
        const auto peer = peer_.lock();
        if (!peer) return false;
        {
            const std::scoped_lock lock(mutex_);
            part_.assign(part);
            is_full_ = true;
        }
        asio::post(peer->io_.context,
                   [peer, self = shared_from_this()] { peer->part_ready(self); });
        return true;
    }

    const std::weak_ptr<Peer> peer_;
    std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    std::string part_;
    bool is_full_ = false;  // the part waits to be sent
    bool has_gone_ = false;
};

/// One message's requests on their way through a pool.
class Peer::Request final : public Job {
  public:
    /// `has_parts`: its answer may go while it is made.
    Request(std::shared_ptr<Peer> peer, std::string text, std::unique_ptr<Exchange> exchange,
            bool has_parts)
        : peer_(std::move(peer)),
          text_(std::move(text)),
          exchange_(std::move(exchange)),
          has_parts_(has_parts) {}
    void run_in_pool(Worker& worker) override {
        exchange_->caller = peer_.get();
        std::shared_ptr<Parts> parts;
        if (has_parts_) {
            parts = std::make_shared<Parts>(peer_);
            exchange_->stream = parts.get();
        }
        peer_->dispatcher_.run(*exchange_, worker);
        exchange_->caller = nullptr;
        exchange_->stream = nullptr;
        if (parts && parts->has_begun()) {
            parts->await();
            asio::post(peer_->io_.context,
                       [peer = peer_, parts, exchange = std::move(exchange_)]() mutable {
                           peer->parts_done(parts, std::move(exchange));
                       });
            return;
        }
        asio::post(peer_->io_.context, [peer = peer_, exchange = std::move(exchange_)]() mutable {
            peer->request_done(std::move(exchange));
        });
    }

  private:
    const std::shared_ptr<Peer> peer_;
    const std::string text_;  // what the exchange has parsed
    std::unique_ptr<Exchange> exchange_;
    const bool has_parts_;
};

size_t Peer::Outgoing::size() const noexcept {
    if (answer) return answer->out.size();
    return head.size() + result->size() + kNotificationEnd.size();
}

Peer::Peer(Shared& shared, IoThread& io, const Dispatcher& dispatcher, ConnectionSlot slot)
    : shared_(shared), io_(io), dispatcher_(dispatcher), slot_(std::move(slot)) {
    shared_.lasting_connections.fetch_add(1, std::memory_order_relaxed);
}

Peer::~Peer() {
    shared_.lasting_connections.fetch_sub(1, std::memory_order_relaxed);
}

void Peer::begin() {
    has_begun_ = true;
    if (io_.stopping) {
        begin_stop();
    } else {
        read_on();
    }
}

void Peer::read_on() {
    if (reading_ || closed_ || ending_ || stopping_) return;
    if (at_work_ >= kRequestsMax || answer_bytes_ >= kAnswerBytesMax) return;
    reading_ = true;
    read();
}

void Peer::received(std::string& text) {
    reading_ = false;
    if (closed_ || ending_) return;
    text.reserve(text.size() + kJsonPadding);
    auto exchange = io_.take_exchange();
    exchange->subscriber = this;
    const Cost cost = dispatcher_.parse(*exchange, text);
    if (cost == Cost::Cheap) {
        dispatcher_.run(*exchange, io_.lead->worker);
        text.clear();
        if (text.capacity() > kKeepTextBytes) text.shrink_to_fit();
        answered(std::move(exchange));
    } else {
        ++at_work_;
        const char* const parsed = text.data();
        std::string kept = std::move(text);
        KEEL_ASSERT(kept.data() == parsed);  // longer than what a string holds in itself
        text.clear();
        const auto job = std::make_shared<Request>(shared_from_this(), std::move(kept),
                                                   std::move(exchange), cost == Cost::Heavy);
        shared_.pool_of(cost).push(job);
    }
    read_on();
}

void Peer::part_ready(const std::shared_ptr<Parts>& parts) {
    if (closed_ || ending_) {
        parts->drop();
        return;
    }
    if (!std::exchange(parts->is_queued, true)) {
        outgoing_.push_back({.answer = {}, .parts = parts, .head = {}, .result = {}});
    }
    pump();
}

void Peer::parts_done(const std::shared_ptr<Parts>& parts, std::unique_ptr<Exchange> exchange) {
    --at_work_;
    exchange->subscriber = nullptr;
    // A client that was told half of it must not take that for the whole.
    if (closed_ || ending_ || parts->is_broken()) {
        io_.give_back(std::move(exchange));
        if (!ending_) close();
        end_if_done();
        return;
    }
    parts->rest = std::move(exchange);
    pump();
    read_on();
}

void Peer::pump_parts() {
    Parts& parts = *outgoing_.front().parts;
    const auto text = parts.text();
    if (!text) {
        deadline_ms_ = kNoDeadline;
        return;
    }
    writing_ = true;
    deadline_ms_ = core::monotonic_coarse_ms() + shared_.options.write_timeout_ms +
                   text->size() / kBytesAMsMin;
    write_part(asio::const_buffer(text->data(), text->size()), parts.is_last());
}

void Peer::drop_outgoing() {
    for (const Outgoing& each : outgoing_) {
        if (each.parts) each.parts->drop();
    }
    outgoing_.clear();
}

void Peer::request_done(std::unique_ptr<Exchange> exchange) {
    --at_work_;
    answered(std::move(exchange));
    read_on();
}

void Peer::answered(std::unique_ptr<Exchange> exchange) {
    exchange->subscriber = nullptr;
    const std::vector<std::shared_ptr<Subscription>> begun = std::move(exchange->begun);
    exchange->begun.clear();
    if (closed_) {
        for (const auto& each : begun) each->end();
        io_.give_back(std::move(exchange));
        return;
    }
    if (exchange->out.size() > 0) {
        answer_bytes_ += exchange->out.size();
        outgoing_.push_back({.answer = std::move(exchange), .head = {}, .result = {}});
    } else {
        io_.give_back(std::move(exchange));
    }
    std::erase_if(subscriptions_, [](const auto& each) { return each->has_ended(); });
    for (const auto& each : begun) {
        subscriptions_.push_back(each);
        each->activate();
        static const auto kNo = std::make_shared<const std::string>("false");
        if (each->wish().topic == Topic::Syncing) notify(*each, kNo);
    }
    pump();
}

void Peer::notify(const Subscription& subscription, std::shared_ptr<const std::string> result) {
    Outgoing note;
    note.head.reserve(128);
    note.head = R"({"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":")";
    note.head += subscription.id();
    note.head += R"(","result":)";
    note.result = std::move(result);
    const size_t bytes = note.size();
    {
        const std::scoped_lock lock(mutex_);
        if (is_cut_off_) return;
        if (notification_bytes_ > 0 &&
            notification_bytes_ + bytes > shared_.options.queue_bytes_max) {
            is_cut_off_ = true;
            notifications_.clear();
        } else {
            notifications_.push_back(std::move(note));
            notification_bytes_ += bytes;
            if (is_woken_) return;
            is_woken_ = true;
        }
    }
    asio::post(io_.context, [self = shared_from_this()] { self->take_notifications(); });
}

void Peer::take_notifications() {
    bool is_cut_off = false;
    {
        const std::scoped_lock lock(mutex_);
        is_woken_ = false;
        is_cut_off = is_cut_off_;
        std::ranges::move(notifications_, std::back_inserter(outgoing_));
        notifications_.clear();
    }
    if (closed_) {
        if (!writing_) drop_outgoing();
        return;
    }
    if (is_cut_off && !ending_) {
        if (shared_.options.on_note) {
            shared_.options.on_note("a client that did not read its notifications is cut off");
        }
        end(Reason::TooSlow);
        return;
    }
    pump();
}

void Peer::pump() {
    if (writing_ || closed_ || ending_) return;
    if (outgoing_.empty()) {
        deadline_ms_ = kNoDeadline;
        end_if_done();
        return;
    }
    if (outgoing_.front().parts) {
        pump_parts();
        return;
    }
    writing_ = true;
    const Outgoing& next = outgoing_.front();
    deadline_ms_ =
        core::monotonic_coarse_ms() + shared_.options.write_timeout_ms + next.size() / kBytesAMsMin;
    const auto buffer = [](std::string_view text) {
        return asio::const_buffer(text.data(), text.size());
    };
    if (next.answer) {
        write({buffer(next.answer->out.text()), asio::const_buffer(), asio::const_buffer()});
    } else {
        write({buffer(next.head), buffer(*next.result), buffer(kNotificationEnd)});
    }
}

void Peer::written() {
    writing_ = false;
    if (closed_) {
        drop_outgoing();
        return;
    }
    if (const auto& parts = outgoing_.front().parts; parts && !parts->is_last()) {
        parts->sent();
        pump();
        return;
    }
    Outgoing gone = std::move(outgoing_.front());
    outgoing_.pop_front();
    if (gone.parts) {
        io_.give_back(std::move(gone.parts->rest));
    } else if (gone.answer) {
        answer_bytes_ -= gone.answer->out.size();
        io_.give_back(std::move(gone.answer));
    } else {
        const std::scoped_lock lock(mutex_);
        notification_bytes_ -= gone.size();
    }
    pump();
    read_on();
}

void Peer::check_deadline(uint64_t now_ms) {
    if (now_ms >= deadline_ms_) close();
}

void Peer::begin_stop() {
    stopping_ = true;
    // Before, there is nobody to take leave of: begin() comes back to it.
    if (has_begun_) end_if_done();
}

void Peer::input_ended() {
    reading_ = false;
    begin_stop();
}

void Peer::end_if_done() {
    if (stopping_ && at_work_ == 0 && outgoing_.empty()) end(Reason::GoingAway);
}

void Peer::end(Reason reason) {
    if (closed_ || ending_) return;
    ending_ = true;
    for (const Outgoing& each : outgoing_) {
        if (each.parts) each.parts->drop();
    }
    for (const auto& each : subscriptions_) each->end();
    deadline_ms_ = core::monotonic_coarse_ms() + (io_.stopping ? kStopGoodbyeMs : kGoodbyeMs);
    say_goodbye(reason);
}

void Peer::close() {
    if (closed_) return;
    const auto self = shared_from_this();
    closed_ = true;
    for (const auto& each : subscriptions_) each->end();
    subscriptions_.clear();
    has_gone_ = true;
    // What is being written stays until the socket has let go of it.
    if (writing_) {
        for (const Outgoing& each : outgoing_) {
            if (each.parts) each.parts->drop();
        }
    } else {
        drop_outgoing();
    }
    close_socket();
    io_.remove(self);
}

}  // namespace keel::rpc
