#include "crypto/p256.hpp"

#include <gtest/gtest.h>

#include "core/hex.hpp"
#include "crypto/sha256.hpp"

namespace keel::crypto {
namespace {

using core::Hash32;
using core::U256;

U256 number(std::string_view digits) {
    return *U256::from_hex_digits(digits);
}

// RFC 6979, A.2.5: P-256 with SHA-256, message "sample".
const Hash32 kHash = sha256("sample");
const U256 kX = number("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6");
const U256 kY = number("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
const U256 kR = number("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716");
const U256 kS = number("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
const U256 kOrder = number("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
const U256 kPrime = number("FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF");

TEST(P256, accepts_the_signature_of_rfc_6979) {
    EXPECT_TRUE(p256_verify(kHash, kR, kS, kX, kY));
    EXPECT_TRUE(p256_verify(
        sha256("test"), number("F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"),
        number("019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"), kX, kY));
}

TEST(P256, accepts_high_s) {
    EXPECT_TRUE(p256_verify(kHash, kR, kOrder - kS, kX, kY));
}

TEST(P256, refuses_another_hash_signature_or_key) {
    EXPECT_FALSE(p256_verify(sha256("Sample"), kR, kS, kX, kY));
    EXPECT_FALSE(p256_verify(kHash, kR + U256(1), kS, kX, kY));
    EXPECT_FALSE(p256_verify(kHash, kR, kS + U256(1), kX, kY));
    EXPECT_FALSE(p256_verify(kHash, kR, kS, kX, kPrime - kY));
}

TEST(P256, refuses_numbers_out_of_range) {
    EXPECT_FALSE(p256_verify(kHash, U256{}, kS, kX, kY));
    EXPECT_FALSE(p256_verify(kHash, kR, U256{}, kX, kY));
    EXPECT_FALSE(p256_verify(kHash, kOrder, kS, kX, kY));
    EXPECT_FALSE(p256_verify(kHash, kR, kOrder, kX, kY));
    EXPECT_FALSE(p256_verify(kHash, kR, kS, kX + kPrime, kY));
    EXPECT_FALSE(p256_verify(kHash, kR, kS, kPrime, kY));
    EXPECT_FALSE(p256_verify(kHash, kR, kS, U256{}, U256{}));
    EXPECT_FALSE(p256_verify(kHash, kR, kS, kX, kY + U256(1)));
}

// EIP-7951, security considerations: u1 G + u2 Q is the point at infinity when the hash is -r d for
// the key Q = d G; with d = 1, the hash n - r.
TEST(P256, refuses_when_the_sum_is_the_point_at_infinity) {
    const U256 gx = number("6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296");
    const U256 gy = number("4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5");
    EXPECT_FALSE(p256_verify(Hash32((kOrder - kR).to_be32()), kR, kS, gx, gy));
}

}  // namespace
}  // namespace keel::crypto
