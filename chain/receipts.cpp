#include "chain/receipts.hpp"

#include "crypto/keccak.hpp"
#include "state/trie/ordered_root.hpp"

namespace keel::chain {

using core::Bloom;
using core::ByteView;
using core::Hash32;

namespace {

// Type, list, state root, gas, and the bloom with its header.
constexpr size_t kReceiptWithoutLogsMax = 1 + 9 + 33 + 9 + 3 + Bloom::kSize;

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

Hash32 receipts_root(const std::vector<core::Receipt>& receipts) {
    core::Bytes arena;
    std::vector<size_t> ends;
    ends.reserve(receipts.size());
    // Logs may have megabytes: growing step by step would touch their memory twice.
    size_t length_max = receipts.size() * kReceiptWithoutLogsMax;
    for (const core::Receipt& receipt : receipts) length_max += core::logs_length_max(receipt.logs);
    arena.reserve(length_max);
    for (const core::Receipt& receipt : receipts) {
        core::append_receipt(arena, receipt);
        ends.push_back(arena.size());
    }
    std::vector<ByteView> values;
    values.reserve(receipts.size());
    size_t begin = 0;
    for (const size_t end : ends) {
        values.push_back(ByteView(arena).sub(begin, end - begin));
        begin = end;
    }
    return state::ordered_root(values);
}

}  // namespace keel::chain
