#pragma once

// What the store's benchmarks put in: made from a number, the same for every store.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/u256.hpp"

namespace keel::bench {

using core::ByteView;

/// splitmix64's finaliser.
inline uint64_t mix(uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

struct Random {
    uint64_t state;
    uint64_t operator()() noexcept { return mix(state++); }
    uint64_t below(uint64_t bound) noexcept {
        return static_cast<uint64_t>((static_cast<core::uint128_t>((*this)()) * bound) >> 64);
    }
};

/// 32 bytes that look like a hash. Keys of different spaces never meet.
struct Key {
    std::array<uint64_t, 4> words;
    ByteView view() const noexcept {
        return {reinterpret_cast<const uint8_t*>(words.data()), sizeof words};
    }
};
enum class Space : uint64_t { Stored, Scratch, Fresh, Absent };
inline Key key_of(uint64_t index, Space space = Space::Stored) noexcept {
    const uint64_t first = mix(index * 2 + 1 + (static_cast<uint64_t>(space) << 56));
    return {{first, mix(first), mix(first + 1), mix(first + 2)}};
}

/// 32 to 100 bytes, cut from a pool, so that making one costs nothing in a timed loop.
inline constexpr size_t kValueBytesMin = 32;
inline constexpr size_t kValueLengths = 69;
inline const std::vector<uint8_t>& value_pool() {
    static const std::vector<uint8_t> pool = [] {
        std::vector<uint8_t> made(1 << 16);
        Random random{42};
        for (uint8_t& byte : made) byte = static_cast<uint8_t>(random());
        return made;
    }();
    return pool;
}
inline ByteView value_of(uint64_t index) {
    const uint64_t mixed = mix(index ^ 0x5555);
    return {value_pool().data() + (mixed & 0x7fff), kValueBytesMin + (mixed >> 32) % kValueLengths};
}

/// A pair of a DupSort table: keys of 20 bytes, values of 40.
inline constexpr uint64_t kDupsOfKey = 10;
struct Pair {
    std::array<uint8_t, 20> key;
    std::array<uint8_t, 40> value;
};
inline Pair pair_of(uint64_t key, uint64_t dup) noexcept {
    Pair pair;
    for (uint64_t i = 0; i < 3; ++i) {
        const uint64_t word = mix(key * 3 + i + (uint64_t{7} << 50));
        std::memcpy(pair.key.data() + i * 8, &word, i == 2 ? 4 : 8);
    }
    for (uint64_t i = 0; i < 5; ++i) {
        const uint64_t word = mix((key * kDupsOfKey + dup) * 5 + i + (uint64_t{9} << 50));
        std::memcpy(pair.value.data() + i * 8, &word, 8);
    }
    return pair;
}

/// Indices of the stored keys below `count`, in the keys' order.
inline std::vector<uint32_t> sorted_order(uint64_t count) {
    std::vector<std::pair<uint64_t, uint32_t>> heads(count);
    for (uint64_t i = 0; i < count; ++i)
        heads[i] = {__builtin_bswap64(key_of(i).words[0]), static_cast<uint32_t>(i)};
    std::ranges::sort(heads);
    std::vector<uint32_t> order(count);
    for (uint64_t i = 0; i < count; ++i) order[i] = heads[i].second;
    return order;
}

/// A record whose primary key arrives sorted, with two secondary keys that do not: 246 bytes with
/// its index entries.
struct Grant {
    std::string primary, entitlement, principal, record;
};
inline void grant_of(uint64_t index, Grant& grant) {
    const auto set = [](std::string& to, const char* prefix, size_t digits, uint64_t number) {
        to.assign(prefix);
        to.resize(to.size() + digits);
        for (size_t at = to.size(); digits > 0; --digits, number /= 10)
            to[--at] = static_cast<char>('0' + number % 10);
    };
    set(grant.primary, "grant-", 12, index);
    set(grant.entitlement, "entitlement-", 6, mix(index) % 2000);
    set(grant.principal, "principal-", 8, mix(index + 77) % 100'000);
    grant.record.assign(grant.primary);
    grant.record += '\n';
    grant.record += grant.entitlement;
    grant.record += '\n';
    grant.record += grant.principal;
    grant.record += value_of(index).sub(0, 32).text();
    grant.record += value_of(index + 1).text();
}
/// Secondary key, a zero byte, primary key.
inline void index_key(const std::string& secondary, const std::string& primary, std::string& key) {
    key.assign(secondary);
    key += '\0';
    key += primary;
}

}  // namespace keel::bench
