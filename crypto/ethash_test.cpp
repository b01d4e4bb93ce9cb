#include "crypto/ethash.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/hex.hpp"
#include "core/rlp.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::crypto {
namespace {

using core::Hash32;
using core::U256;

Hash32 hash_of(std::string_view digits) {
    return *core::fixed_from_hex<Hash32>(digits);
}

// Sizes as in the tables of the ethash specification's appendix.
TEST(Ethash, sizes_of_epochs) {
    EXPECT_EQ(Ethash::cache_bytes(0), 16'776'896u);
    EXPECT_EQ(Ethash::cache_bytes(1), 16'907'456u);
    EXPECT_EQ(Ethash::cache_bytes(2047), 285'081'536u);
    EXPECT_EQ(Ethash::dataset_bytes(0), 1'073'739'904u);
    EXPECT_EQ(Ethash::dataset_bytes(1), 1'082'130'304u);
    EXPECT_EQ(Ethash::dataset_bytes(2047), 18'245'220'736u);
}

TEST(Ethash, seed_is_hashed_once_an_epoch) {
    EXPECT_EQ(Ethash::epoch_seed(0), Hash32{});
    EXPECT_EQ(Ethash::epoch_seed(1),
              hash_of("290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563"));
    EXPECT_EQ(Ethash::epoch_seed(2),
              hash_of("510e4e770828ddbf7f7b00ab00a9f6adaf81c0dc9cc85f1f8249c256942d61d9"));
}

TEST(Ethash, a_seal_of_a_block_beyond_all_epochs_is_refused_without_making_a_cache) {
    Ethash ethash;
    EXPECT_FALSE(ethash.verify_seal(Hash32{}, UINT64_MAX, Hash32{}, 0, U256(1)));
}

TEST(Ethash, seals_of_the_fixtures) {
    const auto set = keel::tests::fixture_set("ethereum-tests");
    if (!set) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    std::ifstream file(*set / "PoWTests" / "ethash_tests.json");
    const nlohmann::json tests = nlohmann::json::parse(file);
    Ethash ethash;
    size_t count = 0;
    for (const auto& [name, test] : tests.items()) {
        const auto text = [&test](const char* member) { return test[member].get<std::string>(); };
        const auto header = *core::from_hex(text("header"));
        auto fields = *core::rlp_outer_list(header);
        for (int i = 0; i < 7; ++i) ASSERT_TRUE(fields.item());
        const U256 difficulty = *fields.u256();
        const uint64_t number = *fields.uint64();
        const Hash32 seal_hash = hash_of(text("header_hash"));
        const Hash32 mix_hash = hash_of(text("mixHash"));
        const uint64_t nonce = core::load_be<uint64_t>(core::from_hex(text("nonce"))->data());

        const auto digest = ethash.hash(seal_hash, number, nonce);
        EXPECT_EQ(digest.mix_hash, mix_hash) << name;
        EXPECT_EQ(digest.result, hash_of(text("result"))) << name;
        // These headers test the digests: neither reaches its own difficulty.
        EXPECT_FALSE(ethash.verify_seal(seal_hash, number, mix_hash, nonce, difficulty)) << name;
        EXPECT_FALSE(ethash.verify_seal(seal_hash, number, mix_hash, nonce + 1, U256(1)));
        // The target is 2^256 // difficulty: the largest difficulty that this result meets, and one
        // more.
        const U256 result = U256::load_be32(digest.result.data());
        const U256 most = U256::max() / result;
        EXPECT_TRUE(ethash.verify_seal(seal_hash, number, mix_hash, nonce, most));
        EXPECT_FALSE(ethash.verify_seal(seal_hash, number, mix_hash, nonce, most + U256(1)));
        ++count;
    }
    EXPECT_EQ(count, 2u);
}

}  // namespace
}  // namespace keel::crypto
