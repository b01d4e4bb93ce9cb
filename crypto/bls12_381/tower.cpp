#include "crypto/bls12_381/tower.hpp"

namespace keel::crypto::bls12_381 {

constinit const Fp2 kFrobenius[3][5] = {
    {{fp("1904d3bf02bb0667c231beb4202c0d1f0fd603fd3cbd5f4f7b2443d784bab9c4f67ea53d63e7813d8d0775ed9"
         "2235fb8"),
      fp("00fc3e2b36c4e03288e9e902231f9fb854a14787b6c7b36fec0c8ec971f63c5f282d5ac14d6c7ec22cf78a126"
         "ddc4af3")},
     {Fp{}, fp("1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bf"
               "d00000000aaac")},
     {fp("06af0e0437ff400b6831e36d6bd17ffe48395dabc2d3435e77f76e17009241c5ee67992f72ec05f4c81084fbe"
         "de3cc09"),
      fp("06af0e0437ff400b6831e36d6bd17ffe48395dabc2d3435e77f76e17009241c5ee67992f72ec05f4c81084fbe"
         "de3cc09")},
     {fp("1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000"
         "000aaad"),
      Fp{}},
     {fp("05b2cfd9013a5fd8df47fa6b48b1e045f39816240c0b8fee8beadf4d8e9c0566c63a3e6e257f87329b18fae98"
         "0078116"),
      fp("144e4211384586c16bd3ad4afa99cc9170df3560e77982d0db45f3536814f0bd5871c1908bd478cd1ee605167"
         "ff82995")}},
    {{fp("00000000000000005f19672fdf76ce51ba69c6076a0f77eaddb3a93be6f89688de17d813620a00022e01fffff"
         "ffeffff"),
      Fp{}},
     {fp("00000000000000005f19672fdf76ce51ba69c6076a0f77eaddb3a93be6f89688de17d813620a00022e01fffff"
         "ffefffe"),
      Fp{}},
     {fp("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9fefffff"
         "fffaaaa"),
      Fp{}},
     {fp("1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000"
         "000aaac"),
      Fp{}},
     {fp("1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000"
         "000aaad"),
      Fp{}}},
    {{fp("135203e60180a68ee2e9c448d77a2cd91c3dedd930b1cf60ef396489f61eb45e304466cf3e67fa0af1ee7b041"
         "21bdea2"),
      fp("06af0e0437ff400b6831e36d6bd17ffe48395dabc2d3435e77f76e17009241c5ee67992f72ec05f4c81084fbe"
         "de3cc09")},
     {Fp{}, Fp::of(1)},
     {fp("135203e60180a68ee2e9c448d77a2cd91c3dedd930b1cf60ef396489f61eb45e304466cf3e67fa0af1ee7b041"
         "21bdea2"),
      fp("135203e60180a68ee2e9c448d77a2cd91c3dedd930b1cf60ef396489f61eb45e304466cf3e67fa0af1ee7b041"
         "21bdea2")},
     {fp("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9fefffff"
         "fffaaaa"),
      Fp{}},
     {fp("06af0e0437ff400b6831e36d6bd17ffe48395dabc2d3435e77f76e17009241c5ee67992f72ec05f4c81084fbe"
         "de3cc09"),
      fp("135203e60180a68ee2e9c448d77a2cd91c3dedd930b1cf60ef396489f61eb45e304466cf3e67fa0af1ee7b041"
         "21bdea2")}}};

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

Fp12 multiply_by_line(const Fp12& a, const Fp2& b0, const Fp2& b1, const Fp2& b4) noexcept {
    const Fp6 v0 = multiply_by_01(a.c0, b0, b1);
    const Fp6 v1 = times_v(a.c1 * b4);
    return {v0 + times_v(v1), multiply_by_01(a.c0 + a.c1, b0, b1 + b4) - v0 - v1};
}

Fp12 multiply_by_line(const Fp12& a, const Fp2& b0, const Fp2& b1) noexcept {
    const Fp6 v0 = multiply_by_01(a.c0, b0, b1);
    const Fp6 v1 = times_v(a.c1);
    return {v0 + times_v(v1), multiply_by_01(a.c0 + a.c1, b0, b1 + Fp2::one()) - v0 - v1};
}

}  // namespace keel::crypto::bls12_381
