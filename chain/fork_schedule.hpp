#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chain/blob_fee.hpp"
#include "core/types/address.hpp"
#include "core/types/fork.hpp"
#include "core/u256.hpp"

namespace keel::chain {

/// `00000000219ab540356cBB839Cbe05303d7705Fa`, mainnet's.
core::Address default_deposit_contract() noexcept;

/// The `config` of a genesis file: when each fork becomes active, and the parameters that a chain
/// chooses. Source: HIVE.md D.1.2, EVM.md 1.
struct ChainConfig {
    uint64_t chain_id = 1;
    // Activation by block; none: never. Frontier is always active.
    std::optional<uint64_t> homestead, dao, tangerine_whistle, eip155, eip158, byzantium,
        constantinople, petersburg, istanbul, muir_glacier, berlin, london, arrow_glacier,
        gray_glacier, merge_netsplit;
    bool dao_support = false;
    std::optional<core::U256> terminal_total_difficulty;
    // Activation by time.
    std::optional<uint64_t> shanghai, cancun, prague, osaka, bpo1, bpo2, bpo3, bpo4, bpo5;
    // Known by name, their rules are not: blocks from then on are refused by name.
    std::optional<uint64_t> amsterdam, bogota;
    core::Address deposit_contract = default_deposit_contract();  // EIP-6110
    // By fork from Cancun on; an entry counts where its fork is set, a fork without one inherits.
    // No entry that counts: the defaults of this program.
    std::array<std::optional<BlobParameters>, core::kForkCount> blob_schedule{};
    bool has_ethash = false;
    bool has_clique = false;

    friend bool operator==(const ChainConfig&, const ChainConfig&) = default;
};

/// How a `config` sets a fork.
struct ForkKey {
    std::string_view key;  // of the genesis file, e.g. "shanghaiTime"
    std::optional<uint64_t> ChainConfig::* activation;
    /// The rule set that it brings. None: no rules of its own (EIP-155 alone, mergeNetsplitBlock)
    /// or, by time, rules that are not known here.
    std::optional<core::Fork> fork;
    bool by_time;
    bool optional;  // may be missing although later ones are set
};
/// Every fork that is set by block or time, in the order of activation: the one table that reading,
/// order check and comparison of configs walk over.
std::span<const ForkKey> fork_keys() noexcept;
/// When the fork becomes active; Petersburg without a block of its own comes with Constantinople.
std::optional<uint64_t> activation_of(const ChainConfig& config, const ForkKey& key) noexcept;

/// Blob parameters of a fork where a config gives none. Source: HIVE.md D.1.2.
BlobParameters default_blob_parameters(core::Fork fork) noexcept;

/// What holds for one block.
struct BlockRules {
    core::ForkRules rules;
    BlobParameters blobs;  // from Cancun on
};

/// Rules at (number, time, proof of stake?). Made once a chain; at() is cheap. Any thread.
class ForkSchedule {
  public:
    explicit ForkSchedule(ChainConfig config);
    const ChainConfig& config() const noexcept { return config_; }
    /// `proof_of_stake`: the parent's total difficulty has reached the terminal one. A fork by time
    /// needs London, not this flag: whether such a block may be proof-of-work is for header_rules.
    BlockRules at(uint64_t number, uint64_t timestamp, bool proof_of_stake) const noexcept;
    /// Whether a block whose parent has this total difficulty is proof-of-stake.
    bool is_proof_of_stake(const core::U256& parent_total_difficulty) const noexcept {
        return config_.terminal_total_difficulty &&
               parent_total_difficulty >= *config_.terminal_total_difficulty;
    }
    /// Name of a fork without rules that is active at this time, e.g. "Amsterdam"; none: fine.
    std::optional<std::string_view> unsupported_at(uint64_t timestamp) const noexcept;

  private:
    struct Step {
        uint64_t from = 0;  // number or time
        BlockRules rules;
    };
    ChainConfig config_;
    std::vector<Step> by_block_;  // ascending; the first from 0
    std::vector<Step> by_time_;   // ascending; Shanghai and later
};

/// Config of a fixture's network name ("Cancun", "BerlinToLondonAt5", …); none: unknown, or without
/// rules here (Amsterdam). Source: EVM.md 1, fixtures/README.md 4.9. Blob parameters are the
/// defaults.
std::optional<ChainConfig> config_of_network(std::string_view name);

}  // namespace keel::chain
