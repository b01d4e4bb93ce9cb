#pragma once

#include <cstdint>

namespace keel::db::mem {

/// Not 0, and of no other thread that lives: what pthread_self() answers on this system, without
/// the call.
inline uint64_t thread_number() noexcept {
    uint64_t number;
    asm("mov %%fs:0, %0" : "=r"(number));
    return number;
}

}  // namespace keel::db::mem
