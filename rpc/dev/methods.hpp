#pragma once

// Methods of solo mode: evm_, hardhat_ and anvil_, and those of eth that need a key. A listener has
// them only where the backend has a Solo. What each answers: docs/solo.md.

#include <span>
#include <string_view>

#include "rpc/dispatch.hpp"

namespace keel::rpc::dev {

struct Row {
    std::string_view name;
    Method method;
    Cost cost;
};
std::span<const Row> methods();

// account_methods.cpp
Answer<void> send_transaction(Call& call);
Answer<void> send_unsigned_transaction(Call& call);
Answer<void> sign_transaction(Call& call);
Answer<void> sign(Call& call);
Answer<void> personal_sign(Call& call);
Answer<void> sign_typed_data(Call& call);
Answer<void> impersonate(Call& call);
Answer<void> stop_impersonating(Call& call);
Answer<void> auto_impersonate(Call& call);

// block_methods.cpp
Answer<void> evm_mine(Call& call);
Answer<void> mine(Call& call);
Answer<void> get_automine(Call& call);
Answer<void> set_automine(Call& call);
Answer<void> get_interval_s(Call& call);
Answer<void> set_interval_ms(Call& call);
Answer<void> set_interval_s(Call& call);
Answer<void> increase_time(Call& call);
Answer<void> set_time(Call& call);
Answer<void> set_next_timestamp(Call& call);
Answer<void> set_timestamp_step(Call& call);
Answer<void> remove_timestamp_step(Call& call);
Answer<void> set_gas_limit(Call& call);
Answer<void> set_min_gas_price(Call& call);
Answer<void> set_next_base_fee(Call& call);
Answer<void> set_prev_randao(Call& call);
Answer<void> set_coinbase(Call& call);
Answer<void> drop_transaction(Call& call);
Answer<void> drop_transactions_of(Call& call);
Answer<void> drop_all_transactions(Call& call);

// state_methods.cpp
Answer<void> add_balance(Call& call);
Answer<void> set_balance(Call& call);
Answer<void> set_nonce(Call& call);
Answer<void> set_code(Call& call);
Answer<void> set_storage_at(Call& call);
Answer<void> snapshot(Call& call);
Answer<void> revert(Call& call);
Answer<void> rollback(Call& call);
Answer<void> reset(Call& call);
Answer<void> metadata(Call& call);
Answer<void> genesis_time(Call& call);
Answer<void> node_info(Call& call);
Answer<void> set_logging(Call& call);

}  // namespace keel::rpc::dev
