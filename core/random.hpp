#pragma once

#include <sys/random.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base.hpp"

namespace keel::core {

/// N bytes that nobody can guess, from the kernel.
template <size_t N>
std::array<uint8_t, N> random_bytes() {
    static_assert(N <= 256, "getrandom gives up to 256 bytes whole");
    std::array<uint8_t, N> bytes;
    const ssize_t got = ::getrandom(bytes.data(), N, 0);
    KEEL_ASSERT(got == static_cast<ssize_t>(N));
    return bytes;
}

}  // namespace keel::core
