#pragma once

#include <cstdint>

#include "core/endian.hpp"
#include "core/u256.hpp"

namespace keel::evm {

// Arithmetic on stack words where they lie. Words are read and written limb by limb: a vector load
// of limbs that were stored one by one has to wait until they are in the cache.

inline void copy_word(core::U256& to, const core::U256& from) noexcept {
    const uint64_t w0 = from.limbs[0], w1 = from.limbs[1], w2 = from.limbs[2], w3 = from.limbs[3];
    to.limbs[0] = w0;
    to.limbs[1] = w1;
    to.limbs[2] = w2;
    to.limbs[3] = w3;
}
inline void set_word(core::U256& to, uint64_t number) noexcept {
    to.limbs[0] = number;
    to.limbs[1] = 0;
    to.limbs[2] = 0;
    to.limbs[3] = 0;
}

inline void swap_words(core::U256& a, core::U256& b) noexcept {
    const uint64_t a0 = a.limbs[0], a1 = a.limbs[1], a2 = a.limbs[2], a3 = a.limbs[3];
    copy_word(a, b);
    b.limbs[0] = a0;
    b.limbs[1] = a1;
    b.limbs[2] = a2;
    b.limbs[3] = a3;
}

#if defined(__x86_64__)

// NOLINTBEGIN(misc-const-correctness): the asm statements write them.
inline void add_words(core::U256& to, const core::U256& a, const core::U256& b) noexcept {
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    asm("addq %4, %0\n\tadcq %5, %1\n\tadcq %6, %2\n\tadcq %7, %3"
        : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3)
        : "m"(b.limbs[0]), "m"(b.limbs[1]), "m"(b.limbs[2]), "m"(b.limbs[3])
        : "cc");
    to = core::U256(w0, w1, w2, w3);
}
inline void sub_words(core::U256& to, const core::U256& a, const core::U256& b) noexcept {
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    asm("subq %4, %0\n\tsbbq %5, %1\n\tsbbq %6, %2\n\tsbbq %7, %3"
        : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3)
        : "m"(b.limbs[0]), "m"(b.limbs[1]), "m"(b.limbs[2]), "m"(b.limbs[3])
        : "cc");
    to = core::U256(w0, w1, w2, w3);
}
inline void add_number(core::U256& to, const core::U256& a, uint64_t number) noexcept {
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    asm("addq %4, %0\n\tadcq $0, %1\n\tadcq $0, %2\n\tadcq $0, %3"
        : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3)
        : "rm"(number)
        : "cc");
    to = core::U256(w0, w1, w2, w3);
}
inline void sub_number(core::U256& to, const core::U256& a, uint64_t number) noexcept {
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    asm("subq %4, %0\n\tsbbq $0, %1\n\tsbbq $0, %2\n\tsbbq $0, %3"
        : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3)
        : "rm"(number)
        : "cc");
    to = core::U256(w0, w1, w2, w3);
}
inline bool less(const core::U256& a, const core::U256& b) noexcept {
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    bool result;
    asm("subq %5, %0\n\tsbbq %6, %1\n\tsbbq %7, %2\n\tsbbq %8, %3"
        : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3), "=@ccc"(result)
        : "m"(b.limbs[0]), "m"(b.limbs[1]), "m"(b.limbs[2]), "m"(b.limbs[3])
        : "cc");
    return result;
}
inline bool less_signed(const core::U256& a, const core::U256& b) noexcept {
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    bool result;
    asm("subq %5, %0\n\tsbbq %6, %1\n\tsbbq %7, %2\n\tsbbq %8, %3"
        : "+&r"(w0), "+&r"(w1), "+&r"(w2), "+&r"(w3), "=@ccl"(result)
        : "m"(b.limbs[0]), "m"(b.limbs[1]), "m"(b.limbs[2]), "m"(b.limbs[3])
        : "cc");
    return result;
}
// NOLINTEND(misc-const-correctness)

#else

