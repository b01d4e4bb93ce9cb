#include "crypto/blake2.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <random>

#include "core/endian.hpp"
#include "core/hex.hpp"

namespace keel::crypto {
namespace {

// State of BLAKE2b-512 without key before its first block (RFC 7693, 3.3).
constexpr uint64_t kStart[8] = {0x6a09e667f3bcc908 ^ 0x01010040,
                                0xbb67ae8584caa73b,
                                0x3c6ef372fe94f82b,
                                0xa54ff53a5f1d36f1,
                                0x510e527fade682d1,
                                0x9b05688c2b3e6c1f,
                                0x1f83d9abfb41bd6b,
                                0x5be0cd19137e2179};

std::string hex_of_state(const uint64_t* h) {
    uint8_t bytes[64];
    for (size_t i = 0; i < 8; ++i) core::store_le(bytes + 8 * i, h[i]);
    return core::to_hex({bytes, sizeof bytes});
}

// EIP-152, test cases 4 to 7: the message "abc".
TEST(Blake2b, vectors_of_eip_152) {
    struct Case {
        uint32_t rounds;
        bool final;
        const char* state;
    };
    constexpr Case kCases[] = {
        {0, true,
         "08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
         "d282e6ad7f520e511f6c3e2b8c68059b9442be0454267ce079217e1319cde05b"},
        {12, true,
         "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
         "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
        {12, false,
         "75ab69d3190a562c51aef8d88f1c2775876944407270c42c9844252c26d28752"
         "98743e7f6d5ea2f2d3e8d226039cd31b4e426ac4f2d3d666a610c2116fde4735"},
        {1, true,
         "b63a380cb2897d521994a85234ee2c181b5f844d2c624c002677e9703449d2fb"
         "a551b3a8333bcdf5f2f7e08993d53923de3d64fcc68c034e717b9293fed7a421"}};
    constexpr uint64_t kMessage[16] = {0x636261};
    for (const Case& c : kCases) {
        uint64_t h[8];
        std::copy_n(kStart, 8, h);
        blake2b_compress(c.rounds, h, kMessage, 3, 0, c.final);
        EXPECT_EQ(hex_of_state(h), c.state) << c.rounds;
    }
}

TEST(Blake2b, blocks_in_a_chain_agree_with_openssl) {
    std::mt19937_64 random(1);
    for (const size_t size : {1u, 127u, 128u, 129u, 1'000u}) {
        core::Bytes message(size);
        for (uint8_t& byte : message) byte = static_cast<uint8_t>(random());
        uint8_t expected[64];
        ASSERT_EQ(EVP_Digest(message.data(), size, expected, nullptr, EVP_blake2b512(), nullptr),
                  1);
        uint64_t h[8];
        std::copy_n(kStart, 8, h);
        for (size_t at = 0; at < size; at += 128) {
            const size_t used = std::min<size_t>(128, size - at);
            uint8_t block[128] = {};
            std::copy_n(message.data() + at, used, block);
            uint64_t m[16];
            for (size_t i = 0; i < 16; ++i) m[i] = core::load_le<uint64_t>(block + 8 * i);
            blake2b_compress(12, h, m, at + used, 0, at + used == size);
        }
        EXPECT_EQ(hex_of_state(h), core::to_hex({expected, sizeof expected})) << size;
    }
}

}  // namespace
}  // namespace keel::crypto
