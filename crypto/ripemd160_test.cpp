#include "crypto/ripemd160.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <random>

#include "core/hex.hpp"

namespace keel::crypto {
namespace {

TEST(Ripemd160, vectors_of_its_authors) {
    EXPECT_EQ(core::to_hex(ripemd160("")), "9c1185a5c5e9fc54612808977ee8f548b2258d31");
    EXPECT_EQ(core::to_hex(ripemd160("a")), "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe");
    EXPECT_EQ(core::to_hex(ripemd160("abc")), "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
    EXPECT_EQ(core::to_hex(ripemd160("message digest")),
              "5d0689ef49d2fae572b881b123a85ffa21595f36");
    EXPECT_EQ(core::to_hex(ripemd160(core::Bytes(1'000'000, 'a'))),
              "52783243c1697bdbe16d37f97f68f08325dc1528");
}

TEST(Ripemd160, agrees_with_openssl_at_every_length_of_some_blocks) {
    std::mt19937_64 random(1);
    core::Bytes message;
    for (size_t size = 0; size <= 260; ++size) {
        std::array<uint8_t, 20> expected;
        ASSERT_EQ(EVP_Digest(message.data(), message.size(), expected.data(), nullptr,
                             EVP_ripemd160(), nullptr),
                  1);
        ASSERT_EQ(ripemd160(message), expected) << size;
        message.push_back(static_cast<uint8_t>(random()));
    }
}

}  // namespace
}  // namespace keel::crypto
