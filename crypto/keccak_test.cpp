#include "crypto/keccak.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "core/endian.hpp"
#include "core/hex.hpp"
#include "crypto/keccak_permutation.hpp"

namespace keel::crypto {
namespace {

using core::Bytes;
using core::ByteView;
using core::Hash32;

std::string hex_of(ByteView bytes) {
    return core::to_hex(bytes);
}

// Byte i of the messages below is i modulo 251.
Bytes counting(size_t size) {
    Bytes bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i % 251);
    return bytes;
}

Bytes random_bytes(std::mt19937_64& random, size_t size) {
    Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    return bytes;
}

TEST(Keccak, hashes_of_known_messages) {
    EXPECT_EQ(hex_of(keccak256("")),
              "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    EXPECT_EQ(hex_of(keccak256("abc")),
              "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    EXPECT_EQ(hex_of(keccak256("The quick brown fox jumps over the lazy dog")),
              "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15");
}

// Expected values come from a plain transcription of the reference's pseudo-code in another
// language.
TEST(Keccak, lengths_around_the_block) {
    struct Case {
        size_t size;
        const char* digest;
    };
    constexpr Case kCases[] = {
        {1, "bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a"},
        {72, "0c478a57041f7910bdbeef2ab6286eb293068cad92c797e265cb46f3ee8801b7"},
        {135, "cbdfd9dee5faad3818d6b06f95a219fd290b0e1706f6a82e5a595b9ce9faca62"},
        {136, "7ce759f1ab7f9ce437719970c26b0a66ff11fe3e38e17df89cf5d29c7d7f807e"},
        {137, "ac73d4fae68b8453f764007c1a20ce95994187861f0c3227a3a8e99a73a3b1db"},
        {272, "8e2476e65823b24d96ebe239f2c1534cdf763e689e2410c3b1cb0c74e6177bfc"},
        {1'000'000, "2cc947428a556b8e8d857d7c0b28314752606e9ad988ffa524eee08132f28027"}};
    for (const Case& c : kCases) EXPECT_EQ(hex_of(keccak256(counting(c.size))), c.digest) << c.size;
}

TEST(Keccak, long_digest_around_its_block_of_72_bytes) {
    struct Case {
        size_t size;
        const char* digest;
    };
    constexpr Case kCases[] = {
        {0,
         "0eab42de4c3ceb9235fc91acffe746b29c29a8c366b7c60e4e67c466f36a4304"
         "c00fa9caf9d87976ba469bcbe06713b435f091ef2769fb160cdab33d3670680e"},
        {71,
         "fe0953f9afdffed7ff9764c2590ff0e6af1b0689e42ddca68d6ef003ddce2671"
         "b806e0d2e6d57117bb75ad6166e2e990ca662b6a7f8945584f5308459eabae15"},
        {72,
         "76fa23369085405345fe6a2831f334113bee6b111056e21072082af56e7c1ab4"
         "458858dbdb5f88e0d86d38ca654310c9a30712319c1f4f9783fe9f3ac0469527"},
        {73,
         "e417b9573c871d948d48f62f6b16ea6cd1f1557a462ff5c1ae276d14d2fb43cd"
         "7084631656bf60f4ceb881133113d304335bd93487e8ec3e845ebc3c1877ca12"}};
    for (const Case& c : kCases) EXPECT_EQ(hex_of(keccak512(counting(c.size))), c.digest) << c.size;
}

TEST(Keccak, two_parts_hash_as_their_concatenation) {
    const Bytes message = counting(420);
    for (size_t cut = 0; cut <= message.size(); ++cut) {
        const ByteView whole(message);
        ASSERT_EQ(keccak256(whole.sub(0, cut), whole.sub(cut)), keccak256(whole)) << cut;
    }
}

TEST(Keccak, variants_of_this_machine_agree) {
    std::mt19937_64 random(1);
    for (int repeat = 0; repeat < 100; ++repeat) {
        uint64_t plain[25], other[25];
        for (size_t i = 0; i < 25; ++i) plain[i] = other[i] = random();
        keccak_permute_plain(plain);
        if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
            uint64_t copy[25];
            std::copy_n(other, 25, copy);
            keccak_permute_bmi(copy);
            ASSERT_TRUE(std::equal(plain, plain + 25, copy));
        }
        if (choose_keccak_variants().lanes == 8) {
            keccak_permute_avx512(other);
            ASSERT_TRUE(std::equal(plain, plain + 25, other));
        }
    }
}

