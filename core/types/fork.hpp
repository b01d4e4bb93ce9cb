#pragma once

#include <cstdint>
#include <string_view>

namespace keel::core {

/// Rule sets in the order of their activation. Difficulty-bomb forks and BPO forks are rows too:
/// they change a parameter of the block, never the EVM.
enum class Fork : uint8_t {
    Frontier,
    Homestead,
    Dao,
    TangerineWhistle,
    SpuriousDragon,
    Byzantium,
    Constantinople,
    Petersburg,
    Istanbul,
    MuirGlacier,
    Berlin,
    London,
    ArrowGlacier,
    GrayGlacier,
    Paris,
    Shanghai,
    Cancun,
    Prague,
    Osaka,
    Bpo1,
    Bpo2,
    Bpo3,
    Bpo4,
    Bpo5,
};
inline constexpr int kForkCount = static_cast<int>(Fork::Bpo5) + 1;

/// Name of a fork as genesis files and fixtures mean it, e.g. "Prague".
std::string_view to_string(Fork fork) noexcept;

/// What holds in a block: one flag a rule, named after its EIP, so that code reads as the EIP and a
/// test can switch one by itself. Made by rules_of; only ForkSchedule changes a flag afterwards
/// (EIP-155 and EIP-158 have keys of their own).
struct ForkRules {
    Fork fork = Fork::Frontier;

    // Homestead
    bool eip_2 =
        false;  // create costs 32000 more, low s, a deposit that cannot be paid fails the create
    bool eip_7 = false;  // DELEGATECALL
    // Tangerine Whistle
    bool eip_150 = false;  // prices of state access, 63/64
    // Spurious Dragon
    bool eip_155 = false;  // chain id in v
    bool eip_158 = false;  // empty accounts are removed (EIP-161)
    bool eip_160 = false;  // price of EXP
    bool eip_170 = false;  // code of at most 24576 bytes
    // Byzantium
    bool eip_100 = false;  // difficulty counts ommers
    bool eip_140 = false;  // REVERT
    bool eip_196 = false;  // bn254 addition and multiplication
    bool eip_197 = false;  // bn254 pairing
    bool eip_198 = false;  // MODEXP
    bool eip_211 = false;  // RETURNDATASIZE, RETURNDATACOPY
    bool eip_214 = false;  // STATICCALL
    bool eip_658 = false;  // status in receipts
    // Constantinople
    bool eip_145 = false;   // SHL, SHR, SAR
    bool eip_1014 = false;  // CREATE2
    bool eip_1052 = false;  // EXTCODEHASH
    bool eip_1283 = false;  // net gas metering of SSTORE; taken back by Petersburg
    // Istanbul
    bool eip_152 = false;   // BLAKE2F
    bool eip_1108 = false;  // bn254 prices
    bool eip_1344 = false;  // CHAINID
    bool eip_1884 = false;  // prices of state access, SELFBALANCE
    bool eip_2028 = false;  // price of calldata
    bool eip_2200 = false;  // net gas metering of SSTORE
    // Berlin
    bool eip_2565 = false;  // MODEXP prices
    bool eip_2718 = false;  // typed transactions
    bool eip_2929 = false;  // cold and warm access
    bool eip_2930 = false;  // access lists
    // London
    bool eip_1559 = false;  // base fee
    bool eip_3198 = false;  // BASEFEE
    bool eip_3529 = false;  // refunds
    bool eip_3541 = false;  // no code that starts with 0xef
    // Paris
    bool eip_3675 = false;  // proof of stake
    bool eip_4399 = false;  // PREVRANDAO
    // Shanghai
    bool eip_3651 = false;  // warm coinbase
    bool eip_3855 = false;  // PUSH0
    bool eip_3860 = false;  // init code is paid and limited
    bool eip_4895 = false;  // withdrawals
    // Cancun
    bool eip_1153 = false;  // transient storage
    bool eip_4788 = false;  // beacon root in the EVM
    bool eip_4844 = false;  // blob transactions, BLOBHASH, point evaluation
    bool eip_5656 = false;  // MCOPY
    bool eip_6780 = false;  // SELFDESTRUCT only in the transaction of creation
    bool eip_7516 = false;  // BLOBBASEFEE
    // Prague
    bool eip_2537 = false;  // BLS12-381
    bool eip_2935 = false;  // block hashes in state
    bool eip_6110 = false;  // deposits
    bool eip_7002 = false;  // withdrawal requests
    bool eip_7251 = false;  // consolidation requests
    bool eip_7623 = false;  // calldata floor
    bool eip_7685 = false;  // requests hash
    bool eip_7702 = false;  // set code transactions
    // Osaka
    bool eip_7594 = false;  // at most 6 blobs a transaction
    bool eip_7823 = false;  // MODEXP lengths
    bool eip_7825 = false;  // gas limit of a transaction
    bool eip_7883 = false;  // MODEXP prices
    bool eip_7918 = false;  // blob base fee bounded by execution cost
    bool eip_7934 = false;  // size of a block
    bool eip_7939 = false;  // CLZ
    bool eip_7951 = false;  // P256VERIFY

    friend constexpr bool operator==(const ForkRules&, const ForkRules&) noexcept = default;
};

/// The rules when `fork` is the newest active one. The one table of forks and their EIPs.
constexpr ForkRules rules_of(Fork fork) noexcept {
    const auto since = [fork](Fork first) { return fork >= first; };
    ForkRules rules;
    rules.fork = fork;
    rules.eip_2 = rules.eip_7 = since(Fork::Homestead);
    rules.eip_150 = since(Fork::TangerineWhistle);
    rules.eip_155 = rules.eip_158 = rules.eip_160 = rules.eip_170 = since(Fork::SpuriousDragon);
    rules.eip_100 = rules.eip_140 = rules.eip_196 = rules.eip_197 = rules.eip_198 = rules.eip_211 =
        rules.eip_214 = rules.eip_658 = since(Fork::Byzantium);
    rules.eip_145 = rules.eip_1014 = rules.eip_1052 = since(Fork::Constantinople);
    rules.eip_1283 = fork == Fork::Constantinople;
    rules.eip_152 = rules.eip_1108 = rules.eip_1344 = rules.eip_1884 = rules.eip_2028 =
        rules.eip_2200 = since(Fork::Istanbul);
    rules.eip_2565 = rules.eip_2718 = rules.eip_2929 = rules.eip_2930 = since(Fork::Berlin);
    rules.eip_1559 = rules.eip_3198 = rules.eip_3529 = rules.eip_3541 = since(Fork::London);
    rules.eip_3675 = rules.eip_4399 = since(Fork::Paris);
    rules.eip_3651 = rules.eip_3855 = rules.eip_3860 = rules.eip_4895 = since(Fork::Shanghai);
    rules.eip_1153 = rules.eip_4788 = rules.eip_4844 = rules.eip_5656 = rules.eip_6780 =
        rules.eip_7516 = since(Fork::Cancun);
    rules.eip_2537 = rules.eip_2935 = rules.eip_6110 = rules.eip_7002 = rules.eip_7251 =
        rules.eip_7623 = rules.eip_7685 = rules.eip_7702 = since(Fork::Prague);
    rules.eip_7594 = rules.eip_7823 = rules.eip_7825 = rules.eip_7883 = rules.eip_7918 =
        rules.eip_7934 = rules.eip_7939 = rules.eip_7951 = since(Fork::Osaka);
    return rules;
}

}  // namespace keel::core
