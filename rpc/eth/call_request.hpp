#pragma once

// The transaction object of eth_call and its like, and what such a call may override.
// Source: execution-apis, GenericTransaction; geth's TransactionArgs and StateOverride.

#include <map>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/tx.hpp"
#include "core/types/withdrawal.hpp"
#include "evm/call.hpp"
#include "rpc/args.hpp"
#include "rpc/error.hpp"
#include "rpc/json_in.hpp"
#include "state/reader.hpp"

namespace keel::rpc::eth {

/// As it was asked for; absent is not zero.
struct CallRequest {
    core::Address from;
    std::optional<core::Address> to;
    std::optional<uint64_t> gas, nonce;
    std::optional<core::U256> gas_price, max_fee, max_priority_fee, max_fee_per_blob_gas, value,
        chain_id;
    core::Bytes input;
    std::optional<core::AccessList> access_list;
    std::optional<std::vector<core::Hash32>> blob_hashes;
    std::optional<std::vector<core::Authorization>> authorizations;

    /// A transaction of the type that the fields ask for, unsigned. lifetime: its data views this.
    core::Tx to_tx(uint64_t gas_limit, bool has_dynamic_fee) const;
};
Answer<CallRequest> parse_call_request(JsonValue object);

/// What differs in one account.
struct AccountOverride {
    std::optional<core::U256> balance;
    std::optional<uint64_t> nonce;
    std::optional<core::Bytes> code;
    core::Hash32 code_hash;         // of `code`
    bool replaces_storage = false;  // slots that are not named are zero
    std::map<core::U256, core::U256> slots;
    std::optional<core::Address> precompile_moves_to;
};
using StateOverride = std::map<core::Address, AccountOverride>;
/// None: nothing is overridden.
Answer<StateOverride> parse_state_override(std::optional<JsonValue> object);
/// Which precompiles stand elsewhere then, or nowhere: an account that is overridden is none.
Answer<evm::PrecompileOverrides> moved_precompiles(const StateOverride& changes,
                                                   const core::ForkRules& rules);

struct BlockOverride {
    std::optional<uint64_t> number, time, gas_limit;
    std::optional<core::U256> difficulty, base_fee, blob_base_fee;
    std::optional<core::Address> fee_recipient;
    std::optional<core::Hash32> prev_randao;
    // Of whole blocks alone (eth_simulateV1).
    std::optional<core::Hash32> beacon_root;
    std::optional<std::vector<core::Withdrawal>> withdrawals;
};
Answer<BlockOverride> parse_block_override(std::optional<JsonValue> object);
/// The members of a whole block too.
Answer<BlockOverride> parse_whole_block_override(std::optional<JsonValue> object);

/// A state with some accounts as they are not. lifetime: both outlive it.
class OverriddenState final : public state::StateReader {
  public:
    OverriddenState(state::StateReader& below, const StateOverride& changes)
        : below_(below), changes_(changes) {}

    std::optional<core::Account> account(const core::Address& address) override;
    core::U256 storage(const core::Address& address, const core::U256& slot) override;
    std::optional<core::ByteView> code(const core::Hash32& hash) override;
    void each_slot(const core::Address& address, const OnSlot& on_slot) override;

  private:
    const AccountOverride* find(const core::Address& address) const;

    state::StateReader& below_;
    const StateOverride& changes_;
};

}  // namespace keel::rpc::eth
