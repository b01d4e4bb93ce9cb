#include "core/types/receipt.hpp"

namespace keel::core {

// Logs may have megabytes, so lengths are known before anything is written: nothing is moved.

namespace {

size_t list_length(size_t payload) noexcept {
    return rlp_header_length(payload) + payload;
}

size_t topics_payload(const Log& log) noexcept {
    return log.topics.size() * (1 + Hash32::kSize);
}

size_t log_payload(const Log& log) noexcept {
    return 1 + Address::kSize + list_length(topics_payload(log)) + rlp_string_length(log.data);
}

size_t logs_payload(const std::vector<Log>& logs) noexcept {
    size_t length = 0;
    for (const Log& log : logs) length += list_length(log_payload(log));
    return length;
}

}  // namespace

void append_log(Bytes& to, const Log& log) {
    rlp_append_list_header(to, log_payload(log));
    rlp_append_string(to, log.address);
    rlp_append_list_header(to, topics_payload(log));
    for (const Hash32& topic : log.topics) rlp_append_string(to, topic);
    rlp_append_string(to, log.data);
}

void append_logs(Bytes& to, const std::vector<Log>& logs) {
    rlp_append_list_header(to, logs_payload(logs));
    for (const Log& log : logs) append_log(to, log);
}

size_t logs_length(const std::vector<Log>& logs) noexcept {
    return list_length(logs_payload(logs));
}

void append_receipt_head(Bytes& to, const Receipt& receipt, size_t logs_bytes) {
    constexpr size_t kBloomItemBytes = 3 + Bloom::kSize;
    Bytes fields;
    if (receipt.state_root) {
        rlp_append_string(fields, *receipt.state_root);
    } else {
        rlp_append_uint(fields, uint64_t{receipt.success});
    }
    rlp_append_uint(fields, receipt.cumulative_gas_used);
    if (receipt.type != TxType::Legacy) to.push_back(static_cast<uint8_t>(receipt.type));
    rlp_append_list_header(to, fields.size() + kBloomItemBytes + logs_bytes);
    append(to, fields);
    rlp_append_string(to, receipt.bloom);
}

void append_receipt(Bytes& to, const Receipt& receipt) {
    append_receipt_head(to, receipt, logs_length(receipt.logs));
    append_logs(to, receipt.logs);
}

}  // namespace keel::core
