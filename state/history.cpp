#include "state/history.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "core/base.hpp"
#include "core/endian.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "state/chunk.hpp"
#include "state/codecs.hpp"

namespace keel::state {

using core::Address;
using core::ByteView;
using core::U256;

namespace {

constexpr size_t kNumberBytes = 8;
constexpr size_t kSlotBytes = 32;
using StorageKey = std::array<uint8_t, kNumberBytes + Address::kSize>;  // number ‖ address

[[noreturn]] void throw_damaged(const char* table, uint64_t number) {
    throw core::Fault(core::FaultKind::Damaged, std::string("damaged row of table ") + table +
                                                    ", block " + std::to_string(number) +
                                                    ": run keel db check");
}

StorageKey storage_key(uint64_t number, const Address& address) noexcept {
    StorageKey key;
    core::store_be(key.data(), number);
    std::memcpy(key.data() + kNumberBytes, address.data(), Address::kSize);
    return key;
}

/// Writes the rows of a block; accounts and slots come in the order of the tables.
class ChangeSetWriter {
  public:
    ChangeSetWriter(db::WriteTxn& txn, const Tables& tables, uint64_t number)
        : account_rows_(txn.cursor(tables.account_change_set)),
          storage_rows_(txn.cursor(tables.storage_change_set)),
          account_key_(number_key(number)),
          storage_key_(storage_key(number, Address())) {}

    void account(const Address& address, const std::optional<core::Account>& before) {
        row_.clear();
        core::append(row_, address);
        if (before) append_slim_account(row_, *before);
        account_rows_.append_dup(account_key_, row_);
        std::memcpy(storage_key_.data() + kNumberBytes, address.data(), Address::kSize);
    }
    void slot(const U256& slot, const U256& before) {
        row_.resize(kSlotBytes);
        slot.store_be32(row_.data());
        const auto value = before.to_be32();
        core::append(row_, trim_slot(value));
        storage_rows_.append_dup(storage_key_, row_);
    }

