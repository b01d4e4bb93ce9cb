#include "rpc/peer.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "core/base.hpp"
#include "core/clock.hpp"

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

/// One message's requests on their way through a pool.
class Peer::Request final : public Job {
  public:
    Request(std::shared_ptr<Peer> peer, std::string text, std::unique_ptr<Exchange> exchange)
        : peer_(std::move(peer)), text_(std::move(text)), exchange_(std::move(exchange)) {}
    void run_in_pool(Worker& worker) override {
        peer_->dispatcher_.run(*exchange_, worker);
        asio::post(peer_->io_.context, [peer = peer_, exchange = std::move(exchange_)]() mutable {
            peer->request_done(std::move(exchange));
        });
    }

  private:
    const std::shared_ptr<Peer> peer_;
    const std::string text_;  // what the exchange has parsed
    std::unique_ptr<Exchange> exchange_;
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
        const auto job =
            std::make_shared<Request>(shared_from_this(), std::move(kept), std::move(exchange));
        shared_.pool_of(cost).push(job);
    }
    read_on();
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
        outgoing_.clear();
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
    if (closed_) return;
    Outgoing gone = std::move(outgoing_.front());
    outgoing_.pop_front();
    if (gone.answer) {
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
    // What is being written stays until the socket has let go of it.
    if (!writing_) outgoing_.clear();
    close_socket();
    io_.remove(self);
}

}  // namespace keel::rpc
