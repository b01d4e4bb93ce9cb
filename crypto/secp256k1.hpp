#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::crypto {

// Keys and signatures of transactions and of the ECRECOVER precompile. Any thread.

struct Signature {
    core::U256 r;
    core::U256 s;
    uint8_t y_parity = 0;  // 0 or 1

    friend bool operator==(const Signature&, const Signature&) noexcept = default;
};

/// The order of the group, n (SEC 2, 2.4.1).
inline constexpr core::U256 kSecp256k1Order{0xbfd25e8cd0364141, 0xbaaedce6af48a03b,
                                            0xfffffffffffffffe, 0xffffffffffffffff};
/// n // 2: from Homestead on, the s of a transaction is at most this (EIP-2).
inline constexpr core::U256 kSecp256k1HalfOrder{0xdfe92f46681b20a0, 0x5d576e7357a4501d,
                                                0xffffffffffffffff, 0x7fffffffffffffff};

/// The address whose key signed `hash`; none when r or s is outside [1, n - 1], y_parity is not 0
/// or 1, or no such key exists. High s is accepted: callers that refuse it compare with
/// kSecp256k1HalfOrder.
std::optional<core::Address> recover_address(const core::Hash32& hash, const core::U256& r,
                                             const core::U256& s, uint8_t y_parity) noexcept;

/// Whether the number is in [1, n - 1].
bool is_private_key(const core::Hash32& private_key) noexcept;

/// Deterministic signature (RFC 6979) with low s. `private_key` is one by is_private_key.
Signature sign(const core::Hash32& hash, const core::Hash32& private_key) noexcept;

/// Coordinates x, y of the public key, big-endian; none when `private_key` is not one.
std::optional<std::array<uint8_t, 64>> public_key(const core::Hash32& private_key) noexcept;

/// Last 20 bytes of the hash of a public key (yellow paper, appendix F).
core::Address address_of_public_key(const std::array<uint8_t, 64>& key) noexcept;

/// Address of a private key. `private_key` is one by is_private_key.
core::Address address_of(const core::Hash32& private_key) noexcept;

}  // namespace keel::crypto
