#include "crypto/modexp.hpp"

#include <algorithm>

#include "core/u256.hpp"
#include "evm/precompiles/precompile.hpp"

namespace keel::evm::precompiles {
namespace {

using core::U256;
using core::uint128_t;

constexpr size_t kHeaderBytes = 96;     // three lengths of 32 bytes
constexpr uint64_t kLengthMax = 1'024;  // EIP-7823

struct Header {
    U256 base_bytes, exponent_bytes, modulus_bytes;
};

Header header_of(Input input) noexcept {
    const auto bytes = padded<kHeaderBytes>(input);
    return {U256::load_be32(bytes.data()), U256::load_be32(bytes.data() + 32),
            U256::load_be32(bytes.data() + 64)};
}

// f(x) of EIP-198; x below 2^64.
uint128_t complexity_198(uint64_t x) noexcept {
    const uint128_t square = static_cast<uint128_t>(x) * x;
    if (x <= 64) return square;
    if (x <= 1'024) return square / 4 + 96 * static_cast<uint128_t>(x) - 3'072;
    return square / 16 + 480 * static_cast<uint128_t>(x) - 199'680;
}

// EIP-2565: the square of the length in words of eight bytes.
uint128_t complexity_2565(uint64_t x) noexcept {
    const uint64_t eights = x / 8 + (x % 8 != 0);
    return static_cast<uint128_t>(eights) * eights;
}

// EIP-7883.
uint128_t complexity_7883(uint64_t x) noexcept {
    return x <= 32 ? 16 : 2 * complexity_2565(x);
}

// The iteration count of EIP-198, at most 2^64 - 1; `multiplier` counts each exponent byte beyond
// the first 32.
uint64_t iterations(Input input, const Header& header, uint64_t multiplier) noexcept {
    // The first 32 bytes of the exponent at most, as a number; what lies beyond the input is zero.
    const uint64_t head_bytes = std::min<uint64_t>(32, header.exponent_bytes.saturated64());
    uint8_t head[32] = {};
    if (header.base_bytes < U256(input.size())) {
        const Input given = input.sub(kHeaderBytes + header.base_bytes.low64(), head_bytes);
        if (!given.empty()) std::memcpy(head + (32 - head_bytes), given.data(), given.size());
    }
    const unsigned bits = U256::load_be32(head).bit_length();
    uint128_t count = bits == 0 ? 0 : bits - 1;
    if (header.exponent_bytes > U256(32)) {
        const U256 beyond = header.exponent_bytes - U256(32);
        count += static_cast<uint128_t>(beyond.saturated64()) * multiplier;
    }
    return std::max<uint64_t>(1, static_cast<uint64_t>(std::min<uint128_t>(count, UINT64_MAX)));
}

uint64_t price(uint128_t complexity, uint64_t iteration_count, uint64_t divisor) noexcept {
    const U256 wide =
        U256(static_cast<uint64_t>(complexity), static_cast<uint64_t>(complexity >> 64), 0, 0) *
        U256(iteration_count);  // below 2^192
    return wide.fits_uint64() ? wide.low64() / divisor : (wide / U256(divisor)).saturated64();
}

// The next `size` bytes of the input from `first`; `storage` holds them when the input ends before.
core::ByteView part(Input input, size_t first, size_t size, core::Bytes& storage) {
    const core::ByteView given = input.sub(first, size);
    if (given.size() == size) return given;
    if (std::ranges::all_of(given, [](uint8_t byte) { return byte == 0; })) return {};
    storage.assign(size, 0);
    std::memcpy(storage.data(), given.data(), given.size());
    return storage;
}

}  // namespace

uint64_t modexp_gas(Input input, const Rules& rules) noexcept {
    const Header header = header_of(input);
    const U256 limit(kLengthMax);
    if (rules.eip_7823 && (header.base_bytes > limit || header.exponent_bytes > limit ||
                           header.modulus_bytes > limit)) {
        return kUnpayable;
    }
    const U256& longest = std::max(header.base_bytes, header.modulus_bytes);
    // Squared and with at least one iteration it is far above 64 bits in all three formulas.
    if (!longest.fits_uint64()) return kUnpayable;
    const uint64_t x = longest.low64();
    if (rules.eip_7883) {
        return std::max<uint64_t>(500, price(complexity_7883(x), iterations(input, header, 16), 1));
    }
    if (rules.eip_2565) {
        return std::max<uint64_t>(200, price(complexity_2565(x), iterations(input, header, 8), 3));
    }
    return price(complexity_198(x), iterations(input, header, 8), 20);
}

PrecompileStatus modexp(Input input, core::Bytes& output) {
    const Header header = header_of(input);
    // Only here the exponent's length, for which nothing was paid when the other lengths are 0, may
    // be anything.
    if (header.modulus_bytes.is_zero()) return PrecompileStatus::Success;
    const size_t base_bytes = header.base_bytes.low64();
    const size_t exponent_bytes = header.exponent_bytes.low64();
    const size_t modulus_bytes = header.modulus_bytes.low64();
    core::Bytes storage[3];
    const Input values = input.sub(kHeaderBytes);
    const auto base = part(values, 0, base_bytes, storage[0]);
    const auto exponent = part(values, base_bytes, exponent_bytes, storage[1]);
    const auto modulus = part(values, base_bytes + exponent_bytes, modulus_bytes, storage[2]);
    output.assign(modulus_bytes, 0);
    // `modulus` is empty when none of its bytes was given: it is 0 then, and so is the result
    // (EIP-198).
    if (!modulus.empty()) crypto::modexp(base, exponent, modulus, output.data());
    return PrecompileStatus::Success;
}

}  // namespace keel::evm::precompiles
