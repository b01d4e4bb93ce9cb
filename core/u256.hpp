#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/endian.hpp"

namespace keel::core {

__extension__ using uint128_t = unsigned __int128;
__extension__ using int128_t = __int128;

/// Unsigned 256-bit integer, wrapping arithmetic modulo 2^256; limbs little-endian, 64 bits each.
struct U256 {
    uint64_t limbs[4] = {0, 0, 0, 0};

    constexpr U256() noexcept = default;
    constexpr U256(uint64_t low) noexcept : limbs{low, 0, 0, 0} {}
    constexpr U256(uint64_t limb0, uint64_t limb1, uint64_t limb2, uint64_t limb3) noexcept
        : limbs{limb0, limb1, limb2, limb3} {}

    static constexpr U256 max() noexcept { return {~0ull, ~0ull, ~0ull, ~0ull}; }

    /// Big-endian bytes, at most 32 (fewer are padded on the left).
    static U256 from_be(ByteView bytes) noexcept;
    /// Exactly 32 big-endian bytes at `from`.
    static U256 load_be32(const uint8_t* from) noexcept {
        return {load_be<uint64_t>(from + 24), load_be<uint64_t>(from + 16),
                load_be<uint64_t>(from + 8), load_be<uint64_t>(from)};
    }
    void store_be32(uint8_t* to) const noexcept {
        store_be(to, limbs[3]);
        store_be(to + 8, limbs[2]);
        store_be(to + 16, limbs[1]);
        store_be(to + 24, limbs[0]);
    }
    std::array<uint8_t, 32> to_be32() const noexcept {
        std::array<uint8_t, 32> bytes;
        store_be32(bytes.data());
        return bytes;
    }

    /// "0x"-prefixed hex (any case, leading zeros allowed) or decimal digits; none when empty,
    /// malformed or too large.
    static std::optional<U256> parse(std::string_view text);
    static std::optional<U256> from_hex_digits(std::string_view digits);
    static std::optional<U256> from_decimal(std::string_view digits);
    std::string to_decimal() const;
    /// JSON-RPC QUANTITY: "0x0", "0x1f".
    std::string to_quantity() const;

    constexpr bool is_zero() const noexcept {
        return (limbs[0] | limbs[1] | limbs[2] | limbs[3]) == 0;
    }
    constexpr bool fits_uint64() const noexcept { return (limbs[1] | limbs[2] | limbs[3]) == 0; }
    constexpr uint64_t low64() const noexcept { return limbs[0]; }
    /// The value, or UINT64_MAX when it is larger.
    constexpr uint64_t saturated64() const noexcept { return fits_uint64() ? limbs[0] : ~0ull; }
    /// Bits up to the highest one set; 0 for zero.
    constexpr unsigned bit_length() const noexcept {
        for (int i = 3; i >= 0; --i) {
            if (limbs[i] != 0) {
                return static_cast<unsigned>(i) * 64 + 64 -
                       static_cast<unsigned>(std::countl_zero(limbs[i]));
            }
        }
        return 0;
    }
    constexpr unsigned byte_length() const noexcept { return (bit_length() + 7) / 8; }
    constexpr bool bit(unsigned index) const noexcept {
        return ((limbs[index / 64] >> (index % 64)) & 1) != 0;
    }
    constexpr explicit operator bool() const noexcept { return !is_zero(); }

