#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/rlp.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"

namespace keel::core {

/// The value is the type byte before the payload (EIP-2718); legacy has none.
enum class TxType : uint8_t {
    Legacy = 0,
    AccessList = 1,  // EIP-2930
    DynamicFee = 2,  // EIP-1559
    Blob = 3,        // EIP-4844
    SetCode = 4,     // EIP-7702
};

struct AccessListEntry {
    Address address;
    std::vector<Hash32> keys;

    friend bool operator==(const AccessListEntry&, const AccessListEntry&) = default;
};
using AccessList = std::vector<AccessListEntry>;

/// Permission of an account to set its code (EIP-7702). Values that the fields can hold but the
/// rules refuse (y_parity 2) are decoded: such a tuple is skipped, not an error.
struct Authorization {
    U256 chain_id;  // 0: every chain
    Address address;
    uint64_t nonce = 0;
    uint8_t y_parity = 0;
    U256 r;
    U256 s;

    friend bool operator==(const Authorization&, const Authorization&) noexcept = default;
};

/// A transaction of any type. Fields that its type does not have are empty.
/// lifetime: `data` and `raw` view the buffer that the transaction was decoded from.
struct Tx {
    TxType type = TxType::Legacy;
    std::optional<U256> chain_id;  // none: a legacy transaction without EIP-155
    uint64_t nonce = 0;
    U256 max_priority_fee;  // wei a gas; equal to max_fee in types that have a gas price
    U256 max_fee;           // wei a gas; the gas price of legacy and access list transactions
    uint64_t gas = 0;
    std::optional<Address> to;  // none: creation
    U256 value;                 // wei
    ByteView data;
    AccessList access_list;
    U256 max_fee_per_blob_gas;  // wei
    std::vector<Hash32> blob_hashes;
    std::vector<Authorization> authorizations;
    U256 v;  // as it stands: y parity of typed transactions
    U256 r;
    U256 s;
    ByteView raw;  // type and payload, what is hashed; empty unless decoded
};

/// Decodes the raw form: a legacy list, or type and payload. Takes no sidecar of a blob
/// transaction. Whether the values are valid is for others to say.
[[nodiscard]] RlpResult<Tx> decode_tx(ByteView raw);
/// Decodes the next item of a block body: a legacy list, or a string that holds type and payload.
[[nodiscard]] RlpResult<Tx> decode_body_tx(RlpReader& from);

/// Appends the raw form, made of the fields.
void append_tx(Bytes& to, const Tx& tx);
/// Appends the form that stands in a block body.
void append_body_tx(Bytes& to, const Tx& tx);
/// Appends what the sender signs the hash of.
void encode_for_signing(Bytes& to, const Tx& tx);
/// Appends what the authority signs the hash of.
void encode_for_signing(Bytes& to, const Authorization& authorization);

/// Parity of y that v states; none when v is not one of the values of its type.
std::optional<uint8_t> y_parity(const Tx& tx) noexcept;
/// Puts a signature in, with the v of the type and chain id.
void set_signature(Tx& tx, uint8_t parity, const U256& r, const U256& s) noexcept;

}  // namespace keel::core
