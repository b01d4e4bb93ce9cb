#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/types/tx.hpp"
#include "core/u256.hpp"

namespace keel::testdata {

inline constexpr uint64_t kChainId = 0x6b65656c;            // "keel"
inline constexpr uint64_t kGwei = 1'000'000'000;            // wei
inline const core::U256 kEther{1'000'000'000'000'000'000};  // wei

/// A key pair made of a name, the same for ever.
struct Signer {
    core::Hash32 key;
    core::Address address;

    explicit Signer(std::string_view name);
};

/// A transaction before it is signed. What is empty is filled in: nonce from the state, fees that
/// every block here takes.
struct TxPlan {
    core::TxType type = core::TxType::Legacy;
    std::optional<core::Address> to = {};
    core::U256 value = {};
    core::Bytes data = {};
    uint64_t gas = 200'000;
    std::optional<uint64_t> nonce = {};
    std::optional<core::U256> max_fee = {};           // 20 gwei
    std::optional<core::U256> max_priority_fee = {};  // 1 gwei
    core::AccessList access_list = {};
    std::vector<core::Hash32> blob_hashes = {};
    core::U256 max_fee_per_blob_gas = kGwei;
    std::vector<core::Authorization> authorizations = {};
    bool is_protected = true;  // EIP-155; only for legacy transactions
    core::U256 chain_id = kChainId;
    bool high_s = false;               // valid in Frontier only
    std::optional<core::U256> r = {};  // in place of that of the signature
};

/// The transaction with its signature, as type ‖ payload or legacy list. The nonce is given.
core::Bytes sign_tx(const Signer& from, const TxPlan& plan);

/// Permission of `from` to run the code of `delegate` (EIP-7702).
core::Authorization authorize(const Signer& from, const core::Address& delegate, uint64_t nonce,
                              const core::U256& chain_id = kChainId);

/// Versioned hashes 01 ‖ …, all different. Source: EIP-4844.
std::vector<core::Hash32> blob_hashes(size_t count, uint8_t seed);

/// An address that nobody has the key of: 20 bytes of a hash of the name.
core::Address address_named(std::string_view name);
/// keccak256 of the text.
core::Hash32 hash_of(std::string_view text);

}  // namespace keel::testdata
