#include "crypto/sha256.hpp"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <random>

#include "core/hex.hpp"

namespace keel::crypto {
namespace {

TEST(Sha256, vectors_of_fips_180) {
    EXPECT_EQ(core::to_hex(sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(core::to_hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(core::to_hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(core::to_hex(sha256(core::Bytes(1'000'000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, agrees_with_openssl_at_every_length_of_some_blocks) {
    std::mt19937_64 random(1);
    core::Bytes message;
    for (size_t size = 0; size <= 260; ++size) {
        core::Hash32 expected;
        SHA256(message.data(), message.size(), expected.data());
        ASSERT_EQ(sha256(message), expected) << size;
        message.push_back(static_cast<uint8_t>(random()));
    }
}

}  // namespace
}  // namespace keel::crypto
