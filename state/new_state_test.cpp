#include "state/new_state.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/endian.hpp"
#include "crypto/keccak.hpp"
#include "db/open.hpp"
#include "db/tools/checksum.hpp"
#include "state/state_root.hpp"

namespace keel::state {
namespace {

using core::Address;
using core::Bytes;
using core::Hash32;
using core::U256;

struct Account {
    uint64_t nonce = 0;
    U256 balance;
    Bytes code = {};
    std::vector<std::pair<U256, U256>> slots = {};  // as they come
};
/// As they come: an address may be there twice.
using Accounts = std::vector<std::pair<Address, Account>>;

void fill(NewState& state, const Accounts& accounts) {
    for (const auto& [address, account] : accounts) {
        for (const auto& [slot, value] : account.slots) state.add_slot(slot, value);
        const uint32_t code = account.code.empty() ? NewState::kNone : state.add_code(account.code);
        state.add_account(address, account.nonce, account.balance, code);
    }
    state.finish();
}

ChangeSet changes_of(const Accounts& accounts) {
    std::map<Address, Account> last;
    for (const auto& [address, account] : accounts) last[address] = account;
    ChangeSet changes;
    std::map<Hash32, Bytes> codes;
    for (const auto& [address, account] : last) {
        AccountChange change;
        change.address = address;
        core::Account& after = change.after.emplace();
        after.nonce = account.nonce;
        after.balance = account.balance;
        if (!account.code.empty()) {
            after.code_hash = crypto::keccak256(account.code);
            codes[after.code_hash] = account.code;
        }
        change.first_slot = static_cast<uint32_t>(changes.slots.size());
        std::map<U256, U256> slots;
        for (const auto& [slot, value] : account.slots) slots[slot] = value;
        for (const auto& [slot, value] : slots)
            if (!value.is_zero()) changes.slots.push_back({slot, U256(), value});
        change.slot_count = static_cast<uint32_t>(changes.slots.size()) - change.first_slot;
        changes.accounts.push_back(change);
    }
    for (const auto& [hash, code] : codes) changes.codes.push_back({hash, code});
    return changes;
}

std::string digests(const db::Database& database) {
    std::string all;
    for (const auto& table : db::tools::checksum(database).tables)
        all += table.name + " " + table.entries_digest.hex() + "\n";
    return all;
}

/// The same state, put row by row, has the same root and rows.
void expect_equal_to_single_puts(const Accounts& accounts) {
    NewState state;
    fill(state, accounts);
    const auto loaded = db::open_ephemeral(schema());
    Hash32 root;
    loaded.update([&](db::WriteTxn& txn) { root = state.write(txn, Tables(loaded)); });
    EXPECT_EQ(state.root(), root);

    const auto put = db::open_ephemeral(schema());
    ChangeSet changes = changes_of(accounts);
    EXPECT_EQ(state.size(), changes.accounts.size());
    put.update([&](db::WriteTxn& txn) {
        const Tables tables(put);
        TrieChanges rows;
        NewestTries nothing(txn, tables);
        EXPECT_EQ(resolve_state_root(nothing, changes, &rows), root);
        write_flat_state(txn, tables, changes);
        write_trie_rows(txn, tables, rows);
    });
    EXPECT_EQ(digests(loaded), digests(put));
}

Address address_of(uint64_t i) {
    std::array<uint8_t, 8> bytes;
    core::store_be(bytes.data(), i);
    return Address(core::ByteView(crypto::keccak256(bytes)).sub(0, Address::kSize));
}

TEST(NewState, equals_single_puts_at_every_size) {
    for (const uint64_t count : {0u, 1u, 2u, 300u, 19'999u, 30'000u}) {
        SCOPED_TRACE(count);
        Accounts accounts;
        for (uint64_t i = 0; i < count; ++i) {
            Account account{.nonce = i % 3, .balance = U256(i) << static_cast<unsigned>(i % 200)};
            if (i % 7 == 0) account.code = Bytes(1 + i % 40, static_cast<uint8_t>(i % 5));
            for (uint64_t slot = 0; slot < (i % 11 == 0 ? i % 40 : 0); ++slot)
                account.slots.emplace_back(U256(slot * 3), U256(slot % 5)
                                                               << static_cast<unsigned>(slot * 6));
            accounts.emplace_back(address_of(i), account);
        }
        expect_equal_to_single_puts(accounts);
    }
}

TEST(NewState, the_last_of_equal_addresses_and_slots_counts) {
    std::mt19937_64 random(1);
    Accounts accounts;
    for (uint64_t i = 0; i < 40'000; ++i) {
        Account account{.nonce = i, .balance = U256(random())};
        if (random() % 8 == 0) account.code = Bytes(3, static_cast<uint8_t>(random() % 200));
        for (uint64_t slots = random() % 6; slots > 0; --slots)
            account.slots.emplace_back(U256(random() % 4), U256(random() % 3));
        accounts.emplace_back(address_of(random() % 30'000), account);
    }
    expect_equal_to_single_puts(accounts);
}

TEST(NewState, a_large_storage_is_made_in_parts) {
    Accounts accounts;
    for (uint64_t i = 0; i < 40; ++i) {
        Account account{.balance = U256(1)};
        const uint64_t slots = i == 3 || i == 4 ? 25'000 : i == 20 ? 20'000 : i * 10;
        for (uint64_t slot = slots; slot > 0; --slot)
            account.slots.emplace_back(U256(slot), U256(slot + i));
        accounts.emplace_back(address_of(i), account);
    }
    expect_equal_to_single_puts(accounts);
}

/// Large, but not spread over all parts.
TEST(NewState, a_lopsided_trie_is_made_in_one_piece) {
    Accounts accounts;
    for (uint64_t i = 0; accounts.size() < 20'100; ++i) {
        const Address address = address_of(i);
        if (crypto::keccak256(address)[0] != 0x7f)
            accounts.emplace_back(address, Account{.balance = U256(i)});
    }
    expect_equal_to_single_puts(accounts);
}

TEST(NewState, is_dropped_before_its_end) {
    NewState state;
    for (uint64_t i = 0; i < 50'000; ++i) state.add_account(address_of(i), i, U256(i));
}

}  // namespace
}  // namespace keel::state
