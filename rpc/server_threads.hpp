#pragma once

// What connections of every kind run on: threads that read and write, threads that answer.

// <utility> stands first for g++ 12: Asio uses std::exchange without including it.
#include <utility>

#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "rpc/http.hpp"
#include "rpc/leads.hpp"

namespace keel::rpc {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
// The executor is named: Tcp::socket hides it behind virtual calls.
using Socket = asio::basic_stream_socket<Tcp, asio::io_context::executor_type>;
using ErrorCode = boost::system::error_code;

inline constexpr uint64_t kNoDeadline = UINT64_MAX;

/// Requests that are not answered where they were read.
class Job {
  public:
    virtual ~Job() = default;
    /// A thread of a pool.
    virtual void run_in_pool(Worker& worker) = 0;
};

/// Runs jobs in the order in which they came, on as many threads as it takes up to a limit. Any
/// thread.
class JobPool {
  public:
    void start(unsigned threads_max) { threads_max_ = threads_max; }
    void push(std::shared_ptr<Job> job);
    /// Runs what is queued, then ends the threads.
    void stop();

  private:
    void run();

    unsigned threads_max_ = 0;
    std::mutex mutex_;  // guards all below; held over no call of a job
    std::deque<std::shared_ptr<Job>> queue_;
    size_t idle_ = 0;  // threads that wait
    bool stopping_ = false;
    std::vector<std::jthread> threads_;
    std::condition_variable some_;
};

/// A connection, as its I/O thread sees it.
class Client {
  public:
    virtual ~Client() = default;
    virtual void check_deadline(uint64_t now_ms) = 0;
    /// Ends at once, or behind the answers that are due.
    virtual void begin_stop() = 0;
    virtual void close() = 0;
};

/// Connections and the thread that leads (rpc/leads.hpp). All members but `context` and `on_lead`
/// belong to that thread.
struct IoThread {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    asio::steady_timer timer{context};
    Lead* lead = nullptr;               // who leads now
    uint64_t last_on_lead = 0;          // requests that were run by who led
    std::atomic<uint64_t> on_lead = 0;  // number of the one that is; 0: none
    std::vector<std::unique_ptr<Exchange>> spare;
    std::unordered_set<std::shared_ptr<Client>> clients;
    bool stopping = false;
    uint64_t cut_at_ms = kNoDeadline;

    std::unique_ptr<Exchange> take_exchange();
    void give_back(std::unique_ptr<Exchange> exchange);
    void add(std::shared_ptr<Client> client) { clients.insert(std::move(client)); }
    void remove(const std::shared_ptr<Client>& client);
    void tick();
    void schedule_tick();
    void begin_stop(uint64_t grace_ms);
    void end_if_done();
};

/// What connections share.
struct Shared {
    ServerOptions options;
    Leads* leads = nullptr;  // lifetime: as this
    JobPool pool;
    JobPool heavy;    // of half as many threads
    JobPool writer;   // of one thread
    JobPool waiting;  // of requests that wait for something

    JobPool& pool_of(Cost cost) {
        switch (cost) {
            case Cost::Heavy:
                return heavy;
            case Cost::Writer:
                return writer;
            case Cost::Waiting:
                return waiting;
            case Cost::Cheap:
            case Cost::State:
                break;
        }
        return pool;
    }
    std::atomic<size_t> connections = 0;
    std::atomic<size_t> lasting_connections = 0;  // of them: WebSocket and IPC
};

/// A connection's place under ServerOptions::connections_max.
class ConnectionSlot {
  public:
    ConnectionSlot() = default;
    explicit ConnectionSlot(Shared& shared) : shared_(&shared) {
        shared_->connections.fetch_add(1, std::memory_order_relaxed);
    }
    ConnectionSlot(ConnectionSlot&& other) noexcept
        : shared_(std::exchange(other.shared_, nullptr)) {}
    ConnectionSlot& operator=(ConnectionSlot&&) = delete;
    ~ConnectionSlot() {
        if (shared_ != nullptr) shared_->connections.fetch_sub(1, std::memory_order_relaxed);
    }

  private:
    Shared* shared_ = nullptr;
};

}  // namespace keel::rpc
