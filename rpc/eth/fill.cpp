// eth_fillTransaction: a transaction with all that was left out, for others to sign. Source:
// execution-apis, eth/fill; geth's TransactionArgs.setDefaults.

#include <fmt/format.h>

#include <algorithm>

#include "chain/blob_fee.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/eth/fees.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/methods.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::eth {
namespace {

using core::U256;

Answer<void> fill_fees(Call& call, const core::Header& head, CallRequest& request,
                       const std::optional<OwnFees>& own) {
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
    if (!request.max_priority_fee) {
        request.max_priority_fee = own ? own->tip : suggested_tip(call);
        if (own && request.max_fee) {
            request.max_priority_fee = std::min(own->tip, *request.max_fee);
        }
    }
    if (!request.max_fee) {
        const U256 base_fee = own ? own->base_fee : *head.base_fee;
        request.max_fee = base_fee * U256(2) + *request.max_priority_fee;
    }
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

Answer<void> fill_nonce(Call& call, const chain::BlockId& head, CallRequest& request) {
    if (request.nonce) return {};
    if (call.backend.pool != nullptr) {
        request.nonce = call.backend.pool->next_nonce(request.from);
        return {};
    }
    const auto state = call.snapshot().state(head);
    if (!state) return core::unexpected(state.error());
    const auto account = (*state)->account(request.from);
    request.nonce = account ? account->nonce : 0;
    return {};
}

}  // namespace

Answer<core::Tx> fill(Call& call, CallRequest& request, const std::optional<OwnFees>& own) {
    const U256 chain_id(call.backend.schedule->config().chain_id);
    if (request.chain_id && *request.chain_id != chain_id) {
        return fail(Code::Failed,
                    fmt::format("chainId does not match node's (have={}, want={})",
                                request.chain_id->to_decimal(), chain_id.to_decimal()));
    }
    Snapshot& snapshot = call.snapshot();
    const chain::BlockId id = snapshot.head();
    const core::Header head = snapshot.header(id);
    const CallParams asked{.request = request, .state = {}, .block = {}};
    if (auto filled = fill_fees(call, head, request, own); !filled) {
        return core::unexpected(filled.error());
    }
    if (auto filled = fill_blob_fee(call, id, head, request); !filled) {
        return core::unexpected(filled.error());
    }
    // Estimated as it was asked for: without a price the balance does not bound it.
    if (!request.gas) {
        const auto gas = estimate(call, id, asked);
        if (!gas) return core::unexpected(gas.error());
        request.gas = *gas;
    }
    if (auto filled = fill_nonce(call, id, request); !filled) {
        return core::unexpected(filled.error());
    }
    core::Tx tx = request.to_tx(*request.gas, head.base_fee.has_value());
    tx.chain_id = chain_id;
    return tx;
}

Answer<void> fill_transaction(Call& call) {
    Args args(call.params, 1);
    const auto object = args.object(0);
    if (!args.ok()) return args.error();
    auto request = parse_call_request(*object);
    if (!request) return core::unexpected(request.error());
    if (!request->to && request->input.empty()) {
        return fail(Code::Failed, "contract creation without any data provided");
    }
    if (!request->to && request->blob_hashes) {
        return fail(Code::Failed, "missing \"to\" in blob transaction");
    }
    const auto tx = fill(call, *request, std::nullopt);
    if (!tx) return core::unexpected(tx.error());
    core::Bytes raw;
    core::append_tx(raw, *tx);
    call.out.begin_object();
    call.out.data("raw", raw);
    call.out.key("tx");
    write_unsigned_tx(call.out, *tx);
    call.out.end_object();
    return {};
}

}  // namespace keel::rpc::eth
