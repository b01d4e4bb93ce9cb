#include "node/signals.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "core/base.hpp"
#include "node/registry.hpp"

namespace keel::node {
namespace {

constexpr int kSignalExitBase = 128;  // as shells do

}  // namespace

StopGate::Work::Work(StopGate& gate) : gate_(gate) {
    std::unique_lock lock(gate_.mutex_);
    gate_.changed_.wait(lock, [&] { return !gate_.ending_; });
    ++gate_.works_;
}

StopGate::Work::~Work() {
    const std::scoped_lock lock(gate_.mutex_);
    --gate_.works_;
    gate_.changed_.notify_all();
}

void StopGate::stop_and_wait() {
    source_.request_stop();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return works_ == 0; });
    ending_ = true;
}

SignalWatch::SignalWatch(SignalActions actions) : actions_(std::move(actions)) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
    std::signal(SIGPIPE, SIG_IGN);
    signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    if (signals_ < 0 || stop_ < 0) throw core::FileFault("signals", "signalfd", errno);
    thread_ = std::thread([this] { run(); });
}

SignalWatch::~SignalWatch() {
    const uint64_t one = 1;
    const ssize_t written = ::write(stop_, &one, sizeof one);
    KEEL_ASSERT(written == static_cast<ssize_t>(sizeof one));
    thread_.join();
    // A signal has come: the process ends there, with its code.
    if (closer_.joinable()) closer_.join();
    ::close(signals_);
    ::close(stop_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatch::run() {
    std::array<pollfd, 2> polled = {pollfd{signals_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
    for (;;) {
        if (::poll(polled.data(), polled.size(), -1) < 0) continue;
        if ((polled[0].revents & POLLIN) != 0) {
            signalfd_siginfo info;
            if (::read(signals_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
            const int signal = static_cast<int>(info.ssi_signo);
            if (closer_.joinable()) {
                if (actions_.say)
                    actions_.say(fmt::format("signal {} again: saving goes on", signal));
            } else {
                closer_ = std::thread([this, signal] { close_then_exit(signal); });
            }
            continue;
        }
        if ((polled[1].revents & POLLIN) != 0) return;
    }
}

void SignalWatch::close_then_exit(int signal) {
    if (actions_.before_close) actions_.before_close(signal);
    const std::optional<core::Fault> fault = Registry::process().close_all();
    if (fault && actions_.say) actions_.say(fault->message());
    // Other threads still run: no destructor of a static may pull the ground from under them.
    std::_Exit(fault ? fault->exit_code() : kSignalExitBase + signal);
}

}  // namespace keel::node
