#include "core/hex.hpp"
#include "rpc/dev/solo.hpp"
#include "rpc/methods.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::eth {

Answer<void> send_raw_transaction(Call& call) {
    Args args(call.params, 1);
    const core::Bytes bytes = args.bytes(0);
    if (!args.ok()) return args.error();
    if (call.backend.pool == nullptr) return fail(Code::Failed, "there is no transaction pool");
    const auto hash = call.backend.pool->add(bytes);
    if (!hash) return core::unexpected(hash.error());
    if (call.backend.solo != nullptr) {
        if (auto mined = call.backend.solo->on_pooled(*hash); !mined) return mined;
    }
    call.out.data(*hash);
    return {};
}

}  // namespace keel::rpc::eth
