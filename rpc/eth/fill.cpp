// eth_fillTransaction: a transaction with all that was left out, for others to sign. Source:
// execution-apis, eth/fill; geth's TransactionArgs.setDefaults.

#include <fmt/format.h>

#include "chain/blob_fee.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/eth/fees.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/methods.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::eth {
namespace {

using core::U256;

Answer<void> fill_fees(Call& call, const core::Header& head, CallRequest& request) {
    if (request.gas_price) return {};
    if (!head.base_fee) {
        if (request.max_fee || request.max_priority_fee) {
            return fail(Code::Failed,
                        "maxFeePerGas and maxPriorityFeePerGas are not valid before London is "
                        "active");
        }
        request.gas_price = suggested_tip(call);
        return {};
    }
    if (request.max_fee && request.max_fee->is_zero()) {
        return fail(Code::Failed, "maxFeePerGas must be non-zero");
    }
    if (!request.max_priority_fee) request.max_priority_fee = suggested_tip(call);
    if (!request.max_fee) request.max_fee = *head.base_fee * U256(2) + *request.max_priority_fee;
    if (*request.max_fee < *request.max_priority_fee) {
        return fail(Code::Failed, fmt::format("maxFeePerGas ({}) < maxPriorityFeePerGas ({})",
                                              request.max_fee->to_decimal(),
                                              request.max_priority_fee->to_decimal()));
    }
    return {};
}

/// Twice what a blob costs now.
Answer<void> fill_blob_fee(Call& call, const chain::BlockId& id, const core::Header& head,
                           CallRequest& request) {
    if (!request.blob_hashes || request.max_fee_per_blob_gas) return {};
    if (!head.excess_blob_gas) return fail(Code::Failed, "blobs are not active yet");
    const auto rules = call.snapshot().rules(*call.backend.schedule, id, head);
    request.max_fee_per_blob_gas =
        chain::blob_base_fee(*head.excess_blob_gas, rules.blobs.base_fee_update_fraction) * U256(2);
    return {};
}

}  // namespace

Answer<void> fill_transaction(Call& call) {
    Args args(call.params, 1);
    const auto object = args.object(0);
    if (!args.ok()) return args.error();
    auto parsed = parse_call_request(*object);
    if (!parsed) return core::unexpected(parsed.error());
    CallParams params;
    CallRequest& request = params.request;
    request = *std::move(parsed);
    const U256 chain_id(call.backend.schedule->config().chain_id);
    if (request.chain_id && *request.chain_id != chain_id) {
        return fail(Code::Failed,
                    fmt::format("chainId does not match node's (have={}, want={})",
                                request.chain_id->to_decimal(), chain_id.to_decimal()));
    }
    if (!request.to && request.input.empty()) {
        return fail(Code::Failed, "contract creation without any data provided");
    }
    if (!request.to && request.blob_hashes) {
        return fail(Code::Failed, "missing \"to\" in blob transaction");
    }
    Snapshot& snapshot = call.snapshot();
    const chain::BlockId id = snapshot.head();
    const core::Header head = snapshot.header(id);
    const CallParams asked = params;
    if (auto filled = fill_fees(call, head, request); !filled) return filled;
    if (auto filled = fill_blob_fee(call, id, head, request); !filled) return filled;
    // Estimated as it was asked for: without a price the balance does not bound it.
    if (!request.gas) {
        const auto gas = estimate(call, id, asked);
        if (!gas) return core::unexpected(gas.error());
        request.gas = *gas;
    }
    if (!request.nonce) {
        if (call.backend.pool != nullptr) {
            request.nonce = call.backend.pool->next_nonce(request.from);
        } else {
            const auto state = snapshot.state(id);
            if (!state) return core::unexpected(state.error());
            const auto account = (*state)->account(request.from);
            request.nonce = account ? account->nonce : 0;
        }
    }
    core::Tx tx = request.to_tx(*request.gas, head.base_fee.has_value());
    tx.chain_id = chain_id;
    core::Bytes raw;
    core::append_tx(raw, tx);
    call.out.begin_object();
    call.out.data("raw", raw);
    call.out.key("tx");
    write_unsigned_tx(call.out, tx);
    call.out.end_object();
    return {};
}

}  // namespace keel::rpc::eth
