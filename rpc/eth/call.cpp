#include <algorithm>

#include "rpc/eth/execution.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {

Answer<void> call(Call& call) {
    Args args(call.params, 4);
    const auto object = args.object(0);
    const BlockSelector selector = args.block_or_latest(1);
    const auto state_object = args.optional_object(2);
    const auto block_object = args.optional_object(3);
    const auto params = parse_call_params(args, object, state_object, block_object);
    if (!params) return core::unexpected(params.error());
    const auto id = call.snapshot().require(selector);
    if (!id) return core::unexpected(id.error());
    const auto execution = Execution::prepare(call, *id, *params);
    if (!execution) return core::unexpected(execution.error());
    const uint64_t cap = call.backend.call_gas_cap;
    const uint64_t gas = std::min(params->request.gas.value_or(cap), cap);
    const auto outcome = (*execution)->run((*execution)->tx(gas));
    if (!outcome) return core::unexpected(refusal_of(outcome.error(), gas));
    if (!outcome->succeeded()) return core::unexpected(failure_of(*outcome));
    call.out.data(outcome->output);
    return {};
}

}  // namespace keel::rpc::eth
