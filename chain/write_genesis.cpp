// Block 0 and its state into a store, and the same genesis again with another config.

#include <fmt/format.h>

#include <algorithm>

#include "chain/block_store.hpp"
#include "chain/genesis.hpp"
#include "chain/genesis_changes.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "core/types/block.hpp"
#include "crypto/seal.hpp"
#include "state/codecs.hpp"

namespace keel::chain {
namespace {

using core::Bytes;
using core::ByteView;
using core::Fault;
using core::FaultKind;
using core::Hash32;
using core::U256;

crypto::SealedBlock seal_genesis(const Genesis& genesis, const Hash32& state_root) {
    core::Block block;
    block.header = genesis_header(genesis, state_root);
    if (block.header.withdrawals_root) block.withdrawals.emplace();
    Bytes rlp;
    append_block(rlp, block);
    auto sealed = crypto::seal(std::move(rlp));
    if (!sealed) {
        throw Fault(FaultKind::Failed, fmt::format("genesis block does not decode: {}",
                                                   core::to_string(sealed.error())));
    }
    return *std::move(sealed);
}

/// How far the stored blocks above the genesis go, side branches included. No block has been
/// executed: none.
struct Reach {
    BlockId highest;
    uint64_t latest_timestamp = 0;
    BlockId latest;  // by time
    U256 most_difficulty;
    BlockId heaviest;  // by total difficulty
};

BlockId id_of_key(ByteView key) {
    return {state::number_of_key(key), Hash32(key.sub(8))};
}

std::optional<Reach> reach_of(const db::ReadTxn& txn, const state::Tables& tables) {
    Reach reach;
    db::Range headers = txn.range(tables.header, ByteView(state::number_key(1)));
    while (const auto row = headers.next()) {
        const BlockId id = id_of_key(row->key);
        const auto header = core::decode_header(row->value);
        if (!header) {
            throw Fault(
                FaultKind::Damaged,
                fmt::format("damaged row of table {}, block {}: {}; run keel db check",
                            state::table::kHeader, id.number, core::to_string(header.error())));
        }
        reach.highest = id;
        if (header->timestamp >= reach.latest_timestamp) {
            reach.latest_timestamp = header->timestamp;
            reach.latest = id;
        }
        const U256 total = BlockReader(txn, tables).total_difficulty(id).value_or(U256());
        if (total >= reach.most_difficulty) {
            reach.most_difficulty = total;
            reach.heaviest = id;
        }
    }
    if (reach.highest.number == 0) return std::nullopt;
    return reach;
}

template <class T>
std::string shown(const std::optional<T>& value) {
    if (!value) return "never";
    return U256(*value).to_decimal();
}

[[noreturn]] void throw_contradiction(std::string_view what, const std::string& before,
                                      const std::string& now, const BlockId& block) {
    throw Fault(FaultKind::Failed,
                fmt::format("the new config contradicts stored blocks: {} was {} and is {} now, "
                            "but block {} ({}) has been executed; nothing was changed. Way out: "
                            "keel export, keel init in a new directory, keel import",
                            what, before, now, block.number, core::to_hex_prefixed(block.hash)));
}

std::string shown_blobs(const BlobParameters& blobs) {
    return fmt::format("{}/{}/{}", blobs.target, blobs.max, blobs.base_fee_update_fraction);
}

// No stored block may have had other rules: what differs must lie, by its old and its new value,
// above all of them.
void check_compatible(const ChainConfig& before, const ChainConfig& now, const Reach& reach) {
    for (const ForkKey& key : fork_keys()) {
        const auto old_value = activation_of(before, key), new_value = activation_of(now, key);
        const uint64_t reached = key.by_time ? reach.latest_timestamp : reach.highest.number;
        const uint64_t first =
            std::min(old_value.value_or(UINT64_MAX), new_value.value_or(UINT64_MAX));
        if (old_value != new_value && first <= reached) {
            throw_contradiction(key.key, shown(old_value), shown(new_value),
                                key.by_time ? reach.latest : reach.highest);
        }
    }
    const U256 first_total = std::min(before.terminal_total_difficulty.value_or(U256::max()),
                                      now.terminal_total_difficulty.value_or(U256::max()));
    if (before.terminal_total_difficulty != now.terminal_total_difficulty &&
        first_total <= reach.most_difficulty) {
        throw_contradiction("terminalTotalDifficulty", shown(before.terminal_total_difficulty),
                            shown(now.terminal_total_difficulty), reach.heaviest);
    }
    if (before.dao_support != now.dao_support && before.dao &&
        *before.dao <= reach.highest.number) {
        throw_contradiction("daoForkSupport", fmt::format("{}", before.dao_support),
                            fmt::format("{}", now.dao_support), reach.highest);
    }
    // Up to here the forks agree as far as blocks go. London's number does not matter: without it
    // there is no blob and no deposit.
    const ForkSchedule old_rules(before), new_rules(now);
    for (const ForkKey& key : fork_keys()) {
        const auto activation = activation_of(now, key);
        if (!key.by_time || !key.fork || !activation) continue;
        if (*activation > reach.latest_timestamp) continue;
        const BlockRules then = old_rules.at(UINT64_MAX, *activation, true);
        const BlockRules today = new_rules.at(UINT64_MAX, *activation, true);
        if (then.blobs != today.blobs) {
            throw_contradiction(fmt::format("blobSchedule from {} on", key.key),
                                shown_blobs(then.blobs), shown_blobs(today.blobs), reach.latest);
        }
        if (today.rules.eip_6110 && before.deposit_contract != now.deposit_contract) {
            throw_contradiction("depositContractAddress",
                                core::to_hex_prefixed(before.deposit_contract),
                                core::to_hex_prefixed(now.deposit_contract), reach.latest);
        }
    }
}

void put_number(db::WriteTxn& txn, const state::Tables& tables, std::string_view name,
                uint64_t number) {
    put_setting(txn, tables, name, ByteView(state::number_key(number)));
}

GenesisWritten write_first(const db::Database& database, const state::Tables& tables,
                           const Genesis& genesis, std::optional<uint64_t> network_id) {
    const std::shared_ptr<const state::NewState> alloc = genesis_state(genesis);
    GenesisWritten written;
    database.update([&](db::WriteTxn& txn) {
        written.state_root = alloc->write(txn, tables);
        const crypto::SealedBlock sealed = seal_genesis(genesis, written.state_root);
        written.hash = sealed.hash;
        const BlockId id{0, sealed.hash};
        put_block(txn, tables, sealed, sealed.block.header.difficulty);
        put_canonical(txn, tables, id, {});
        put_setting(txn, tables, setting::kConfig, genesis.config_json);
        put_setting(txn, tables, setting::kGenesis, sealed.hash);
        put_position(txn, tables, setting::kHead, id);
        put_number(txn, tables, setting::kNetworkId, network_id.value_or(genesis.config.chain_id));
    });
    return written;
}

// Block 0 is there: only the config and the network id may change.
GenesisWritten write_again(const db::Database& database, const state::Tables& tables,
                           const Genesis& genesis, std::optional<uint64_t> network_id) {
    GenesisWritten written;
    written.was_there = true;
    written.state_root = genesis_state_root(genesis);
    written.hash = seal_genesis(genesis, written.state_root).hash;

    bool new_text = false, new_network = false;
    database.view([&](const db::ReadTxn& txn) {
        const BlockReader reader(txn, tables);
        if (const Hash32 stored = reader.genesis_hash(); stored != written.hash) {
            throw Fault(
                FaultKind::Failed,
                fmt::format("database contains incompatible genesis (have {}, new {})",
                            core::to_hex_prefixed(stored), core::to_hex_prefixed(written.hash)));
        }
        const std::string text(reader.setting(setting::kConfig).value_or(ByteView()).text());
        new_text = text != genesis.config_json;
        const auto stored_network = reader.setting(setting::kNetworkId);
        new_network =
            network_id && (!stored_network || state::number_of_key(*stored_network) != *network_id);
        if (!new_text) return;
        const ChainConfig before = parse_chain_config(text, "in the data directory");
        written.config_changed = before != genesis.config;
        if (!written.config_changed) return;
        if (before.chain_id != genesis.config.chain_id) {
            throw_contradiction("chainId", fmt::format("{}", before.chain_id),
                                fmt::format("{}", genesis.config.chain_id),
                                BlockId{0, written.hash});
        }
        if (const auto reach = reach_of(txn, tables)) {
            check_compatible(before, genesis.config, *reach);
        }
    });
    if (!new_text && !new_network) return written;
    database.update([&](db::WriteTxn& txn) {
        if (new_text) put_setting(txn, tables, setting::kConfig, genesis.config_json);
        if (new_network) put_number(txn, tables, setting::kNetworkId, *network_id);
        // What was bad under the old rules may be right under the new ones.
        if (written.config_changed) txn.clear_table(tables.bad_block);
    });
    return written;
}

}  // namespace

GenesisWritten write_genesis(const db::Database& database, const Genesis& genesis,
                             std::optional<uint64_t> network_id) {
    const state::Tables tables(database);
    bool is_there = false;
    database.view([&](const db::ReadTxn& txn) {
        is_there = BlockReader(txn, tables).setting(setting::kGenesis).has_value();
    });
    return is_there ? write_again(database, tables, genesis, network_id)
                    : write_first(database, tables, genesis, network_id);
}

}  // namespace keel::chain
