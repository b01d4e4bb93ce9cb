#include "crypto/ethash.hpp"

#include <bit>
#include <cstring>

#include "core/base.hpp"
#include "core/endian.hpp"
#include "crypto/keccak.hpp"

namespace keel::crypto {
namespace {

using core::Hash32;
using core::U256;

// Yellow paper, appendix J.
constexpr uint64_t kItemBytes = 64;
constexpr uint64_t kCacheBytesInit = uint64_t{1} << 24;
constexpr uint64_t kCacheBytesGrowth = uint64_t{1} << 17;  // an epoch
constexpr uint64_t kDatasetBytesInit = uint64_t{1} << 30;
constexpr uint64_t kDatasetBytesGrowth = uint64_t{1} << 23;  // an epoch
constexpr uint64_t kMixBytes = 128;                          // a row of the dataset: two items
constexpr int kCacheRounds = 3;
constexpr uint32_t kDatasetParents = 256;
constexpr uint32_t kAccesses = 64;
// Epochs whose seals are judged: four times those which mainnet had. Later ones would only serve to
// make a cache of any size.
constexpr uint64_t kEpochs = 2048;

bool is_prime(uint64_t number) noexcept {
    if (number % 2 == 0) return number == 2;
    for (uint64_t divisor = 3; divisor * divisor <= number; divisor += 2) {
        if (number % divisor == 0) return false;
    }
    return number > 1;
}

// The largest size of a prime number of units that is below `limit`, which is a whole number of
// units.
uint64_t prime_units(uint64_t limit, uint64_t unit) noexcept {
    uint64_t units = limit / unit - 1;
    while (!is_prime(units)) units -= 2;  // units begins odd, as limit / unit is even
    return units * unit;
}

uint32_t fnv(uint32_t a, uint32_t b) noexcept {
    constexpr uint32_t kFnvPrime = 0x01000193;
    return (a * kFnvPrime) ^ b;
}

// keccak512 of words; the machine's order is little-endian, as ethash wants it.
void hash_words(const void* from, size_t size, uint32_t* to) noexcept {
    const auto digest = keccak512({static_cast<const uint8_t*>(from), size});
    for (size_t i = 0; i < 16; ++i) to[i] = core::load_le<uint32_t>(digest.data() + 4 * i);
}

}  // namespace

static_assert(std::endian::native == std::endian::little,
              "items are hashed as they stand in memory");

uint64_t Ethash::cache_bytes(uint64_t epoch) noexcept {
    return prime_units(kCacheBytesInit + kCacheBytesGrowth * epoch, kItemBytes);
}

uint64_t Ethash::dataset_bytes(uint64_t epoch) noexcept {
    return prime_units(kDatasetBytesInit + kDatasetBytesGrowth * epoch, kMixBytes);
}

Hash32 Ethash::epoch_seed(uint64_t epoch) noexcept {
    Hash32 seed;
    for (uint64_t i = 0; i < epoch; ++i) seed = keccak256(seed);
    return seed;
}

void Ethash::prepare(uint64_t epoch) {
    if (epoch == epoch_) return;
    const auto count = static_cast<uint32_t>(cache_bytes(epoch) / kItemBytes);
    epoch_ = UINT64_MAX;
    cache_.resize(count);
    const Hash32 seed = epoch_seed(epoch);
    hash_words(seed.data(), seed.size(), cache_[0].words);
    for (uint32_t i = 1; i < count; ++i) {
        hash_words(cache_[i - 1].words, kItemBytes, cache_[i].words);
    }
    for (int round = 0; round < kCacheRounds; ++round) {
        for (uint32_t i = 0; i < count; ++i) {
            const Item& before = cache_[(i + count - 1) % count];
            const Item& other = cache_[cache_[i].words[0] % count];
            Item both;
            for (size_t word = 0; word < 16; ++word) {
                both.words[word] = before.words[word] ^ other.words[word];
            }
            hash_words(both.words, kItemBytes, cache_[i].words);
        }
    }
    dataset_rows_ = static_cast<uint32_t>(dataset_bytes(epoch) / kMixBytes);
    epoch_ = epoch;
}

Ethash::Item Ethash::dataset_item(uint32_t index) const noexcept {
    const auto count = static_cast<uint32_t>(cache_.size());
    Item item = cache_[index % count];
    item.words[0] ^= index;
    hash_words(item.words, kItemBytes, item.words);
    for (uint32_t i = 0; i < kDatasetParents; ++i) {
        const Item& parent = cache_[fnv(index ^ i, item.words[i % 16]) % count];
        for (size_t word = 0; word < 16; ++word) {
            item.words[word] = fnv(item.words[word], parent.words[word]);
        }
    }
    hash_words(item.words, kItemBytes, item.words);
    return item;
}

Ethash::Digest Ethash::hash(const Hash32& seal_hash, uint64_t block_number, uint64_t nonce) {
    prepare(block_number / kEpochLength);
    uint8_t sealed[40];
    std::memcpy(sealed, seal_hash.data(), 32);
    core::store_le(sealed + 32, nonce);  // the header's eight bytes of nonce in reverse
    Item seed;
    hash_words(sealed, sizeof sealed, seed.words);

    uint32_t mix[32];
    for (size_t i = 0; i < 32; ++i) mix[i] = seed.words[i % 16];
    for (uint32_t i = 0; i < kAccesses; ++i) {
        const uint32_t row = fnv(i ^ seed.words[0], mix[i % 32]) % dataset_rows_;
        const Item halves[2] = {dataset_item(2 * row), dataset_item(2 * row + 1)};
        for (size_t word = 0; word < 32; ++word) {
            mix[word] = fnv(mix[word], halves[word / 16].words[word % 16]);
        }
    }

    Digest digest;
    for (size_t i = 0; i < 8; ++i) {
        const uint32_t* four = mix + 4 * i;
        const uint32_t word = fnv(fnv(fnv(four[0], four[1]), four[2]), four[3]);
        core::store_le(digest.mix_hash.data() + 4 * i, word);
    }
    digest.result =
        keccak256({reinterpret_cast<const uint8_t*>(seed.words), kItemBytes}, digest.mix_hash);
    return digest;
}

bool Ethash::verify_seal(const Hash32& seal_hash, uint64_t block_number, const Hash32& mix_hash,
                         uint64_t nonce, const U256& difficulty) {
    KEEL_ASSERT(!difficulty.is_zero());
    if (block_number / kEpochLength >= kEpochs) return false;
    const Digest digest = hash(seal_hash, block_number, nonce);
    if (digest.mix_hash != mix_hash) return false;
    // result <= 2^256 // difficulty, that is result * difficulty <= 2^256 without the division of a
    // 257-bit number.
    const auto product = core::mul_full(U256::load_be32(digest.result.data()), difficulty);
    const bool below = (product[4] | product[5] | product[6] | product[7]) == 0;
    const bool equal = product[4] == 1 && (product[0] | product[1] | product[2] | product[3] |
                                           product[5] | product[6] | product[7]) == 0;
    return below || equal;
}

}  // namespace keel::crypto
