#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "chain/blob_fee.hpp"
#include "core/types/address.hpp"
#include "core/types/fork.hpp"
#include "core/u256.hpp"

namespace keel::chain {

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
    core::Address deposit_contract;  // EIP-6110; set to mainnet's by default_deposit_contract()
    // By fork from Cancun on; an entry counts where its fork is set, a fork without one inherits.
    std::array<std::optional<BlobParameters>, core::kForkCount> blob_schedule{};
    bool has_ethash = false;
    bool has_clique = false;

    friend bool operator==(const ChainConfig&, const ChainConfig&) = default;
};

/// `00000000219ab540356cBB839Cbe05303d7705Fa`.
core::Address default_deposit_contract() noexcept;

/// What holds for one block.
struct BlockRules {
    core::ForkRules rules;
    BlobParameters blobs;  // from Cancun on
};

/// Rules at (number, time, proof of stake?). Made once a chain; at() is cheap.
class ForkSchedule {
  public:
    explicit ForkSchedule(ChainConfig config);
    const ChainConfig& config() const noexcept { return config_; }
    /// `proof_of_stake`: the parent's total difficulty has reached the terminal one.
    BlockRules at(uint64_t number, uint64_t timestamp, bool proof_of_stake) const noexcept;
    /// Whether a block whose parent has this total difficulty is proof-of-stake.
    bool is_proof_of_stake(const core::U256& parent_total_difficulty) const noexcept {
        return config_.terminal_total_difficulty &&
               parent_total_difficulty >= *config_.terminal_total_difficulty;
    }
    /// Name of a fork without rules that is active at this time, e.g. "Amsterdam"; none: fine.
    std::optional<std::string_view> unsupported_at(uint64_t timestamp) const noexcept;

  private:
    ChainConfig config_;
};

/// Config of a fixture's network name ("Cancun", "BerlinToLondonAt5", …); none: unknown.
/// Source: EVM.md 1, fixtures/README.md 4.9. Blob parameters are the defaults.
std::optional<ChainConfig> config_of_network(std::string_view name);

}  // namespace keel::chain
