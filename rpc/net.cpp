#include <string>

#include "rpc/methods.hpp"

namespace keel::rpc::net {

Answer<void> version(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.string(std::to_string(call.backend.network_id));
    return {};
}

Answer<void> listening(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.boolean(true);
    return {};
}

Answer<void> peer_count(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.quantity(uint64_t{0});
    return {};
}

}  // namespace keel::rpc::net
