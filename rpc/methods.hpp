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
Answer<void> get_block_receipts(Call& call);
Answer<void> get_block_transaction_count_by_number(Call& call);
Answer<void> get_block_transaction_count_by_hash(Call& call);

// txs.cpp
Answer<void> get_transaction_by_hash(Call& call);
Answer<void> get_transaction_by_block_number_and_index(Call& call);
Answer<void> get_transaction_by_block_hash_and_index(Call& call);
Answer<void> get_transaction_receipt(Call& call);

// accounts.cpp
Answer<void> accounts(Call& call);
Answer<void> get_balance(Call& call);
Answer<void> get_code(Call& call);
Answer<void> get_storage_at(Call& call);
Answer<void> get_transaction_count(Call& call);

// call.cpp
Answer<void> call(Call& call);

}  // namespace eth

namespace net {
Answer<void> version(Call& call);
Answer<void> listening(Call& call);
Answer<void> peer_count(Call& call);
}  // namespace net

namespace web3 {
Answer<void> client_version(Call& call);
Answer<void> sha3(Call& call);
}  // namespace web3

namespace engine {

// engine/bodies.cpp
Answer<void> get_payload_bodies_by_hash_v1(Call& call);
Answer<void> get_payload_bodies_by_range_v1(Call& call);

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
