#include "crypto/modular_inverse.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace keel::crypto {

using core::int128_t;

// The values of the paper: f odd, g any, eta = -delta. A step: if delta > 0 and g is odd, (delta,
// f, g) becomes (1 - delta, g, (g - f) / 2), else (1 + delta, f, (g + (g mod 2) f) / 2). Runs of
// even g are taken at once, and up to six bits of an odd g are cleared by one multiple of f.
template <size_t kWords>
typename InverseOfWords<kWords>::Matrix InverseOfWords<kWords>::divide_62_steps(
    int64_t& eta, uint64_t f, uint64_t g) noexcept {
    uint64_t u = 1, v = 0, q = 0, r = 1;
    int left = 62;
    while (true) {
        // The bits set above `left` stop the count there.
        const int zeros = std::countr_zero(g | (~0ull << left));
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= zeros;
        left -= zeros;
        if (left == 0) break;
        uint64_t multiple;
        if (eta < 0) {
            eta = -eta;
            f = std::exchange(g, -f);
            u = std::exchange(q, -u);
            v = std::exchange(r, -v);
            // f * (f^2 - 2) is -1 / f modulo 64.
            const int bits = static_cast<int>(std::min<int64_t>(eta + 1, left));
            multiple = (f * g * (f * f - 2)) & (~0ull >> (64 - bits)) & 63;
        } else {
            // f + ((f + 1) & 4) * 2 is 1 / f modulo 16.
            const int bits = static_cast<int>(std::min<int64_t>(eta + 1, left));
            const uint64_t inverse = f + (((f + 1) & 4) << 1);
            multiple = (-inverse * g) & (~0ull >> (64 - bits)) & 15;
        }
        g += f * multiple;
        q += u * multiple;
        r += v * multiple;
    }
    return {static_cast<int64_t>(u), static_cast<int64_t>(v), static_cast<int64_t>(q),
            static_cast<int64_t>(r)};
}

// (f, g) = t (f, g) / 2^62, exact; returns how many limbs both still need of the `count` they had.
template <size_t kWords>
int InverseOfWords<kWords>::apply(const Matrix& t, Signed62& f, Signed62& g, int count) noexcept {
    int128_t cf = static_cast<int128_t>(t.u) * f.limbs[0] + static_cast<int128_t>(t.v) * g.limbs[0];
    int128_t cg = static_cast<int128_t>(t.q) * f.limbs[0] + static_cast<int128_t>(t.r) * g.limbs[0];
    cf >>= 62;
    cg >>= 62;
    for (int i = 1; i < count; ++i) {
        const int64_t fi = f.limbs[i], gi = g.limbs[i];
        cf += static_cast<int128_t>(t.u) * fi + static_cast<int128_t>(t.v) * gi;
        cg += static_cast<int128_t>(t.q) * fi + static_cast<int128_t>(t.r) * gi;
        f.limbs[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(cf) & kMask62);
        g.limbs[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(cg) & kMask62);
        cf >>= 62;
        cg >>= 62;
    }
    f.limbs[count - 1] = static_cast<int64_t>(cf);
    g.limbs[count - 1] = static_cast<int64_t>(cg);
    // A last limb that is only a sign goes into the top of the one below it.
    const int64_t f_top = f.limbs[count - 1], g_top = g.limbs[count - 1];
    if (count == 1 || f_top != f_top >> 63 || g_top != g_top >> 63) return count;
    f.limbs[count - 2] |= static_cast<int64_t>(static_cast<uint64_t>(f_top) << 62);
    g.limbs[count - 2] |= static_cast<int64_t>(static_cast<uint64_t>(g_top) << 62);
    return count - 1;
}

