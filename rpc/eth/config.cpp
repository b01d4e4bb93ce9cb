// eth_config (EIP-7910) and eth_capabilities: what this node runs and keeps.

#include <zlib.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/endian.hpp"
#include "core/hex.hpp"
#include "evm/precompiles/table.hpp"
#include "rpc/methods.hpp"

namespace keel::rpc::eth {
namespace {

struct NamedAddress {
    std::string_view name;
    std::string_view digits;
};
// Names: EIP-7910.
constexpr auto kPrecompiles = std::to_array<NamedAddress>({
    {"ECREC", "0000000000000000000000000000000000000001"},
    {"SHA256", "0000000000000000000000000000000000000002"},
    {"RIPEMD160", "0000000000000000000000000000000000000003"},
    {"ID", "0000000000000000000000000000000000000004"},
    {"MODEXP", "0000000000000000000000000000000000000005"},
    {"BN254_ADD", "0000000000000000000000000000000000000006"},
    {"BN254_MUL", "0000000000000000000000000000000000000007"},
    {"BN254_PAIRING", "0000000000000000000000000000000000000008"},
    {"BLAKE2F", "0000000000000000000000000000000000000009"},
    {"KZG_POINT_EVALUATION", "000000000000000000000000000000000000000a"},
    {"BLS12_G1ADD", "000000000000000000000000000000000000000b"},
    {"BLS12_G1MSM", "000000000000000000000000000000000000000c"},
    {"BLS12_G2ADD", "000000000000000000000000000000000000000d"},
    {"BLS12_G2MSM", "000000000000000000000000000000000000000e"},
    {"BLS12_PAIRING_CHECK", "000000000000000000000000000000000000000f"},
    {"BLS12_MAP_FP_TO_G1", "0000000000000000000000000000000000000010"},
    {"BLS12_MAP_FP2_TO_G2", "0000000000000000000000000000000000000011"},
    {"P256VERIFY", "0000000000000000000000000000000000000100"},
});
constexpr std::string_view kBeaconRoots = "000f3df6d732807ef1319fb7b8bb8522d0beac02";  // EIP-4788
constexpr std::string_view kHistory = "0000f90827f1c53a10cb7a02335b175320002935";      // EIP-2935
constexpr std::string_view kWithdrawals = "00000961ef480eb55e80d19ad83579a64c007002";  // EIP-7002
constexpr std::string_view kConsolidations = "0000bbddc7ce488642fb579f8b00f3a590007251";  // 7251

core::Address address_of(std::string_view digits) {
    return *core::fixed_from_hex<core::Address>(digits);
}

/// FORK_HASH of all forks by block and of those by time up to `time` (EIP-2124, EIP-6122).
uint32_t fork_hash(const chain::ChainConfig& config, const core::Hash32& genesis,
                   uint64_t genesis_time, uint64_t time) {
    std::set<uint64_t> numbers, times;
    for (const chain::ForkKey& key : chain::fork_keys()) {
        const auto& at = config.*key.activation;
        if (!at) continue;
        if (!key.by_time && *at > 0) numbers.insert(*at);
        if (key.by_time && *at > genesis_time && *at <= time) times.insert(*at);
    }
    uLong crc = ::crc32(0, genesis.bytes.data(), core::Hash32::kSize);
    for (const auto* const steps : {&numbers, &times}) {
        for (const uint64_t step : *steps) {
            std::array<uint8_t, 8> bytes{};
            core::store_be(bytes.data(), step);
            crc = ::crc32(crc, bytes.data(), bytes.size());
        }
    }
    return static_cast<uint32_t>(crc);
}

void write_precompiles(JsonOut& out, const core::ForkRules& rules) {
    out.key("precompiles");
    out.begin_object();
    for (const NamedAddress& each : kPrecompiles) {
        const core::Address address = address_of(each.digits);
        if (evm::find_precompile(address, rules) == nullptr) continue;
        out.key(each.name);
        out.data(address);
    }
    out.end_object();
}

void write_system_contracts(JsonOut& out, const core::ForkRules& rules,
                            const core::Address& deposit_contract) {
    out.key("systemContracts");
    out.begin_object();
    if (rules.eip_4788) out.data("BEACON_ROOTS_ADDRESS", address_of(kBeaconRoots));
    if (rules.eip_2935) out.data("HISTORY_STORAGE_ADDRESS", address_of(kHistory));
    if (rules.eip_6110) out.data("DEPOSIT_CONTRACT_ADDRESS", deposit_contract);
    if (rules.eip_7002) {
        out.data("WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", address_of(kWithdrawals));
    }
    if (rules.eip_7251) {
        out.data("CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS", address_of(kConsolidations));
    }
    out.end_object();
}

/// The configuration that a fork by time makes.
void write_fork(Call& call, const core::Hash32& genesis, uint64_t genesis_time, uint64_t time) {
    JsonOut& out = call.out;
    const chain::ForkSchedule& schedule = *call.backend.schedule;
    const chain::BlockRules block = schedule.at(UINT64_MAX, time, true);
    out.begin_object();
    out.key("activationTime");
    out.number(time <= genesis_time ? 0 : time);
    out.key("blobSchedule");
    out.begin_object();
    out.key("target");
    out.number(block.blobs.target);
    out.key("max");
    out.number(block.blobs.max);
    out.key("baseFeeUpdateFraction");
    out.number(block.blobs.base_fee_update_fraction);
    out.end_object();
    out.quantity("chainId", schedule.config().chain_id);
    std::array<uint8_t, 4> fork_id{};
    core::store_be(fork_id.data(), fork_hash(schedule.config(), genesis, genesis_time, time));
    out.data("forkId", fork_id);
    write_precompiles(out, block.rules);
    write_system_contracts(out, block.rules, schedule.config().deposit_contract);
    out.end_object();
}

void write_kept(JsonOut& out) {
    out.begin_object();
    out.key("disabled");
    out.boolean(false);
    out.quantity("oldestBlock", uint64_t{0});
    out.end_object();
}

}  // namespace

Answer<void> config(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    Snapshot& snapshot = call.snapshot();
    const uint64_t now = snapshot.header(snapshot.head()).timestamp;
    const core::Hash32 genesis = snapshot.blocks().genesis_hash();
    const uint64_t genesis_time = snapshot.header({0, genesis}).timestamp;

    std::set<uint64_t> times;
    const chain::ChainConfig& config = call.backend.schedule->config();
    for (const chain::ForkKey& key : chain::fork_keys()) {
        if (key.by_time && key.fork && config.*key.activation) {
            times.insert(*(config.*key.activation));
        }
    }
    const auto next = times.upper_bound(now);
    JsonOut& out = call.out;
    out.begin_object();
    out.key("current");
    write_fork(call, genesis, genesis_time, next == times.begin() ? 0 : *std::prev(next));
    if (next == times.end()) {
        out.null("next");
        out.null("last");
    } else {
        out.key("next");
        write_fork(call, genesis, genesis_time, *next);
        out.key("last");
        write_fork(call, genesis, genesis_time, *times.rbegin());
    }
    out.end_object();
    return {};
}

Answer<void> capabilities(Call& call) {
    const Args args(call.params, 0);
    if (!args.ok()) return args.error();
    const chain::BlockId& head = call.snapshot().head();
    JsonOut& out = call.out;
    out.begin_object();
    out.key("head");
    out.begin_object();
    out.quantity("number", head.number);
    out.data("hash", head.hash);
    out.end_object();
    for (const char* const resource :
         {"state", "tx", "logs", "receipts", "blocks", "stateproofs"}) {
        out.key(std::string_view(resource));
        write_kept(out);
    }
    out.end_object();
    return {};
}

}  // namespace keel::rpc::eth
