#pragma once

#include <cstdint>

#include "chain/fork_schedule.hpp"
#include "chain/verdict.hpp"
#include "core/result.hpp"
#include "core/types/tx.hpp"
#include "state/journal.hpp"

namespace keel::chain {

struct IntrinsicGas {
    uint64_t gas;    // EVM.md 4.3; saturates at 2^64 - 1
    uint64_t floor;  // EIP-7623; 0 before Prague
};
IntrinsicGas intrinsic_gas(const core::Tx& tx, const core::ForkRules& rules) noexcept;

/// Rules that need neither a block nor a state: type, widths of fees, blobs, authorizations, init
/// code, gas cap, intrinsic gas. What transaction tests and a pool ask.
[[nodiscard]] core::Result<void, Rejection> check_tx_alone(const core::Tx& tx,
                                                           const BlockRules& block);

/// What a block says to its transactions.
struct TxRoom {
    uint64_t gas_left;       // of the block's gas limit
    uint64_t blob_gas_left;  // of the schedule's maximum
    core::U256 base_fee;     // 0 before London
    core::U256 blob_base_fee;
    uint64_t chain_id;
};
/// Which rules a caller leaves out: none for a block; eth_call and its like leave out most.
struct TxChecks {
    bool nonce = true;
    bool sender_is_eoa = true;
    bool balance = true;
    bool base_fee = true;  // fees may be below the base fee (only when both are 0 in eth_call)
    bool gas_cap = true;   // EIP-7825
};
/// All of EVM.md 4.2 in geth's order; `tx_index` and the hash go into the text
/// (`could not apply tx I [0x…]: …`).
[[nodiscard]] core::Result<void, Rejection> check_tx(const core::Tx& tx,
                                                     const core::Address& sender,
                                                     const BlockRules& block, const TxRoom& room,
                                                     state::Journal& journal,
                                                     const TxChecks& checks = {});

}  // namespace keel::chain
