#include "crypto/modexp.hpp"

#include <gmp.h>
#include <openssl/bn.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/base.hpp"
#include "core/u256.hpp"
#include "crypto/montgomery.hpp"

namespace keel::crypto {
namespace {

using core::ByteView;
using core::U256;

ByteView without_leading_zeros(ByteView number) noexcept {
    size_t zeros = 0;
    while (zeros < number.size() && number[zeros] == 0) ++zeros;
    return number.sub(zeros);
}

size_t bit_length(ByteView number) noexcept {  // no leading zeros
    if (number.empty()) return 0;
    return number.size() * 8 - static_cast<size_t>(std::countl_zero(number[0]));
}

// The value in the last bytes of `out`, zeros before.
void store(U256 value, uint8_t* out, size_t size) noexcept {
    const auto bytes = value.to_be32();
    const size_t used = std::min(size, bytes.size());
    std::memset(out, 0, size - used);
    std::memcpy(out + size - used, bytes.data() + bytes.size() - used, used);
}

// Sliding windows over an exponent of any length. 2^4 odd powers pay from about 80 bits of exponent
// on.
U256 power_256(const U256& base, ByteView exponent, const U256& modulus) noexcept {
    const Montgomery256 field(modulus);
    const size_t bits = bit_length(exponent);
    const auto bit = [exponent](size_t index) {
        return static_cast<unsigned>(exponent[exponent.size() - 1 - index / 8] >> (index % 8)) & 1u;
    };
    const unsigned width = bits <= 24 ? 1 : bits <= 80 ? 3 : bits <= 240 ? 4 : 5;
    U256 odd_powers[16];  // base^1, base^3, ...
    odd_powers[0] = field.to_form(base);
    if (width > 1) {
        U256 square;
        field.square(square, odd_powers[0]);
        for (size_t i = 1; i < size_t{1} << (width - 1); ++i) {
            field.multiply(odd_powers[i], odd_powers[i - 1], square);
        }
    }
    U256 result;
    bool started = false;
    for (size_t at = bits; at > 0;) {
        if (bit(at - 1) == 0) {
            field.square(result, result);
            --at;
            continue;
        }
        // The longest window of at most `width` bits that ends in a one.
        size_t length = std::min<size_t>(width, at);
        while (bit(at - length) == 0) --length;
        size_t window = 0;
        for (size_t i = 1; i <= length; ++i) window = window << 1 | bit(at - i);
        if (started) {
            for (size_t i = 0; i < length; ++i) field.square(result, result);
            field.multiply(result, result, odd_powers[window / 2]);
        } else {
            result = odd_powers[window / 2];
            started = true;
        }
        at -= length;
    }
    return field.from_form(result);
}

struct FreeOpenssl {
    void operator()(BIGNUM* number) const noexcept { BN_free(number); }
    void operator()(BN_CTX* context) const noexcept { BN_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, FreeOpenssl>;

Number number_of(ByteView bytes) noexcept {
    Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    KEEL_ASSERT(number != nullptr);
    return number;
}

// Whether OpenSSL is the faster one for an odd modulus; GMP is otherwise (measured, Zen 4). Its
// assembly squares in steps of eight words, and preparing its numbers costs more than GMP's.
bool openssl_is_faster(size_t words, size_t exponent_bits) noexcept {
    if (words % 8 != 0 || words > 96) return false;
    struct Threshold {
        size_t words, exponent_bits;
    };
    for (const auto& [up_to, bits] : {Threshold{8, 200}, Threshold{16, 64}, Threshold{24, 32},
                                      Threshold{56, 20}, Threshold{72, 14}, Threshold{96, 128}}) {
        if (words <= up_to) return exponent_bits > bits;
    }
    return false;
}

void power_openssl(ByteView base, ByteView exponent, ByteView modulus, uint8_t* out, size_t size) {
    const std::unique_ptr<BN_CTX, FreeOpenssl> context(BN_CTX_new());
    const Number b = number_of(base), e = number_of(exponent), m = number_of(modulus);
    const Number result(BN_new());
    // For numbers of eight words alone it has code that is vectorised or chains carries, which only
    // the call in constant time takes.
    const bool eight_words = BN_num_bits(m.get()) == 512 && exponent.size() > 56;
    const bool done =
        eight_words
            ? BN_nnmod(b.get(), b.get(), m.get(), context.get()) == 1 &&
                  BN_mod_exp_mont_consttime(result.get(), b.get(), e.get(), m.get(), context.get(),
                                            nullptr) == 1
            : BN_mod_exp_mont(result.get(), b.get(), e.get(), m.get(), context.get(), nullptr) == 1;
    KEEL_ASSERT(done, "the modulus is odd; only memory could be short");
    BN_bn2binpad(result.get(), out, static_cast<int>(size));
}

class GmpNumber {
  public:
    GmpNumber() noexcept { mpz_init(number_); }
    explicit GmpNumber(ByteView bytes) noexcept : GmpNumber() {
        mpz_import(number_, bytes.size(), 1, 1, 1, 0, bytes.data());
    }
    ~GmpNumber() { mpz_clear(number_); }
    GmpNumber(const GmpNumber&) = delete;
    GmpNumber& operator=(const GmpNumber&) = delete;
    mpz_ptr get() noexcept { return number_; }

  private:
    mpz_t number_;
};

void power_gmp(ByteView base, ByteView exponent, ByteView modulus, uint8_t* out, size_t size) {
    GmpNumber b(base), e(exponent), m(modulus), result;
    mpz_powm(result.get(), b.get(), e.get(), m.get());
    const size_t used = (mpz_sizeinbase(result.get(), 2) + 7) / 8;  // 1 for the value 0
    std::memset(out, 0, size);
    size_t written = 0;
    mpz_export(out + size - used, &written, 1, 1, 1, 0, result.get());
}

}  // namespace

void modexp(ByteView base, ByteView exponent, ByteView modulus, uint8_t* out) {
    const size_t size = modulus.size();
    const ByteView b = without_leading_zeros(base);
    const ByteView e = without_leading_zeros(exponent);
    const ByteView m = without_leading_zeros(modulus);
    if (m.empty() || (m.size() == 1 && m[0] == 1)) {
        if (size != 0) std::memset(out, 0, size);
        return;
    }
    if (e.empty()) return store(1, out, size);  // 0^0 is 1 too
    if (b.empty()) return store(0, out, size);
    const bool odd = (m.back() & 1) != 0;
    const size_t bits = bit_length(e);
    const bool four_words = m.size() > 24 && m.size() <= 32;
    if (odd && four_words && b.size() <= 32) {
        return store(power_256(U256::from_be(b), e, U256::from_be(m)), out, size);
    }
    if (odd && openssl_is_faster((m.size() + 7) / 8, bits)) {
        return power_openssl(b, e, m, out, size);
    }
    power_gmp(b, e, m, out, size);
}

}  // namespace keel::crypto
