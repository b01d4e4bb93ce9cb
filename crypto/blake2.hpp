#pragma once

#include <cstdint>

namespace keel::crypto {

/// The compression function F of BLAKE2b (RFC 7693, 3.2) with a free number of rounds (EIP-152):
/// `h` is updated in place, `m` is the message block, `t0`, `t1` the low and high half of the
/// offset counter. Any thread.
void blake2b_compress(uint32_t rounds, uint64_t h[8], const uint64_t m[16], uint64_t t0,
                      uint64_t t1, bool final) noexcept;

}  // namespace keel::crypto
