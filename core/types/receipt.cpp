#include "core/types/receipt.hpp"

namespace keel::core {

void append_log(Bytes& to, const Log& log) {
    const size_t begin = rlp_begin_list(to);
    rlp_append_string(to, log.address);
    const size_t begin_topics = rlp_begin_list(to);
    for (const Hash32& topic : log.topics) rlp_append_string(to, topic);
    rlp_end_list(to, begin_topics);
    rlp_append_string(to, log.data);
    rlp_end_list(to, begin);
}

void append_logs(Bytes& to, const std::vector<Log>& logs) {
    const size_t begin = rlp_begin_list(to);
    for (const Log& log : logs) append_log(to, log);
    rlp_end_list(to, begin);
}

size_t logs_length_max(const std::vector<Log>& logs) noexcept {
    constexpr size_t kHeaderBytesMax = 9;  // of a string or list
    size_t length = kHeaderBytesMax;
    for (const Log& log : logs)
        length += 3 * kHeaderBytesMax + (1 + Address::kSize) +
                  log.topics.size() * (1 + Hash32::kSize) + log.data.size();
    return length;
}

void append_receipt(Bytes& to, const Receipt& receipt) {
    if (receipt.type != TxType::Legacy) to.push_back(static_cast<uint8_t>(receipt.type));
    const size_t begin = rlp_begin_list(to);
    if (receipt.state_root) {
        rlp_append_string(to, *receipt.state_root);
    } else {
        rlp_append_uint(to, uint64_t{receipt.success});
    }
    rlp_append_uint(to, receipt.cumulative_gas_used);
    rlp_append_string(to, receipt.bloom);
    append_logs(to, receipt.logs);
    rlp_end_list(to, begin);
}

}  // namespace keel::core
