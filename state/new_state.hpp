#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "core/bytes.hpp"
#include "core/growing_array.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"
#include "db/database.hpp"
#include "state/tables.hpp"
#include "state/values.hpp"

namespace keel::state {

/// A state where there was none, as a genesis has it: perhaps millions of accounts, flat and in any
/// order. Addresses are hashed by another thread while accounts still come.
///
///   add_slot()…, add_account() for each account; finish(); then write or root.
///
/// An address that comes again takes the place of the one before. One thread.
class NewState {
  public:
    static constexpr uint32_t kNone = UINT32_MAX;

    NewState();
    /// At most so many accounts and slots come: what is small takes no address space of its own.
    NewState(size_t accounts_max, size_t slots_max);
    ~NewState();
    NewState(const NewState&) = delete;
    NewState& operator=(const NewState&) = delete;

    /// A slot of the account that is added next. Any order; the last value of a slot counts, zero
    /// is absence.
    void add_slot(const core::U256& slot, const core::U256& value);
    /// A code for accounts to come; returns what they call it by. Not empty.
    uint32_t add_code(core::Bytes code);
    /// With the slots added since the last one. `code`: kNone for none.
    void add_account(const core::Address& address, uint64_t nonce, const core::U256& balance,
                     uint32_t code = kNone);
    /// The last account has come.
    void finish();

    /// Number of accounts. After finish().
    size_t size() const noexcept { return by_address_.size(); }

    /// Puts it into the tables Account, Storage, Code, TrieAccount and TrieStorage, bulk-loaded;
    /// returns the state root. After finish().
    core::Hash32 write(db::WriteTxn& txn, const Tables& tables) const;
    /// The root alone. After finish().
    core::Hash32 root() const;

  private:
    struct Account {
        core::Address address;
        uint32_t code;
        uint64_t nonce;
        core::U256 balance;
        uint32_t storage;  // index in storages_
    };
    /// Slots of an account, ascending, none zero.
    struct Storage {
        uint32_t account;
        uint32_t slot_count;
        uint64_t first_slot;
    };
    class AddressHasher;
    class AccountRows;
    class SlotRows;
    class CodeRows;
    class StorageTries;

    void hash_addresses(size_t first, size_t last);
    void sort_slots();
    void sort_accounts();
    void hash_codes();
    core::Hash32 code_hash(const Account& account) const noexcept;
    void append_trie_value(size_t account, std::span<const core::Hash32> roots,
                           core::Bytes& to) const;
    void prefetch_account(size_t account) const noexcept;

    core::GrowingArray<Account> accounts_;
    core::GrowingArray<core::Hash32> keys_;  // keccak256 of the addresses, by account
    core::GrowingArray<SlotValue> slots_;
    std::vector<Storage> storages_;  // of accounts that have slots; finish() puts them in order
    std::vector<core::Bytes> codes_;
    std::vector<core::Hash32> code_hashes_;
    size_t first_new_slot_ = 0;
    bool slots_ascend_ = true;  // those since the last account
    std::unique_ptr<AddressHasher> hasher_;

    std::vector<uint32_t> by_address_;  // accounts that count, ascending by address
    std::vector<bool> replaced_;        // by account; empty: none is
};

}  // namespace keel::state
