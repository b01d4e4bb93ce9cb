#pragma once

#include <cstdint>

#include "core/types/fork.hpp"
#include "core/u256.hpp"

namespace keel::chain {

inline constexpr uint64_t kDifficultyMin = 131'072;  // yellow paper, D_0

/// What the difficulty of a proof-of-work block depends on.
struct DifficultyInput {
    uint64_t number = 0;
    uint64_t timestamp = 0;
    uint64_t parent_timestamp = 0;  // below `timestamp`
    core::U256 parent_difficulty;
    bool parent_has_ommers = false;
};

/// Difficulty of a block under `rules`, whose fork decides the delay of the bomb. Source: yellow
/// paper (D), EIP-2, EIP-100, bomb delays of EIP-649, 1234, 2384, 3554, 4345, 5133.
core::U256 ethash_difficulty(const DifficultyInput& input, const core::ForkRules& rules) noexcept;

/// Reward of a block in wei before those for ommers; 0 from Paris. Source: EIP-649, EIP-1234.
core::U256 block_reward(const core::ForkRules& rules) noexcept;

}  // namespace keel::chain
