#define OPENSSL_SUPPRESS_DEPRECATED  // the peer is the call without a key object

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "bench/crypto_rows.hpp"
#include "crypto/keccak.hpp"
#include "crypto/p256.hpp"
#include "crypto/secp256k1.hpp"
#include "crypto/sha256.hpp"

namespace keel::bench {
namespace {

using core::Hash32;
using core::U256;

void add_recovery(CryptoRows& rows) {
    const Hash32 hash = crypto::keccak256("hash"), key = crypto::keccak256("key");
    const crypto::Signature s = crypto::sign(hash, key);
    // The library with all that an address takes: a parsed signature, the key serialised and
    // hashed.
    auto library = [hash, s] {
        uint8_t compact[64];
        s.r.store_be32(compact);
        s.s.store_be32(compact + 32);
        secp256k1_ecdsa_recoverable_signature signature;
        secp256k1_pubkey found;
        keep(secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static,
                                                                 &signature, compact, s.y_parity));
        keep(secp256k1_ecdsa_recover(secp256k1_context_static, &found, &signature, hash.data()));
        uint8_t bytes[65];
        size_t size = sizeof bytes;
        secp256k1_ec_pubkey_serialize(secp256k1_context_static, bytes, &size, &found,
                                      SECP256K1_EC_UNCOMPRESSED);
        keep(crypto::keccak256(core::ByteView(bytes + 1, 64)));
    };
    rows.push_back(
        {.name = "ecrecover",
         .call = [hash, s] { keep(crypto::recover_address(hash, s.r, s.s, s.y_parity)); },
         .gas = 3000,
         .peer_name = "libsecp256k1",
         .peers = {library},
         .target = 1 / 1.03});
    rows.push_back({.name = "sign", .call = [hash, key] { keep(crypto::sign(hash, key)); }});
}

void add_p256(CryptoRows& rows) {
    // RFC 6979, A.2.5.
    const auto number = [](const char* digits) { return *U256::from_hex_digits(digits); };
    const Hash32 hash = crypto::sha256("sample");
    const U256 r = number("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716");
    const U256 s = number("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
    const U256 x = number("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6");
    const U256 y = number("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
    const auto bignum = [](const U256& value) {
        return BN_bin2bn(value.to_be32().data(), 32, nullptr);
    };
    // Kept as long as the program, like the group of keel's own call.
    EC_KEY* key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    EC_KEY_set_public_key_affine_coordinates(key, bignum(x), bignum(y));
    ECDSA_SIG* signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, bignum(r), bignum(s));
    rows.push_back({.name = "p256verify",
                    .call = [=] { keep(crypto::p256_verify(hash, r, s, x, y)); },
                    .gas = 6900,
                    .peer_name = "OpenSSL",
                    .peers = {[=] { keep(ECDSA_do_verify(hash.data(), 32, signature, key)); }},
                    .target = 1});
}

}  // namespace

void add_signature_rows(CryptoRows& rows) {
    add_recovery(rows);
    add_p256(rows);
}

}  // namespace keel::bench
