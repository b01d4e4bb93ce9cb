#include "chain/receipts.hpp"

#include "chain/item_row.hpp"
#include "core/base.hpp"
#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "state/trie/ordered_root.hpp"

namespace keel::chain {

using core::Bloom;
using core::ByteView;
using core::Hash32;

namespace {

// Type, list, state root, gas, and the bloom with its header.
constexpr size_t kReceiptWithoutLogsMax = 1 + 9 + 33 + 9 + 3 + Bloom::kSize;
constexpr size_t kStoredWithoutLogsMax = 9 + 1 + 33 + 9;

/// Calls `visit` with each address and topic of the logs, but not with one that stands in the same
/// place of the log before: most logs of a transaction repeat their contract and event.
template <class Visit>
void each_bloom_entry(const std::vector<core::Log>& logs, const Visit& visit) {
    const core::Log* previous = nullptr;
    for (const core::Log& log : logs) {
        if (previous == nullptr || previous->address != log.address) visit(log.address.view());
        for (size_t i = 0; i < log.topics.size(); ++i) {
            const bool repeated = previous != nullptr && i < previous->topics.size() &&
                                  previous->topics[i] == log.topics[i];
            if (!repeated) visit(log.topics[i].view());
        }
        previous = &log;
    }
}

}  // namespace

Bloom fill_blooms(std::span<core::Receipt> receipts) {
    std::vector<ByteView> entries;
    for (const core::Receipt& receipt : receipts) {
        each_bloom_entry(receipt.logs, [&](ByteView entry) { entries.push_back(entry); });
    }
    std::vector<Hash32> digests(entries.size());
    crypto::keccak256_batch(entries, digests);

    Bloom of_block;
    size_t next = 0;
    for (core::Receipt& receipt : receipts) {
        receipt.bloom = {};
        if (receipt.logs.empty()) continue;
        each_bloom_entry(receipt.logs,
                         [&](ByteView) { core::bloom_add(receipt.bloom, digests[next++]); });
        core::bloom_merge(of_block, receipt.bloom);
    }
    return of_block;
}

ReceiptRow encode_receipts(std::span<const core::Receipt> receipts) {
    size_t length_max = receipts.size() * kStoredWithoutLogsMax;
    for (const core::Receipt& receipt : receipts) length_max += core::logs_length(receipt.logs);
    ItemRowBuilder builder(receipts.size(), length_max);
    ReceiptRow row;
    row.logs.reserve(receipts.size());
    core::Bytes fields;
    for (const core::Receipt& receipt : receipts) {
        fields.clear();
        core::rlp_append_uint(fields, static_cast<uint64_t>(receipt.type));
        if (receipt.state_root) {
            core::rlp_append_string(fields, *receipt.state_root);
        } else {
            core::rlp_append_uint(fields, uint64_t{receipt.success ? 1u : 0u});
        }
        core::rlp_append_uint(fields, receipt.cumulative_gas_used);
        const size_t logs_bytes = core::logs_length(receipt.logs);
        core::Bytes& to = builder.bytes();
        core::rlp_append_list_header(to, fields.size() + logs_bytes);
        core::append(to, fields);
        row.logs.push_back({to.size(), logs_bytes});
        core::append_logs(to, receipt.logs);
        builder.end_item();
    }
    row.bytes = builder.take();
    return row;
}

Hash32 receipts_root(std::span<const core::Receipt> receipts, const ReceiptRow& row) {
    KEEL_ASSERT(receipts.size() == row.logs.size());
    core::Bytes heads;
    heads.reserve(receipts.size() * kReceiptWithoutLogsMax);  // views of it stay
    std::vector<crypto::TwoParts> values;
    values.reserve(receipts.size());
    for (size_t i = 0; i < receipts.size(); ++i) {
        const size_t begin = heads.size();
        core::append_receipt_head(heads, receipts[i], row.logs[i].bytes);
        values.push_back({{heads.data() + begin, heads.size() - begin},
                          ByteView(row.bytes).sub(row.logs[i].begin, row.logs[i].bytes)});
    }
    return state::ordered_root_of_parts(values);
}

Hash32 receipts_root(const std::vector<core::Receipt>& receipts) {
    return receipts_root(receipts, encode_receipts(receipts));
}

}  // namespace keel::chain
