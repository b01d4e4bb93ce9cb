#include "crypto/secp256k1.hpp"

#include <gtest/gtest.h>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"

namespace keel::crypto {
namespace {

using core::Address;
using core::Hash32;
using core::U256;

Hash32 hash_of(std::string_view digits) {
    return *core::fixed_from_hex<Hash32>(digits);
}
Address address(std::string_view digits) {
    return *core::fixed_from_hex<Address>(digits);
}
Hash32 key_of(const U256& number) {
    return Hash32(number.to_be32());
}

// The example of EIP-155.
const Hash32 kSigningHash =
    hash_of("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
const Hash32 kPrivateKey =
    hash_of("4646464646464646464646464646464646464646464646464646464646464646");
const Address kSigner = address("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
const Signature kSignature{
    *U256::parse("0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"),
    *U256::parse("0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"),
    0};  // v = 37 = 35 + 2 * 1 + 0

TEST(Secp256k1, signs_and_recovers_the_example_of_eip_155) {
    EXPECT_EQ(address_of(kPrivateKey), kSigner);
    EXPECT_EQ(sign(kSigningHash, kPrivateKey), kSignature);
    EXPECT_EQ(recover_address(kSigningHash, kSignature.r, kSignature.s, kSignature.y_parity),
              kSigner);
    EXPECT_NE(recover_address(kSigningHash, kSignature.r, kSignature.s, 1), kSigner);
}

TEST(Secp256k1, high_s_with_the_other_parity_recovers_the_same_signer) {
    EXPECT_EQ(recover_address(kSigningHash, kSignature.r, kSecp256k1Order - kSignature.s, 1),
              kSigner);
}

TEST(Secp256k1, numbers_out_of_range_recover_nothing) {
    const U256& r = kSignature.r;
    const U256& s = kSignature.s;
    EXPECT_FALSE(recover_address(kSigningHash, U256{}, s, 0));
    EXPECT_FALSE(recover_address(kSigningHash, r, U256{}, 0));
    EXPECT_FALSE(recover_address(kSigningHash, kSecp256k1Order, s, 0));
    EXPECT_FALSE(recover_address(kSigningHash, r, kSecp256k1Order, 0));
    EXPECT_FALSE(recover_address(kSigningHash, U256::max(), s, 0));
    EXPECT_FALSE(recover_address(kSigningHash, r, s, 2));
    // 5 is no x coordinate: 5^3 + 7 = 132 is no square modulo p.
    EXPECT_FALSE(recover_address(kSigningHash, U256(5), s, 0));
}

TEST(Secp256k1, known_keys_have_their_addresses) {
    EXPECT_EQ(address_of(key_of(1)), address("7e5f4552091a69125d5dfcb7b8c2659029395bdf"));
    EXPECT_EQ(address_of(key_of(2)), address("2b5ad5c4795c026514f8317c7a215e218dccd6cf"));
    const auto generator = public_key(key_of(1));
    ASSERT_TRUE(generator);
    EXPECT_EQ(core::to_hex(*generator),
              "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
              "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8");
}

TEST(Secp256k1, keys_are_numbers_from_1_to_the_order) {
    EXPECT_FALSE(is_private_key(Hash32{}));
    EXPECT_TRUE(is_private_key(key_of(1)));
    EXPECT_TRUE(is_private_key(key_of(kSecp256k1Order - U256(1))));
    EXPECT_FALSE(is_private_key(key_of(kSecp256k1Order)));
    EXPECT_FALSE(public_key(Hash32{}));
    EXPECT_FALSE(public_key(key_of(kSecp256k1Order)));
}

TEST(Secp256k1, signatures_of_many_hashes_are_low_and_recover) {
    EXPECT_EQ(kSecp256k1HalfOrder + kSecp256k1HalfOrder + U256(1), kSecp256k1Order);
    Hash32 hash = kSigningHash;
    for (uint64_t i = 1; i <= 50; ++i) {
        hash = keccak256(hash);
        const Hash32 key = key_of(U256(i * 0x1234567));
        const Signature signature = sign(hash, key);
        ASSERT_LE(signature.s, kSecp256k1HalfOrder);
        ASSERT_EQ(recover_address(hash, signature.r, signature.s, signature.y_parity),
                  address_of(key));
    }
}

}  // namespace
}  // namespace keel::crypto