  private:
    db::WriteCursor account_rows_;
    db::WriteCursor storage_rows_;
    std::array<uint8_t, kNumberBytes> account_key_;
    StorageKey storage_key_;
    core::Bytes row_;
};

SlotValue decode_slot_row(ByteView row, uint64_t number) {
    if (row.size() < kSlotBytes || row.size() > 2 * kSlotBytes) {
        throw_damaged(table::kStorageChangeSet, number);
    }
    return {U256::load_be32(row.data()), U256::from_be(row.sub(kSlotBytes))};
}

}  // namespace

void write_change_set(db::WriteTxn& txn, const Tables& tables, uint64_t number,
                      const ChangeSet& changes) {
    if (changes.accounts.empty()) return;
    ChangeSetWriter writer(txn, tables, number);
    for (const AccountChange& account : changes.accounts) {
        writer.account(account.address, account.before);
        for (const SlotChange& slot : changes.slots_of(account))
            writer.slot(slot.slot, slot.before);
    }
}

void write_change_set(db::WriteTxn& txn, const Tables& tables, uint64_t number,
                      const Values& before) {
    if (before.accounts.empty()) return;
    ChangeSetWriter writer(txn, tables, number);
    for (const AccountValue& account : before.accounts) {
        writer.account(account.address, account.account);
        for (const SlotValue& slot : before.slots_of(account)) writer.slot(slot.slot, slot.value);
    }
}

Values read_change_set(const db::ReadTxn& txn, const Tables& tables, uint64_t number) {
    Values values;
    db::ReadCursor accounts = txn.cursor(tables.account_change_set);
    for (db::Hit row = accounts.seek_exact(number_key(number)); row; row = accounts.next_dup()) {
        if (row->value.size() < Address::kSize) throw_damaged(table::kAccountChangeSet, number);
        AccountValue account;
        account.address = Address(row->value);
        const ByteView slim = row->value.sub(Address::kSize);
        if (!slim.empty()) account.account = decode_slim_account(slim);
        values.accounts.push_back(account);
    }
    if (values.accounts.empty()) return values;

    // Both tables ascend by address: one walk beside the accounts.
    db::ReadCursor slots = txn.cursor(tables.storage_change_set);
    db::Hit row = slots.seek(number_key(number));
    for (AccountValue& account : values.accounts) {
        account.first_slot = static_cast<uint32_t>(values.slots.size());
        const StorageKey key = storage_key(number, account.address);
        for (; row && row->key == ByteView(key); row = slots.next()) {
            values.slots.push_back(decode_slot_row(row->value, number));
        }
        account.slot_count = static_cast<uint32_t>(values.slots.size()) - account.first_slot;
    }
    if (row && row->key.starts_with(number_key(number))) {
        throw_damaged(table::kStorageChangeSet, number);
    }
    return values;
}

void delete_change_set(db::WriteTxn& txn, const Tables& tables, uint64_t number) {
    const auto from = number_key(number);
    txn.del(tables.account_change_set, from);
    const auto to = number_key(number + 1);
    txn.del_range(tables.storage_change_set, ByteView(from),
                  number == UINT64_MAX ? std::nullopt : std::optional(ByteView(to)));
}

PastState::PastState(const db::ReadTxn& txn, const Tables& tables, uint64_t number, HistoryEnd end)
    : number_(number),
      end_(end),
      newest_(txn, tables),
      account_history_(txn.cursor(tables.account_history)),
      storage_history_(txn.cursor(tables.storage_history)),
      account_changes_(txn.cursor(tables.account_change_set)),
      storage_changes_(txn.cursor(tables.storage_change_set)) {}

std::optional<core::Account> PastState::account(const Address& address) {
    const auto value_at = [&](uint64_t number) -> std::optional<std::optional<core::Account>> {
        const db::Hit row = account_changes_.seek_both_range(number_key(number), address);
        if (!row || !row->value.starts_with(address)) return std::nullopt;
        const ByteView slim = row->value.sub(Address::kSize);
        if (slim.empty()) return std::optional<core::Account>();
        return decode_slim_account(slim);
    };
    if (number_ < end_.indexed) {
        if (const auto changed = first_number_above(account_history_, address, number_)) {
            const auto value = value_at(*changed);
            if (!value) throw_damaged(table::kAccountHistory, *changed);
            return *value;
        }
    }
    for (uint64_t number = first_unindexed(); number <= end_.head; ++number) {
        if (const auto value = value_at(number)) return *value;
    }
    return newest_.account(address);
}

U256 PastState::storage(const Address& address, const U256& slot) {
    const auto wanted = slot.to_be32();
    const auto value_at = [&](uint64_t number) -> std::optional<U256> {
        const db::Hit row = storage_changes_.seek_both_range(storage_key(number, address), wanted);
        if (!row || !row->value.starts_with(wanted)) return std::nullopt;
        return decode_slot_row(row->value, number).value;
    };
    if (number_ < end_.indexed) {
        if (const auto changed =
                first_number_above(storage_history_, slot_key(address, slot), number_)) {
            const auto value = value_at(*changed);
            if (!value) throw_damaged(table::kStorageHistory, *changed);
            return *value;
        }
    }
    for (uint64_t number = first_unindexed(); number <= end_.head; ++number) {
        if (const auto value = value_at(number)) return *value;
    }
    return newest_.storage(address, slot);
}

std::optional<ByteView> PastState::code(const core::Hash32& hash) {
    return newest_.code(hash);
}

void PastState::each_slot(const Address& address, const OnSlot& on_slot) {
    // The lowest change above the block decides: whatever is met first stays.
    std::map<U256, U256> values;
    if (number_ < end_.indexed) {
        db::Hit row = storage_history_.seek(address);
        while (row && row->key.starts_with(address)) {
            const core::Bytes key = row->key.sub(0, Address::kSize + kSlotBytes).to_bytes();
            if (const auto changed = first_number_above(storage_history_, key, number_)) {
                const ByteView slot = ByteView(key).sub(Address::kSize);
                const auto before =
                    storage_changes_.seek_both_range(storage_key(*changed, address), slot);
                if (!before || !before->value.starts_with(slot)) {
                    throw_damaged(table::kStorageHistory, *changed);
                }
                const SlotValue found = decode_slot_row(before->value, *changed);
                values.emplace(found.slot, found.value);
            }
            const auto next_slot = db::next_prefix(key);
            row = next_slot ? storage_history_.seek(*next_slot) : std::nullopt;
        }
    }
    for (uint64_t number = first_unindexed(); number <= end_.head; ++number) {
        for (db::Hit row = storage_changes_.seek_exact(storage_key(number, address)); row;
             row = storage_changes_.next_dup()) {
            const SlotValue found = decode_slot_row(row->value, number);
            values.emplace(found.slot, found.value);
        }
    }
    newest_.each_slot(address,
                      [&](const U256& slot, const U256& value) { values.emplace(slot, value); });
    for (const auto& [slot, value] : values) {
        if (!value.is_zero()) on_slot(slot, value);
    }
}

}  // namespace keel::state
