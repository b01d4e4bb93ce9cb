#pragma once

// The methods, by the file that has them. Parameters and results: execution-apis.

#include "rpc/dispatch.hpp"

namespace keel::rpc {

namespace eth {

// blocks.cpp
Answer<void> block_number(Call& call);
Answer<void> chain_id(Call& call);
Answer<void> syncing(Call& call);
Answer<void> get_block_by_number(Call& call);
Answer<void> get_block_by_hash(Call& call);
Answer<void> get_block_access_list(Call& call);
Answer<void> get_block_receipts(Call& call);
Answer<void> get_block_transaction_count_by_number(Call& call);
Answer<void> get_block_transaction_count_by_hash(Call& call);

// txs.cpp
Answer<void> get_transaction_by_hash(Call& call);
Answer<void> get_transaction_by_block_number_and_index(Call& call);
Answer<void> get_transaction_by_block_hash_and_index(Call& call);
Answer<void> get_transaction_receipt(Call& call);
Answer<void> get_raw_transaction_by_hash(Call& call);
Answer<void> get_raw_transaction_by_block_number_and_index(Call& call);
Answer<void> get_raw_transaction_by_block_hash_and_index(Call& call);

// accounts.cpp
Answer<void> accounts(Call& call);
Answer<void> coinbase(Call& call);
Answer<void> get_balance(Call& call);
Answer<void> get_code(Call& call);
Answer<void> get_storage_at(Call& call);
Answer<void> get_storage_values(Call& call);
Answer<void> get_transaction_count(Call& call);

// access_list.cpp
Answer<void> create_access_list(Call& call);

// call.cpp
Answer<void> call(Call& call);

// estimate.cpp
Answer<void> estimate_gas(Call& call);

// fill.cpp
Answer<void> fill_transaction(Call& call);

// proof.cpp
Answer<void> get_proof(Call& call);

// send.cpp
Answer<void> send_raw_transaction(Call& call);
Answer<void> send_raw_transaction_sync(Call& call);

// simulate.cpp
Answer<void> simulate_v1(Call& call);

// config.cpp
Answer<void> capabilities(Call& call);
Answer<void> config(Call& call);

// fees.cpp
Answer<void> base_fee(Call& call);
Answer<void> blob_base_fee(Call& call);
Answer<void> fee_history(Call& call);
Answer<void> gas_price(Call& call);
Answer<void> max_priority_fee_per_gas(Call& call);

// headers.cpp
Answer<void> get_header_by_hash(Call& call);
Answer<void> get_header_by_number(Call& call);
Answer<void> get_uncle_by_block_hash_and_index(Call& call);
Answer<void> get_uncle_by_block_number_and_index(Call& call);
Answer<void> get_uncle_count_by_block_hash(Call& call);
Answer<void> get_uncle_count_by_block_number(Call& call);

// logs.cpp
Answer<void> get_logs(Call& call);

// filters.cpp
Answer<void> get_filter_changes(Call& call);
Answer<void> get_filter_logs(Call& call);
Answer<void> new_block_filter(Call& call);
Answer<void> new_filter(Call& call);
Answer<void> new_pending_transaction_filter(Call& call);
Answer<void> uninstall_filter(Call& call);

// subscribe.cpp
Answer<void> subscribe(Call& call);
Answer<void> unsubscribe(Call& call);

}  // namespace eth

// debug/raw.cpp
namespace debug {
Answer<void> get_raw_block(Call& call);
Answer<void> get_raw_block_access_list(Call& call);
Answer<void> get_raw_header(Call& call);
Answer<void> get_raw_receipts(Call& call);
Answer<void> get_raw_transaction(Call& call);

// debug/bad_blocks.cpp
Answer<void> get_bad_blocks(Call& call);

// debug/dump.cpp
Answer<void> account_range(Call& call);
Answer<void> dump_block(Call& call);

// debug/replays.cpp
Answer<void> intermediate_roots(Call& call);
Answer<void> storage_range_at(Call& call);

// debug/set_head.cpp
Answer<void> set_head(Call& call);

// debug/trace.cpp
Answer<void> trace_block(Call& call);
Answer<void> trace_block_by_hash(Call& call);
Answer<void> trace_block_by_number(Call& call);
Answer<void> trace_transaction(Call& call);

// debug/trace_call.cpp
Answer<void> trace_call(Call& call);
}  // namespace debug

// admin.cpp
namespace admin {
Answer<void> add_peer(Call& call);
Answer<void> datadir(Call& call);
Answer<void> node_info(Call& call);
Answer<void> peers(Call& call);
}  // namespace admin

// web3.cpp
Answer<void> rpc_modules(Call& call);

namespace net {
Answer<void> version(Call& call);
Answer<void> listening(Call& call);
Answer<void> peer_count(Call& call);
}  // namespace net

// testing_methods.cpp
namespace testing_api {
Answer<void> build_block_v1(Call& call);
Answer<void> commit_block_v1(Call& call);
}  // namespace testing_api

namespace txpool {
Answer<void> content(Call& call);
Answer<void> content_from(Call& call);
Answer<void> inspect(Call& call);
Answer<void> status(Call& call);
}  // namespace txpool

namespace web3 {
Answer<void> client_version(Call& call);
Answer<void> sha3(Call& call);
}  // namespace web3

namespace engine {

// engine/bodies.cpp
Answer<void> get_payload_bodies_by_hash_v1(Call& call);
Answer<void> get_payload_bodies_by_range_v1(Call& call);

// engine/get_payload.cpp
Answer<void> get_blobs_v1(Call& call);
Answer<void> get_blobs_v2(Call& call);
Answer<void> get_blobs_v3(Call& call);
Answer<void> get_payload_v1(Call& call);
Answer<void> get_payload_v2(Call& call);
Answer<void> get_payload_v3(Call& call);
Answer<void> get_payload_v4(Call& call);
Answer<void> get_payload_v5(Call& call);

// engine/methods.cpp
Answer<void> exchange_capabilities(Call& call);
Answer<void> forkchoice_updated_v1(Call& call);
Answer<void> forkchoice_updated_v2(Call& call);
Answer<void> forkchoice_updated_v3(Call& call);
Answer<void> get_client_version_v1(Call& call);
Answer<void> new_payload_v1(Call& call);
Answer<void> new_payload_v2(Call& call);
Answer<void> new_payload_v3(Call& call);
Answer<void> new_payload_v4(Call& call);
}  // namespace engine

}  // namespace keel::rpc
