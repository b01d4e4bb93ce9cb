// How long do hashes, curves and precompiles take, beside OpenSSL, GMP and libsecp256k1 in the same
// run? Times are per call.

#include <benchmark/benchmark.h>
#include <gmp.h>
#include <openssl/bn.h>
#include <openssl/sha.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <random>
#include <vector>

#include "core/hex.hpp"
#include "crypto/blake2.hpp"
#include "crypto/bls12_381/bls12_381.hpp"
#include "crypto/bls12_381/encoding.hpp"
#include "crypto/bls12_381/msm.hpp"
#include "crypto/bls12_381/pairing.hpp"
#include "crypto/bn254/bn254.hpp"
#include "crypto/bn254/pairing.hpp"
#include "crypto/keccak.hpp"
#include "crypto/kzg.hpp"
#include "crypto/modexp.hpp"
#include "crypto/p256.hpp"
#include "crypto/ripemd160.hpp"
#include "crypto/secp256k1.hpp"
#include "crypto/sha256.hpp"

namespace {

using namespace keel;
using core::Bytes;
using core::ByteView;
using core::Hash32;
using core::U256;

Bytes random_bytes(size_t size) {
    std::mt19937_64 random(size);
    Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    return bytes;
}

void keccak(benchmark::State& state) {
    const Bytes input = random_bytes(static_cast<size_t>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(crypto::keccak256(input));
}
BENCHMARK(keccak)->Arg(32)->Arg(64)->Arg(104)->Arg(136)->Arg(532)->Arg(1024);

// Time of one hash of 1,000.
void keccak_batch(benchmark::State& state) {
    const std::vector<Bytes> messages(1'000, random_bytes(static_cast<size_t>(state.range(0))));
    const std::vector<ByteView> inputs(messages.begin(), messages.end());
    std::vector<Hash32> digests(inputs.size());
    while (state.KeepRunningBatch(1'000)) {
        crypto::keccak256_batch(inputs, digests);
        benchmark::ClobberMemory();
    }
}
BENCHMARK(keccak_batch)->Arg(32)->Arg(64)->Arg(104)->Arg(136)->Arg(532)->Arg(1024);

void sha256(benchmark::State& state) {
    const Bytes input = random_bytes(static_cast<size_t>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(input));
}
BENCHMARK(sha256)->Arg(32)->Arg(128)->Arg(1024)->Arg(16384);

void sha256_openssl(benchmark::State& state) {
    const Bytes input = random_bytes(static_cast<size_t>(state.range(0)));
    uint8_t digest[32];
    for (auto _ : state) {
        SHA256(input.data(), input.size(), digest);
        benchmark::DoNotOptimize(digest);
    }
}
BENCHMARK(sha256_openssl)->Arg(32)->Arg(128)->Arg(1024)->Arg(16384);

void ripemd160(benchmark::State& state) {
    const Bytes input = random_bytes(static_cast<size_t>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(crypto::ripemd160(input));
}
BENCHMARK(ripemd160)->Arg(32)->Arg(1024);

// Rounds; divide by them.
void blake2b(benchmark::State& state) {
    uint64_t h[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const uint64_t m[16] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8};
    for (auto _ : state) {
        crypto::blake2b_compress(static_cast<uint32_t>(state.range(0)), h, m, 3, 0, true);
        benchmark::DoNotOptimize(h);
    }
}
BENCHMARK(blake2b)->Arg(1)->Arg(12)->Arg(1000);

const Hash32 kHash = crypto::keccak256("hash");
const Hash32 kKey = crypto::keccak256("key");

void recover(benchmark::State& state) {
    const crypto::Signature s = crypto::sign(kHash, kKey);
    for (auto _ : state) {
        benchmark::DoNotOptimize(crypto::recover_address(kHash, s.r, s.s, s.y_parity));
    }
}
BENCHMARK(recover);

// The library alone: from a parsed signature to a key, no serialising, no hash.
void recover_libsecp(benchmark::State& state) {
    const crypto::Signature s = crypto::sign(kHash, kKey);
    uint8_t compact[64];
    s.r.store_be32(compact);
    s.s.store_be32(compact + 32);
    secp256k1_ecdsa_recoverable_signature signature;
    secp256k1_pubkey key;
    for (auto _ : state) {
        const bool recovered =
            secp256k1_ecdsa_recoverable_signature_parse_compact(
                secp256k1_context_static, &signature, compact, s.y_parity) == 1 &&
            secp256k1_ecdsa_recover(secp256k1_context_static, &key, &signature, kHash.data()) == 1;
        benchmark::DoNotOptimize(recovered);
        benchmark::DoNotOptimize(key);
    }
}
BENCHMARK(recover_libsecp);

void sign(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(crypto::sign(kHash, kKey));
}
BENCHMARK(sign);

void p256_verify(benchmark::State& state) {
    // RFC 6979, A.2.5.
    const auto number = [](const char* digits) { return *U256::from_hex_digits(digits); };
    const Hash32 hash = crypto::sha256("sample");
    const U256 r = number("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716");
    const U256 s = number("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
    const U256 x = number("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6");
    const U256 y = number("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
    for (auto _ : state) {
        if (!crypto::p256_verify(hash, r, s, x, y)) state.SkipWithError("refused");
    }
}
BENCHMARK(p256_verify);

struct ModexpInput {
    Bytes base, exponent, modulus;
};
// Arguments: bytes of base and modulus, bytes of the exponent, modulus odd.
ModexpInput modexp_input(const benchmark::State& state) {
    const auto size = static_cast<size_t>(state.range(0));
    ModexpInput input{random_bytes(size), random_bytes(static_cast<size_t>(state.range(1))),
                      random_bytes(size + 1)};
    input.modulus.pop_back();
    input.modulus[0] |= 0x80;
    input.exponent[0] |= 0x80;
    input.modulus.back() = static_cast<uint8_t>((input.modulus.back() & 0xfe) | state.range(2));
    return input;
}
void modexp_sizes(benchmark::internal::Benchmark* bench) {
    for (const int size : {32, 64, 128, 256, 512}) {
        for (const int exponent : {1, 3, 32, size}) bench->Args({size, exponent, 1});
    }
    bench->Args({256, 256, 0})->Args({32, 32, 0});
}

void modexp(benchmark::State& state) {
    const ModexpInput input = modexp_input(state);
    Bytes out(input.modulus.size());
    for (auto _ : state) {
        crypto::modexp(input.base, input.exponent, input.modulus, out.data());
        benchmark::ClobberMemory();
    }
}
BENCHMARK(modexp)->Apply(modexp_sizes)->Unit(benchmark::kMicrosecond);

void modexp_gmp(benchmark::State& state) {
    const ModexpInput input = modexp_input(state);
    Bytes out(input.modulus.size());
    for (auto _ : state) {
        mpz_t b, e, m;
        mpz_inits(b, e, m, nullptr);
        mpz_import(b, input.base.size(), 1, 1, 1, 0, input.base.data());
        mpz_import(e, input.exponent.size(), 1, 1, 1, 0, input.exponent.data());
        mpz_import(m, input.modulus.size(), 1, 1, 1, 0, input.modulus.data());
        mpz_powm(b, b, e, m);
        mpz_export(out.data(), nullptr, 1, 1, 1, 0, b);
        mpz_clears(b, e, m, nullptr);
    }
}
BENCHMARK(modexp_gmp)->Apply(modexp_sizes)->Unit(benchmark::kMicrosecond);

template <bool kConstantTime>
void modexp_openssl(benchmark::State& state) {
    if (state.range(2) == 0) return state.SkipWithError("odd only");
    const ModexpInput input = modexp_input(state);
    Bytes out(input.modulus.size());
    for (auto _ : state) {
        BN_CTX* context = BN_CTX_new();
        BIGNUM* b = BN_bin2bn(input.base.data(), static_cast<int>(input.base.size()), nullptr);
        BIGNUM* e =
            BN_bin2bn(input.exponent.data(), static_cast<int>(input.exponent.size()), nullptr);
        BIGNUM* m =
            BN_bin2bn(input.modulus.data(), static_cast<int>(input.modulus.size()), nullptr);
        if (kConstantTime) {
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
    }
}
BENCHMARK(modexp_openssl<false>)->Apply(modexp_sizes)->Unit(benchmark::kMicrosecond);
BENCHMARK(modexp_openssl<true>)->Apply(modexp_sizes)->Unit(benchmark::kMicrosecond);

// Generators of EIP-196 and EIP-197.
const char* const kG1 =
    "0000000000000000000000000000000000000000000000000000000000000001"
    "0000000000000000000000000000000000000000000000000000000000000002";
const char* const kG2 =
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";

Bytes multiple_of_g1(uint64_t factor) {
    Bytes input = *core::from_hex(kG1);
    core::append(input, crypto::keccak256(U256(factor).to_be32()));
    Bytes out(64);
    crypto::bn254_mul(input, out.data());
    return out;
}

void bn254_add(benchmark::State& state) {
    Bytes input = multiple_of_g1(1);
    core::append(input, multiple_of_g1(2));
    Bytes out(64);
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bn254_add(input, out.data()));
}
BENCHMARK(bn254_add);

void bn254_mul(benchmark::State& state) {
    Bytes input = multiple_of_g1(1);
    core::append(input, U256::max().to_be32());
    Bytes out(64);
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bn254_mul(input, out.data()));
}
BENCHMARK(bn254_mul)->Unit(benchmark::kMicrosecond);

void bn254_pairing(benchmark::State& state) {
    Bytes input;
    for (int64_t i = 0; i < state.range(0); ++i) {
        core::append(input, multiple_of_g1(static_cast<uint64_t>(i)));
        core::append(input, *core::from_hex(kG2));
    }
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bn254_pairing(input));
}
BENCHMARK(bn254_pairing)->Arg(1)->Arg(2)->Arg(4)->Arg(6)->Unit(benchmark::kMicrosecond);

void bn254_field_multiply(benchmark::State& state) {
    using crypto::bn254::Fp;
    Fp a = Fp::of(U256(3, 4, 5, 6));
    const Fp b = Fp::of(U256(7, 8, 9, 1));
    for (auto _ : state) {
        multiply(a, a, b);
        benchmark::DoNotOptimize(a);
    }
}
BENCHMARK(bn254_field_multiply);

namespace bls = crypto::bls12_381;

void append_bls(Bytes& to, const bls::Fp& a) {
    to.resize(to.size() + 16);
    to.resize(to.size() + bls::kFpBytes);
    bls::store_fp(a, to.data() + to.size() - bls::kFpBytes);
}
void append_bls(Bytes& to, const bls::Fp2& a) {
    append_bls(to, a.c0);
    append_bls(to, a.c1);
}

// Inputs of a number of different points of one group, each with something behind it.
template <class F>
Bytes bls_points(int64_t count, const crypto::curve::Affine<F>& generator, bool with_scalars) {
    Bytes input;
    for (int64_t i = 0; i < count; ++i) {
        const U256 scalar =
            U256::load_be32(crypto::keccak256(U256(static_cast<uint64_t>(i)).to_be32()).data());
        const auto p =
            to_affine(bls::multiply_sum(std::span(&generator, 1), std::span(&scalar, 1)));
        append_bls(input, p.x);
        append_bls(input, p.y);
        if (with_scalars) core::append(input, crypto::keccak256(scalar.to_be32()));
    }
    return input;
}

void bls12_g1_add(benchmark::State& state) {
    const Bytes input = bls_points(2, bls::kGenerator1, false);
    Bytes out(128);
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bls12_g1_add(input, out.data()));
}
BENCHMARK(bls12_g1_add);

void bls12_g2_add(benchmark::State& state) {
    const Bytes input = bls_points(2, bls::kGenerator2, false);
    Bytes out(256);
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bls12_g2_add(input, out.data()));
}
BENCHMARK(bls12_g2_add);

void bls12_g1_msm(benchmark::State& state) {
    const Bytes input = bls_points(state.range(0), bls::kGenerator1, true);
    Bytes out(128);
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bls12_g1_msm(input, out.data()));
}
BENCHMARK(bls12_g1_msm)->Arg(1)->Arg(16)->Arg(128)->Arg(1024)->Unit(benchmark::kMicrosecond);

void bls12_g2_msm(benchmark::State& state) {
    const Bytes input = bls_points(state.range(0), bls::kGenerator2, true);
    Bytes out(256);
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bls12_g2_msm(input, out.data()));
}
BENCHMARK(bls12_g2_msm)->Arg(1)->Arg(16)->Arg(128)->Arg(1024)->Unit(benchmark::kMicrosecond);

void bls12_pairing(benchmark::State& state) {
    const Bytes g1 = bls_points(state.range(0), bls::kGenerator1, false);
    const Bytes g2 = bls_points(state.range(0), bls::kGenerator2, false);
    Bytes input;
    for (size_t i = 0; i < static_cast<size_t>(state.range(0)); ++i) {
        core::append(input, ByteView(g1).sub(128 * i, 128));
        core::append(input, ByteView(g2).sub(256 * i, 256));
    }
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bls12_pairing(input));
}
BENCHMARK(bls12_pairing)->Arg(1)->Arg(2)->Arg(4)->Arg(8)->Unit(benchmark::kMicrosecond);

