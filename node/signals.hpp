#pragma once

// SIGINT, SIGTERM, SIGHUP: blocked in every thread and read by one, which closes every database and
// ends the process with 128 + N. A second signal does not interrupt the saving.

#include <csignal>
#include <functional>
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
