#pragma once

#include <cstdint>
#include <optional>

#include "core/rlp.hpp"
#include "core/types/account.hpp"
#include "core/types/address.hpp"
#include "core/types/bloom.hpp"
#include "core/types/fork.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::core {

/// The 8 bytes that a proof of work found; zero from Paris on.
using BlockNonce = FixedBytes<8, struct BlockNonceTag>;

/// Header of a block, fields in the order of its RLP. Optional fields came with the fork at their
/// side: a field is present only if all before it are.
struct Header {
    Hash32 parent_hash;
    Hash32 ommers_hash = kEmptyOmmersHash;
    Address coinbase;
    Hash32 state_root = kEmptyTrieRoot;
    Hash32 tx_root = kEmptyTrieRoot;
    Hash32 receipts_root = kEmptyTrieRoot;
    Bloom bloom;
    U256 difficulty;
    uint64_t number = 0;
    uint64_t gas_limit = 0;
    uint64_t gas_used = 0;
    uint64_t timestamp = 0;  // seconds since 1970
    Bytes extra_data;        // at most 32 bytes by the rules, more in some genesis blocks
    Hash32 mix_hash;         // from Paris on: prevRandao
    BlockNonce nonce;
    std::optional<U256> base_fee;              // London, wei a gas
    std::optional<Hash32> withdrawals_root;    // Shanghai
    std::optional<uint64_t> blob_gas_used;     // Cancun
    std::optional<uint64_t> excess_blob_gas;   // Cancun
    std::optional<Hash32> parent_beacon_root;  // Cancun
    std::optional<Hash32> requests_hash;       // Prague

    friend bool operator==(const Header&, const Header&) = default;
};

/// Whether exactly the optional fields of these rules are present.
bool has_fields_of(const Header& header, const ForkRules& rules) noexcept;

/// Decodes the next item of `from`: the fields of one of the forks, all of them and no others.
[[nodiscard]] RlpResult<Header> decode_header(RlpReader& from);
/// Decodes a header that fills `rlp`.
[[nodiscard]] RlpResult<Header> decode_header(ByteView rlp);
/// Appends the RLP, what is hashed.
void append_header(Bytes& to, const Header& header);

}  // namespace keel::core
