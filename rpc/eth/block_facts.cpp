#include "rpc/eth/block_facts.hpp"

#include "crypto/keccak.hpp"

namespace keel::rpc::eth {
namespace {

using core::ByteView;
using core::Hash32;

/// Calls visit(address or topic) for what the bloom of these logs is made of, without what stands
/// in the same place of the log before.
template <class Visit>
void each_bloom_entry(const chain::BlockView& block, ByteView logs, const Visit& visit) {
    chain::LogView before;
    chain::LogView log;
    for (; block.next_log(logs, log); before = log) {
        if (before.address != log.address) visit(log.address);
        for (size_t i = 0; i < log.topic_count; ++i) {
            const bool repeated = i < before.topic_count && before.topics[i] == log.topics[i];
            if (!repeated) visit(log.topics[i]);
        }
    }
}

/// The three bits of a digest (core::bloom_add).
uint16_t bloom_bit(const Hash32& digest, size_t which) noexcept {
    const unsigned word = (static_cast<unsigned>(digest[2 * which]) << 8) | digest[2 * which + 1];
    return static_cast<uint16_t>(word & 2047);
}

}  // namespace

ReceiptFacts::ReceiptFacts(const chain::BlockView& block) {
    const size_t count = block.receipt_count();
    log_ends_.reserve(count);
    bit_ends_.reserve(count);
    std::vector<ByteView> entries;
    std::vector<size_t> entry_ends;
    entry_ends.reserve(count);
    uint32_t logs = 0;
    for (size_t i = 0; i < count; ++i) {
        const ByteView list = block.receipt(i).logs;
        logs += static_cast<uint32_t>(block.log_count(list));
        log_ends_.push_back(logs);
        each_bloom_entry(block, list, [&](ByteView entry) { entries.push_back(entry); });
        entry_ends.push_back(entries.size());
    }
    std::vector<Hash32> digests(entries.size());
    crypto::keccak256_batch(entries, digests);
    bits_.reserve(3 * digests.size());
    size_t next = 0;
    for (size_t i = 0; i < count; ++i) {
        for (; next < entry_ends[i]; ++next) {
            for (size_t which = 0; which < 3; ++which) {
                bits_.push_back(bloom_bit(digests[next], which));
            }
        }
        bit_ends_.push_back(static_cast<uint32_t>(bits_.size()));
    }
}

core::Bloom ReceiptFacts::bloom(size_t tx) const noexcept {
    core::Bloom bloom;
    for (size_t i = tx == 0 ? 0 : bit_ends_[tx - 1]; i < bit_ends_[tx]; ++i) {
        const unsigned bit = bits_[i];
        bloom[255 - bit / 8] = static_cast<uint8_t>(bloom[255 - bit / 8] | (1U << (bit % 8)));
    }
    return bloom;
}

size_t ReceiptFacts::bytes() const noexcept {
    return sizeof *this + log_ends_.capacity() * sizeof(uint32_t) +
           bit_ends_.capacity() * sizeof(uint32_t) + bits_.capacity() * sizeof(uint16_t);
}

std::shared_ptr<const TxHashes> tx_hashes_of(const chain::BlockView& block, FactsCache* cache) {
    if (cache != nullptr) {
        if (auto found = cache->tx_hashes.find(block.id().hash)) return found;
    }
    std::vector<ByteView> raw(block.tx_count());
    for (size_t i = 0; i < raw.size(); ++i) raw[i] = block.tx_raw(i);
    auto hashes = std::make_shared<TxHashes>(raw.size());
    crypto::keccak256_batch(raw, *hashes);
    if (cache != nullptr) {
        cache->tx_hashes.put(block.id().hash, hashes,
                             sizeof(TxHashes) + raw.size() * Hash32::kSize);
    }
    return hashes;
}

std::shared_ptr<const ReceiptFacts> receipt_facts_of(const chain::BlockView& block,
                                                     FactsCache* cache) {
    if (cache != nullptr) {
        if (auto found = cache->receipts.find(block.id().hash)) return found;
    }
    auto facts = std::make_shared<const ReceiptFacts>(block);
    if (cache != nullptr) cache->receipts.put(block.id().hash, facts, facts->bytes());
    return facts;
}

Hash32 tx_hash_of(const chain::BlockView& block, size_t index, FactsCache* cache) {
    if (cache != nullptr) {
        if (const auto found = cache->tx_hashes.find(block.id().hash)) return found->at(index);
        if (cache->tx_hashes.is_wanted_again(block.id().hash)) {
            return tx_hashes_of(block, cache)->at(index);
        }
    }
    return crypto::keccak256(block.tx_raw(index));
}

std::shared_ptr<const ReceiptFacts> receipt_facts_if_wanted(const chain::BlockView& block,
                                                            FactsCache* cache) {
    if (cache == nullptr) return nullptr;
    if (auto found = cache->receipts.find(block.id().hash)) return found;
    if (!cache->receipts.is_wanted_again(block.id().hash)) return nullptr;
    return receipt_facts_of(block, cache);
}

core::Bloom bloom_of(const chain::BlockView& block, ByteView logs) {
    core::Bloom bloom;
    each_bloom_entry(block, logs,
                     [&](ByteView entry) { core::bloom_add(bloom, crypto::keccak256(entry)); });
    return bloom;
}

uint64_t logs_before(const chain::BlockView& block, size_t tx) {
    uint64_t count = 0;
    for (size_t i = 0; i < tx; ++i) count += block.log_count(block.receipt(i).logs);
    return count;
}

}  // namespace keel::rpc::eth
