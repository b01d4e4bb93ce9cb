#include "testdata/make/cast.hpp"

#include <nlohmann/json.hpp>
#include <vector>

#include "chain/blob_fee.hpp"
#include "core/hex.hpp"

namespace keel::testdata {
namespace {

using Json = nlohmann::ordered_json;

// Genesis accounts are keyed without prefix, as hive's files are.
std::string key_of(const core::Address& address) {
    return core::to_hex(address);
}

Json with_code(const core::Bytes& code) {
    return {{"balance", "0x1"}, {"nonce", "0x1"}, {"code", core::to_hex_prefixed(code)}};
}

Json blobs_of(const chain::BlobParameters& blobs) {
    return {{"target", blobs.target},
            {"max", blobs.max},
            {"baseFeeUpdateFraction", blobs.base_fee_update_fraction}};
}

struct BlobRow {
    const char* key;
    const char* variable;
    uint64_t from;
    chain::BlobParameters blobs;
};
const std::vector<BlobRow>& blob_rows() {
    static const std::vector<BlobRow> rows{{"cancun", "CANCUN", at::kCancun, chain::kCancunBlobs},
                                           {"prague", "PRAGUE", at::kPrague, chain::kPragueBlobs},
                                           {"osaka", "OSAKA", at::kOsaka, chain::kPragueBlobs},
                                           {"bpo1", "BPO1", at::kBpo1, chain::kBpo1Blobs},
                                           {"bpo2", "BPO2", at::kBpo2, chain::kBpo2Blobs}};
    return rows;
}

struct BlockFork {
    const char* key;
    const char* variable;  // after HIVE_; null: the one before it says it too
    uint64_t from;
};
const std::vector<BlockFork>& block_forks() {
    static const std::vector<BlockFork> forks{
        {"homesteadBlock", "FORK_HOMESTEAD", at::kHomestead},
        {"daoForkBlock", "FORK_DAO_BLOCK", at::kDao},
        {"eip150Block", "FORK_TANGERINE", at::kTangerineWhistle},
        {"eip155Block", "FORK_SPURIOUS", at::kSpuriousDragon},
        {"eip158Block", nullptr, at::kSpuriousDragon},
        {"byzantiumBlock", "FORK_BYZANTIUM", at::kByzantium},
        {"constantinopleBlock", "FORK_CONSTANTINOPLE", at::kConstantinople},
        {"petersburgBlock", "FORK_PETERSBURG", at::kPetersburg},
        {"istanbulBlock", "FORK_ISTANBUL", at::kIstanbul},
        {"muirGlacierBlock", "FORK_MUIR_GLACIER", at::kMuirGlacier},
        {"berlinBlock", "FORK_BERLIN", at::kBerlin},
        {"londonBlock", "FORK_LONDON", at::kLondon},
        {"arrowGlacierBlock", "FORK_ARROW_GLACIER", at::kArrowGlacier},
        {"grayGlacierBlock", "FORK_GRAY_GLACIER", at::kGrayGlacier},
        {"mergeNetsplitBlock", "MERGE_BLOCK_ID", at::kMerge}};
    return forks;
}

Json config_of(const GenesisChoices& choices) {
    Json config{{"chainId", kChainId}};
    for (const BlockFork& fork : block_forks()) {
        // A chain that begins with the newest rules has no DAO fork.
        if (!choices.all_forks && std::string_view(fork.key) == "daoForkBlock") continue;
        config[fork.key] = choices.all_forks ? fork.from : 0;
        if (std::string_view(fork.key) == "daoForkBlock") config["daoForkSupport"] = true;
    }
    config["terminalTotalDifficulty"] = choices.all_forks ? kTerminalTotalDifficulty : 0;
    config["shanghaiTime"] = choices.all_forks ? at::time_of(at::kShanghai) : 0;
    for (const BlobRow& row : blob_rows()) {
        if (!choices.all_forks && row.from > at::kOsaka) continue;
        config[std::string(row.key) + "Time"] = choices.all_forks ? at::time_of(row.from) : 0;
    }
    if (choices.amsterdam_time != 0) config["amsterdamTime"] = choices.amsterdam_time;
    config["depositContractAddress"] = core::to_hex_prefixed(contract::deposit());
    config["ethash"] = Json::object();
    for (const BlobRow& row : blob_rows()) {
        if (!choices.all_forks && row.from > at::kOsaka) continue;
        config["blobSchedule"][row.key] = blobs_of(row.blobs);
    }
    return config;
}

void add_cast(Json& alloc) {
    const Cast& all = cast();
    const std::string rich = (kEther * core::U256(1'000'000)).to_quantity();
    for (const Signer* signer : {&all.bob, &all.carol, &all.dave, &all.authority}) {
        alloc[key_of(signer->address)] = {{"balance", rich}};
    }
    alloc[key_of(all.poor.address)] = {{"balance", core::U256(5 * kGwei).to_quantity()}};
    alloc[key_of(all.coded.address)] = {{"balance", rich}, {"code", "0x00"}};
    alloc[key_of(all.last_nonce.address)] = {{"balance", rich}, {"nonce", "0xffffffffffffffff"}};
    // Accounts of the list that the DAO fork drains, and the one that gets it all, are real ones.
    for (const char* drained :
         {"005f5cee7a43331d5a3d3eec71305925a62f34b6", "0101f3be8ebb4bbd39a2e3b9a3639d4259832fd9"}) {
        alloc[drained] = {{"balance", (kEther * core::U256(7)).to_quantity()}};
    }
    // Stays in the state until a call of the time after EIP-158 touches it.
    alloc[key_of(address_named("empty account"))] = {{"balance", "0x0"}};
    alloc[key_of(address_named("account with storage"))] = {
        {"balance", "0x1"}, {"storage", {{"0x01", "0x0200"}, {"0xff", "0x03"}}}};
}

}  // namespace

const Cast& cast() {
    static const Cast all;
    return all;
}

namespace contract {

#define KEEL_CONTRACT(name, address)                  \
    const core::Address& name() {                     \
        static const core::Address value = (address); \
        return value;                                 \
    }
KEEL_CONTRACT(logger, address_named("logger"))
KEEL_CONTRACT(store, address_named("store"))
KEEL_CONTRACT(caller, address_named("caller"))
KEEL_CONTRACT(factory, address_named("factory"))
KEEL_CONTRACT(destroyer, address_named("destroyer"))
KEEL_CONTRACT(reverter, address_named("reverter"))
KEEL_CONTRACT(spinner, address_named("spinner"))
KEEL_CONTRACT(deposit, address_named("deposit"))
KEEL_CONTRACT(beacon_roots, address_of_hex("000f3df6d732807ef1319fb7b8bb8522d0beac02"))
KEEL_CONTRACT(block_hashes, address_of_hex("0000f90827f1c53a10cb7a02335b175320002935"))
KEEL_CONTRACT(withdrawal_requests, address_of_hex("00000961ef480eb55e80d19ad83579a64c007002"))
KEEL_CONTRACT(consolidation_requests, address_of_hex("0000bbddc7ce488642fb579f8b00f3a590007251"))
#undef KEEL_CONTRACT

}  // namespace contract

std::string genesis_json(const GenesisChoices& choices) {
    Json alloc = Json::object();
    alloc[key_of(cast().alice.address)] = {
        {"balance", (kEther * core::U256(1'000'000)).to_quantity()}};
    if (choices.with_cast) add_cast(alloc);
    alloc[key_of(contract::logger())] = with_code(logger_code());
    alloc[key_of(contract::store())] = with_code(store_code());
    alloc[key_of(contract::caller())] = with_code(caller_code());
    alloc[key_of(contract::factory())] = with_code(factory_code());
    alloc[key_of(contract::destroyer())] = with_code(destroyer_code());
    alloc[key_of(contract::reverter())] = with_code(reverter_code());
    alloc[key_of(contract::spinner())] = with_code(spinner_code());
    alloc[key_of(contract::deposit())] = with_code(deposit_code());
    alloc[key_of(contract::beacon_roots())] = with_code(beacon_roots_code());
    alloc[key_of(contract::block_hashes())] = with_code(block_hashes_code());
    if (choices.withdrawal_requests == "real") {
        alloc[key_of(contract::withdrawal_requests())] = with_code(withdrawal_requests_code());
    }
    if (choices.consolidation_requests != "none") {
        alloc[key_of(contract::consolidation_requests())] =
            with_code(choices.consolidation_requests == "real" ? consolidation_requests_code()
                                                               : reverter_code());
    }
    const Json genesis{{"config", config_of(choices)},
                       {"nonce", "0x0000000000000042"},
                       {"timestamp", "0x0"},
                       {"extraData", core::to_hex_prefixed("keel test chain")},
                       {"gasLimit", core::U256(choices.gas_limit).to_quantity()},
                       {"difficulty", choices.all_forks ? "0x20000" : "0x0"},
                       {"mixHash", core::to_hex_prefixed(core::Hash32())},
                       {"coinbase", core::to_hex_prefixed(core::Address())},
                       {"alloc", alloc}};
    return genesis.dump(2) + "\n";
}

std::string fork_environment_json() {
    Json environment{{"HIVE_CHAIN_ID", std::to_string(kChainId)},
                     {"HIVE_NETWORK_ID", std::to_string(kChainId)},
                     {"HIVE_FORK_DAO_VOTE", "1"}};
    for (const BlockFork& fork : block_forks()) {
        if (fork.variable != nullptr) {
            environment[std::string("HIVE_") + fork.variable] = std::to_string(fork.from);
        }
    }
    environment["HIVE_TERMINAL_TOTAL_DIFFICULTY"] = std::to_string(kTerminalTotalDifficulty);
    environment["HIVE_SHANGHAI_TIMESTAMP"] = std::to_string(at::time_of(at::kShanghai));
    for (const BlobRow& row : blob_rows()) {
        const std::string prefix = std::string("HIVE_") + row.variable;
        environment[prefix + "_TIMESTAMP"] = std::to_string(at::time_of(row.from));
        environment[prefix + "_BLOB_TARGET"] = std::to_string(row.blobs.target);
        environment[prefix + "_BLOB_MAX"] = std::to_string(row.blobs.max);
        environment[prefix + "_BLOB_BASE_FEE_UPDATE_FRACTION"] =
            std::to_string(row.blobs.base_fee_update_fraction);
    }
    environment["HIVE_DEPOSIT_CONTRACT_ADDRESS"] = core::to_hex_prefixed(contract::deposit());
    return environment.dump(2) + "\n";
}

}  // namespace keel::testdata
