#include "tests/differential/arithmetic.hpp"

#include <gmp.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace keel::differential {
namespace {

static_assert(sizeof(mp_limb_t) == sizeof(uint64_t) && GMP_NAIL_BITS == 0);

constexpr mp_size_t kLimbs = 4;

template <size_t kCount>
using Limbs = std::array<mp_limb_t, kCount>;

Limbs<4> to_limbs(const U256& a) {
    return {a.limbs[0], a.limbs[1], a.limbs[2], a.limbs[3]};
}
U256 from_limbs(const mp_limb_t* limbs) {
    return {limbs[0], limbs[1], limbs[2], limbs[3]};
}

mp_size_t significant_limbs(const mp_limb_t* limbs, mp_size_t count) {
    while (count > 0 && limbs[count - 1] == 0) --count;
    return count;
}

struct Division {
    U256 quotient;  // its lowest 256 bits
    U256 remainder;
};

/// Of a number of up to 8 limbs; `divisor` is not 0.
Division divide_limbs(const mp_limb_t* number, mp_size_t count, const U256& divisor) {
    const Limbs<4> by = to_limbs(divisor);
    const mp_size_t by_count = significant_limbs(by.data(), kLimbs);
    count = significant_limbs(number, count);
    Limbs<9> quotient{};
    Limbs<8> remainder{};
    if (count < by_count) {
        std::copy_n(number, count, remainder.begin());
    } else {
        mpn_tdiv_qr(quotient.data(), remainder.data(), 0, number, count, by.data(), by_count);
    }
    return {from_limbs(quotient.data()), from_limbs(remainder.data())};
}

U256 negate(const U256& a) {
    return subtract(U256(), a);
}
U256 magnitude(const U256& a) {
    return negative(a) ? negate(a) : a;
}

U256 power_of_two(unsigned exponent) {
    U256 result;
    result.limbs[exponent / 64] = uint64_t{1} << (exponent % 64);
    return result;
}

U256 complement(const U256& a) {
    return subtract(U256::max(), a);
}

}  // namespace

U256 add(const U256& a, const U256& b) {
    Limbs<4> sum;
    mpn_add_n(sum.data(), to_limbs(a).data(), to_limbs(b).data(), kLimbs);
    return from_limbs(sum.data());
}

U256 subtract(const U256& a, const U256& b) {
    Limbs<4> difference;
    mpn_sub_n(difference.data(), to_limbs(a).data(), to_limbs(b).data(), kLimbs);
    return from_limbs(difference.data());
}

U256 multiply(const U256& a, const U256& b) {
    Limbs<8> product;
    mpn_mul_n(product.data(), to_limbs(a).data(), to_limbs(b).data(), kLimbs);
    return from_limbs(product.data());
}

U256 divide(const U256& a, const U256& b) {
    if (b == U256()) return {};
    return divide_limbs(to_limbs(a).data(), kLimbs, b).quotient;
}

U256 modulo(const U256& a, const U256& b) {
    if (b == U256()) return {};
    return divide_limbs(to_limbs(a).data(), kLimbs, b).remainder;
}

U256 divide_signed(const U256& a, const U256& b) {
    const U256 quotient = divide(magnitude(a), magnitude(b));
    return negative(a) != negative(b) ? negate(quotient) : quotient;
}

U256 modulo_signed(const U256& a, const U256& b) {
    const U256 remainder = modulo(magnitude(a), magnitude(b));
    return negative(a) ? negate(remainder) : remainder;
}

U256 add_modulo(const U256& a, const U256& b, const U256& m) {
    if (m == U256()) return {};
    Limbs<5> sum{};
    sum[4] = mpn_add_n(sum.data(), to_limbs(a).data(), to_limbs(b).data(), kLimbs);
    return divide_limbs(sum.data(), 5, m).remainder;
}

U256 multiply_modulo(const U256& a, const U256& b, const U256& m) {
    if (m == U256()) return {};
    Limbs<8> product;
    mpn_mul_n(product.data(), to_limbs(a).data(), to_limbs(b).data(), kLimbs);
    return divide_limbs(product.data(), 8, m).remainder;
}

U256 power(const U256& base, const U256& exponent) {
    U256 result(1);
    for (int i = 255; i >= 0; --i) {
        result = multiply(result, result);
        const auto bit = static_cast<unsigned>(i);
        if ((exponent.limbs[bit / 64] >> (bit % 64) & 1) != 0) result = multiply(result, base);
    }
    return result;
}

bool less(const U256& a, const U256& b) {
    return mpn_cmp(to_limbs(a).data(), to_limbs(b).data(), kLimbs) < 0;
}

bool less_signed(const U256& a, const U256& b) {
    if (negative(a) != negative(b)) return negative(a);
    return less(a, b);
}

bool negative(const U256& a) {
    return (a.limbs[3] >> 63) != 0;
}

U256 shift_left(const U256& count, const U256& value) {
    if (!less(count, U256(256))) return {};
    return multiply(value, power_of_two(static_cast<unsigned>(count.limbs[0])));
}

U256 shift_right(const U256& count, const U256& value) {
    if (!less(count, U256(256))) return {};
    return divide(value, power_of_two(static_cast<unsigned>(count.limbs[0])));
}

U256 shift_right_signed(const U256& count, const U256& value) {
    if (!negative(value)) return shift_right(count, value);
    return complement(shift_right(count, complement(value)));
}

U256 byte_at(const U256& index, const U256& value) {
    if (!less(index, U256(32))) return {};
    return value.to_be32()[index.limbs[0]];
}

U256 extend_sign(const U256& last_byte, const U256& value) {
    if (!less(last_byte, U256(31))) return value;
    auto bytes = value.to_be32();
    const size_t last = 31 - last_byte.limbs[0];
    const uint8_t fill = (bytes[last] & 0x80) != 0 ? 0xff : 0;
    for (size_t i = 0; i < last; ++i) bytes[i] = fill;
    return U256::load_be32(bytes.data());
}

U256 count_leading_zeros(const U256& value) {
    uint64_t zeros = 0;
    for (const uint8_t byte : value.to_be32()) {
        for (int bit = 7; bit >= 0; --bit) {
            if ((byte >> bit & 1) != 0) return zeros;
            ++zeros;
        }
    }
    return zeros;
}

int64_t significant_bytes(const U256& value) {
    const auto bytes = value.to_be32();
    const auto first = std::ranges::find_if(bytes, [](uint8_t byte) { return byte != 0; });
    return bytes.end() - first;
}

}  // namespace keel::differential