    friend constexpr bool operator==(const U256& a, const U256& b) noexcept {
        return ((a.limbs[0] ^ b.limbs[0]) | (a.limbs[1] ^ b.limbs[1]) | (a.limbs[2] ^ b.limbs[2]) |
                (a.limbs[3] ^ b.limbs[3])) == 0;
    }
    friend constexpr std::strong_ordering operator<=>(const U256& a, const U256& b) noexcept {
        for (int i = 3; i > 0; --i) {
            if (a.limbs[i] != b.limbs[i]) return a.limbs[i] <=> b.limbs[i];
        }
        return a.limbs[0] <=> b.limbs[0];
    }
};

/// a + b; `carry` tells whether 2^256 was passed.
constexpr U256 add_carry(const U256& a, const U256& b, bool& carry) noexcept {
    U256 sum;
    uint64_t c = 0;
    for (int i = 0; i < 4; ++i) {
        const uint128_t t = static_cast<uint128_t>(a.limbs[i]) + b.limbs[i] + c;
        sum.limbs[i] = static_cast<uint64_t>(t);
        c = static_cast<uint64_t>(t >> 64);
    }
    carry = c != 0;
    return sum;
}

/// a - b; `borrow` tells whether b > a.
constexpr U256 sub_borrow(const U256& a, const U256& b, bool& borrow) noexcept {
    U256 difference;
    uint64_t c = 0;
    for (int i = 0; i < 4; ++i) {
        const uint128_t t = static_cast<uint128_t>(a.limbs[i]) - b.limbs[i] - c;
        difference.limbs[i] = static_cast<uint64_t>(t);
        c = static_cast<uint64_t>(t >> 64) & 1;
    }
    borrow = c != 0;
    return difference;
}

constexpr U256 operator+(const U256& a, const U256& b) noexcept {
    bool carry = false;
    return add_carry(a, b, carry);
}
constexpr U256 operator-(const U256& a, const U256& b) noexcept {
    bool borrow = false;
    return sub_borrow(a, b, borrow);
}
constexpr U256 operator-(const U256& a) noexcept {
    return U256{} - a;
}
constexpr U256 operator~(const U256& a) noexcept {
    return {~a.limbs[0], ~a.limbs[1], ~a.limbs[2], ~a.limbs[3]};
}
constexpr U256 operator&(const U256& a, const U256& b) noexcept {
    return {a.limbs[0] & b.limbs[0], a.limbs[1] & b.limbs[1], a.limbs[2] & b.limbs[2],
            a.limbs[3] & b.limbs[3]};
}
constexpr U256 operator|(const U256& a, const U256& b) noexcept {
    return {a.limbs[0] | b.limbs[0], a.limbs[1] | b.limbs[1], a.limbs[2] | b.limbs[2],
            a.limbs[3] | b.limbs[3]};
}
constexpr U256 operator^(const U256& a, const U256& b) noexcept {
    return {a.limbs[0] ^ b.limbs[0], a.limbs[1] ^ b.limbs[1], a.limbs[2] ^ b.limbs[2],
            a.limbs[3] ^ b.limbs[3]};
}
constexpr U256 operator<<(const U256& a, unsigned shift) noexcept {
    if (shift >= 256) return {};
    U256 r;
    const unsigned words = shift / 64, bits = shift % 64;
    for (unsigned i = 3; i + 1 > words; --i) {
        const unsigned from = i - words;
        r.limbs[i] = a.limbs[from] << bits;
        if (bits != 0 && from > 0) r.limbs[i] |= a.limbs[from - 1] >> (64 - bits);
        if (i == 0) break;
    }
    return r;
}
constexpr U256 operator>>(const U256& a, unsigned shift) noexcept {
    if (shift >= 256) return {};
    U256 r;
    const unsigned words = shift / 64, bits = shift % 64;
    for (unsigned i = 0; i + words < 4; ++i) {
        const unsigned from = i + words;
        r.limbs[i] = a.limbs[from] >> bits;
        if (bits != 0 && from < 3) r.limbs[i] |= a.limbs[from + 1] << (64 - bits);
    }
    return r;
}
constexpr U256 operator*(const U256& a, const U256& b) noexcept {
    U256 p;
    for (int i = 0; i < 4; ++i) {
        uint64_t carry = 0;
        for (int j = 0; i + j < 4; ++j) {
            const uint128_t t =
                static_cast<uint128_t>(a.limbs[i]) * b.limbs[j] + p.limbs[i + j] + carry;
            p.limbs[i + j] = static_cast<uint64_t>(t);
            carry = static_cast<uint64_t>(t >> 64);
        }
    }
    return p;
}
constexpr U256& operator+=(U256& a, const U256& b) noexcept {
    return a = a + b;
}
constexpr U256& operator-=(U256& a, const U256& b) noexcept {
    return a = a - b;
}

struct DivMod {
    U256 quotient;
    U256 remainder;
};
/// Both zero when the divisor is zero (EVM DIV and MOD).
DivMod div_mod(const U256& a, const U256& b) noexcept;
inline U256 operator/(const U256& a, const U256& b) noexcept {
    return div_mod(a, b).quotient;
}
inline U256 operator%(const U256& a, const U256& b) noexcept {
    return div_mod(a, b).remainder;
}

/// a * b as 512 bits, limbs little-endian.
std::array<uint64_t, 8> mul_full(const U256& a, const U256& b) noexcept;
/// (a + b) mod m with the 257th bit; 0 for m = 0.
U256 add_mod(const U256& a, const U256& b, const U256& m) noexcept;
/// a * b mod m over 512 bits; 0 for m = 0.
U256 mul_mod(const U256& a, const U256& b, const U256& m) noexcept;
/// a ^ exponent mod 2^256.
U256 exp(const U256& a, const U256& exponent) noexcept;
/// Two's complement division and remainder (EVM SDIV, SMOD).
U256 sdiv(const U256& a, const U256& b) noexcept;
U256 smod(const U256& a, const U256& b) noexcept;
constexpr bool is_negative(const U256& a) noexcept {
    return (a.limbs[3] >> 63) != 0;
}
bool slt(const U256& a, const U256& b) noexcept;

/// a * b, none on overflow of 256 bits.
std::optional<U256> checked_mul(const U256& a, const U256& b) noexcept;
std::optional<U256> checked_add(const U256& a, const U256& b) noexcept;

}  // namespace keel::core
