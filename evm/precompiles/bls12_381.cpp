#include "crypto/bls12_381/bls12_381.hpp"

#include <algorithm>

#include "evm/precompiles/precompile.hpp"

namespace keel::evm::precompiles {
namespace {

// EIP-2537. Sizes of encoded elements; a pair of a multi-scalar multiplication has a scalar of 32
// bytes behind its point.
constexpr size_t kFpBytes = 64;
constexpr size_t kFp2Bytes = 128;
constexpr size_t kG1Bytes = 128;
constexpr size_t kG2Bytes = 256;
constexpr size_t kG1MsmBytes = kG1Bytes + 32;
constexpr size_t kG2MsmBytes = kG2Bytes + 32;
constexpr size_t kPairBytes = kG1Bytes + kG2Bytes;

// Thousandths of the price of that many single multiplications, for 1, 2 ... 128 pairs; more pairs
// have the last one.
constexpr size_t kDiscounts = 128;
constexpr uint16_t kG1Discount[kDiscounts] = {
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665,
    661,  658, 654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615,
    613,  611, 609, 608, 606, 604, 603, 601, 599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585,
    584,  582, 581, 580, 579, 577, 576, 575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563,
    562,  561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545,
    544,  543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531, 530, 529,
    528,  528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519};
constexpr uint16_t kG2Discount[kDiscounts] = {
    1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717, 711, 704, 699,
    693,  688,  683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646, 643, 640, 637, 634, 632, 629,
    627,  624,  622, 620, 618, 615, 613, 611, 609, 607, 606, 604, 602, 600, 598, 597, 595, 593, 592,
    590,  589,  587, 586, 584, 583, 582, 580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567,
    566,  565,  563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548,
    547,  546,  545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535, 534, 533,
    532,  532,  531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524};

uint64_t msm_gas(uint64_t pairs, uint64_t gas_of_one, const uint16_t* discounts) noexcept {
    if (pairs == 0) return 0;
    // No overflow: an input has less than 2^32 bytes, as memory of the EVM that is larger cannot be
    // paid.
    return pairs * gas_of_one * discounts[std::min<uint64_t>(pairs, kDiscounts) - 1] / 1'000;
}

bool is_multiple(Input input, size_t bytes) noexcept {
    return !input.empty() && input.size() % bytes == 0;
}

// What `operation` makes of the input, whose length is right, is a point.
template <class Operation>
PrecompileStatus point_of(Operation operation, bool right_length, size_t point_bytes, Input input,
                          core::Bytes& output) {
    if (!right_length) return PrecompileStatus::Failure;
    output.resize(point_bytes);
    return operation(input, output.data()) == crypto::CurveResult::Ok ? PrecompileStatus::Success
                                                                      : PrecompileStatus::Failure;
}

}  // namespace

uint64_t bls12_g1add_gas(Input, const Rules&) noexcept {
    return 375;
}
PrecompileStatus bls12_g1add(Input input, core::Bytes& output) {
    return point_of(crypto::bls12_g1_add, input.size() == 2 * kG1Bytes, kG1Bytes, input, output);
}

uint64_t bls12_g1msm_gas(Input input, const Rules&) noexcept {
    return msm_gas(input.size() / kG1MsmBytes, 12'000, kG1Discount);
}
PrecompileStatus bls12_g1msm(Input input, core::Bytes& output) {
    return point_of(crypto::bls12_g1_msm, is_multiple(input, kG1MsmBytes), kG1Bytes, input, output);
}

uint64_t bls12_g2add_gas(Input, const Rules&) noexcept {
    return 600;
}
PrecompileStatus bls12_g2add(Input input, core::Bytes& output) {
    return point_of(crypto::bls12_g2_add, input.size() == 2 * kG2Bytes, kG2Bytes, input, output);
}

uint64_t bls12_g2msm_gas(Input input, const Rules&) noexcept {
    return msm_gas(input.size() / kG2MsmBytes, 22'500, kG2Discount);
}
PrecompileStatus bls12_g2msm(Input input, core::Bytes& output) {
    return point_of(crypto::bls12_g2_msm, is_multiple(input, kG2MsmBytes), kG2Bytes, input, output);
}

uint64_t bls12_pairing_gas(Input input, const Rules&) noexcept {
    return 37'700 + 32'600 * static_cast<uint64_t>(input.size() / kPairBytes);
}
PrecompileStatus bls12_pairing(Input input, core::Bytes& output) {
    if (!is_multiple(input, kPairBytes)) return PrecompileStatus::Failure;
    const auto is_one = crypto::bls12_pairing(input);
    if (!is_one) return PrecompileStatus::Failure;
    output.assign(32, 0);
    output[31] = *is_one ? 1 : 0;
    return PrecompileStatus::Success;
}

uint64_t bls12_map_fp_to_g1_gas(Input, const Rules&) noexcept {
    return 5'500;
}
PrecompileStatus bls12_map_fp_to_g1(Input input, core::Bytes& output) {
    return point_of(crypto::bls12_map_to_g1, input.size() == kFpBytes, kG1Bytes, input, output);
}

uint64_t bls12_map_fp2_to_g2_gas(Input, const Rules&) noexcept {
    return 23'800;
}
PrecompileStatus bls12_map_fp2_to_g2(Input input, core::Bytes& output) {
    return point_of(crypto::bls12_map_to_g2, input.size() == kFp2Bytes, kG2Bytes, input, output);
}

}  // namespace keel::evm::precompiles
