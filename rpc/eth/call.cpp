#include <fmt/format.h>

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
    const uint64_t bytes_max = call.backend.return_data_max;
    if (bytes_max > 0 && outcome->output.size() > bytes_max) {
        return fail(Code::Failed, fmt::format("call returned result on length {} exceeding "
                                              "--rpc.returndata.limit {}",
                                              outcome->output.size(), bytes_max));
    }
    call.out.data(outcome->output);
    return {};
}

}  // namespace keel::rpc::eth
