#include "crypto/kzg/polynomial.hpp"

#include <algorithm>
#include <array>

namespace keel::crypto::kzg {
namespace {

using core::ByteView;
using core::U256;

constexpr size_t kNumberBytes = 32;
constexpr uint64_t kPrimitiveRoot = 7;  // of the field; consensus-specs: PRIMITIVE_ROOT_OF_UNITY

struct Roots {
    Roots() noexcept {
        const U256 exponent =
            (bls12_381::kOrder - U256(1)) / U256(static_cast<uint64_t>(kExtendedElements));
        Fr root = Fr::one();
        for (unsigned i = exponent.bit_length(); i-- > 0;) {
            root = square(root);
            if (exponent.bit(i)) root = root * Fr::of(kPrimitiveRoot);
        }
        powers[0] = Fr::one();
        for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * root;
    }

    std::array<Fr, kExtendedElements> powers;
};

}  // namespace

std::span<const Fr> roots_of_unity() {
    static const Roots roots;
    return roots.powers;
}

void interpolate(std::span<Fr> values) {
    interpolate_all(values);
    const Fr divisor = Fr::of(static_cast<uint64_t>(values.size())).inverse();
    for (Fr& value : values) value = value * divisor;
}

void scale_by_powers(std::span<Fr> a, const Fr& factor) {
    Fr power = Fr::one();
    for (Fr& value : a) {
        value = value * power;
        power = power * factor;
    }
}

void invert_all(std::span<Fr> values) {
    std::vector<Fr> products(values.size());  // of all before
    Fr product = Fr::one();
    for (size_t i = 0; i < values.size(); ++i) {
        products[i] = product;
        product = product * values[i];
    }
    Fr inverse = product.inverse();
    for (size_t i = values.size(); i-- > 0;) {
        const Fr value = values[i];
        values[i] = inverse * products[i];
        inverse = inverse * value;
    }
}

Fr evaluate(std::span<const Fr> polynomial, const Fr& z) noexcept {
    Fr value{};
    for (size_t i = polynomial.size(); i-- > 0;) value = value * z + polynomial[i];
    return value;
}

Division divide_by_linear(std::span<const Fr> polynomial, const Fr& z) {
    // The values of Horner's scheme are the coefficients of the quotient.
    Division division{Polynomial(polynomial.size()), Fr{}};
    for (size_t i = polynomial.size(); i-- > 0;) {
        division.quotient[i] = division.rest;
        division.rest = division.rest * z + polynomial[i];
    }
    return division;
}

bool load(ByteView bytes, std::span<Fr> out) noexcept {
    for (size_t i = 0; i < out.size(); ++i) {
        const U256 value = U256::load_be32(bytes.data() + kNumberBytes * i);
        if (value >= bls12_381::kOrder) return false;
        out[i] = Fr::of(value);
    }
    return true;
}

void store(std::span<const Fr> values, uint8_t* out) noexcept {
    for (size_t i = 0; i < values.size(); ++i) {
        values[i].value().store_be32(out + kNumberBytes * i);
    }
}

std::optional<Polynomial> polynomial_of_blob(ByteView blob) {
    if (blob.size() != kBlobBytes) return std::nullopt;
    Polynomial polynomial(kBlobElements);
    if (!load(blob, polynomial)) return std::nullopt;
    interpolate(polynomial);
    return polynomial;
}

}  // namespace keel::crypto::kzg
