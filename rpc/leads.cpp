#include "rpc/leads.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>

#include "rpc/server_threads.hpp"

namespace keel::rpc {
namespace {

constexpr auto kTick = std::chrono::milliseconds(1);
constexpr unsigned kIdleTicks = 8;  // then nobody watches until a request comes

}  // namespace

OnLead::OnLead(Leads& leads, IoThread& io) : io_(io), lead_(*io.lead), number_(++io.last_on_lead) {
    // Before the look at who watches; watch() has them the other way round.
    io.on_lead.store(number_, std::memory_order_seq_cst);
    if (leads.is_asleep_.load(std::memory_order_seq_cst)) leads.wake();
}

bool OnLead::end() noexcept {
    has_ended_ = true;
    uint64_t expected = number_;
    lead_.is_lost = !io_.on_lead.compare_exchange_strong(expected, 0, std::memory_order_acq_rel);
    return !lead_.is_lost;
}

Leads::Leads(const std::vector<std::unique_ptr<IoThread>>& io,
             const std::function<void(std::string_view)>& on_note)
    : io_(io), on_note_(on_note) {}

Leads::~Leads() = default;

void Leads::start(unsigned lost_max) {
    lost_max_ = lost_max;
    seen_.assign(io_.size(), 0);
    open_ = io_.size();
    for (const auto& io : io_) begin(*io);
    watch_ = std::jthread([this] { watch(); });
}

void Leads::begin(IoThread& io) {
    const std::scoped_lock lock(mutex_);
    Lead& lead = leads_.emplace_back();
    lead.thread = std::jthread([this, &io, &lead] { run(io, lead); });
}

void Leads::run(IoThread& io, Lead& lead) {
    io.lead = &lead;
    for (bool is_open = true; is_open && !lead.is_lost;) {
        // One of the four edges: what a handler could not do ends that handler alone.
        try {
            is_open = io.context.run_one() > 0;
        } catch (const std::exception& fault) {
            if (on_note_) on_note_(fault.what());
        }
    }
    if (lead.is_lost) {
        // From outside of the context, which would not wake the new lead otherwise.
        if (lead.late) asio::post(io.context, std::move(lead.late));
        lost_.fetch_sub(1, std::memory_order_relaxed);
    }
    const std::scoped_lock lock(mutex_);
    if (!lead.is_lost) --open_;
    lead.has_ended = true;
    changed_.notify_all();
}

bool Leads::look() {
    bool any = false;
    for (size_t i = 0; i < io_.size(); ++i) {
        IoThread& io = *io_[i];
        uint64_t running = io.on_lead.load(std::memory_order_seq_cst);
        any |= running != 0;
        const bool is_long = running != 0 && running == seen_[i];
        seen_[i] = running;
        if (!is_long) continue;
        lost_.fetch_add(1, std::memory_order_relaxed);
        if (io.on_lead.compare_exchange_strong(running, 0, std::memory_order_acq_rel)) {
            begin(io);
        } else {
            lost_.fetch_sub(1, std::memory_order_relaxed);
        }
    }
    return any;
}

void Leads::watch() {
    unsigned idle = 0;
    for (;;) {
        idle = look() ? 0 : idle + 1;
        if (idle >= kIdleTicks) {
            is_asleep_.store(true, std::memory_order_seq_cst);
            const bool any = look();
            std::unique_lock lock(mutex_);
            if (!any) changed_.wait(lock, [this] { return open_ == 0 || !is_asleep_.load(); });
            is_asleep_.store(false, std::memory_order_seq_cst);
            idle = 0;
        }
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, kTick, [this] { return open_ == 0; })) return;
        std::erase_if(leads_, [](const Lead& lead) { return lead.has_ended.load(); });
    }
}

void Leads::wake() noexcept {
    {
        const std::scoped_lock lock(mutex_);
        is_asleep_.store(false, std::memory_order_seq_cst);
    }
    changed_.notify_all();
}

void Leads::join() {
    if (watch_.joinable()) watch_.join();
    leads_.clear();
}

}  // namespace keel::rpc
