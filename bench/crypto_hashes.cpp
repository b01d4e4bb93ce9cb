#include <openssl/sha.h>

#include "bench/crypto_rows.hpp"
#include "crypto/blake2.hpp"
#include "crypto/keccak.hpp"
#include "crypto/keccak_permutation.hpp"
#include "crypto/ripemd160.hpp"
#include "crypto/sha256.hpp"

namespace keel::bench {
namespace {

using core::Bytes;
using core::ByteView;
using core::Hash32;

std::string sized(const char* name, size_t size) {
    return std::string(name) + " " + std::to_string(size) + " B";
}

double words(size_t size) {
    return static_cast<double>((size + 31) / 32);
}

void add_keccak(CryptoRows& rows) {
    struct Size {
        size_t bytes;
        double scalar_ns, batch_ns;  // of the ethash scalar code (g++), of XKCP's 8 lanes
        bool has_target;             // the target names the sizes of one block
    };
    for (const Size& size :
         {Size{32, 283, 63, true}, Size{64, 290, 64, true}, Size{104, 291, 67, true},
          Size{136, 567, 123, false}, Size{532, 1122, 304, false}, Size{1024, 2240, 499, false}}) {
        const Bytes input = random_bytes(size.bytes);
        rows.push_back({.name = sized("keccak256", size.bytes),
                        .call = [input] { keep(crypto::keccak256(input)); },
                        .peer_name = "ethash",
                        .peer_ns = size.scalar_ns,
                        .target = size.has_target ? size.scalar_ns / 255 : 0});
    }
    for (const Size& size :
         {Size{32, 283, 63, true}, Size{64, 290, 64, true}, Size{104, 291, 67, true},
          Size{136, 567, 123, false}, Size{532, 1122, 304, false}, Size{1024, 2240, 499, false}}) {
        constexpr size_t kCount = 1'000;
        const std::vector<Bytes> messages(kCount, random_bytes(size.bytes));
        auto hash_all = [messages, inputs = std::vector<ByteView>(),
                         digests = std::vector<Hash32>(kCount)]() mutable {
            if (inputs.empty()) inputs.assign(messages.begin(), messages.end());
            crypto::keccak256_batch(inputs, digests);
            keep(digests);
        };
        rows.push_back({.name = sized("keccak256 of many", size.bytes),
                        .call = hash_all,
                        .per_call = kCount,
                        .peer_name = "XKCP, 8 lanes",
                        .peer_ns = size.batch_ns,
                        .target = size.has_target ? size.batch_ns / 65 : 0});
    }
    if (__builtin_cpu_supports("avx2") != 0) {
        auto step = [input = random_bytes(104)] {
            alignas(64) uint64_t state[25 * 4];
            const crypto::KeccakBlock block{input.data(), input.size()};
            const crypto::KeccakBlock blocks[] = {block, block, block, block};
            crypto::keccak_step_x4_avx2(state, blocks, 0xf);
            keep(state);
        };
        rows.push_back({.name = "keccak256, 4 lanes of AVX2",
                        .call = step,
                        .per_call = 4,
                        .peer_name = "limit",
                        .peer_ns = 110,
                        .target = 1});
    }
}

}  // namespace

void add_hash_rows(CryptoRows& rows) {
    add_keccak(rows);
    struct Size {
        size_t bytes;
        double evmone_ns;
    };
    for (const Size& size : {Size{32, 76}, Size{128, 153}, Size{1024, 729}, Size{16384, 10719}}) {
        const Bytes input = random_bytes(size.bytes);
        const auto hash = [input] { keep(crypto::sha256(input)); };
        rows.push_back({.name = sized("sha256", size.bytes),
                        .call = hash,
                        .gas = 60 + 12 * words(size.bytes),
                        .peer_name = "evmone",
                        .peer_ns = size.evmone_ns,
                        .target = 1});
        rows.push_back({.name = sized("sha256", size.bytes),
                        .call = hash,
                        .peer_name = "OpenSSL",
                        .peers = {[input] {
                            uint8_t digest[32];
                            SHA256(input.data(), input.size(), digest);
                            keep(digest);
                        }},
                        .target = 1});
    }
    for (const Size& size : {Size{32, 256}, Size{1024, 5433}}) {
        const Bytes input = random_bytes(size.bytes);
        rows.push_back({.name = sized("ripemd160", size.bytes),
                        .call = [input] { keep(crypto::ripemd160(input)); },
                        .gas = 600 + 120 * words(size.bytes),
                        .peer_name = "evmone",
                        .peer_ns = size.evmone_ns,
                        .target = 1.1});
    }
    for (const uint32_t rounds : {12u, 1000u}) {
        auto compress = [rounds] {
            uint64_t h[8] = {1, 2, 3, 4, 5, 6, 7, 8};
            const uint64_t m[16] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8};
            crypto::blake2b_compress(rounds, h, m, 3, 0, true);
            keep(h);
        };
        rows.push_back({.name = "blake2f, one of " + std::to_string(rounds) + " rounds",
                        .call = compress,
                        .per_call = static_cast<double>(rounds),
                        .gas = 1,
                        .peer_name = "evmone",
                        .peer_ns = 16.7,
                        .target = 1.6});
    }
}

}  // namespace keel::bench