void bls12_map_to_g1(benchmark::State& state) {
    Bytes input;
    append_bls(input, bls::kGenerator1.x);
    Bytes out(128);
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bls12_map_to_g1(input, out.data()));
}
BENCHMARK(bls12_map_to_g1)->Unit(benchmark::kMicrosecond);

void bls12_map_to_g2(benchmark::State& state) {
    Bytes input;
    append_bls(input, bls::kGenerator2.x);
    Bytes out(256);
    for (auto _ : state) benchmark::DoNotOptimize(crypto::bls12_map_to_g2(input, out.data()));
}
BENCHMARK(bls12_map_to_g2)->Unit(benchmark::kMicrosecond);

// A proof that does not hold costs the same as one that does.
void kzg_verify(benchmark::State& state) {
    Bytes generator(bls::kFpBytes);
    bls::store_fp(bls::kGenerator1.x, generator.data());
    generator[0] |= 0x80;
    Bytes z(32, 0x5a);
    const Bytes y(32, 0x3c);
    for (auto _ : state) {
        benchmark::DoNotOptimize(crypto::verify_kzg_proof(generator, z, y, generator));
    }
}
BENCHMARK(kzg_verify)->Unit(benchmark::kMicrosecond);

// The steps that the rows above are made of.
void bls12_field_multiply(benchmark::State& state) {
    bls::Fp a = bls::kGenerator1.x;
    for (auto _ : state) {
        multiply(a, a, bls::kGenerator1.y);
        benchmark::DoNotOptimize(a);
    }
}
BENCHMARK(bls12_field_multiply);

