#include <gmp.h>
#include <openssl/bn.h>

#include <algorithm>

#include "bench/crypto_rows.hpp"
#include "crypto/modexp.hpp"

namespace keel::bench {
namespace {

using core::Bytes;

struct Input {
    Bytes base, exponent, modulus;
};

void with_gmp(const Input& input) {
    Bytes out(input.modulus.size());
    mpz_t b, e, m;
    mpz_inits(b, e, m, nullptr);
    mpz_import(b, input.base.size(), 1, 1, 1, 0, input.base.data());
    mpz_import(e, input.exponent.size(), 1, 1, 1, 0, input.exponent.data());
    mpz_import(m, input.modulus.size(), 1, 1, 1, 0, input.modulus.data());
    mpz_powm(b, b, e, m);
    mpz_export(out.data(), nullptr, 1, 1, 1, 0, b);
    mpz_clears(b, e, m, nullptr);
    keep(out);
}

void with_openssl(const Input& input, bool constant_time) {
    const auto number = [](const Bytes& bytes) {
        return BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
    };
    Bytes out(input.modulus.size());
    BN_CTX* context = BN_CTX_new();
    BIGNUM *b = number(input.base), *e = number(input.exponent), *m = number(input.modulus);
    if (constant_time) {
        BN_mod(b, b, m, context);
        BN_mod_exp_mont_consttime(b, b, e, m, context, nullptr);
    } else {
        BN_mod_exp_mont(b, b, e, m, context, nullptr);
    }
    BN_bn2binpad(b, out.data(), static_cast<int>(out.size()));
    BN_free(b);
    BN_free(e);
    BN_free(m);
    BN_CTX_free(context);
    keep(out);
}

// EIP-7883, with the base as long as the modulus and the exponent's highest bit set.
double gas_of(size_t size, size_t exponent_bytes) {
    const auto words = static_cast<double>((size + 7) / 8);
    const double complexity = size <= 32 ? 16 : 2 * words * words;
    const auto head = static_cast<double>(8 * std::min<size_t>(exponent_bytes, 32) - 1);
    const double tail = exponent_bytes > 32 ? 16 * static_cast<double>(exponent_bytes - 32) : 0;
    return std::max(500.0, complexity * std::max(1.0, head + tail));
}

void add(CryptoRows& rows, size_t size, size_t exponent_bytes, bool odd) {
    Input input{random_bytes(size), random_bytes(exponent_bytes), random_bytes(size + 1)};
    input.modulus.pop_back();
    input.modulus[0] |= 0x80;
    input.exponent[0] |= 0x80;
    input.modulus.back() = static_cast<uint8_t>((input.modulus.back() & 0xfe) | (odd ? 1 : 0));
    const bool against_gmp = size <= 32 && exponent_bytes == 32;
    CryptoRow row{.name = "modexp " + std::to_string(size) + " B ^ " +
                          std::to_string(exponent_bytes) + " B" + (odd ? "" : ", even"),
                  .call =
                      [input] {
                          Bytes out(input.modulus.size());
                          crypto::modexp(input.base, input.exponent, input.modulus, out.data());
                          keep(out);
                      },
                  .gas = gas_of(size, exponent_bytes),
                  .peer_name = "GMP",
                  .peers = {[input] { with_gmp(input); }},
                  .target = against_gmp && odd ? 1.5 : 1 / 1.05};
    if (odd && !against_gmp) {
        row.peer_name = "GMP, OpenSSL";
        row.peers.push_back([input] { with_openssl(input, false); });
        row.peers.push_back([input] { with_openssl(input, true); });
    }
    rows.push_back(row);
}

}  // namespace

void add_modexp_rows(CryptoRows& rows) {
    for (const size_t size : {32u, 64u, 128u, 256u, 512u, 1024u}) {
        for (const size_t exponent : {size_t{1}, size_t{3}, size_t{32}, size}) {
            add(rows, size, exponent, true);
            if (exponent == size) break;  // 32 B
        }
    }
    add(rows, 32, 32, false);
    add(rows, 256, 256, false);
}

}  // namespace keel::bench