// (d, e) = t (d, e) / 2^62 modulo the modulus; d and e stay in (-2 modulus, modulus).
template <size_t kWords>
void InverseOfWords<kWords>::apply_modulo(const Matrix& t, Signed62& d,
                                          Signed62& e) const noexcept {
    const int64_t d_sign = d.limbs[kLimbs - 1] >> 63, e_sign = e.limbs[kLimbs - 1] >> 63;
    // Multiples of the modulus to add: one for each negative input, then what makes the lowest 62
    // bits zero.
    int64_t md = (t.u & d_sign) + (t.v & e_sign);
    int64_t me = (t.q & d_sign) + (t.r & e_sign);
    int128_t cd = static_cast<int128_t>(t.u) * d.limbs[0] + static_cast<int128_t>(t.v) * e.limbs[0];
    int128_t ce = static_cast<int128_t>(t.q) * d.limbs[0] + static_cast<int128_t>(t.r) * e.limbs[0];
    md -= static_cast<int64_t>(
        (low_inverse_ * static_cast<uint64_t>(cd) + static_cast<uint64_t>(md)) & kMask62);
    me -= static_cast<int64_t>(
        (low_inverse_ * static_cast<uint64_t>(ce) + static_cast<uint64_t>(me)) & kMask62);
    cd += static_cast<int128_t>(limbs_.limbs[0]) * md;
    ce += static_cast<int128_t>(limbs_.limbs[0]) * me;
    cd >>= 62;
    ce >>= 62;
    for (int i = 1; i < kLimbs; ++i) {
        const int64_t di = d.limbs[i], ei = e.limbs[i];
        cd += static_cast<int128_t>(t.u) * di + static_cast<int128_t>(t.v) * ei +
              static_cast<int128_t>(limbs_.limbs[i]) * md;
        ce += static_cast<int128_t>(t.q) * di + static_cast<int128_t>(t.r) * ei +
              static_cast<int128_t>(limbs_.limbs[i]) * me;
        d.limbs[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(cd) & kMask62);
        e.limbs[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(ce) & kMask62);
        cd >>= 62;
        ce >>= 62;
    }
    d.limbs[kLimbs - 1] = static_cast<int64_t>(cd);
    e.limbs[kLimbs - 1] = static_cast<int64_t>(ce);
}

// a += b, carries propagated.
template <size_t kWords>
void InverseOfWords<kWords>::add(Signed62& a, const Signed62& b) noexcept {
    int64_t carry = 0;
    for (int i = 0; i + 1 < kLimbs; ++i) {
        const int64_t sum = a.limbs[i] + b.limbs[i] + carry;
        a.limbs[i] = sum & static_cast<int64_t>(kMask62);
        carry = sum >> 62;
    }
    a.limbs[kLimbs - 1] += b.limbs[kLimbs - 1] + carry;
}

template <size_t kWords>
typename InverseOfWords<kWords>::Words InverseOfWords<kWords>::of(
    const Words& value) const noexcept {
    Signed62 f = limbs_, g = split(value);
    // d * value = f, e * value = g, up to powers of two, modulo the modulus.
    Signed62 d{}, e{};
    e.limbs[0] = 1;
    int64_t eta = -1;
    int count = kLimbs;  // limbs of f and g in use, the last one signed
    const auto is_zero = [&count](const Signed62& a) {
        int64_t any = 0;
        for (int i = 0; i < count; ++i) any |= a.limbs[i];
        return any == 0;
    };
    while (!is_zero(g)) {
        const Matrix t = divide_62_steps(eta, static_cast<uint64_t>(f.limbs[0]),
                                         static_cast<uint64_t>(g.limbs[0]));
        apply_modulo(t, d, e);
        count = apply(t, f, g, count);
    }
    // f is 1 or -1 now (or the modulus, for value 0, where d is 0), so d is the inverse or its
    // negative.
    if (f.limbs[count - 1] < 0) {
        for (int64_t& limb : d.limbs) limb = -limb;
        add(d, Signed62{});  // carries only
    }
    // Within (-2 modulus, 2 modulus).
    while (d.limbs[kLimbs - 1] < 0) add(d, limbs_);
    Words inverse{};
    uint64_t beyond = 0;  // bits that no word holds
    for (size_t i = 0; i < static_cast<size_t>(kLimbs); ++i) {
        const auto limb = static_cast<uint64_t>(d.limbs[i]);
        const size_t word = 62 * i / 64, shift = 62 * i % 64;
        if (word < kWords) inverse[word] |= limb << shift;
        if (shift == 0) continue;
        (word + 1 < kWords ? inverse[word + 1] : beyond) |= limb >> (64 - shift);
    }
    // Only with the top bit of the modulus set there are bits beyond; the value is below 2 modulus,
    // so that the difference is right without them.
    Words reduced;
    uint64_t borrow = 0;
    for (size_t i = 0; i < kWords; ++i) {
        const uint64_t difference = inverse[i] - modulus_[i];
        reduced[i] = difference - borrow;
        borrow = static_cast<uint64_t>(inverse[i] < modulus_[i]) |
                 static_cast<uint64_t>(difference < borrow);
    }
    return beyond != 0 || borrow == 0 ? reduced : inverse;
}

template class InverseOfWords<4>;
template class InverseOfWords<6>;

}  // namespace keel::crypto