inline void add_words(core::U256& to, const core::U256& a, const core::U256& b) noexcept {
    to = a + b;
}
inline void sub_words(core::U256& to, const core::U256& a, const core::U256& b) noexcept {
    to = a - b;
}
inline void add_number(core::U256& to, const core::U256& a, uint64_t number) noexcept {
    to = a + core::U256(number);
}
inline void sub_number(core::U256& to, const core::U256& a, uint64_t number) noexcept {
    to = a - core::U256(number);
}
inline bool less(const core::U256& a, const core::U256& b) noexcept {
    return a < b;
}
inline bool less_signed(const core::U256& a, const core::U256& b) noexcept {
    return core::slt(a, b);
}

#endif

inline uint64_t upper_limbs(const core::U256& a) noexcept {
    return a.limbs[1] | a.limbs[2] | a.limbs[3];
}
inline bool is_zero(const core::U256& a) noexcept {
    return (a.limbs[0] | upper_limbs(a)) == 0;
}
inline bool equal(const core::U256& a, const core::U256& b) noexcept {
    return ((a.limbs[0] ^ b.limbs[0]) | (a.limbs[1] ^ b.limbs[1]) | (a.limbs[2] ^ b.limbs[2]) |
            (a.limbs[3] ^ b.limbs[3])) == 0;
}
inline bool equal_number(const core::U256& a, uint64_t number) noexcept {
    return ((a.limbs[0] ^ number) | upper_limbs(a)) == 0;
}
inline bool below_number(const core::U256& a, uint64_t number) noexcept {
    return upper_limbs(a) == 0 && a.limbs[0] < number;
}
inline bool above_number(const core::U256& a, uint64_t number) noexcept {
    return upper_limbs(a) != 0 || a.limbs[0] > number;
}

/// 64 bits of `high`:`low` from bit `shift` < 64 on.
inline uint64_t shifted_pair(uint64_t high, uint64_t low, unsigned shift) noexcept {
    // Two steps, so that a shift by 0 needs no case of its own.
    return (low >> shift) | ((high << 1) << (63 - shift));
}

/// By 64 * kLimbs + `bits`, which are < 64.
template <int kLimbs>
inline void shift_right_from(core::U256& to, const core::U256& a, unsigned bits) noexcept {
    uint64_t limbs[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        const uint64_t low = i + kLimbs < 4 ? a.limbs[i + kLimbs] : 0;
        const uint64_t high = i + kLimbs + 1 < 4 ? a.limbs[i + kLimbs + 1] : 0;
        limbs[i] = shifted_pair(high, low, bits);
    }
    to = core::U256(limbs[0], limbs[1], limbs[2], limbs[3]);
}
template <int kLimbs>
inline void shift_left_from(core::U256& to, const core::U256& a, unsigned bits) noexcept {
    uint64_t limbs[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        const uint64_t high = i >= kLimbs ? a.limbs[i - kLimbs] : 0;
        const uint64_t low = i >= kLimbs + 1 ? a.limbs[i - kLimbs - 1] : 0;
        limbs[i] = (high << bits) | ((low >> 1) >> (63 - bits));
    }
    to = core::U256(limbs[0], limbs[1], limbs[2], limbs[3]);
}

/// `count` < 256.
inline void shift_right_word(core::U256& to, const core::U256& a, unsigned count) noexcept {
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    if (count & 128) {
        w0 = w2;
        w1 = w3;
        w2 = w3 = 0;
    }
    if (count & 64) {
        w0 = w1;
        w1 = w2;
        w2 = w3;
        w3 = 0;
    }
    const unsigned bits = count & 63;
    to = core::U256(shifted_pair(w1, w0, bits), shifted_pair(w2, w1, bits),
                    shifted_pair(w3, w2, bits), w3 >> bits);
}
inline void shift_left_word(core::U256& to, const core::U256& a, unsigned count) noexcept {
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    if (count & 128) {
        w3 = w1;
        w2 = w0;
        w1 = w0 = 0;
    }
    if (count & 64) {
        w3 = w2;
        w2 = w1;
        w1 = w0;
        w0 = 0;
    }
    const unsigned bits = count & 63;
    const auto pair = [bits](uint64_t high, uint64_t low) {
        return (high << bits) | ((low >> 1) >> (63 - bits));
    };
    to = core::U256(w0 << bits, pair(w1, w0), pair(w2, w1), pair(w3, w2));
}
inline void shift_right_signed_word(core::U256& to, const core::U256& a, unsigned count) noexcept {
    uint64_t w0 = a.limbs[0], w1 = a.limbs[1], w2 = a.limbs[2], w3 = a.limbs[3];
    const uint64_t fill = static_cast<uint64_t>(static_cast<int64_t>(w3) >> 63);
    if (count & 128) {
        w0 = w2;
        w1 = w3;
        w2 = w3 = fill;
    }
    if (count & 64) {
        w0 = w1;
        w1 = w2;
        w2 = w3;
        w3 = fill;
    }
    const unsigned bits = count & 63;
    to = core::U256(shifted_pair(w1, w0, bits), shifted_pair(w2, w1, bits),
                    shifted_pair(w3, w2, bits),
                    static_cast<uint64_t>(static_cast<int64_t>(w3) >> bits));
}

