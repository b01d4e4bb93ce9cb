#include <algorithm>

#include "rpc/eth/execution.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {

Answer<void> call(Call& call) {
    const auto execution = Execution::of_request(call);
    if (!execution) return core::unexpected(execution.error());
    const uint64_t cap = call.backend.call_gas_cap;
    const uint64_t gas = std::min((*execution)->request().gas.value_or(cap), cap);
    const auto outcome = (*execution)->run((*execution)->tx(gas));
    if (!outcome) return core::unexpected(refusal_of(outcome.error(), gas));
    if (!outcome->succeeded()) return core::unexpected(failure_of(*outcome));
    call.out.data(outcome->output);
    return {};
}

}  // namespace keel::rpc::eth
