#pragma once

#include <optional>

#include "chain/fork_schedule.hpp"
#include "chain/verdict.hpp"
#include "core/result.hpp"
#include "core/types/header.hpp"
#include "core/u256.hpp"

namespace keel::chain {

/// Which rules a caller leaves out: none, unless it makes the blocks itself (solo mode).
struct HeaderChecks {
    bool gas_limit_step = true;
    bool base_fee = true;  // its value; that it is there is always checked
};

/// Rules of a header against its parent (EVM.md 2.2), in the order of HIVE.md D.6.4: timestamp,
/// extra data, number, merge, gas limits, difficulty, base fee, fields of the fork, blob gas.
/// `proof_of_stake`: the parent's total difficulty has reached the terminal one. `block` holds the
/// rules at the header's own number and time. The seal is checked apart (crypto/ethash.hpp).
[[nodiscard]] core::Result<void, Rejection> check_header(
    const core::Header& header, const core::Header& parent, const BlockRules& block,
    const ForkSchedule& schedule, bool proof_of_stake, const HeaderChecks& checks = {});

}  // namespace keel::chain