void bls12_field_inverse(benchmark::State& state) {
    bls::Fp a = bls::kGenerator1.x;
    for (auto _ : state) {
        a = a.inverse() + bls::Fp::one();
        benchmark::DoNotOptimize(a);
    }
}
BENCHMARK(bls12_field_inverse);

void bls12_fp2_multiply(benchmark::State& state) {
    bls::Fp2 a = bls::kGenerator2.x;
    for (auto _ : state) {
        a = a * bls::kGenerator2.y;
        benchmark::DoNotOptimize(a);
    }
}
BENCHMARK(bls12_fp2_multiply);

void bls12_subgroup_g1(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(bls::in_subgroup(bls::kGenerator1));
}
BENCHMARK(bls12_subgroup_g1)->Unit(benchmark::kMicrosecond);

void bls12_subgroup_g2(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(bls::in_subgroup(bls::kGenerator2));
}
BENCHMARK(bls12_subgroup_g2)->Unit(benchmark::kMicrosecond);

void bls12_miller_loop(benchmark::State& state) {
    const bls::Pair pair{bls::kGenerator1, bls::kGenerator2};
    for (auto _ : state) benchmark::DoNotOptimize(bls::miller_loop(std::span(&pair, 1)));
}
BENCHMARK(bls12_miller_loop)->Unit(benchmark::kMicrosecond);

void bls12_final_exponentiation(benchmark::State& state) {
    const bls::Pair pair{bls::kGenerator1, bls::kGenerator2};
    const bls::Fp12 f = bls::miller_loop(std::span(&pair, 1));
    for (auto _ : state) benchmark::DoNotOptimize(bls::final_exponentiation(f));
}
BENCHMARK(bls12_final_exponentiation)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
