#include "chain/genesis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "chain/base_fee.hpp"
#include "chain/chain_config_json.hpp"
#include "chain/genesis_changes.hpp"
#include "chain/genesis_json.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"

namespace keel::chain {
namespace {

using core::Address;
using core::Hash32;
using core::U256;

constexpr uint64_t kGenesisGasLimit = 4'712'388;      // geth's default, HIVE.md D.1.2
constexpr uint64_t kGenesisDifficulty = 131'072;      // the same
constexpr size_t kSmallAlloc = 4'096;                 // accounts and slots
constexpr size_t kCliqueExtraDataBytesMin = 32 + 65;  // EIP-225: vanity and seal, no signer yet

GenesisAccount read_account(const JsonPlace& place) {
    place.need_object();
    GenesisAccount account;
    if (const JsonNode* node = place.node().find("balance")) {
        account.balance = JsonPlace(place, "balance", *node).u256();
    }
    if (const JsonNode* node = place.node().find("nonce")) {
        account.nonce = JsonPlace(place, "nonce", *node).uint64();
    }
    if (const JsonNode* node = place.node().find("code")) {
        account.code = JsonPlace(place, "code", *node).bytes();
    }
    const JsonNode* storage = place.node().find("storage");
    if (storage == nullptr) return account;
    const JsonPlace slots(place, "storage", *storage);
    slots.need_object();
    for (const JsonNode& node : storage->members) {
        const JsonPlace slot(slots, node.name, node);
        const auto key = parse_hex_word(node.name);
        const auto value =
            node.kind == JsonNode::Kind::String ? parse_hex_word(node.text) : std::nullopt;
        if (!key || !value) slot.refuse("key and value are not at most 32 bytes in hex");
        if (value->is_zero()) {
            account.storage.erase(*key);
        } else {
            account.storage[*key] = *value;
        }
    }
    return account;
}

std::map<Address, GenesisAccount> read_alloc(const JsonPlace& place) {
    place.need_object();
    std::vector<std::pair<Address, const JsonNode*>> nodes;
    nodes.reserve(place.node().members.size());
    for (const JsonNode& node : place.node().members) {
        const auto address = core::fixed_from_hex<Address>(node.name);
        if (!address) {
            JsonPlace(place, node.name, node)
                .refuse("the key is not an address of 20 bytes in hex");
        }
        nodes.emplace_back(*address, &node);
    }
    // In their order they go into the map without a search; of equal ones, which their places in
    // the document tell apart, the last counts.
    std::ranges::sort(nodes);
    std::map<Address, GenesisAccount> alloc;
    for (const auto& [address, node] : nodes) {
        alloc.insert_or_assign(alloc.end(), address,
                               read_account(JsonPlace(place, node->name, *node)));
    }
    return alloc;
}

// What a file claims of its header is compared, never trusted: in a wrong form it is not there.
std::optional<Hash32> claimed(const JsonNode& root, std::string_view name) {
    const JsonNode* node = root.find(name);
    if (node == nullptr || node->kind != JsonNode::Kind::String) return std::nullopt;
    return core::fixed_from_hex<Hash32>(node->text);
}

void read_header_fields(Genesis& genesis, const JsonPlace& place) {
    const auto with = [&place](std::string_view name, const auto& use) {
        const JsonNode* node = place.node().find(name);
        const bool is_empty =
            node != nullptr && node->kind == JsonNode::Kind::String && node->text.empty();
        if (node != nullptr && !is_empty) use(JsonPlace(place, name, *node));
    };
    with("nonce", [&](const JsonPlace& value) { genesis.nonce = value.uint64(); });
    with("timestamp", [&](const JsonPlace& value) { genesis.timestamp = value.uint64(); });
    with("gasLimit", [&](const JsonPlace& value) { genesis.gas_limit = value.uint64(); });
    with("gasUsed", [&](const JsonPlace& value) { genesis.gas_used = value.uint64(); });
    with("number", [&](const JsonPlace& value) {
        if (value.uint64() != 0) value.refuse("can't commit genesis block with number > 0");
    });
    with("extraData", [&](const JsonPlace& value) { genesis.extra_data = value.bytes(); });
    with("difficulty", [&](const JsonPlace& value) { genesis.difficulty = value.u256(); });
    with("mixHash", [&](const JsonPlace& value) { genesis.mix_hash = value.hash(); });
    with("parentHash", [&](const JsonPlace& value) { genesis.parent_hash = value.hash(); });
    with("coinbase", [&](const JsonPlace& value) { genesis.coinbase = value.address(); });
    with("baseFeePerGas", [&](const JsonPlace& value) { genesis.base_fee = value.u256(); });
    with("excessBlobGas",
         [&](const JsonPlace& value) { genesis.excess_blob_gas = value.uint64(); });
    with("blobGasUsed", [&](const JsonPlace& value) { genesis.blob_gas_used = value.uint64(); });
}

U256 difficulty_of(const Genesis& genesis) {
    if (genesis.difficulty) return *genesis.difficulty;
    if (genesis.config.has_ethash && genesis.mix_hash.is_zero()) return kGenesisDifficulty;
    return 0;
}

}  // namespace

Genesis parse_genesis(std::string_view json, const std::string& name) {
    const std::string document = "invalid genesis file " + name;
    const JsonNode root = parse_json(json, document);
    const JsonPlace place(document, root);
    place.need_object();
    const JsonNode* config = root.find("config");
    if (config == nullptr) place.refuse("genesis has no chain configuration");
    const JsonNode* alloc = root.find("alloc");
    if (alloc == nullptr) place.refuse("genesis has no alloc");

    Genesis genesis;
    genesis.config = read_chain_config(JsonPlace(place, "config", *config));
    genesis.config_json = config->to_json();
    read_header_fields(genesis, place);
    if (genesis.config.has_clique && genesis.extra_data.size() < kCliqueExtraDataBytesMin) {
        place.refuse("can't start clique chain without signers");
    }
    genesis.alloc = read_alloc(JsonPlace(place, "alloc", *alloc));
    genesis.claimed_hash = claimed(root, "hash");
    genesis.claimed_state_root = claimed(root, "stateRoot");
    return genesis;
}

core::Header genesis_header(const Genesis& genesis, const Hash32& state_root) {
    // The fork of block 0 follows from number and time; the merge adds no field.
    const core::ForkRules rules =
        ForkSchedule(genesis.config).at(0, genesis.timestamp, false).rules;
    core::Header header;
    header.parent_hash = genesis.parent_hash;
    header.coinbase = genesis.coinbase;
    header.state_root = state_root;
    header.difficulty = difficulty_of(genesis);
    header.gas_limit = genesis.gas_limit == 0 ? kGenesisGasLimit : genesis.gas_limit;
    header.gas_used = genesis.gas_used;
    header.timestamp = genesis.timestamp;
    header.extra_data = genesis.extra_data;
    header.mix_hash = genesis.mix_hash;
    core::store_be(header.nonce.data(), genesis.nonce);
    if (rules.eip_1559) header.base_fee = genesis.base_fee.value_or(U256(kInitialBaseFee));
    if (rules.eip_4895) header.withdrawals_root = core::kEmptyTrieRoot;
    if (rules.eip_4844) {
        header.blob_gas_used = genesis.blob_gas_used.value_or(0);
        header.excess_blob_gas = genesis.excess_blob_gas.value_or(0);
    }
    if (!rules.eip_4844 && genesis.excess_blob_gas) {
        // Tests of the first block of Cancun set its parent's. As others do, the field before it is
        // 0 and those behind it are not there; without a withdrawals root it could not be read.
        if (!header.withdrawals_root) {
            throw core::Fault(core::FaultKind::Usage,
                              "the genesis has excessBlobGas, but Shanghai is not active at its "
                              "time: such a header cannot be read back");
        }
        header.blob_gas_used = 0;
        header.excess_blob_gas = genesis.excess_blob_gas;
    }
    if (rules.eip_4788) header.parent_beacon_root = Hash32();
    if (rules.eip_7685) header.requests_hash = core::kEmptyRequestsHash;
    return header;
}

state::ChangeSet genesis_changes(const std::map<core::Address, GenesisAccount>& alloc) {
    state::ChangeSet changes;
    std::set<Hash32> codes;
    changes.accounts.reserve(alloc.size());
    for (const auto& [address, from] : alloc) {
        state::AccountChange change;
        change.address = address;
        core::Account& account = change.after.emplace();
        account.nonce = from.nonce;
        account.balance = from.balance;
        if (!from.code.empty()) {
            account.code_hash = crypto::keccak256(from.code);
            if (codes.insert(account.code_hash).second) {
                changes.codes.push_back({account.code_hash, from.code});
            }
        }
        change.first_slot = static_cast<uint32_t>(changes.slots.size());
        for (const auto& [slot, value] : from.storage) {
            if (!value.is_zero()) changes.slots.push_back({slot, U256(), value});
        }
        change.slot_count = static_cast<uint32_t>(changes.slots.size()) - change.first_slot;
        changes.accounts.push_back(change);
    }
    return changes;
}

Hash32 resolve_genesis(state::ChangeSet& changes, state::TrieChanges* rows) {
    return state::resolve_new_state_root(changes, rows);
}

std::shared_ptr<const state::NewState> genesis_state(const Genesis& genesis) {
    if (genesis.flat_alloc) return genesis.flat_alloc;
    size_t slots = 0;
    for (const auto& [address, from] : genesis.alloc) slots += from.storage.size();
    const auto made = genesis.alloc.size() + slots <= kSmallAlloc
                          ? std::make_shared<state::NewState>(genesis.alloc.size(), slots)
                          : std::make_shared<state::NewState>();
    for (const auto& [address, from] : genesis.alloc) {
        const uint32_t code =
            from.code.empty() ? state::NewState::kNone : made->add_code(from.code);
        for (const auto& [slot, value] : from.storage) made->add_slot(slot, value);
        made->add_account(address, from.nonce, from.balance, code);
    }
    made->finish();
    return made;
}

Hash32 genesis_state_root(const Genesis& genesis) {
    return genesis_state(genesis)->root();
}

}  // namespace keel::chain