/// Byte `last_byte` < 31 holds the sign.
inline void sign_extend_word(core::U256& to, const core::U256& a, unsigned last_byte) noexcept {
    const unsigned limb = last_byte / 8, unused = 56 - 8 * (last_byte % 8);
    const int64_t extended = static_cast<int64_t>(a.limbs[limb] << unused) >> unused;
    const auto top = static_cast<uint64_t>(extended), fill = static_cast<uint64_t>(extended >> 63);
    const uint64_t w0 = limb == 0 ? top : a.limbs[0];
    const uint64_t w1 = limb > 1 ? a.limbs[1] : limb == 1 ? top : fill;
    const uint64_t w2 = limb > 2 ? a.limbs[2] : limb == 2 ? top : fill;
    const uint64_t w3 = limb == 3 ? top : fill;
    to = core::U256(w0, w1, w2, w3);
}

inline void multiply_words(core::U256& to, const core::U256& a, const core::U256& b) noexcept {
    using core::uint128_t;
    const auto low = [](uint128_t wide) { return static_cast<uint64_t>(wide); };
    const auto high = [](uint128_t wide) { return static_cast<uint64_t>(wide >> 64); };
    const uint64_t a0 = a.limbs[0], a1 = a.limbs[1], a2 = a.limbs[2], a3 = a.limbs[3];
    const uint64_t b0 = b.limbs[0], b1 = b.limbs[1], b2 = b.limbs[2], b3 = b.limbs[3];
    const uint128_t p00 = static_cast<uint128_t>(a0) * b0;
    const uint128_t p01 = static_cast<uint128_t>(a0) * b1, p10 = static_cast<uint128_t>(a1) * b0;
    const uint128_t p02 = static_cast<uint128_t>(a0) * b2, p11 = static_cast<uint128_t>(a1) * b1,
                    p20 = static_cast<uint128_t>(a2) * b0;
    const uint128_t s1 = static_cast<uint128_t>(high(p00)) + low(p01) + low(p10);
    const uint128_t s2 =
        static_cast<uint128_t>(high(s1)) + high(p01) + high(p10) + low(p02) + low(p11) + low(p20);
    const uint64_t w3 =
        high(s2) + high(p02) + high(p11) + high(p20) + a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0;
    to = core::U256(low(p00), low(s1), low(s2), w3);
}
inline void multiply_number(core::U256& to, const core::U256& a, uint64_t b) noexcept {
    using core::uint128_t;
    const uint128_t p0 = static_cast<uint128_t>(a.limbs[0]) * b;
    const uint128_t p1 = static_cast<uint128_t>(a.limbs[1]) * b + static_cast<uint64_t>(p0 >> 64);
    const uint128_t p2 = static_cast<uint128_t>(a.limbs[2]) * b + static_cast<uint64_t>(p1 >> 64);
    to = core::U256(static_cast<uint64_t>(p0), static_cast<uint64_t>(p1), static_cast<uint64_t>(p2),
                    a.limbs[3] * b + static_cast<uint64_t>(p2 >> 64));
}

inline void load_word(core::U256& to, const uint8_t* from) noexcept {
    const uint64_t w3 = core::load_be<uint64_t>(from), w2 = core::load_be<uint64_t>(from + 8),
                   w1 = core::load_be<uint64_t>(from + 16), w0 = core::load_be<uint64_t>(from + 24);
    to = core::U256(w0, w1, w2, w3);
}

}  // namespace keel::evm
