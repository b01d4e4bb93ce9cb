#pragma once

// Who and what stands in the genesis, and when each fork comes: what all chains made here share.

#include <cstdint>
#include <string>

#include "testdata/make/contracts.hpp"
#include "testdata/make/wallet.hpp"

namespace keel::testdata {

/// Forks of the main chain. Blocks are 10 s apart, the genesis is at time 0.
namespace at {
inline constexpr uint64_t kHomestead = 3;
inline constexpr uint64_t kDao = 5;
inline constexpr uint64_t kTangerineWhistle = 7;
inline constexpr uint64_t kSpuriousDragon = 9;
inline constexpr uint64_t kByzantium = 12;
inline constexpr uint64_t kConstantinople = 15;
inline constexpr uint64_t kPetersburg = 18;
inline constexpr uint64_t kIstanbul = 20;
inline constexpr uint64_t kMuirGlacier = 22;
inline constexpr uint64_t kBerlin = 24;
inline constexpr uint64_t kLondon = 27;
inline constexpr uint64_t kArrowGlacier = 30;
inline constexpr uint64_t kGrayGlacier = 32;
inline constexpr uint64_t kMerge = 36;  // first proof-of-stake block
inline constexpr uint64_t kShanghai = 39;
inline constexpr uint64_t kCancun = 43;
inline constexpr uint64_t kPrague = 48;
inline constexpr uint64_t kOsaka = 54;
inline constexpr uint64_t kBpo1 = 59;
inline constexpr uint64_t kBpo2 = 63;
inline constexpr uint64_t kHead = 68;
inline constexpr uint64_t kSeconds = 10;  // between two blocks

constexpr uint64_t time_of(uint64_t number) {
    return number * kSeconds;
}
}  // namespace at

/// Everybody who signs something. Their ether is in the genesis.
struct Cast {
    Signer alice{"alice"}, bob{"bob"}, carol{"carol"}, dave{"dave"};
    Signer poor{"poor"};              // has a few gwei
    Signer coded{"coded"};            // an account with code
    Signer last_nonce{"last nonce"};  // nonce 2^64 - 1
    Signer authority{"authority"}, other_authority{"other authority"};
};
const Cast& cast();

namespace contract {
const core::Address& logger();
const core::Address& store();
const core::Address& caller();
const core::Address& factory();
const core::Address& destroyer();
const core::Address& reverter();
const core::Address& spinner();
const core::Address& deposit();
const core::Address& beacon_roots();            // EIP-4788
const core::Address& block_hashes();            // EIP-2935
const core::Address& withdrawal_requests();     // EIP-7002
const core::Address& consolidation_requests();  // EIP-7251
}  // namespace contract

/// Total difficulty that block 35 of the main chain reaches.
inline constexpr uint64_t kTerminalTotalDifficulty = 4'700'000;

struct GenesisChoices {
    bool all_forks = true;  // one after the other, at the blocks above; else Osaka from block 0
    uint64_t gas_limit = 15'000'000;
    std::string withdrawal_requests = "real";     // or "none"
    std::string consolidation_requests = "real";  // or "none", "reverting"
    uint64_t amsterdam_time = 0;                  // 0: never
    bool with_cast = true;                        // false: alice alone
};
/// A genesis file as text, ended by a newline.
std::string genesis_json(const GenesisChoices& choices);
/// Environment that describes the same config to hive's clients, as a JSON object.
std::string fork_environment_json();

}  // namespace keel::testdata
