#include "chain/ethash_difficulty.hpp"

#include <algorithm>

namespace keel::chain {

using core::Fork;
using core::U256;

namespace {

constexpr uint64_t kBoundDivisor = 2048;      // yellow paper
constexpr uint64_t kFrontierDurationS = 13;   // Frontier's aim between two blocks
constexpr uint64_t kHomesteadDurationS = 10;  // EIP-2
constexpr uint64_t kByzantiumDurationS = 9;   // EIP-100
constexpr int64_t kStepMin = -99;             // EIP-2
constexpr uint64_t kBombPeriodBlocks = 100'000;

uint64_t bomb_delay_blocks(Fork fork) noexcept {
    if (fork >= Fork::GrayGlacier) return 11'400'000;    // EIP-5133
    if (fork >= Fork::ArrowGlacier) return 10'700'000;   // EIP-4345
    if (fork >= Fork::London) return 9'700'000;          // EIP-3554
    if (fork >= Fork::MuirGlacier) return 9'000'000;     // EIP-2384
    if (fork >= Fork::Constantinople) return 5'000'000;  // EIP-1234
    if (fork >= Fork::Byzantium) return 3'000'000;       // EIP-649
    return 0;
}

// How many steps of parent / 2048 the difficulty moves.
int64_t steps(const DifficultyInput& input, const core::ForkRules& rules) noexcept {
    const uint64_t duration_s = input.timestamp - input.parent_timestamp;
    if (!rules.eip_2) return duration_s < kFrontierDurationS ? 1 : -1;
    const int64_t most = rules.eip_100 && input.parent_has_ommers ? 2 : 1;
    const uint64_t late = duration_s / (rules.eip_100 ? kByzantiumDurationS : kHomesteadDurationS);
    if (late > static_cast<uint64_t>(most - kStepMin)) return kStepMin;
    return std::max(most - static_cast<int64_t>(late), kStepMin);
}

}  // namespace

U256 ethash_difficulty(const DifficultyInput& input, const core::ForkRules& rules) noexcept {
    const U256 step = input.parent_difficulty / U256(kBoundDivisor);
    const int64_t count = steps(input, rules);
    U256 difficulty = input.parent_difficulty;
    if (count >= 0) {
        difficulty += step * U256(static_cast<uint64_t>(count));
    } else {
        // At most 99/2048 of the parent's: never below zero.
        difficulty -= step * U256(static_cast<uint64_t>(-count));
    }
    difficulty = std::max(difficulty, U256(kDifficultyMin));
    const uint64_t delay = bomb_delay_blocks(rules.fork);
    const uint64_t period = (input.number > delay ? input.number - delay : 0) / kBombPeriodBlocks;
    if (period >= 2) {
        difficulty += U256(1) << static_cast<unsigned>(std::min<uint64_t>(period - 2, 256));
    }
    return difficulty;
}

U256 block_reward(const core::ForkRules& rules) noexcept {
    constexpr uint64_t kEther = 1'000'000'000'000'000'000;
    if (rules.eip_3675) return 0;
    if (rules.fork >= Fork::Constantinople) return 2 * kEther;  // EIP-1234
    if (rules.fork >= Fork::Byzantium) return 3 * kEther;       // EIP-649
    return 5 * kEther;
}

}  // namespace keel::chain
