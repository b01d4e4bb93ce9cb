#include "crypto/secp256k1.hpp"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <cstring>

#include "core/base.hpp"
#include "crypto/keccak.hpp"

namespace keel::crypto {
namespace {

using core::Address;
using core::Hash32;
using core::U256;

// libsecp256k1's tables for signing, made once and only read afterwards, by any thread. It lives as
// long as the process.
const secp256k1_context* signing_context() noexcept {
    static const secp256k1_context* const context =
        secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    return context;
}

// The 64 bytes behind the 0x04 of an uncompressed key.
std::array<uint8_t, 64> coordinates(const secp256k1_pubkey& key) noexcept {
    uint8_t serialized[65];
    size_t size = sizeof serialized;
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, serialized, &size, &key,
                                  SECP256K1_EC_UNCOMPRESSED);
    std::array<uint8_t, 64> result;
    std::memcpy(result.data(), serialized + 1, result.size());
    return result;
}

}  // namespace

std::optional<Address> recover_address(const Hash32& hash, const U256& r, const U256& s,
                                       uint8_t y_parity) noexcept {
    if (y_parity > 1) return std::nullopt;
    uint8_t compact[64];
    r.store_be32(compact);
    s.store_be32(compact + 32);
    secp256k1_ecdsa_recoverable_signature signature;
    secp256k1_pubkey key;
    // Parsing refuses numbers from n on, recovering refuses zero and an r that is no x coordinate.
    // Neither needs more than the context which is part of the library.
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &signature,
                                                            compact, y_parity) == 0 ||
        secp256k1_ecdsa_recover(secp256k1_context_static, &key, &signature, hash.data()) == 0) {
        return std::nullopt;
    }
    return address_of_public_key(coordinates(key));
}

bool is_private_key(const Hash32& private_key) noexcept {
    return secp256k1_ec_seckey_verify(secp256k1_context_static, private_key.data()) != 0;
}

Signature sign(const Hash32& hash, const Hash32& private_key) noexcept {
    secp256k1_ecdsa_recoverable_signature signature;
    // Without a nonce function given the library takes RFC 6979; it always returns the lower s.
    const int made = secp256k1_ecdsa_sign_recoverable(signing_context(), &signature, hash.data(),
                                                      private_key.data(), nullptr, nullptr);
    KEEL_ASSERT(made == 1, "the private key was checked by the caller");
    uint8_t compact[64];
    int recovery_id = 0;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, compact,
                                                            &recovery_id, &signature);
    // Ids 2 and 3 mean an r that passed n: its chance is 2^-127, and Ethereum has no spelling for
    // it.
    KEEL_ASSERT(recovery_id == 0 || recovery_id == 1);
    return {U256::load_be32(compact), U256::load_be32(compact + 32),
            static_cast<uint8_t>(recovery_id)};
}

std::optional<std::array<uint8_t, 64>> public_key(const Hash32& private_key) noexcept {
    secp256k1_pubkey key;
    if (secp256k1_ec_pubkey_create(signing_context(), &key, private_key.data()) == 0) {
        return std::nullopt;
    }
    return coordinates(key);
}

Address address_of_public_key(const std::array<uint8_t, 64>& key) noexcept {
    return Address(keccak256(key).view().sub(12));
}

Address address_of(const Hash32& private_key) noexcept {
    const auto key = public_key(private_key);
    KEEL_ASSERT(key.has_value(), "the private key was checked by the caller");
    return address_of_public_key(*key);
}

}  // namespace keel::crypto
