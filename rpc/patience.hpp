#pragma once

// Whether work on a request is still worth its while.

#include <optional>

#include "core/clock.hpp"
#include "rpc/dispatch.hpp"

namespace keel::rpc {

/// Asked between small parts of long work. One thread.
class Patience {
  public:
    /// Without end.
    Patience() = default;
    /// lifetime: the call.
    explicit Patience(const Call& call) : caller_(call.caller), deadline_ms_(call.deadline_ms) {}
    /// Until the client goes.
    explicit Patience(const Caller* caller) : caller_(caller) {}
    /// Remembers that it has ended; looks at the client and the clock once in kBetweenLooks calls.
    bool has_ended() {
        if (end_ || (caller_ == nullptr && deadline_ms_ == UINT64_MAX)) return end_.has_value();
        if (++calls_ % kBetweenLooks == 0) look();
        return end_.has_value();
    }
    /// The same at once.
    void look() {
        if (caller_ != nullptr && caller_->has_gone()) {
            end_ = {.code = Code::Failed, .message = "the client has gone"};
        } else if (core::monotonic_coarse_ms() >= deadline_ms_) {
            end_ = {.code = Code::TimedOut, .message = "request timed out"};
        }
    }
    const std::optional<Error>& end() const noexcept { return end_; }

  private:
    static constexpr uint64_t kBetweenLooks = 256;

    const Caller* caller_ = nullptr;
    uint64_t deadline_ms_ = UINT64_MAX;
    uint64_t calls_ = 0;
    std::optional<Error> end_;
};

}  // namespace keel::rpc
