#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/fork_schedule.hpp"
#include "core/bytes.hpp"
#include "core/types/header.hpp"
#include "crypto/seal.hpp"
#include "db/database.hpp"
#include "state/new_state.hpp"
#include "state/tables.hpp"

namespace keel::chain {

/// An account of `alloc`. Zero slots are not in it.
struct GenesisAccount {
    core::U256 balance;
    uint64_t nonce = 0;
    core::Bytes code;
    std::map<core::U256, core::U256> storage;
};

/// What a genesis file says (geth's format). Optional fields: absent or null in the file.
struct Genesis {
    ChainConfig config;
    std::string config_json;  // the object as it stands in the file, for `Chain`.`config`
    uint64_t nonce = 0, timestamp = 0, gas_limit = 0, gas_used = 0;
    core::Bytes extra_data;
    std::optional<core::U256> difficulty;
    core::Hash32 mix_hash, parent_hash;
    core::Address coinbase;
    std::map<core::Address, GenesisAccount> alloc;
    /// The alloc in flat form, from a reader for large files; `alloc` is empty then. Shared,
    /// because a genesis is copied like any value.
    std::shared_ptr<const state::NewState> flat_alloc;
    std::optional<core::U256> base_fee;
    std::optional<uint64_t> excess_blob_gas, blob_gas_used;
    // What the file claims; compared and warned about, never used.
    std::optional<core::Hash32> claimed_hash, claimed_state_root;
};

/// Reads a genesis document. Throws Fault::Usage with file, JSON pointer and value; all verdicts
/// about the file come from here, before anything is opened. `name` is that of the file, for
/// messages. Members that are not known are left out, forks that are not known are an error: to
/// leave a fork out is to fork the chain. Source: HIVE.md D.1.
Genesis parse_genesis(std::string_view json, const std::string& name);
/// Parses a `config` object alone (what the store keeps).
ChainConfig parse_chain_config(std::string_view json, const std::string& name);

/// Header of block 0 over a state root, with the fields of the forks active at genesis.
core::Header genesis_header(const Genesis& genesis, const core::Hash32& state_root);
/// State root of `alloc`, computed without a store.
core::Hash32 genesis_state_root(const Genesis& genesis);

struct GenesisWritten {
    core::Hash32 hash;
    core::Hash32 state_root;
    bool was_there = false;  // the same genesis: nothing written but, perhaps, the config
    bool config_changed = false;
};
/// Block 0, its state and the settings of `Chain` in one commit, or nothing. The same genesis
/// again: the config is replaced if no stored block would have had other rules (DESIGN.md 3).
/// `network_id` none: chain id. Throws Fault::Failed for another genesis (`database contains
/// incompatible genesis (have …, new …)`) and for a config that contradicts stored blocks.
GenesisWritten write_genesis(const db::Database& database, const Genesis& genesis,
                             std::optional<uint64_t> network_id = {});

}  // namespace keel::chain
