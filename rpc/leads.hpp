#pragma once

// Requests that are answered where they were read, without a change of thread, though some of them
// may take long.
//
// L1  Each IoThread is led by one thread at a time: it alone runs the context's handlers.
// L2  A thread that runs a request for longer than a tick or two loses the lead to a new one, which
//     serves the other connections. It ends with the request, whose answer it hands to the new
//     lead. Until then nobody else touches what the request is made of.
// L3  At most as many threads as the pool may have are without a lead; then requests queue for the
//     pool.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "rpc/dispatch.hpp"

namespace keel::rpc {

struct IoThread;
class Leads;

/// A thread that leads, or has led. Its own thread, but for `has_ended`.
struct Lead {
    Worker worker;
    bool is_lost = false;
    std::function<void()> late;  // what is left to do of the request that lost the lead
    std::atomic<bool> has_ended = false;
    std::jthread thread;
};

/// A request at work on the thread that leads; for as long as it lives. That thread.
class OnLead {
  public:
    OnLead(Leads& leads, IoThread& io);
    OnLead(const OnLead&) = delete;
    OnLead& operator=(const OnLead&) = delete;
    ~OnLead() {
        if (!has_ended_) end();
    }

    Worker& worker() noexcept { return lead_.worker; }
    /// The request is done. False: the lead is lost, and nothing of the connection may be touched;
    /// `late` runs on the new one.
    bool end() noexcept;
    void leave(std::function<void()> late) { lead_.late = std::move(late); }

  private:
    IoThread& io_;
    Lead& lead_;
    const uint64_t number_;
    bool has_ended_ = false;
};

/// The threads of all IoThreads, and the one that watches them.
class Leads {
  public:
    /// lifetime: `io` and `on_note`.
    Leads(const std::vector<std::unique_ptr<IoThread>>& io,
          const std::function<void(std::string_view)>& on_note);
    ~Leads();
    Leads(const Leads&) = delete;
    Leads& operator=(const Leads&) = delete;

    void start(unsigned lost_max);
    /// When all contexts have run out of work.
    void join();
    /// Whether a request may be run by who leads (L3). Any thread.
    bool may_run() const noexcept { return lost_.load(std::memory_order_relaxed) < lost_max_; }

  private:
    friend class OnLead;

    void begin(IoThread& io);
    void run(IoThread& io, Lead& lead);
    void watch();
    /// Whether any request has run since the last call; those that still do lose the lead.
    bool look();
    void wake() noexcept;

    const std::vector<std::unique_ptr<IoThread>>& io_;
    const std::function<void(std::string_view)>& on_note_;
    unsigned lost_max_ = 0;
    std::atomic<unsigned> lost_ = 0;
    std::vector<uint64_t> seen_;  // by IoThread: the request at the last look; who watches only

    std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    size_t open_ = 0;  // contexts that have not run out of work
    std::list<Lead> leads_;
    std::atomic<bool> is_asleep_ = false;  // read without the mutex
    std::jthread watch_;
};

}  // namespace keel::rpc
