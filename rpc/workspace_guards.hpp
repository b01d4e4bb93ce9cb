#pragma once

// What a request wants of a thread's workspace for a while; taken back whatever happens.

#include "core/clock.hpp"
#include "evm/call.hpp"

namespace keel::rpc {

/// A tracer watches; null: none does.
class Watched {
  public:
    Watched(evm::Workspace& workspace, evm::Tracer* tracer) : workspace_(workspace) {
        workspace_.set_tracer(tracer);
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    ~Watched() { workspace_.set_tracer(nullptr); }

  private:
    evm::Workspace& workspace_;
};

/// Precompiles stand elsewhere. lifetime: the map outlives this.
class MovedPrecompiles {
  public:
    MovedPrecompiles(evm::Workspace& workspace, const evm::PrecompileOverrides& overrides)
        : workspace_(workspace) {
        workspace_.set_precompile_overrides(overrides.empty() ? nullptr : &overrides);
    }
    MovedPrecompiles(const MovedPrecompiles&) = delete;
    MovedPrecompiles& operator=(const MovedPrecompiles&) = delete;
    ~MovedPrecompiles() { workspace_.set_precompile_overrides(nullptr); }

  private:
    evm::Workspace& workspace_;
};

/// What is executed ends when its time is over: with evm::TimeOver, of which the dispatcher makes
/// an error.
class TimeLimit {
  public:
    /// 0: any time.
    TimeLimit(evm::Workspace& workspace, uint64_t limit_ms) : workspace_(workspace) {
        if (limit_ms > 0) set_deadline_ms(core::monotonic_coarse_ms() + limit_ms);
    }
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;
    ~TimeLimit() { set_deadline_ms(UINT64_MAX); }

    /// UINT64_MAX: none.
    void set_deadline_ms(uint64_t deadline_ms) noexcept { workspace_.set_deadline_ms(deadline_ms); }

  private:
    evm::Workspace& workspace_;
};

}  // namespace keel::rpc