// Absorbs the same blocks by single permutations and by a step of several lanes, of which some
// begin anew.
void check_step(KeccakStep step, unsigned lanes) {
    std::mt19937_64 random(2);
    alignas(64) uint64_t states[25 * 8];
    uint64_t expected[8][25];
    for (unsigned lane = 0; lane < lanes; ++lane) {
        for (size_t i = 0; i < 25; ++i) states[i * lanes + lane] = expected[lane][i] = random();
    }
    for (int repeat = 0; repeat < 50; ++repeat) {
        const auto fresh = static_cast<unsigned>(random()) & ((1u << lanes) - 1);
        std::vector<Bytes> blocks;
        KeccakBlock views[8];
        for (unsigned lane = 0; lane < lanes; ++lane) {
            blocks.push_back(random_bytes(random, kKeccakRateBytes));
        }
        for (unsigned lane = 0; lane < lanes; ++lane) {
            views[lane] = {blocks[lane].data(), kKeccakRateBytes};
            if ((fresh >> lane & 1) != 0) std::fill_n(expected[lane], 25, 0);
            for (size_t i = 0; i < kKeccakRateWords; ++i) {
                expected[lane][i] ^= core::load_le<uint64_t>(blocks[lane].data() + 8 * i);
            }
            keccak_permute_plain(expected[lane]);
        }
        step(states, views, fresh);
        for (unsigned lane = 0; lane < lanes; ++lane) {
            for (size_t i = 0; i < 25; ++i) {
                ASSERT_EQ(states[i * lanes + lane], expected[lane][i]) << lane << " " << i;
            }
        }
    }
}

// Last blocks of every length are padded as a single hash pads them.
void check_padding(KeccakStep step, unsigned lanes) {
    std::mt19937_64 random(5);
    for (size_t size = 0; size < kKeccakRateBytes; ++size) {
        alignas(64) uint64_t states[25 * 8];
        std::vector<Bytes> messages;
        KeccakBlock views[8];
        for (unsigned lane = 0; lane < lanes; ++lane) {
            messages.push_back(random_bytes(random, (size + 17 * lane) % kKeccakRateBytes));
        }
        for (unsigned lane = 0; lane < lanes; ++lane) {
            views[lane] = {messages[lane].data(), messages[lane].size()};
        }
        step(states, views, (1u << lanes) - 1);
        for (unsigned lane = 0; lane < lanes; ++lane) {
            Hash32 digest;
            for (size_t i = 0; i < 4; ++i) {
                core::store_le(digest.data() + 8 * i, states[i * lanes + lane]);
            }
            ASSERT_EQ(digest, keccak256(messages[lane])) << messages[lane].size();
        }
    }
}

TEST(Keccak, four_lanes_permute_as_single_states) {
    if (!__builtin_cpu_supports("avx2")) GTEST_SKIP() << "no AVX2";
    check_step(keccak_step_x4_avx2, 4);
    check_padding(keccak_step_x4_avx2, 4);
}

TEST(Keccak, eight_lanes_permute_as_single_states) {
    if (choose_keccak_variants().lanes != 8) {
        GTEST_SKIP() << "no AVX-512";
    }
    check_step(keccak_step_x8_avx512, 8);
    check_padding(keccak_step_x8_avx512, 8);
}

TEST(KeccakBatch, equals_single_hashes_for_all_lengths_mixed) {
    std::mt19937_64 random(3);
    std::vector<Bytes> messages;
    for (size_t size = 0; size <= 600; ++size) messages.push_back(random_bytes(random, size));
    std::shuffle(messages.begin(), messages.end(), random);
    messages.push_back(random_bytes(random, 50'000));  // one lane goes on alone at the end
    const std::vector<ByteView> inputs(messages.begin(), messages.end());
    std::vector<Hash32> digests(inputs.size());
    keccak256_batch(inputs, digests);
    for (size_t i = 0; i < inputs.size(); ++i) {
        ASSERT_EQ(digests[i], keccak256(inputs[i])) << inputs[i].size();
    }
}

TEST(KeccakBatch, equals_single_hashes_for_every_count) {
    std::mt19937_64 random(4);
    for (size_t count = 0; count <= 33; ++count) {
        std::vector<Bytes> messages;
        for (size_t i = 0; i < count; ++i) messages.push_back(random_bytes(random, random() % 300));
        const std::vector<ByteView> inputs(messages.begin(), messages.end());
        std::vector<Hash32> digests(count);
        keccak256_batch(inputs, digests);
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(digests[i], keccak256(inputs[i])) << count;
    }
}

TEST(KeccakBatch, messages_in_two_parts_equal_the_joined_ones) {
    std::mt19937_64 random(5);
    std::vector<Bytes> messages;
    std::vector<TwoParts> parts;
    for (size_t i = 0; i < 400; ++i) messages.push_back(random_bytes(random, random() % 700));
    messages.push_back(random_bytes(random, 50'000));  // one lane goes on alone at the end
    for (const Bytes& message : messages) {
        // Parts of whole blocks and empty ones among them.
        const size_t cut = random() % 3 == 0 ? random() % 6 * 136 : random() % 700;
        const ByteView all(message);
        const size_t at = std::min(cut, all.size());
        parts.push_back({all.sub(0, at), all.sub(at)});
    }
    for (const size_t count : {size_t{1}, size_t{2}, parts.size()}) {
        std::vector<Hash32> digests(count);
        keccak256_batch(std::span<const TwoParts>(parts).last(count), digests);
        for (size_t i = 0; i < count; ++i) {
            ASSERT_EQ(digests[i], keccak256(messages[messages.size() - count + i]))
                << count << " " << i;
        }
    }
}

}  // namespace
}  // namespace keel::crypto
