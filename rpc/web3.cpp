#include "crypto/keccak.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc {

Answer<void> rpc_modules(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.begin_object();
    for (const std::string& name : *call.namespaces) {
        call.out.key(name);
        call.out.string("1.0");
    }
    call.out.end_object();
    return {};
}

namespace web3 {

Answer<void> client_version(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.string(call.backend.client_version);
    return {};
}

Answer<void> sha3(Call& call) {
    Args args(call.params, 1);
    const core::Bytes bytes = args.bytes(0);
    if (!args.ok()) return args.error();
    call.out.data(crypto::keccak256(bytes));
    return {};
}

}  // namespace web3

}  // namespace keel::rpc
