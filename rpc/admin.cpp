// admin_…: about this node. It has no peers. Source: geth; RPC.md 1.4.

#include <fmt/format.h>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::admin {
namespace {

constexpr uint16_t kPort = 30303;  // of a network that is not there; tools want one

}  // namespace

Answer<void> add_peer(Call& call) {
    Args args(call.params, 1);
    static_cast<void>(args.required(0, to_text));
    if (!args.ok()) return args.error();
    call.out.boolean(true);
    return {};
}

Answer<void> datadir(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.string(call.backend.datadir);
    return {};
}

Answer<void> peers(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    call.out.begin_array();
    call.out.end_array();
    return {};
}

Answer<void> node_info(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    const core::Bytes& key = call.backend.node_key;
    JsonOut& out = call.out;
    out.begin_object();
    out.key("id");
    out.string(core::to_hex(crypto::keccak256(key)));
    out.key("name");
    out.string(call.backend.client_version);
    out.key("enode");
    out.string(enode_of(key));
    out.key("ip");
    out.string("127.0.0.1");
    out.key("listenAddr");
    out.string("");
    out.key("ports");
    out.begin_object();
    out.key("discovery");
    out.number(uint64_t{kPort});
    out.key("listener");
    out.number(uint64_t{kPort});
    out.end_object();
    out.key("protocols");
    out.begin_object();
    out.key("eth");
    out.begin_object();
    out.key("network");
    out.number(call.backend.network_id);
    out.data("genesis", snapshot.blocks().canonical_hash(0).value());
    out.data("head", snapshot.head().hash);
    if (const auto config = snapshot.blocks().setting(chain::setting::kConfig)) {
        out.key("config");
        out.raw(config->text());
    }
    out.end_object();
    out.end_object();
    out.end_object();
    return {};
}

}  // namespace keel::rpc::admin

namespace keel::rpc {

std::string enode_of(core::ByteView node_key) {
    return fmt::format("enode://{}@127.0.0.1:{}", core::to_hex(node_key), admin::kPort);
}

}  // namespace keel::rpc
