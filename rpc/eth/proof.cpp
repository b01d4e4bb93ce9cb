// eth_getProof: accounts and slots with the trie nodes that prove them, at any canonical block.
// Source: EIP-1186; RPC.md 1.3.

#include <fmt/format.h>

#include <array>

#include "chain/chain.hpp"
#include "core/fault.hpp"
#include "crypto/keccak.hpp"
#include "rpc/members.hpp"
#include "rpc/methods.hpp"
#include "state/layer.hpp"
#include "state/trie/node.hpp"

namespace keel::rpc::eth {
namespace {

using core::ByteView;

constexpr size_t kKeysMax = 1024;
constexpr size_t kHashedFromBytes = 32;  // shorter nodes stand in their parent

struct AskedKey {
    core::U256 slot;
    bool is_word;  // of 32 bytes: echoed so
};

Converted<AskedKey> to_asked_key(JsonValue value) {
    const auto slot = to_storage_key(value);
    if (!slot) return core::unexpected(slot.error());
    constexpr size_t kWordDigits = 64;
    std::string_view digits = value.text();
    if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
    return AskedKey{*slot, digits.size() == kWordDigits};
}

/// Writes the nodes on the way to a key, the root first, whether the key is there or not.
template <class FindNode>
void write_proof(JsonOut& out, ByteView key, const FindNode& find_node) {
    std::array<uint8_t, state::kKeyNibbles> nibbles{};
    state::expand_nibbles(crypto::keccak256(key), nibbles.data());
    out.begin_array();
    for (size_t depth = 0;;) {
        const std::optional<ByteView> rlp = find_node(ByteView(nibbles.data(), depth));
        if (!rlp) break;
        if (depth == 0 || rlp->size() >= kHashedFromBytes) out.data(*rlp);
        const auto node = state::decode_node(*rlp);
        if (!node) {
            throw core::Fault(core::FaultKind::Damaged,
                              "a stored node of a trie does not decode: run keel db check");
        }
        if (node->kind == state::NodeKind::Leaf) break;
        if (node->kind == state::NodeKind::Branch) {
            if (node->children[nibbles[depth]].empty()) break;
            ++depth;
            continue;
        }
        std::array<uint8_t, state::kKeyNibbles> path{};
        node->path.unpack(path.data());
        const ByteView rest = ByteView(nibbles).sub(depth);
        if (!rest.starts_with(ByteView(path.data(), node->path.nibbles))) break;
        depth += node->path.nibbles;
    }
    out.end_array();
}

/// The tries after a canonical block.
class TriesAt {
  public:
    TriesAt(Snapshot& snapshot, const chain::BlockId& id)
        : newest_(snapshot.txn(), snapshot.tables()) {
        if (id == snapshot.head()) return;
        layer_.changes = chain::changes_back_to(snapshot.txn(), snapshot.tables(), id.number);
        state::resolve_state_root(newest_, layer_.changes, &layer_.tries);
        path_ = {&layer_};
        layered_.emplace(newest_, path_);
    }
    state::TrieReader& get() {
        return layered_ ? static_cast<state::TrieReader&>(*layered_) : newest_;
    }

  private:
    state::NewestTries newest_;
    state::Layer layer_;
    std::vector<const state::Layer*> path_;
    std::optional<state::LayeredTries> layered_;
};

void write_key(JsonOut& out, const AskedKey& key) {
    out.key("key");
    if (key.is_word) {
        out.data(key.slot.to_be32());
    } else {
        out.quantity(key.slot);
    }
}

}  // namespace

Answer<void> get_proof(Call& call) {
    Args args(call.params, 3);
    const core::Address address = args.address(0);
    const auto keys =
        args.required(1, +[](JsonValue value) { return to_list(value, to_asked_key); });
    const BlockSelector selector = args.block_or_latest(2);
    if (!args.ok()) return args.error();
    if (keys.size() > kKeysMax) {
        return fail(
            Code::InvalidParams,
            fmt::format("too many storage keys requested (max {}, got {})", kKeysMax, keys.size()));
    }
    Snapshot& snapshot = call.snapshot();
    const auto id = snapshot.require(selector);
    if (!id) return core::unexpected(id.error());
    const auto state = snapshot.state(*id);
    if (!state) return core::unexpected(state.error());
    TriesAt tries(snapshot, *id);
    const auto account = (*state)->account(address);

    JsonOut& out = call.out;
    out.begin_object();
    out.data("address", address);
    out.key("accountProof");
    write_proof(out, address, [&](ByteView path) { return tries.get().account_node(path); });
    const core::Account shown = account.value_or(core::Account{});
    out.quantity("balance", shown.balance);
    out.data("codeHash", account ? shown.code_hash : core::Hash32{});
    out.quantity("nonce", shown.nonce);
    out.data("storageHash", account ? shown.storage_root : core::Hash32{});
    out.key("storageProof");
    out.begin_array();
    const bool has_storage = account && shown.storage_root != core::kEmptyTrieRoot;
    for (const AskedKey& key : keys) {
        out.begin_object();
        write_key(out, key);
        out.quantity("value", has_storage ? (*state)->storage(address, key.slot) : core::U256{});
        out.key("proof");
        write_proof(out, key.slot.to_be32(), [&](ByteView path) {
            return has_storage ? tries.get().storage_node(address, path) : std::nullopt;
        });
        out.end_object();
    }
    out.end_array();
    out.end_object();
    return {};
}

}  // namespace keel::rpc::eth
