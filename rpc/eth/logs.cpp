#include "rpc/eth/log_filter.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {

Answer<void> get_logs(Call& call) {
    Args args(call.params, 1);
    const auto object = args.object(0);
    if (!args.ok()) return args.error();
    const auto filter = parse_log_filter(*object, call.backend.log_limits);
    if (!filter) return core::unexpected(filter.error());
    return write_logs_of(call.out, call.snapshot(), *filter, call.backend.log_limits,
                         Patience(call));
}

}  // namespace keel::rpc::eth
