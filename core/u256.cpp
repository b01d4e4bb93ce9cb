#include "core/u256.hpp"

#include <algorithm>

#include "core/hex.hpp"

namespace keel::core {
namespace {

// Knuth, TAOCP 2, 4.3.1, algorithm D on 64-bit limbs: u (n limbs) / v (m limbs, top limb not 0).
// Quotient to q (n - m + 1 limbs), remainder to r (m limbs). n <= 8, m <= 4.
void divide(const uint64_t* u, int n, const uint64_t* v, int m, uint64_t* q, uint64_t* r) noexcept {
    if (m == 1) {
        uint64_t rest = 0;
        for (int i = n - 1; i >= 0; --i) {
            const uint128_t t = (static_cast<uint128_t>(rest) << 64) | u[i];
            q[i] = static_cast<uint64_t>(t / v[0]);
            rest = static_cast<uint64_t>(t % v[0]);
        }
        r[0] = rest;
        return;
    }
    const unsigned shift = static_cast<unsigned>(std::countl_zero(v[m - 1]));
    uint64_t un[9], vn[4];
    const auto high_bits = [shift](uint64_t low) { return shift == 0 ? 0 : low >> (64 - shift); };
    for (int i = m - 1; i > 0; --i) vn[i] = (v[i] << shift) | high_bits(v[i - 1]);
    vn[0] = v[0] << shift;
    un[n] = high_bits(u[n - 1]);
    for (int i = n - 1; i > 0; --i) un[i] = (u[i] << shift) | high_bits(u[i - 1]);
    un[0] = u[0] << shift;
    for (int j = n - m; j >= 0; --j) {
        const uint128_t top = (static_cast<uint128_t>(un[j + m]) << 64) | un[j + m - 1];
        uint128_t guess, rest;
        if (un[j + m] >= vn[m - 1]) {
            guess = ~0ull;
            rest = top - guess * vn[m - 1];
        } else {
            guess = top / vn[m - 1];
            rest = top % vn[m - 1];
        }
        while ((rest >> 64) == 0 && guess * vn[m - 2] > ((rest << 64) | un[j + m - 2])) {
            --guess;
            rest += vn[m - 1];
        }
        uint64_t borrow = 0, carry = 0;
        for (int i = 0; i < m; ++i) {
            const uint128_t product = guess * vn[i] + carry;
            carry = static_cast<uint64_t>(product >> 64);
            const uint128_t t =
                static_cast<uint128_t>(un[i + j]) - static_cast<uint64_t>(product) - borrow;
            un[i + j] = static_cast<uint64_t>(t);
            borrow = static_cast<uint64_t>(t >> 64) & 1;
        }
        const uint128_t t = static_cast<uint128_t>(un[j + m]) - carry - borrow;
        un[j + m] = static_cast<uint64_t>(t);
        if ((static_cast<uint64_t>(t >> 64) & 1) != 0) {  // the guess was one too large: add back
            --guess;
            uint64_t c = 0;
            for (int i = 0; i < m; ++i) {
                const uint128_t sum = static_cast<uint128_t>(un[i + j]) + vn[i] + c;
                un[i + j] = static_cast<uint64_t>(sum);
                c = static_cast<uint64_t>(sum >> 64);
            }
            un[j + m] += c;
        }
        q[j] = static_cast<uint64_t>(guess);
    }
    for (int i = 0; i < m; ++i) {
        r[i] = (un[i] >> shift) | (shift == 0 ? 0 : un[i + 1] << (64 - shift));
    }
}

int limb_count(const uint64_t* limbs, int count) noexcept {
    while (count > 0 && limbs[count - 1] == 0) --count;
    return count;
}

U256 mod_wide(const uint64_t* wide, int count, const U256& m) noexcept {
    const int n = limb_count(wide, count);
    const int k = limb_count(m.limbs, 4);
    if (k == 0) return {};
    U256 r;
    if (n < k) {
        for (int i = 0; i < n; ++i) r.limbs[i] = wide[i];
        return r;
    }
    uint64_t q[9];
    divide(wide, n, m.limbs, k, q, r.limbs);
    return r;
}

}  // namespace

U256 U256::from_be(ByteView bytes) noexcept {
    uint8_t padded[32] = {};
    std::memcpy(padded + (32 - bytes.size()), bytes.data(), bytes.size());
    return load_be32(padded);
}

std::optional<U256> U256::from_hex_digits(std::string_view digits) {
    constexpr size_t kLimbDigits = 16;
    if (digits.empty()) return std::nullopt;
    U256 value;
    int seen = 0;  // negative when one was no digit
    size_t left = digits.size();
    for (const char digit : digits) {
        const int d = hex_digit(digit);
        seen |= d;
        const size_t limb = --left / kLimbDigits;
        if (limb < std::size(value.limbs)) {
            value.limbs[limb] = value.limbs[limb] << 4 | static_cast<uint64_t>(d);
        } else if (d != 0) {
            return std::nullopt;
        }
    }
    if (seen < 0) return std::nullopt;
    return value;
}

std::optional<U256> U256::from_decimal(std::string_view digits) {
    if (digits.empty()) return std::nullopt;
    U256 value;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9') return std::nullopt;
        const auto times_ten = checked_mul(value, U256(10));
        if (!times_ten) return std::nullopt;
        const auto sum = checked_add(*times_ten, U256(static_cast<uint64_t>(digit - '0')));
        if (!sum) return std::nullopt;
        value = *sum;
    }
    return value;
}

