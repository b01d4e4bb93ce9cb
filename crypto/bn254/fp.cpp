#include "crypto/bn254/fp.hpp"

#include "crypto/curve/prime_field_products.hpp"

namespace keel::crypto {

template struct curve::PrimeField<bn254::Modulus>;

namespace curve {

using bn254::Fp;
template void multiply(Fp& out, const Fp& a, const Fp& b) noexcept;
template void sum_of_products(Fp& out, const Fp2<Fp>& a, const Fp2<Fp>& b, bool) noexcept;

}  // namespace curve
}  // namespace keel::crypto
