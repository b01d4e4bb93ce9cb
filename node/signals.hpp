#pragma once

// SIGINT, SIGTERM, SIGHUP: blocked in every thread and read by one, which closes every database and
// ends the process with 128 + N. A second signal does not interrupt the saving.

#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>

#include "core/files.hpp"

namespace keel::node {

struct SignalActions {
    /// Stops services before the stores close; may be empty. On a thread of its own.
    std::function<void(int signal)> before_close;
    /// A line for the user, e.g. that saving goes on; may be empty.
    std::function<void(std::string_view)> say;
};

/// Between the signal loop and the command that runs: the loop asks for a stop and waits until the
/// command has come to a point where its databases may close. Any thread.
class StopGate {
  public:
    /// Work that must not be cut in the middle. Begun before a database is opened; its end lets the
    /// signal loop close and end the process. While the process is ending none begins: that thread
    /// waits for the end.
    class Work {
      public:
        explicit Work(StopGate& gate);
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;
        ~Work();
        /// Stop is requested by a signal.
        std::stop_token token() const { return gate_.source_.get_token(); }

      private:
        StopGate& gate_;
    };

    /// Asks for a stop and returns when no work is left; for SignalActions::before_close.
    void stop_and_wait();

  private:
    std::stop_source source_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int works_ = 0;
    bool ending_ = false;
};

/// Made first in main, before any thread: threads inherit the mask. SIGPIPE is ignored from then
/// on, so that a reader that goes away ends no process that has something to save.
class SignalWatch {
  public:
    explicit SignalWatch(SignalActions actions);
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;
    ~SignalWatch();

  private:
    void run();
    void close_then_exit(int signal);

    SignalActions actions_;
    sigset_t before_{};
    int signals_ = -1;  // signalfd
    int stop_ = -1;     // eventfd
    std::thread closer_;
    std::thread thread_;
};

}  // namespace keel::node
