#include "core/types/header.hpp"

#include "core/types/rlp_read.hpp"

namespace keel::core {

bool has_fields_of(const Header& header, const ForkRules& rules) noexcept {
    return header.base_fee.has_value() == rules.eip_1559 &&
           header.withdrawals_root.has_value() == rules.eip_4895 &&
           header.blob_gas_used.has_value() == rules.eip_4844 &&
           header.excess_blob_gas.has_value() == rules.eip_4844 &&
           header.parent_beacon_root.has_value() == rules.eip_4788 &&
           header.requests_hash.has_value() == rules.eip_7685;
}

RlpResult<Header> decode_header(RlpReader& from) {
    auto list = from.list();
    if (!list) return unexpected(list.error());
    Header header;
    ByteView extra_data;
    FieldReader fields(*list);
    fields.fixed(header.parent_hash);
    fields.fixed(header.ommers_hash);
    fields.fixed(header.coinbase);
    fields.fixed(header.state_root);
    fields.fixed(header.tx_root);
    fields.fixed(header.receipts_root);
    fields.fixed(header.bloom);
    fields.u256(header.difficulty);
    fields.uint64(header.number);
    fields.uint64(header.gas_limit);
    fields.uint64(header.gas_used);
    fields.uint64(header.timestamp);
    fields.string(extra_data);
    fields.fixed(header.mix_hash);
    fields.fixed(header.nonce);
    // Where a fork's fields begin they must all be there: reading beyond the end is an error.
    const auto more = [&] { return fields.ok() && !list->at_end(); };
    if (more()) fields.u256(header.base_fee.emplace());
    if (more()) fields.fixed(header.withdrawals_root.emplace());
    if (more()) {
        fields.uint64(header.blob_gas_used.emplace());
        fields.uint64(header.excess_blob_gas.emplace());
    }
    // A genesis before Cancun may end here (tests of the first block of Cancun).
    if (more()) fields.fixed(header.parent_beacon_root.emplace());
    if (more()) fields.fixed(header.requests_hash.emplace());
    fields.end();
    if (!fields.ok()) return unexpected(fields.error());
    header.extra_data = extra_data.to_bytes();
    return header;
}

RlpResult<Header> decode_header(ByteView rlp) {
    RlpReader reader(rlp);
    auto header = decode_header(reader);
    if (header && !reader.at_end()) return unexpected(RlpError::TrailingBytes);
    return header;
}

void append_header(Bytes& to, const Header& header) {
    const size_t begin = rlp_begin_list(to);
    rlp_append_string(to, header.parent_hash);
    rlp_append_string(to, header.ommers_hash);
    rlp_append_string(to, header.coinbase);
    rlp_append_string(to, header.state_root);
    rlp_append_string(to, header.tx_root);
    rlp_append_string(to, header.receipts_root);
    rlp_append_string(to, header.bloom);
    rlp_append_uint(to, header.difficulty);
    rlp_append_uint(to, header.number);
    rlp_append_uint(to, header.gas_limit);
    rlp_append_uint(to, header.gas_used);
    rlp_append_uint(to, header.timestamp);
    rlp_append_string(to, header.extra_data);
    rlp_append_string(to, header.mix_hash);
    rlp_append_string(to, header.nonce);
    if (header.base_fee) rlp_append_uint(to, *header.base_fee);
    if (header.withdrawals_root) rlp_append_string(to, *header.withdrawals_root);
    if (header.blob_gas_used) rlp_append_uint(to, *header.blob_gas_used);
    if (header.excess_blob_gas) rlp_append_uint(to, *header.excess_blob_gas);
    if (header.parent_beacon_root) rlp_append_string(to, *header.parent_beacon_root);
    if (header.requests_hash) rlp_append_string(to, *header.requests_hash);
    rlp_end_list(to, begin);
}

}  // namespace keel::core
