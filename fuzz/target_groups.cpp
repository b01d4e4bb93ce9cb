// Points of bn254 and BLS12-381, which bytes of chance never are, and the laws that their sums,
// multiples and pairings obey; all through the precompiles. Layout: group, then what points and
// scalars are made of.

#include <algorithm>
#include <array>
#include <string_view>

#include "core/hex.hpp"
#include "core/types/fork.hpp"
#include "core/u256.hpp"
#include "evm/precompiles/table.hpp"
#include "fuzz/fuzz.hpp"

using namespace keel;

namespace {

constexpr int64_t kGas = 30'000'000;
constexpr size_t kScalar = 32;
constexpr size_t kSumsMax = 40;

core::Bytes run(uint16_t address, core::ByteView input) {
    core::Address at;
    at[19] = static_cast<uint8_t>(address);
    const core::ForkRules rules = core::rules_of(core::Fork::Osaka);
    const evm::Precompile* const precompile = evm::find_precompile(at, rules);
    fuzz::require(precompile != nullptr, "there is such a precompile");
    core::Bytes output;
    const auto result = evm::run_precompile(*precompile, input, kGas, rules, output);
    fuzz::require(result.status == evm::PrecompileStatus::Success, "points of the group are taken");
    return output;
}

core::Bytes joined(std::initializer_list<core::ByteView> parts) {
    core::Bytes all;
    for (const core::ByteView part : parts) core::append(all, part);
    return all;
}

core::Bytes word(const core::U256& value) {
    return core::ByteView(value.to_be32()).to_bytes();
}

bool is_infinity(core::ByteView point) {
    return std::ranges::all_of(point, [](uint8_t byte) { return byte == 0; });
}

// EIP-197 and EIP-2537.
const core::U256 kBnOrder =
    *core::U256::parse("0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001");
const core::U256 kBlsOrder =
    *core::U256::parse("0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
const core::Bytes kBnTwistGenerator = *core::from_hex(
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa");

struct Group {
    size_t point_bytes;
    uint16_t add;
    uint16_t multiply;  // of pairs of point and scalar; bn254: of one
    core::U256 order;

    core::Bytes sum(core::ByteView a, core::ByteView b) const { return run(add, joined({a, b})); }
    core::Bytes multiple(core::ByteView point, core::ByteView scalar) const {
        return run(multiply, joined({point, scalar}));
    }
    core::Bytes negative(core::ByteView point) const {
        return multiple(point, word(order - core::U256(1)));
    }
};
const Group kBn{64, 0x06, 0x07, kBnOrder};
const Group kBls1{128, 0x0b, 0x0c, kBlsOrder};
const Group kBls2{256, 0x0d, 0x0e, kBlsOrder};

core::Bytes take(fuzz::Input& input, size_t bytes) {
    core::Bytes taken = input.take(bytes).to_bytes();
    taken.resize(bytes);
    return taken;
}

/// A number below p as EIP-2537 writes it.
core::Bytes take_element(fuzz::Input& input) {
    core::Bytes element(16);
    core::append(element, take(input, 48));
    element[16] &= 0x0f;
    return element;
}

core::Bytes take_point(const Group& group, fuzz::Input& input) {
    if (&group == &kBn) {
        return kBn.multiple(joined({word(core::U256(1)), word(core::U256(2))}),
                            take(input, kScalar));
    }
    if (&group == &kBls1) return run(0x10, take_element(input));
    const core::Bytes first = take_element(input);
    return run(0x11, joined({first, take_element(input)}));
}

void check_group(const Group& group, fuzz::Input& input) {
    const core::Bytes p = take_point(group, input), q = take_point(group, input);
    const core::Bytes r = take_point(group, input);
    const core::Bytes a = take(input, kScalar), b = take(input, kScalar);
    fuzz::require(group.sum(group.sum(p, q), r) == group.sum(p, group.sum(q, r)),
                  "sums are associative");
    fuzz::require(group.sum(p, p) == group.multiple(p, word(core::U256(2))), "P + P is 2 P");
    fuzz::require(is_infinity(group.sum(p, group.negative(p))), "P - P is nothing");
    fuzz::require(
        group.multiple(group.sum(p, q), a) == group.sum(group.multiple(p, a), group.multiple(q, a)),
        "a (P + Q) is a P + a Q");
    fuzz::require(
        group.multiple(group.multiple(p, a), b) == group.multiple(group.multiple(p, b), a),
        "a b P is b a P");
}

/// A sum of many multiples at once against one by one.
void check_sum_of_multiples(const Group& group, fuzz::Input& input) {
    const size_t count = 1 + input.byte() % kSumsMax;
    core::Bytes point = take_point(group, input);
    const core::Bytes step = take_point(group, input);
    core::Bytes all, sum(group.point_bytes);
    for (size_t i = 0; i < count; ++i) {
        // Also 0, small ones, points that stand there twice and opposites.
        const uint8_t form = input.byte();
        const core::Bytes scalar =
            (form & 1) != 0 ? take(input, kScalar) : word(core::U256(form >> 4));
        if ((form & 2) != 0) point = group.sum(point, step);
        if ((form & 12) == 12) point = group.negative(point);
        core::append(all, point);
        core::append(all, scalar);
        sum = group.sum(sum, group.multiple(point, scalar));
    }
    fuzz::require(run(group.multiply, all) == sum, "a sum of multiples is the sum of them");
}

void check_pairing(uint16_t address, const Group& group, const core::Bytes& other,
                   fuzz::Input& input) {
    const core::Bytes one = word(core::U256(1));
    const core::Bytes p = take_point(group, input), q = take_point(group, input);
    const core::Bytes minus = group.negative(group.sum(p, q));
    fuzz::require(run(address, joined({p, other, q, other, minus, other})) == one,
                  "e(P, R) e(Q, R) is e(P + Q, R)");
    const bool any_infinity = is_infinity(p) || is_infinity(other);
    fuzz::require((run(address, joined({p, other})) == one) == any_infinity,
                  "the pairing is not degenerate");
}

void check_bls_pairing(fuzz::Input& input) {
    const core::Bytes p = take_point(kBls1, input), q = take_point(kBls2, input);
    const core::Bytes a = take(input, kScalar);
    fuzz::require(run(0x0f, joined({kBls1.multiple(p, a), q, kBls1.negative(p),
                                    kBls2.multiple(q, a)})) == word(core::U256(1)),
                  "e(a P, Q) is e(P, a Q)");
    check_pairing(0x0f, kBls1, q, input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Input input(core::ByteView(data, size));
    switch (input.byte() % 7) {
        case 0:
            check_group(kBn, input);
            break;
        case 1:
            check_group(kBls1, input);
            break;
        case 2:
            check_group(kBls2, input);
            break;
        case 3:
            check_sum_of_multiples(kBls1, input);
            break;
        case 4:
            check_sum_of_multiples(kBls2, input);
            break;
        case 5:
            check_pairing(0x08, kBn, kBnTwistGenerator, input);
            break;
        default:
            check_bls_pairing(input);
            break;
    }
    return 0;
}
