#pragma once

#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::crypto {

/// Whether (r, s) is a signature of `hash` by the public key (qx, qy) on secp256r1 (FIPS 186-4,
/// EIP-7951). False too when r or s is outside [1, n - 1] or the key is no point of the curve. High
/// s is accepted. Any thread.
bool p256_verify(const core::Hash32& hash, const core::U256& r, const core::U256& s,
                 const core::U256& qx, const core::U256& qy) noexcept;

}  // namespace keel::crypto
