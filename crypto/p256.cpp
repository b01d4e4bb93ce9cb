#include "crypto/p256.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <array>
#include <memory>

#include "core/base.hpp"
#include "crypto/modular_inverse.hpp"

namespace keel::crypto {
namespace {

using core::Hash32;
using core::U256;

// SEC 2, 2.4.2: field, curve constant b (a is -3), order.
constexpr U256 kPrime{0xffffffffffffffff, 0x00000000ffffffff, 0, 0xffffffff00000001};
constexpr U256 kB{0x3bce3c3e27d2604b, 0x651d06b0cc53b0f6, 0xb3ebbd55769886bc, 0x5ac635d8aa3a93e7};
constexpr U256 kOrder{0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff,
                      0xffffffff00000000};
constexpr ModularInverse kOrderInverse(kOrder);

struct Free {
    void operator()(BIGNUM* number) const noexcept { BN_free(number); }
    void operator()(BN_CTX* context) const noexcept { BN_CTX_free(context); }
    void operator()(EC_POINT* point) const noexcept { EC_POINT_free(point); }
};
using Number = std::unique_ptr<BIGNUM, Free>;

// Made once and only read afterwards, by any thread; it lives as long as the process.
const EC_GROUP* group() noexcept {
    static const EC_GROUP* const made = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    KEEL_ASSERT(made != nullptr, "OpenSSL has P-256");
    return made;
}

Number number_of(const U256& value) noexcept {
    const auto bytes = value.to_be32();
    return Number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

bool on_curve(const U256& x, const U256& y) noexcept {
    if (x >= kPrime || y >= kPrime) return false;
    // y^2 = x^3 - 3x + b = x (x^2 - 3) + b. The point at infinity has no such coordinates: b is not
    // 0.
    const U256 square = core::mul_mod(x, x, kPrime);
    const U256 minus_three = core::add_mod(square, kPrime - U256(3), kPrime);
    const U256 right = core::add_mod(core::mul_mod(minus_three, x, kPrime), kB, kPrime);
    return core::mul_mod(y, y, kPrime) == right;
}

bool is_scalar(const U256& value) noexcept {
    return !value.is_zero() && value < kOrder;
}

}  // namespace

bool p256_verify(const Hash32& hash, const U256& r, const U256& s, const U256& qx,
                 const U256& qy) noexcept {
    if (!is_scalar(r) || !is_scalar(s) || !on_curve(qx, qy)) return false;
    const U256 inverse = kOrderInverse.of(s);
    const U256 of_generator = core::mul_mod(U256::load_be32(hash.data()), inverse, kOrder);
    const U256 of_key = core::mul_mod(r, inverse, kOrder);

    const EC_GROUP* curve = group();
    const std::unique_ptr<BN_CTX, Free> context(BN_CTX_new());
    const std::unique_ptr<EC_POINT, Free> key(EC_POINT_new(curve));
    const std::unique_ptr<EC_POINT, Free> point(EC_POINT_new(curve));
    const Number x = number_of(qx), y = number_of(qy);
    const Number u1 = number_of(of_generator), u2 = number_of(of_key);
    const bool computed =
        EC_POINT_set_affine_coordinates(curve, key.get(), x.get(), y.get(), context.get()) == 1 &&
        EC_POINT_mul(curve, point.get(), u1.get(), key.get(), u2.get(), context.get()) == 1;
    KEEL_ASSERT(computed, "points were checked; only memory could be short");
    if (EC_POINT_is_at_infinity(curve, point.get()) == 1) return false;
    const bool affine =
        EC_POINT_get_affine_coordinates(curve, point.get(), x.get(), nullptr, context.get()) == 1;
    KEEL_ASSERT(affine);
    std::array<uint8_t, 32> bytes;
    BN_bn2binpad(x.get(), bytes.data(), static_cast<int>(bytes.size()));
    // x < p < 2 n.
    const U256 found = U256::load_be32(bytes.data());
    return (found >= kOrder ? found - kOrder : found) == r;
}

}  // namespace keel::crypto
