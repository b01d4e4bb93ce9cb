#include "crypto/bls12_381/pairing.hpp"

#include <array>

#include "core/base.hpp"

namespace keel::crypto::bls12_381 {
namespace {

// The curve holds (x / w^2, y / w^3) for (x, y) of the twist.
struct Curve {
    static Fp2 times_3b(const Fp2& a) noexcept {
        return times_xi(twice(twice(twice(a) + a)));  // b' is 4 xi
    }
    static void multiply_by(Fp12& f, const Fp2& of_y, const Fp2& of_x,
                            const Fp2& constant) noexcept {
        f = multiply_by_014(f, constant, of_x, of_y);
    }
};

bool adds_at(int bit) noexcept {
    return ((kMinusX >> bit) & 1) != 0;
}
constexpr int kFirstBit = 62;  // below the highest one

constexpr auto kLoop = [] {
    std::array<int8_t, kFirstBit + 1> bits{};
    for (int bit = kFirstBit; bit >= 0; --bit) {
        bits[static_cast<size_t>(kFirstBit - bit)] = (kMinusX >> bit) & 1;
    }
    return bits;
}();

// Of an element of the cyclotomic subgroup, as the sum of g_k times 1, w^3, w, w^4, w^2, w^5, the
// last four, which determine the others (Karabina, "Squaring in cyclotomic subgroups", 2013).
struct Compressed {
    Fp2 g2, g3, g4, g5;

    explicit Compressed(const Fp12& a) noexcept
        : g2(a.c1.c0), g3(a.c0.c2), g4(a.c0.c1), g5(a.c1.c2) {}

    // Two of the three squares of cyclotomic_square().
    void square_times(int times) noexcept {
        for (; times > 0; --times) {
            const curve::SquareInFp4<Fp> a23(g2, g3), a45(g4, g5);
            g2 = three_plus_two(times_xi(a45.c1), g2);
            g3 = three_minus_two(a45.c0, g3);
            g4 = three_minus_two(a23.c0, g4);
            g5 = three_plus_two(a23.c1, g5);
        }
    }
    // 4 g2 g1.
    Fp2 multiple_of_g1() const noexcept {
        const Fp2 x = square(g4), y = x - g3;
        return times_xi(square(g5)) + x + twice(y);
    }
    Fp12 with(const Fp2& g1) const noexcept {
        const Fp2 x = g3 * g4;
        const Fp2 g0 = times_xi(twice(square(g1)) + g2 * g5 - (twice(x) + x)) + Fp2::one();
        return {{g0, g4, g3}, {g2, g1, g5}};
    }
};

Fp12 plain_power_of_minus_x(const Fp12& a) noexcept {
    Fp12 result = a;
    for (int bit = kFirstBit; bit >= 0; --bit) {
        result = cyclotomic_square(result);
        if (adds_at(bit)) result = result * a;
    }
    return result;
}

// a^x in the cyclotomic subgroup, where the inverse is the conjugate.
Fp12 power_x(const Fp12& a) noexcept {
    // -x is the sum of 2^k for k = 16, 48, 57, 60, 62, 63. Up to the second one compressed: that
    // saves a third of each square, and both are decompressed with one inversion.
    static_assert(kMinusX ==
                  (1ull << 16 | 1ull << 48 | 1ull << 57 | 1ull << 60 | 1ull << 62 | 1ull << 63));
    Compressed first(a);
    first.square_times(16);
    Compressed second = first;
    second.square_times(48 - 16);
    const Fp2 first_divisor = twice(twice(first.g2)), second_divisor = twice(twice(second.g2));
    const Fp2 product = first_divisor * second_divisor;
    if (product.is_zero()) return conjugate(plain_power_of_minus_x(a));
    const Fp2 inverse = product.inverse();
    const Fp12 low = first.with(first.multiple_of_g1() * inverse * second_divisor);
    Fp12 square = second.with(second.multiple_of_g1() * inverse * first_divisor);
    Fp12 result = low * square;
    for (const int squarings : {57 - 48, 60 - 57, 62 - 60, 63 - 62}) {
        for (int i = 0; i < squarings; ++i) square = cyclotomic_square(square);
        result = result * square;
    }
    return conjugate(result);
}

}  // namespace

// Optimal ate pairing: f_{x,Q}(P) (Vercauteren, "Optimal pairings", 2010). x is negative:
// f_{-x} has to be inverted, for which the conjugate serves under the final exponentiation.

Fp12 miller_loop(std::span<const Pair> pairs) {
    curve::MillerLoop<Curve, Fp> loop(pairs);
    loop.run(kLoop);
    return conjugate(loop.value());
}

LinesOf::LinesOf(const G2& q) noexcept {
    G2 t = q;
    size_t count = 0;
    const auto take = [&](const Fp2& slope, const Fp2& other_x) {
        lines[count++] = {slope * t.x - t.y, -slope};
        const Fp2 x = square(slope) - t.x - other_x;
        t = {x, slope * (t.x - x) - t.y};
    };
    for (int bit = kFirstBit; bit >= 0; --bit) {
        const Fp2 xx = square(t.x);
        take((twice(xx) + xx) * twice(t.y).inverse(), t.x);
        if (adds_at(bit)) take((t.y - q.y) * (t.x - q.x).inverse(), q.x);
    }
    KEEL_ASSERT(count == lines.size());
}

Fp12 miller_loop(std::span<const PairOfLines> pairs) noexcept {
    // Lines divided by y_P, so that their last coefficient is 1.
    constexpr size_t kMost = 2;
    KEEL_ASSERT(pairs.size() <= kMost);
    Fp x_by_y[kMost], one_by_y[kMost];
    for (size_t i = 0; i < pairs.size(); ++i) {
        one_by_y[i] = pairs[i].p.y.inverse();
        x_by_y[i] = pairs[i].p.x * one_by_y[i];
    }
    Fp12 f = Fp12::one();
    size_t line = 0;
    const auto multiply_all = [&] {
        for (size_t i = 0; i < pairs.size(); ++i) {
            const LinesOf::Line& l = pairs[i].q->lines[line];
            f = multiply_by_014(f, l.constant * one_by_y[i], l.slope * x_by_y[i]);
        }
        ++line;
    };
    for (int bit = kFirstBit; bit >= 0; --bit) {
        if (bit != kFirstBit) f = square(f);
        multiply_all();
        if (adds_at(bit)) multiply_all();
    }
    return conjugate(f);
}

Fp12 final_exponentiation(const Fp12& f) noexcept {
    // (p^6 - 1) (p^2 + 1).
    Fp12 a = conjugate(f) * f.inverse();
    a = a.frobenius(2) * a;
    // 3 (p^4 - p^2 + 1) / r = (x - 1)^2 (x + p) (x^2 + p^2 - 1) + 3 (Hayashida, Hayasaka, Teruya,
    // "Efficient final exponentiation via cyclotomic structure for pairings over families of
    // elliptic curves", 2020).
    Fp12 b = power_x(a) * conjugate(a);
    b = power_x(b) * conjugate(b);
    b = power_x(b) * b.frobenius(1);
    b = power_x(power_x(b)) * b.frobenius(2) * conjugate(b);
    return b * cyclotomic_square(a) * a;
}

}  // namespace keel::crypto::bls12_381
