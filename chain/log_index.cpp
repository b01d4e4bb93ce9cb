#include "chain/log_index.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <vector>

#include "core/base.hpp"
#include "core/fault.hpp"
#include "state/chunk.hpp"

namespace keel::chain {

using core::ByteView;

namespace {

constexpr uint8_t kAddressKind = 0;  // topics: 1 + position

/// Kind ‖ address or topic; an address is padded with zeros.
class LogKey {
  public:
    explicit LogKey(const core::Address& address) noexcept {
        std::ranges::copy(address.bytes, bytes_.begin() + 1);
    }
    LogKey(const core::Hash32& topic, size_t position) noexcept {
        bytes_[0] = static_cast<uint8_t>(1 + position);
        std::ranges::copy(topic.bytes, bytes_.begin() + 1);
    }
    operator ByteView() const noexcept {
        return ByteView(bytes_).sub(
            0, 1 + (bytes_[0] == kAddressKind ? core::Address::kSize : core::Hash32::kSize));
    }
    friend auto operator<=>(const LogKey&, const LogKey&) = default;

  private:
    std::array<uint8_t, 1 + core::Hash32::kSize> bytes_{};
};

/// Each key that a block's logs have, once.
void append_keys(const BlockReader& reader, const BlockId& block, std::vector<LogKey>& keys) {
    const size_t begin = keys.size();
    for (size_t i = 0, count = reader.receipt_count(block); i < count; ++i) {
        for (const core::Log& log : reader.logs(block, i)) {
            keys.emplace_back(log.address);
            for (size_t position = 0; position < log.topics.size(); ++position) {
                keys.emplace_back(log.topics[position], position);
            }
        }
    }
    const auto first = keys.begin() + static_cast<std::ptrdiff_t>(begin);
    std::sort(first, keys.end());
    keys.erase(std::unique(first, keys.end()), keys.end());
}

}  // namespace

void index_logs(db::WriteTxn& txn, const state::Tables& tables, uint64_t first, uint64_t end) {
    struct Entry {
        LogKey key;
        uint64_t number;
        auto operator<=>(const Entry&) const = default;
    };
    const BlockReader reader(txn, tables);
    std::vector<Entry> entries;
    std::vector<LogKey> keys;
    for (uint64_t number = first; number < end; ++number) {
        const auto hash = reader.canonical_hash(number);
        if (!hash) {
            throw core::Fault(
                core::FaultKind::Damaged,
                "canonical block " + std::to_string(number) + " is missing: run keel db check");
        }
        keys.clear();
        append_keys(reader, {number, *hash}, keys);
        for (const LogKey& key : keys) entries.push_back({key, number});
    }
    std::ranges::sort(entries);
    std::vector<uint64_t> numbers;
    for (size_t i = 0; i < entries.size();) {
        const LogKey key = entries[i].key;
        numbers.clear();
        for (; i < entries.size() && entries[i].key == key; ++i) {
            numbers.push_back(entries[i].number);
        }
        state::add_numbers(txn, tables.log_index, key, numbers);
    }
}

void unindex_logs(db::WriteTxn& txn, const state::Tables& tables, std::span<const BlockId> blocks,
                  uint64_t number) {
    const BlockReader reader(txn, tables);
    std::vector<LogKey> keys;
    for (const BlockId& block : blocks) append_keys(reader, block, keys);
    std::ranges::sort(keys);
    const auto doubles = std::ranges::unique(keys);
    keys.erase(doubles.begin(), doubles.end());
    for (const LogKey& key : keys) {
        state::remove_numbers_above(txn, tables.log_index, key, number);
    }
}

std::optional<uint64_t> next_block_with(const db::ReadTxn& txn, const state::Tables& tables,
                                        const core::Address& address, uint64_t number) {
    db::ReadCursor cursor = txn.cursor(tables.log_index);
    return state::first_number_above(cursor, LogKey(address), number);
}

std::optional<uint64_t> next_block_with(const db::ReadTxn& txn, const state::Tables& tables,
                                        const core::Hash32& topic, size_t position,
                                        uint64_t number) {
    KEEL_ASSERT(position < 4);
    db::ReadCursor cursor = txn.cursor(tables.log_index);
    return state::first_number_above(cursor, LogKey(topic, position), number);
}

}  // namespace keel::chain
