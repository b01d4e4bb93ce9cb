#pragma once

// The only place that asks for the time.

#include <time.h>

#include <cstdint>

namespace keel::core {

inline uint64_t clock_ns(clockid_t clock) noexcept {
    timespec now;
    ::clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<uint64_t>(now.tv_nsec);
}

/// Never goes back; for durations and deadlines.
inline uint64_t monotonic_ns() noexcept {
    return clock_ns(CLOCK_MONOTONIC);
}
/// The same to the kernel's last tick (1 to 10 ms), at a fraction of the price; for ages.
inline uint64_t monotonic_coarse_ms() noexcept {
    return clock_ns(CLOCK_MONOTONIC_COARSE) / 1'000'000U;
}
/// Seconds since 1970 by the machine's clock; for what is shown or stored, never for durations.
inline uint64_t wall_clock_s() noexcept {
    return clock_ns(CLOCK_REALTIME) / 1'000'000'000U;
}

}  // namespace keel::core
