#include "core/types/tx.hpp"

#include "core/types/rlp_read.hpp"

namespace keel::core {
namespace {

constexpr uint8_t kFirstListByte = 0xc0;
constexpr uint8_t kAuthorizationMagic = 0x05;  // EIP-7702
constexpr uint64_t kUnprotectedV = 27;         // yellow paper, appendix F
constexpr uint64_t kProtectedV = 35;           // EIP-155

bool has_gas_price(TxType type) noexcept {
    return type <= TxType::AccessList;
}

RlpResult<AccessListEntry> decode_access_list_entry(RlpReader& from) {
    auto list = from.list();
    if (!list) return unexpected(list.error());
    AccessListEntry entry;
    FieldReader fields(*list);
    fields.fixed(entry.address);
    fields.list_of(entry.keys, [](RlpReader& keys) { return keys.fixed<Hash32>(); });
    fields.end();
    if (!fields.ok()) return unexpected(fields.error());
    return entry;
}

RlpResult<Authorization> decode_authorization(RlpReader& from) {
    auto list = from.list();
    if (!list) return unexpected(list.error());
    Authorization authorization;
    uint64_t parity = 0;
    FieldReader fields(*list);
    fields.u256(authorization.chain_id);
    fields.fixed(authorization.address);
    fields.uint64(authorization.nonce);
    fields.uint64(parity);
    if (parity > UINT8_MAX) fields.fail(RlpError::Overflow);
    fields.u256(authorization.r);
    fields.u256(authorization.s);
    fields.end();
    if (!fields.ok()) return unexpected(fields.error());
    authorization.y_parity = static_cast<uint8_t>(parity);
    return authorization;
}

void read_recipient(FieldReader& fields, Tx& tx) {
    ByteView to;
    fields.string(to);
    if (!fields.ok()) return;
    if (to.empty()) {
        // Blob and set code transactions cannot create (EIP-4844, EIP-7702).
        if (tx.type >= TxType::Blob) fields.fail(RlpError::UnexpectedLength);
        return;
    }
    if (to.size() != Address::kSize) return fields.fail(RlpError::UnexpectedLength);
    tx.to = Address(to);
}

// The list of any type: `payload` is all that follows the type byte.
RlpResult<Tx> decode_payload(TxType type, ByteView payload) {
    auto list = rlp_outer_list(payload);
    if (!list) return unexpected(list.error());
    Tx tx;
    tx.type = type;
    FieldReader fields(*list);
    if (type != TxType::Legacy) fields.u256(tx.chain_id.emplace());
    fields.uint64(tx.nonce);
    fields.u256(tx.max_priority_fee);
    if (has_gas_price(type)) {
        tx.max_fee = tx.max_priority_fee;
    } else {
        fields.u256(tx.max_fee);
    }
    fields.uint64(tx.gas);
    read_recipient(fields, tx);
    fields.u256(tx.value);
    fields.string(tx.data);
    if (type != TxType::Legacy) fields.list_of(tx.access_list, decode_access_list_entry);
    if (type == TxType::Blob) {
        fields.u256(tx.max_fee_per_blob_gas);
        fields.list_of(tx.blob_hashes, [](RlpReader& hashes) { return hashes.fixed<Hash32>(); });
    }
    if (type == TxType::SetCode) fields.list_of(tx.authorizations, decode_authorization);
    fields.u256(tx.v);
    fields.u256(tx.r);
    fields.u256(tx.s);
    fields.end();
    if (!fields.ok()) return unexpected(fields.error());
    if (type == TxType::Legacy && tx.v >= U256(kProtectedV)) {
        tx.chain_id = (tx.v - U256(kProtectedV)) >> 1;
    }
    return tx;
}

RlpResult<Tx> decode_typed(ByteView raw) {
    if (raw.empty()) return unexpected(RlpError::InputTooShort);
    if (raw[0] < static_cast<uint8_t>(TxType::AccessList) ||
        raw[0] > static_cast<uint8_t>(TxType::SetCode)) {
        return unexpected(RlpError::TypeNotSupported);
    }
    auto tx = decode_payload(static_cast<TxType>(raw[0]), raw.sub(1));
    if (tx) tx->raw = raw;
    return tx;
}

void append_hashes(Bytes& to, const std::vector<Hash32>& hashes) {
    const size_t begin = rlp_begin_list(to);
    for (const Hash32& hash : hashes) rlp_append_string(to, hash);
    rlp_end_list(to, begin);
}

void append_access_list(Bytes& to, const AccessList& access_list) {
    const size_t begin = rlp_begin_list(to);
    for (const AccessListEntry& entry : access_list) {
        const size_t begin_entry = rlp_begin_list(to);
        rlp_append_string(to, entry.address);
        append_hashes(to, entry.keys);
        rlp_end_list(to, begin_entry);
    }
    rlp_end_list(to, begin);
}

void append_authorizations(Bytes& to, const std::vector<Authorization>& authorizations) {
    const size_t begin = rlp_begin_list(to);
    for (const Authorization& authorization : authorizations) {
        const size_t begin_tuple = rlp_begin_list(to);
        rlp_append_uint(to, authorization.chain_id);
        rlp_append_string(to, authorization.address);
        rlp_append_uint(to, authorization.nonce);
        rlp_append_uint(to, uint64_t{authorization.y_parity});
        rlp_append_uint(to, authorization.r);
        rlp_append_uint(to, authorization.s);
        rlp_end_list(to, begin_tuple);
    }
    rlp_end_list(to, begin);
}

// All fields before the signature.
void append_unsigned_fields(Bytes& to, const Tx& tx) {
    if (tx.type != TxType::Legacy) rlp_append_uint(to, tx.chain_id.value_or(U256{}));
    rlp_append_uint(to, tx.nonce);
    if (!has_gas_price(tx.type)) rlp_append_uint(to, tx.max_priority_fee);
    rlp_append_uint(to, tx.max_fee);
    rlp_append_uint(to, tx.gas);
    rlp_append_string(to, tx.to ? tx.to->view() : ByteView{});
    rlp_append_uint(to, tx.value);
    rlp_append_string(to, tx.data);
    if (tx.type != TxType::Legacy) append_access_list(to, tx.access_list);
    if (tx.type == TxType::Blob) {
        rlp_append_uint(to, tx.max_fee_per_blob_gas);
        append_hashes(to, tx.blob_hashes);
    }
    if (tx.type == TxType::SetCode) append_authorizations(to, tx.authorizations);
}

}  // namespace

RlpResult<Tx> decode_tx(ByteView raw) {
    if (raw.empty() || raw[0] < kFirstListByte) return decode_typed(raw);
    auto tx = decode_payload(TxType::Legacy, raw);
    if (tx) tx->raw = raw;
    return tx;
}

RlpResult<Tx> decode_body_tx(RlpReader& from) {
    if (from.next_is_list()) {
        const auto item = from.item();
        if (!item) return unexpected(item.error());
        return decode_tx(*item);
    }
    const auto content = from.string();
    if (!content) return unexpected(content.error());
    return decode_typed(*content);
}

void append_tx(Bytes& to, const Tx& tx) {
    if (tx.type != TxType::Legacy) to.push_back(static_cast<uint8_t>(tx.type));
    const size_t begin = rlp_begin_list(to);
    append_unsigned_fields(to, tx);
    rlp_append_uint(to, tx.v);
    rlp_append_uint(to, tx.r);
    rlp_append_uint(to, tx.s);
    rlp_end_list(to, begin);
}

void append_body_tx(Bytes& to, const Tx& tx) {
    if (tx.type == TxType::Legacy) return append_tx(to, tx);
    Bytes raw;
    append_tx(raw, tx);
    rlp_append_string(to, raw);
}

void encode_for_signing(Bytes& to, const Tx& tx) {
    if (tx.type != TxType::Legacy) to.push_back(static_cast<uint8_t>(tx.type));
    const size_t begin = rlp_begin_list(to);
    append_unsigned_fields(to, tx);
    if (tx.type == TxType::Legacy && tx.chain_id) {
        rlp_append_uint(to, *tx.chain_id);
        rlp_append_uint(to, uint64_t{0});
        rlp_append_uint(to, uint64_t{0});
    }
    rlp_end_list(to, begin);
}

void encode_for_signing(Bytes& to, const Authorization& authorization) {
    to.push_back(kAuthorizationMagic);
    const size_t begin = rlp_begin_list(to);
    rlp_append_uint(to, authorization.chain_id);
    rlp_append_string(to, authorization.address);
    rlp_append_uint(to, authorization.nonce);
    rlp_end_list(to, begin);
}

std::optional<uint8_t> y_parity(const Tx& tx) noexcept {
    U256 parity = tx.v;
    if (tx.type == TxType::Legacy) {
        if (tx.v >= U256(kProtectedV)) {
            parity = (tx.v - U256(kProtectedV)) & U256(1);
        } else {
            parity = tx.v - U256(kUnprotectedV);  // wraps below 27, and is refused
        }
    }
    if (parity > U256(1)) return std::nullopt;
    return static_cast<uint8_t>(parity.low64());
}

void set_signature(Tx& tx, uint8_t parity, const U256& r, const U256& s) noexcept {
    tx.v = U256(parity);
    if (tx.type == TxType::Legacy) {
        tx.v += tx.chain_id ? (*tx.chain_id << 1) + U256(kProtectedV) : U256(kUnprotectedV);
    }
    tx.r = r;
    tx.s = s;
}

}  // namespace keel::core
