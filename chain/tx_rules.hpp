#pragma once

#include <cstdint>

#include "chain/fork_schedule.hpp"
#include "chain/verdict.hpp"
#include "core/result.hpp"
#include "core/rlp.hpp"
#include "core/types/tx.hpp"
#include "state/journal.hpp"

namespace keel::chain {

struct IntrinsicGas {
    uint64_t gas;    // EVM.md 4.3; saturates at 2^64 - 1
    uint64_t floor;  // EIP-7623; 0 before Prague
};
IntrinsicGas intrinsic_gas(const core::Tx& tx, const core::ForkRules& rules) noexcept;

/// Rules that need neither a block nor a state: type, nonce, gas cap, widths of fees, blobs,
/// authorizations, intrinsic gas, init code. What transaction tests and a pool ask.
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
    bool base_fee = true;  // false: a price that is 0 is not compared with the block's (eth_call)
    bool gas_cap = true;   // EIP-7825
};
/// What holds for a transaction of a block. One with s = 0 has no signature that could be right: it
/// gets here only where the sender is given, because a node in solo mode impersonates it, and a
/// contract may be impersonated.
inline TxChecks checks_of(const core::Tx& tx) noexcept {
    return {.sender_is_eoa = !tx.s.is_zero()};
}
/// All of EVM.md 4.2 in geth's order (HIVE.md D.6.4). Who knows the transaction's index and hash
/// puts them into the text with in_tx().
[[nodiscard]] core::Result<void, Rejection> check_tx(const core::Tx& tx,
                                                     const core::Address& sender,
                                                     const BlockRules& block, const TxRoom& room,
                                                     state::Journal& journal,
                                                     const TxChecks& checks = {});

/// The refusal of transaction `tx_index` of a block or payload, whose raw form does not decode.
/// Looks for the faults that have a text of their own: a sidecar, a blob or set code transaction
/// without recipient.
Rejection reject_undecodable(size_t tx_index, core::ByteView raw, core::RlpError error);

}  // namespace keel::chain
