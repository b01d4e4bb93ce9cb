#include "rpc/server_threads.hpp"

#include <chrono>

#include "core/clock.hpp"

namespace keel::rpc {
namespace {

constexpr size_t kSpareExchanges = 64;  // an I/O thread
constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kStopTick = std::chrono::milliseconds(50);

}  // namespace

void JobPool::push(std::shared_ptr<Job> job) {
    {
        const std::scoped_lock lock(mutex_);
        queue_.push_back(std::move(job));
        // Those that are woken already have not come back from waiting yet: more than one look
        // at the queue each is no harm.
        if (queue_.size() > idle_ && threads_.size() < threads_max_ && !stopping_) {
            threads_.emplace_back([this] { run(); });
        }
    }
    some_.notify_one();
}

void JobPool::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    some_.notify_all();
    // Nobody adds one any more; they lock the mutex to look at the queue once more.
    threads_.clear();
}

void JobPool::run() {
    Worker worker;
    for (;;) {
        std::unique_lock lock(mutex_);
        ++idle_;
        some_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        --idle_;
        if (queue_.empty()) return;
        const std::shared_ptr<Job> job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        job->run_in_pool(worker);
    }
}

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

void IoThread::remove(const std::shared_ptr<Client>& client) {
    clients.erase(client);
    end_if_done();
}

void IoThread::schedule_tick() {
    timer.expires_after(stopping ? std::chrono::milliseconds(kStopTick) : kTick);
    timer.async_wait([this](const ErrorCode& error) {
        if (!error) tick();
    });
}

void IoThread::tick() {
    const uint64_t now = core::monotonic_coarse_ms();
    const std::vector<std::shared_ptr<Client>> all(clients.begin(), clients.end());
    for (const auto& client : all) {
        if (now >= cut_at_ms) {
            client->close();
        } else {
            client->check_deadline(now);
        }
    }
    end_if_done();
    if (work.owns_work()) schedule_tick();
}

void IoThread::begin_stop(uint64_t grace_ms) {
    stopping = true;
    cut_at_ms = core::monotonic_coarse_ms() + grace_ms;
    const std::vector<std::shared_ptr<Client>> all(clients.begin(), clients.end());
    for (const auto& client : all) client->begin_stop();
    schedule_tick();
    end_if_done();
}

void IoThread::end_if_done() {
    if (!stopping || !clients.empty()) return;
    timer.cancel();
    work.reset();
}

}  // namespace keel::rpc
