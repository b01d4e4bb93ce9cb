#include "core/base.hpp"

#include <execinfo.h>

#include <cstdio>
#include <cstdlib>

namespace keel::core {

void assertion_failed(const char* expression, const char* file, int line,
                      const char* message) noexcept {
    std::fprintf(stderr, "keel: assertion failed: %s\n  at %s:%d %s\n", expression, file, line,
                 message);
    constexpr int kFramesMax = 64;
    void* frames[kFramesMax];
    const int count = backtrace(frames, kFramesMax);
    backtrace_symbols_fd(frames, count, 2);
    std::abort();
}

}  // namespace keel::core
