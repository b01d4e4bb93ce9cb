#include "crypto/bls12_381/encoding.hpp"

#include <algorithm>
#include <cstring>

#include "core/endian.hpp"

namespace keel::crypto::bls12_381 {
namespace {

constexpr uint8_t kCompressed = 0x80, kInfinity = 0x40, kLarger = 0x20;

// Whether a > -a, as numbers below p.
bool is_larger(const Fp& a) noexcept {
    const Fp::Words value = a.words(), negative = (-a).words();
    return std::lexicographical_compare(negative.rbegin(), negative.rend(), value.rbegin(),
                                        value.rend());
}

}  // namespace

bool load_fp(const uint8_t* bytes, Fp& out) noexcept {
    Fp::Words words;
    for (size_t i = 0; i < Fp::kWords; ++i) {
        words[i] = core::load_be<uint64_t>(bytes + 8 * (Fp::kWords - 1 - i));
    }
    if (!Fp::is_canonical(words)) return false;
    out = Fp::of(words);
    return true;
}

void store_fp(const Fp& a, uint8_t* out) noexcept {
    const Fp::Words words = a.words();
    for (size_t i = 0; i < Fp::kWords; ++i) {
        core::store_be<uint64_t>(out + 8 * (Fp::kWords - 1 - i), words[i]);
    }
}

CurveResult decompress_on_curve(core::ByteView bytes, G1& out) noexcept {
    if (bytes.size() != kFpBytes) return CurveResult::NotCanonical;
    uint8_t x[kFpBytes];
    std::memcpy(x, bytes.data(), kFpBytes);
    const uint8_t flags = x[0] & (kCompressed | kInfinity | kLarger);
    x[0] = static_cast<uint8_t>(x[0] & ~(kCompressed | kInfinity | kLarger));
    if ((flags & kCompressed) == 0) return CurveResult::NotCanonical;
    if ((flags & kInfinity) != 0) {
        const bool all_zero = std::all_of(x, x + kFpBytes, [](uint8_t byte) { return byte == 0; });
        if (!all_zero || (flags & kLarger) != 0) return CurveResult::NotCanonical;
        out = {};
        return CurveResult::Ok;
    }
    if (!load_fp(x, out.x)) return CurveResult::NotCanonical;
    const Fp right_side = square(out.x) * out.x + kB;
    const Fp y = right_side * power_of_root(right_side);
    if (square(y) != right_side) return CurveResult::NotOnCurve;
    out.y = is_larger(y) == ((flags & kLarger) != 0) ? y : -y;
    return CurveResult::Ok;
}

CurveResult decompress(core::ByteView bytes, G1& out) noexcept {
    const CurveResult result = decompress_on_curve(bytes, out);
    if (result != CurveResult::Ok) return result;
    return in_subgroup(out) ? CurveResult::Ok : CurveResult::NotInSubgroup;
}

void compress(const G1& point, uint8_t* out) noexcept {
    store_fp(point.x, out);
    out[0] |= kCompressed;
    if (point.is_infinity()) out[0] |= kInfinity;
    if (is_larger(point.y)) out[0] |= kLarger;
}

}  // namespace keel::crypto::bls12_381