std::optional<U256> U256::parse(std::string_view text) {
    if (text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        return from_hex_digits(text.substr(2));
    }
    return from_decimal(text);
}

std::string U256::to_decimal() const {
    constexpr uint64_t kChunk = 10'000'000'000'000'000'000u;  // 10^19, the largest power in 64 bits
    std::string text;
    U256 rest = *this;
    while (!rest.is_zero()) {
        const DivMod step = div_mod(rest, U256(kChunk));
        uint64_t digits = step.remainder.limbs[0];
        rest = step.quotient;
        for (int i = 0; i < 19 && (digits != 0 || !rest.is_zero()); ++i) {
            text.push_back(static_cast<char>('0' + digits % 10));
            digits /= 10;
        }
    }
    if (text.empty()) return "0";
    std::ranges::reverse(text);
    return text;
}

std::string U256::to_quantity() const {
    const std::string digits = to_hex(to_be32());
    const size_t first = digits.find_first_not_of('0');
    return first == std::string::npos ? "0x0" : "0x" + digits.substr(first);
}

DivMod div_mod(const U256& a, const U256& b) noexcept {
    const int n = limb_count(a.limbs, 4);
    const int m = limb_count(b.limbs, 4);
    if (m == 0) return {};
    if (n < m || a < b) return {U256{}, a};
    if (n == 1) return {U256(a.limbs[0] / b.limbs[0]), U256(a.limbs[0] % b.limbs[0])};
    DivMod result;
    divide(a.limbs, n, b.limbs, m, result.quotient.limbs, result.remainder.limbs);
    return result;
}

std::array<uint64_t, 8> mul_full(const U256& a, const U256& b) noexcept {
    std::array<uint64_t, 8> p{};
    for (size_t i = 0; i < 4; ++i) {
        uint64_t carry = 0;
        for (size_t j = 0; j < 4; ++j) {
            const uint128_t t = static_cast<uint128_t>(a.limbs[i]) * b.limbs[j] + p[i + j] + carry;
            p[i + j] = static_cast<uint64_t>(t);
            carry = static_cast<uint64_t>(t >> 64);
        }
        p[i + 4] = carry;
    }
    return p;
}

U256 add_mod(const U256& a, const U256& b, const U256& m) noexcept {
    bool carry = false;
    const U256 sum = add_carry(a, b, carry);
    const uint64_t wide[5] = {sum.limbs[0], sum.limbs[1], sum.limbs[2], sum.limbs[3],
                              carry ? 1u : 0u};
    return mod_wide(wide, 5, m);
}

U256 mul_mod(const U256& a, const U256& b, const U256& m) noexcept {
    return mod_wide(mul_full(a, b).data(), 8, m);
}

U256 exp(const U256& a, const U256& exponent) noexcept {
    U256 result = 1, base = a;
    const unsigned bits = exponent.bit_length();
    for (unsigned i = 0; i < bits; ++i) {
        if (exponent.bit(i)) result = result * base;
        base = base * base;
    }
    return result;
}

U256 sdiv(const U256& a, const U256& b) noexcept {
    const U256 quotient = div_mod(is_negative(a) ? -a : a, is_negative(b) ? -b : b).quotient;
    return is_negative(a) != is_negative(b) ? -quotient : quotient;
}

U256 smod(const U256& a, const U256& b) noexcept {
    const U256 remainder = div_mod(is_negative(a) ? -a : a, is_negative(b) ? -b : b).remainder;
    return is_negative(a) ? -remainder : remainder;
}

bool slt(const U256& a, const U256& b) noexcept {
    if (is_negative(a) != is_negative(b)) return is_negative(a);
    return a < b;
}

std::optional<U256> checked_mul(const U256& a, const U256& b) noexcept {
    const auto wide = mul_full(a, b);
    if ((wide[4] | wide[5] | wide[6] | wide[7]) != 0) return std::nullopt;
    return U256(wide[0], wide[1], wide[2], wide[3]);
}

std::optional<U256> checked_add(const U256& a, const U256& b) noexcept {
    bool carry = false;
    const U256 sum = add_carry(a, b, carry);
    if (carry) return std::nullopt;
    return sum;
}

}  // namespace keel::core
