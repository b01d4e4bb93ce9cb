#pragma once

#include <cstddef>
#include <cstdint>

namespace keel::core {

/// Prints expression, place and backtrace, then aborts. Nothing is saved: a program that has found
/// itself wrong writes nothing more; what was committed is in the store already.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line,
                                   const char* message) noexcept;

}  // namespace keel::core

// On in every build: a failing assertion is always a bug of keel, never a bad file or peer.
#define KEEL_ASSERT(expression, ...) \
    (static_cast<bool>(expression)   \
         ? static_cast<void>(0)      \
         : ::keel::core::assertion_failed(#expression, __FILE__, __LINE__, "" __VA_ARGS__))

// Costly checks (order of a whole page, recount of a tree): debug, sanitizer, fuzz and torture
// builds.
#ifdef KEEL_SLOW_ASSERT
#define KEEL_ASSERT_SLOW(...) KEEL_ASSERT(__VA_ARGS__)
#else
#define KEEL_ASSERT_SLOW(...) static_cast<void>(0)
#endif
