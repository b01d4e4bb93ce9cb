#include "crypto/bn254/tower.hpp"

namespace keel::crypto::bn254 {
namespace {

constexpr Fp2 constant(const core::U256& real, const core::U256& imaginary) noexcept {
    return {Fp::of(real), Fp::of(imaginary)};
}

}  // namespace

constinit const Fp2 kFrobenius[3][5] = {
    {constant({0xd60b35dadcc9e470, 0x5c521e08292f2176, 0xe8b99fdd76e68b60, 0x1284b71c2865a7df},
              {0xca5cf05f80f362ac, 0x747992778eeec7e5, 0xa6327cfe12150b8e, 0x246996f3b4fae7e6}),
     constant({0x99e39557176f553d, 0xb78cc310c2c3330c, 0x4c0bec3cf559b143, 0x2fb347984f7911f7},
              {0x1665d51c640fcba2, 0x32ae2a1d0b7c9dce, 0x4ba4cc8bd75a0794, 0x16c9e55061ebae20}),
     constant({0xdc54014671a0135a, 0xdbaae0eda9c95998, 0xdc5ec698b6e2f9b9, 0x063cf305489af5dc},
              {0x82d37f632623b0e3, 0x21807dc98fa25bd2, 0x0704b5a7ec796f2b, 0x07c03cbcac41049a}),
     constant({0x848a1f55921ea762, 0xd33365f7be94ec72, 0x80f3c0b75a181e84, 0x05b54f5e64eea801},
              {0xc13b4711cd2b8126, 0x3685d2ea1bdec763, 0x9f3a80b03b0b1c92, 0x2c145edbe7fd8aee}),
     constant({0x2ea2c810eab7692f, 0x425c459b55aa1bd3, 0xe93a3661a4353ff4, 0x0183c1e74f798649},
              {0x24c6b8ee6e0c2c4b, 0xb080cb99678e2ac0, 0xa27fb246c7729f7d, 0x12acf2ca76fd0675})},
    {constant({0xe4bd44e5607cfd49, 0xc28f069fbb966e3d, 0x5e6dd9e7e0acccb0, 0x30644e72e131a029},
              {0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}),
     constant({0xe4bd44e5607cfd48, 0xc28f069fbb966e3d, 0x5e6dd9e7e0acccb0, 0x30644e72e131a029},
              {0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}),
     constant({0x3c208c16d87cfd46, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029},
              {0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}),
     constant({0x5763473177fffffe, 0xd4f263f1acdb5c4f, 0x59e26bcea0d48bac, 0x0000000000000000},
              {0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000}),
     constant({0x5763473177ffffff, 0xd4f263f1acdb5c4f, 0x59e26bcea0d48bac, 0x0000000000000000},
              {0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000})},
    {constant({0xe86f7d391ed4a67f, 0x894cb38dbe55d24a, 0xefe9608cd0acaa90, 0x19dc81cfcc82e4bb},
              {0x7694aa2bf4c0c101, 0x7f03a5e397d439ec, 0x06cbeee33576139d, 0x00abf8b60be77d73}),
     constant({0x7b746ee87bdcfb6d, 0x805ffd3d5d6942d3, 0xbaff1c77959f25ac, 0x0856e078b755ef0a},
              {0x380cab2baaa586de, 0x0fdf31bf98ff2631, 0xa9f30e6dec26094f, 0x04f1de41b3d1766f}),
     constant({0x5fcc8ad066dce9ed, 0xbbd689a3bea870f4, 0xdbf17f1dca9e5ea3, 0x2a275b6d9896aa4c},
              {0xb94d0cb3b2594c64, 0x7600ecc7d8cf6eba, 0xb14b900e9507e932, 0x28a411b634f09b8f}),
     constant({0x0e1a92bc3ccbf066, 0xe633094575b06bcb, 0x19bee0f7b5b2444e, 0x0bc58c6611c08dab},
              {0x5fe3ed9d730c239f, 0xa44a9e08737f96e5, 0xfeb0f6ef0cd21d04, 0x23d5e999e1910a12}),
     constant({0xebde847076261b43, 0x2ed68098967c84a5, 0x711699fa3b4d3f69, 0x13c49044952c0905},
              {0x1f25041384282499, 0x3e2ddaea20028021, 0x9fb1b2282a48633d, 0x16db366a59b1dd0b})},
};

Fp6 operator*(const Fp6& a, const Fp6& b) noexcept {
    const Fp2 v0 = a.c0 * b.c0, v1 = a.c1 * b.c1, v2 = a.c2 * b.c2;
    return {times_xi((a.c1 + a.c2) * (b.c1 + b.c2) - v1 - v2) + v0,
            (a.c0 + a.c1) * (b.c0 + b.c1) - v0 - v1 + times_xi(v2),
            (a.c0 + a.c2) * (b.c0 + b.c2) - v0 - v2 + v1};
}

Fp6 operator*(const Fp6& a, const Fp2& b) noexcept {
    return {a.c0 * b, a.c1 * b, a.c2 * b};
}

Fp6 multiply_by_01(const Fp6& a, const Fp2& b0, const Fp2& b1) noexcept {
    const Fp2 v0 = a.c0 * b0, v1 = a.c1 * b1;
    return {times_xi((a.c1 + a.c2) * b1 - v1) + v0, (a.c0 + a.c1) * (b0 + b1) - v0 - v1,
            (a.c0 + a.c2) * b0 - v0 + v1};
}

Fp6 Fp6::inverse() const noexcept {
    // The adjugate: (c0 + c1 v + c2 v^2) (x0 + x1 v + x2 v^2) is in Fp2.
    const Fp2 x0 = square(c0) - times_xi(c1 * c2);
    const Fp2 x1 = times_xi(square(c2)) - c0 * c1;
    const Fp2 x2 = square(c1) - c0 * c2;
    const Fp2 norm = (c0 * x0 + times_xi(c2 * x1 + c1 * x2)).inverse();
    return {x0 * norm, x1 * norm, x2 * norm};
}

Fp12 operator*(const Fp12& a, const Fp12& b) noexcept {
    const Fp6 v0 = a.c0 * b.c0, v1 = a.c1 * b.c1;
    return {v0 + times_v(v1), (a.c0 + a.c1) * (b.c0 + b.c1) - v0 - v1};
}

Fp12 square(const Fp12& a) noexcept {
    // (a0 + a1) (a0 + v a1) = a0^2 + v a1^2 + (1 + v) a0 a1.
    const Fp6 product = a.c0 * a.c1;
    return {(a.c0 + a.c1) * (a.c0 + times_v(a.c1)) - product - times_v(product), twice(product)};
}

Fp12 Fp12::inverse() const noexcept {
    const Fp6 norm = (c0 * c0 - times_v(c1 * c1)).inverse();
    return {c0 * norm, -(c1 * norm)};
}

Fp12 Fp12::frobenius(int power) const noexcept {
    // The element is the sum of a_j w^j with a_0, a_2, a_4 in c0 and a_1, a_3, a_5 in c1.
    const Fp2* factor = kFrobenius[power - 1];
    const auto image = [power](const Fp2& a) { return power % 2 == 1 ? conjugate(a) : a; };
    return {{image(c0.c0), image(c0.c1) * factor[1], image(c0.c2) * factor[3]},
            {image(c1.c0) * factor[0], image(c1.c1) * factor[2], image(c1.c2) * factor[4]}};
}

Fp12 cyclotomic_square(const Fp12& a) noexcept {
    // Three squares in Fp4 = Fp2[s] / (s^2 - xi).
    struct Fp4 {
        Fp2 c0, c1;
    };
    const auto square_fp4 = [](const Fp2& x, const Fp2& y) -> Fp4 {
        const Fp2 xx = square(x), yy = square(y);
        return {xx + times_xi(yy), square(x + y) - xx - yy};
    };
    const auto three_minus_two = [](const Fp2& t, const Fp2& z) { return twice(t - z) + t; };
    const auto three_plus_two = [](const Fp2& t, const Fp2& z) { return twice(t + z) + t; };
    const Fp4 first = square_fp4(a.c0.c0, a.c1.c1);
    const Fp4 second = square_fp4(a.c1.c0, a.c0.c2);
    const Fp4 third = square_fp4(a.c0.c1, a.c1.c2);
    return {{three_minus_two(first.c0, a.c0.c0), three_minus_two(second.c0, a.c0.c1),
             three_minus_two(third.c0, a.c0.c2)},
            {three_plus_two(times_xi(third.c1), a.c1.c0), three_plus_two(first.c1, a.c1.c1),
             three_plus_two(second.c1, a.c1.c2)}};
}

Fp12 multiply_by_line(const Fp12& a, const Fp2& b0, const Fp2& b3, const Fp2& b4) noexcept {
    const Fp6 v0 = a.c0 * b0;
    const Fp6 v1 = multiply_by_01(a.c1, b3, b4);
    return {v0 + times_v(v1), multiply_by_01(a.c0 + a.c1, b0 + b3, b4) - v0 - v1};
}

}  // namespace keel::crypto::bn254
