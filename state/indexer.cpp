#include "state/indexer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "state/chunk.hpp"
#include "state/codecs.hpp"
#include "state/history.hpp"
#include "state/values.hpp"

namespace keel::state {

namespace {

/// A key of an index changed in a block.
template <size_t kKeyBytes>
struct Change {
    std::array<uint8_t, kKeyBytes> key;
    uint64_t number;
};

/// Changes of one index, in the order of blocks; written in the order of keys.
template <size_t kKeyBytes>
class Changes {
  public:
    void add(const std::array<uint8_t, kKeyBytes>& key, uint64_t number) {
        changes_.push_back({key, number});
    }
    void write(db::WriteTxn& txn, db::Table table) {
        std::ranges::sort(changes_, [](const auto& a, const auto& b) {
            const int order = std::memcmp(a.key.data(), b.key.data(), kKeyBytes);
            return order != 0 ? order < 0 : a.number < b.number;
        });
        std::vector<uint64_t> numbers;
        for (size_t i = 0; i < changes_.size();) {
            const auto& key = changes_[i].key;
            numbers.clear();
            for (; i < changes_.size() && changes_[i].key == key; ++i) {
                numbers.push_back(changes_[i].number);
            }
            add_numbers(txn, table, key, numbers);
        }
    }

  private:
    std::vector<Change<kKeyBytes>> changes_;
};

}  // namespace

void index_history(db::WriteTxn& txn, const Tables& tables, uint64_t first, uint64_t end) {
    Changes<core::Address::kSize> accounts;
    Changes<core::Address::kSize + 32> slots;
    for (uint64_t number = first; number < end; ++number) {
        const Values values = read_change_set(txn, tables, number);
        for (const AccountValue& account : values.accounts) {
            accounts.add(account.address.bytes, number);
            for (const SlotValue& slot : values.slots_of(account)) {
                slots.add(slot_key(account.address, slot.slot), number);
            }
        }
    }
    accounts.write(txn, tables.account_history);
    slots.write(txn, tables.storage_history);
}

void unindex_history(db::WriteTxn& txn, const Tables& tables, const StateShift& unwound,
                     uint64_t number) {
    for (const core::Address& address : unwound.touched_accounts()) {
        remove_numbers_above(txn, tables.account_history, address, number);
    }
    for (const StateShift::Slot& slot : unwound.touched_slots()) {
        remove_numbers_above(txn, tables.storage_history, slot_key(slot.address, slot.slot),
                             number);
    }
}

}  // namespace keel::state
