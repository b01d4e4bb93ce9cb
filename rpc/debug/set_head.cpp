// debug_setHead: back to an earlier block, for development. Source: geth.

#include "rpc/methods.hpp"

namespace keel::rpc::debug {

Answer<void> set_head(Call& call) {
    Args args(call.params, 1);
    const uint64_t number = args.uint64(0);
    if (!args.ok()) return args.error();
    if (!call.backend.set_head) return fail(Code::Failed, "the head cannot be set here");
    const auto hash = call.snapshot().blocks().canonical_hash(number);
    if (!hash || number > call.snapshot().head().number) {
        return fail(Code::Failed, "header not found");
    }
    if (auto set = call.backend.set_head({number, *hash}); !set) return set;
    call.out.null();
    return {};
}

}  // namespace keel::rpc::debug
