#include "crypto/bls12_381/fp.hpp"

#include <algorithm>
#include <array>

#include "crypto/curve/prime_field_products.hpp"

namespace keel::crypto {

template struct curve::PrimeField<bls12_381::Modulus>;
template struct curve::PrimeField<bls12_381::Order>;

namespace curve {

using bls12_381::Fp;
using bls12_381::Fr;
template void multiply(Fp& out, const Fp& a, const Fp& b) noexcept;
template void multiply(Fr& out, const Fr& a, const Fr& b) noexcept;
template void sum_of_products(Fp& out, const Fp2<Fp>& a, const Fp2<Fp>& b, bool) noexcept;

}  // namespace curve

namespace bls12_381 {
namespace {

// (p - 3) / 4.
constexpr uint64_t kRootExponent[Fp::kWords] = {0xee7fbfffffffeaaa, 0x07aaffffac54ffff,
                                                0xd9cc34a83dac3d89, 0xd91dd2e13ce144af,
                                                0x92c6e9ed90d2eb35, 0x0680447a8e5ff9a6};
constexpr int kRootExponentBits = 379;

}  // namespace

Fp power_of_root(const Fp& a) noexcept {
    // Windows that begin and end with a set bit, of up to five bits.
    constexpr int kWindow = 5;
    std::array<Fp, 1 << (kWindow - 1)> odd_powers;  // a, a^3, a^5 ...
    odd_powers[0] = a;
    const Fp squared = square(a);
    for (size_t i = 1; i < odd_powers.size(); ++i) odd_powers[i] = odd_powers[i - 1] * squared;
    const auto bit = [](int i) { return (kRootExponent[i / 64] >> (i % 64)) & 1; };
    Fp result = Fp::one();
    for (int i = kRootExponentBits - 1; i >= 0;) {
        if (bit(i) == 0) {
            result = square(result);
            --i;
            continue;
        }
        int last = std::max(i - kWindow + 1, 0);
        while (bit(last) == 0) ++last;
        size_t digit = 0;
        for (; i >= last; --i) {
            digit = 2 * digit + bit(i);
            result = square(result);
        }
        result = result * odd_powers[digit / 2];
    }
    return result;
}

}  // namespace bls12_381
}  // namespace keel::crypto
