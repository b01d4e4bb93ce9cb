#include "state/journal.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "evm/testing/map_host.hpp"

namespace keel::state {
namespace {

using core::Address;
using core::ByteView;
using core::Fork;
using core::ForkRules;
using core::Hash32;
using core::U256;
using evm::testing::MapHost;
using Accounts = std::map<Address, MapHost::Account>;

Address address_of(uint8_t number) {
    Address address;
    address[19] = number;
    return address;
}

/// Not a root: says only that there is storage, which is all that a journal asks of it.
Hash32 some_root() {
    Hash32 root;
    root[0] = 1;
    return root;
}

/// A state in maps.
class MapState final : public StateReader, public BlockHashes {
  public:
    Accounts accounts;
    mutable size_t slot_reads = 0;

    std::optional<core::Account> account(const Address& address) override {
        const auto found = accounts.find(address);
        if (found == accounts.end()) return std::nullopt;
        return slim(found->second);
    }
    U256 storage(const Address& address, const U256& slot) override {
        ++slot_reads;
        const auto found = accounts.find(address);
        if (found == accounts.end()) return {};
        const auto value = found->second.storage.find(slot);
        return value == found->second.storage.end() ? U256{} : value->second;
    }
    std::optional<ByteView> code(const Hash32& hash) override {
        for (const auto& [address, account] : accounts) {
            if (crypto::keccak256(account.code) == hash) return account.code;
        }
        return std::nullopt;
    }
    void each_slot(const Address& address, const OnSlot& on_slot) override {
        const auto found = accounts.find(address);
        if (found == accounts.end()) return;
        for (const auto& [slot, value] : found->second.storage) on_slot(slot, value);
    }
    Hash32 block_hash(uint64_t number) override {
        return crypto::keccak256(ByteView(std::to_string(number)));
    }

    static core::Account slim(const MapHost::Account& account) {
        return {account.nonce, account.balance,
                account.storage.empty() ? core::kEmptyTrieRoot : some_root(),
                crypto::keccak256(account.code)};
    }
};

/// MapHost with the beginning and end of transactions, and what only they do.
class Oracle {
  public:
    explicit Oracle(const ForkRules& rules) : rules_(rules), host_(rules), world(host_.world) {}
    MapHost* operator->() noexcept { return &host_; }

    void begin() {
        forget();
        world.logs.clear();
        world.refund = 0;
    }
    void end() {
        for (const Address& address : world.destructed) world.accounts.erase(address);
        for (const Address& address : world.touched) {
            const auto found = world.accounts.find(address);
            if (rules_.eip_158 && found != world.accounts.end() && found->second.empty())
                world.accounts.erase(found);
        }
        forget();
    }
    void revert(size_t snapshot) {
        const bool ripemd_touched = world.touched.contains(address_of(3));
        host_.revert(snapshot);
        if (ripemd_touched) world.touched.insert(address_of(3));
    }
    void add_balance(const Address& address, const U256& wei) {
        host_.touch(address);
        if (!wei.is_zero()) world.accounts[address].balance += wei;
    }

  private:
    /// All but accounts, logs and refund.
    void forget() {
        MapHost::World next;
        next.accounts = std::move(world.accounts);
        next.logs = std::move(world.logs);
        next.refund = world.refund;
        world = std::move(next);
        host_.begin_transaction();
    }

    ForkRules rules_;
    MapHost host_;

  public:
    MapHost::World& world;
};

uint64_t seed() {
    const char* given = std::getenv("KEEL_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

/// One journal and one oracle that are told the same.
class Pair {
  public:
    Pair(Fork fork, uint64_t start, Journal& journal)
        : rules_(core::rules_of(fork)), random_(start), journal_(journal), oracle_(rules_) {
        for (uint8_t number = 1; number <= 9; ++number) addresses_.push_back(address_of(number));
        for (uint64_t slot = 0; slot < 5; ++slot) slots_.push_back(slot);
        slots_.push_back(U256::max());
        slots_.push_back(U256(0, 0, 0, 1));
        for (const Address& address : addresses_) {
            if (below(3) == 0) continue;
            MapHost::Account account;
            account.nonce = below(3) == 0 ? 0 : below(5);
            account.balance = below(3) == 0 ? 0 : below(1000);
            if (below(2) == 0) account.code = some_code();
            if (below(2) == 0) {
                for (const U256& slot : slots_) {
                    if (below(2) == 0) account.storage[slot] = 1 + below(3);
                }
            }
            state_.accounts[address] = account;
        }
        oracle_.world.accounts = state_.accounts;
    }

    void run_blocks(size_t blocks) {
        for (size_t block = 0; block < blocks && !::testing::Test::HasFailure(); ++block) {
            journal_.begin_block(state_, state_);
            const size_t txs = 1 + below(4);
            for (size_t tx = 0; tx < txs; ++tx) {
                run_transaction();
                if (below(2) == 0) check_changes();
                if (below(4) == 0) compare_all();
            }
            check_changes();
            state_.accounts = oracle_.world.accounts;
        }
    }

  private:
    size_t below(size_t end) { return static_cast<size_t>(random_() % end); }
    const Address& any_address() { return addresses_[below(addresses_.size())]; }
    const U256& any_slot() { return slots_[below(slots_.size())]; }
    core::Bytes some_code() { return core::Bytes(below(4), static_cast<uint8_t>(below(3))); }

    void run_transaction() {
        journal_.begin_transaction(rules_);
        oracle_.begin();
        snapshots_.clear();
        views_.clear();
        const size_t operations = below(40);
        for (size_t i = 0; i < operations && !::testing::Test::HasFailure(); ++i) {
            operate();
            if (below(16) == 0) compare_all();
        }
        if (below(2) == 0) compare_all();
        journal_.end_transaction();
        oracle_.end();
        ASSERT_EQ(journal_.logs().size(), oracle_.world.logs.size());
        ASSERT_EQ(journal_.refund(), oracle_.world.refund);
        for (const auto& [view, content] : views_) ASSERT_EQ(view, ByteView(content));
    }

    void operate() {
        const Address& address = any_address();
        const Address& other = any_address();
        const U256& slot = any_slot();
        const bool exists = oracle_->account_exists(address);
        switch (below(24)) {
            case 0:
            case 1:
                snapshots_.emplace_back(journal_.snapshot(), oracle_->snapshot());
                break;
            case 2:
                if (snapshots_.empty()) break;
                snapshots_.resize(1 + below(snapshots_.size()));
                journal_.revert(snapshots_.back().first);
                oracle_.revert(snapshots_.back().second);
                snapshots_.pop_back();
                break;
            case 3:
                journal_.touch(address);
                oracle_->touch(address);
                break;
            case 4:
            case 5: {
                const U256 value = below(2) == 0 ? U256{} : oracle_->balance(address);
                journal_.transfer(address, other, value);
                oracle_->transfer(address, other, value);
                break;
            }
            case 6:
                if (!exists) break;
                journal_.burn_balance(address);
                oracle_->burn_balance(address);
                break;
            case 7:
            case 8: {
                const uint64_t nonce = rules_.eip_158 ? 1 : 0;
                journal_.create_account(address, nonce);
                oracle_->create_account(address, nonce);
                break;
            }
            case 9:
            case 10: {
                if (!exists) break;
                const core::Bytes code = some_code();
                journal_.set_code(address, code);
                oracle_->set_code(address, code);
                break;
            }
            case 11:
                journal_.increment_nonce(address);
                oracle_->increment_nonce(address);
                break;
            case 12:
                if (!exists) break;
                ASSERT_EQ(journal_.mark_destructed(address), oracle_->mark_destructed(address));
                break;
            case 13:
                journal_.add_log(address, {}, ByteView("log"));
                oracle_->add_log(address, {}, ByteView("log"));
                break;
            case 14: {
                const int64_t gas = static_cast<int64_t>(below(100)) - 50;
                journal_.add_refund(gas);
                oracle_->add_refund(gas);
                break;
            }
            case 15:
            case 16:
            case 17: {
                if (!exists) break;
                const U256 value = below(3);
                journal_.set_storage(address, slot, value);
                oracle_->set_storage(address, slot, value);
                break;
            }
            case 18: {
                const U256 value = below(3);
                journal_.set_transient_storage(address, slot, value);
                oracle_->set_transient_storage(address, slot, value);
                break;
            }
            case 19:
                ASSERT_EQ(journal_.access_account(address), oracle_->access_account(address));
                break;
            case 20:
                ASSERT_EQ(journal_.access_slot(address, slot), oracle_->access_slot(address, slot));
                break;
            case 21: {
                const U256 wei = below(3);
                journal_.add_balance(address, wei);
                oracle_.add_balance(address, wei);
                break;
            }
            case 22: {
                const uint64_t nonce = below(3);
                const U256 wei = below(3);
                journal_.set_balance(address, wei);
                oracle_.world.accounts[address].balance = wei;
                journal_.set_nonce(other, nonce);
                oracle_.world.accounts[other].nonce = nonce;
                if (!wei.is_zero()) {
                    journal_.sub_balance(address, 1);
                    oracle_.world.accounts[address].balance -= 1;
                }
                break;
            }
            case 23:
                compare(address);
                break;
            default:
                break;
        }
    }

    void compare(const Address& a) {
        ASSERT_EQ(journal_.account_exists(a), oracle_->account_exists(a));
        ASSERT_EQ(journal_.is_dead(a), oracle_->is_dead(a));
        ASSERT_EQ(journal_.balance(a), oracle_->balance(a));
        ASSERT_EQ(journal_.nonce(a), oracle_->nonce(a));
        ASSERT_EQ(journal_.code_hash(a), oracle_->code_hash(a));
        const ByteView code = journal_.code(a);
        ASSERT_EQ(code, oracle_->code(a));
        views_.emplace_back(code, code.to_bytes());
        ASSERT_EQ(journal_.has_storage(a), oracle_->has_storage(a));
        for (const U256& slot : slots_) compare(a, slot);
    }

    void compare(const Address& a, const U256& slot) {
        ASSERT_EQ(journal_.storage(a, slot), oracle_->storage(a, slot));
        ASSERT_EQ(journal_.original_storage(a, slot), oracle_->original_storage(a, slot));
        ASSERT_EQ(journal_.transient_storage(a, slot), oracle_->transient_storage(a, slot));
    }

    void compare_all() {
        for (const Address& address : addresses_) {
            compare(address);
            ASSERT_EQ(journal_.created_in_transaction(address),
                      oracle_->created_in_transaction(address));
        }
        ASSERT_EQ(journal_.refund(), oracle_.world.refund);
        ASSERT_EQ(journal_.logs().size(), oracle_.world.logs.size());
    }

    /// The change set leads from the state before the block to the oracle's.
    void check_changes() {
        const ChangeSet changes = journal_.changes();
        ASSERT_EQ(changes, journal_.changes());
        std::map<Address, const AccountChange*> by_address;
        size_t slots = 0;
        for (const AccountChange& change : changes.accounts) {
            ASSERT_TRUE(by_address.empty() || by_address.rbegin()->first < change.address);
            ASSERT_EQ(change.first_slot, slots);
            slots += change.slot_count;
            by_address[change.address] = &change;
        }
        ASSERT_EQ(changes.slots.size(), slots);
        for (const Address& address : addresses_) check_change(changes, by_address, address);
        check_codes(changes);
    }

    void check_change(const ChangeSet& changes,
                      const std::map<Address, const AccountChange*>& by_address,
                      const Address& address) {
        const auto before = state_.account(address);
        const auto found = oracle_.world.accounts.find(address);
        const bool present = found != oracle_.world.accounts.end();
        const std::map<U256, U256> none;
        const auto& old_slots = before ? state_.accounts[address].storage : none;
        const auto& new_slots = present ? found->second.storage : none;
        std::optional<core::Account> after;
        if (present) after = MapState::slim(found->second);
        const auto place = by_address.find(address);
        if (place == by_address.end()) {
            ASSERT_EQ(before, after);
            ASSERT_EQ(old_slots, new_slots);
            return;
        }
        const AccountChange& change = *place->second;
        ASSERT_EQ(change.before, before);
        ASSERT_EQ(change.after.has_value(), after.has_value());
        bool wiped = !present;
        if (present) {
            const Hash32 root = change.after->storage_root;
            const Hash32 old_root = before ? before->storage_root : core::kEmptyTrieRoot;
            wiped = root == core::kEmptyTrieRoot;
            ASSERT_TRUE(wiped || root == old_root);
            after->storage_root = root;
            ASSERT_EQ(change.after, after);
        }
        const auto listed = changes.slots_of(change);
        ASSERT_TRUE(change.before != change.after || !listed.empty());
        std::map<U256, U256> applied = old_slots;
        for (size_t at = 0; at < listed.size(); ++at) {
            const SlotChange& slot = listed[at];
            ASSERT_TRUE(at == 0 || listed[at - 1].slot < slot.slot);
            const auto old = old_slots.find(slot.slot);
            ASSERT_EQ(slot.before, old == old_slots.end() ? U256{} : old->second);
            ASSERT_TRUE(slot.before != slot.after || wiped);
            ASSERT_FALSE(slot.before.is_zero() && slot.after.is_zero());
            applied[slot.slot] = slot.after;
            if (slot.after.is_zero()) applied.erase(slot.slot);
        }
        ASSERT_EQ(applied, new_slots);
        if (!wiped) return;
        for (const auto& [slot, value] : old_slots) {
            ASSERT_TRUE(std::ranges::any_of(
                listed, [&](const SlotChange& change_of) { return change_of.slot == slot; }));
        }
    }

    void check_codes(const ChangeSet& changes) {
        std::map<Hash32, core::Bytes> codes;
        for (const NewCode& code : changes.codes) {
            ASSERT_TRUE(codes.empty() || codes.rbegin()->first < code.hash);
            ASSERT_FALSE(code.code.empty());
            ASSERT_EQ(crypto::keccak256(code.code), code.hash);
            codes[code.hash] = code.code;
        }
        for (const AccountChange& change : changes.accounts) {
            if (!change.after || change.after->code_hash == core::kEmptyCodeHash) continue;
            const Hash32& hash = change.after->code_hash;
            ASSERT_TRUE(codes.contains(hash) || state_.code(hash).has_value());
        }
        for (const auto& [hash, code] : codes) {
            ASSERT_TRUE(std::ranges::any_of(changes.accounts, [&](const AccountChange& change) {
                return change.after && change.after->code_hash == hash;
            }));
        }
    }

    ForkRules rules_;
    std::mt19937_64 random_;
    Journal& journal_;
    MapState state_;
    Oracle oracle_;
    std::vector<Address> addresses_;
    std::vector<U256> slots_;
    std::vector<std::pair<size_t, size_t>> snapshots_;
    std::vector<std::pair<ByteView, core::Bytes>> views_;
};

class JournalAgainstMaps : public ::testing::TestWithParam<Fork> {};

TEST_P(JournalAgainstMaps, any_sequence_of_operations_has_the_same_outcome) {
    const uint64_t start = seed();
    Journal journal;
    for (uint64_t run = 0; run < 2000; ++run) {
        SCOPED_TRACE("KEEL_SEED=" + std::to_string(start + run));
        Pair pair(GetParam(), start + run, journal);
        pair.run_blocks(3);
        if (HasFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Forks, JournalAgainstMaps,
                         ::testing::Values(Fork::Frontier, Fork::SpuriousDragon, Fork::Cancun),
                         [](const auto& fork) {
                             std::string name(to_string(fork.param));
                             std::erase(name, ' ');
                             return name;
                         });

// What sequences by chance hardly meet, or meet without saying what it means.

class JournalTest : public ::testing::Test {
  protected:
    void begin(Fork fork) {
        journal.begin_block(state, state);
        journal.begin_transaction(core::rules_of(fork));
    }
    MapState state;
    Journal journal;
    const Address contract = address_of(0x40);
    const Address other = address_of(0x41);
};

TEST_F(JournalTest, storage_of_an_account_destroyed_in_this_block_reads_as_zero) {
    state.accounts[contract] = {.nonce = 1, .balance = 5, .code = {1}, .storage = {{1, 7}, {2, 8}}};
    begin(Fork::Constantinople);
    EXPECT_EQ(journal.storage(contract, 1), 7u);
    journal.mark_destructed(contract);
    EXPECT_EQ(journal.storage(contract, 1), 7u) << "until the transaction ends";
    journal.end_transaction();

    journal.begin_transaction(core::rules_of(Fork::Constantinople));
    EXPECT_FALSE(journal.account_exists(contract));
    EXPECT_FALSE(journal.has_storage(contract));
    journal.create_account(contract, 1);
    EXPECT_EQ(journal.storage(contract, 1), 0u);
    EXPECT_EQ(journal.storage(contract, 2), 0u) << "not read before";
    journal.set_storage(contract, 2, 8);
    journal.set_storage(contract, 3, 9);
    journal.end_transaction();

    const ChangeSet changes = journal.changes();
    ASSERT_EQ(changes.accounts.size(), 1u);
    EXPECT_EQ(changes.accounts[0].after->storage_root, core::kEmptyTrieRoot);
    const std::vector<SlotChange> expected = {{1, 7, 0}, {2, 8, 8}, {3, 0, 9}};
    EXPECT_EQ(changes.slots, expected);
}

TEST_F(JournalTest, wei_sent_to_a_destructed_account_are_lost_with_it) {
    state.accounts[contract] = {.nonce = 1, .balance = 5, .code = {1}, .storage = {}};
    state.accounts[other] = {.nonce = 1, .balance = 9, .code = {}, .storage = {}};
    begin(Fork::Byzantium);
    journal.transfer(contract, other, 5);
    EXPECT_TRUE(journal.mark_destructed(contract));
    EXPECT_FALSE(journal.mark_destructed(contract)) << "a second time";
    journal.transfer(other, contract, 3);
    journal.end_transaction();
    EXPECT_FALSE(journal.account_exists(contract));
    EXPECT_EQ(journal.balance(contract), 0u);
    EXPECT_EQ(journal.balance(other), 11u);
}

TEST_F(JournalTest, reverted_creation_gives_the_storage_back) {
    state.accounts[contract] = {.nonce = 0, .balance = 5, .code = {}, .storage = {{1, 7}}};
    begin(Fork::Cancun);
    journal.access_slot(contract, 1);
    const size_t snapshot = journal.snapshot();
    journal.create_account(contract, 1);
    EXPECT_EQ(journal.access_slot(contract, 1), evm::Access::Warm) << "outlasts the creation";
    EXPECT_EQ(journal.storage(contract, 1), 0u);
    journal.set_storage(contract, 1, 3);
    journal.set_storage(contract, 4, 4);
    EXPECT_EQ(journal.original_storage(contract, 1), 0u);
    EXPECT_TRUE(journal.has_storage(contract));
    journal.revert(snapshot);
    EXPECT_EQ(journal.storage(contract, 1), 7u);
    EXPECT_EQ(journal.storage(contract, 4), 0u);
    journal.set_storage(contract, 1, 2);
    EXPECT_EQ(journal.original_storage(contract, 1), 7u);
}

TEST_F(JournalTest, touch_of_ripemd_survives_a_revert) {
    const Address ripemd = address_of(3);
    for (const Address& address : {ripemd, other}) {
        state.accounts[address] = {};
        begin(Fork::SpuriousDragon);
        const size_t snapshot = journal.snapshot();
        journal.touch(address);
        journal.revert(snapshot);
        journal.end_transaction();
        EXPECT_EQ(journal.account_exists(address), address == other);
    }
}

TEST_F(JournalTest, call_with_no_wei_creates_the_target_before_eip_161_only) {
    state.accounts[contract] = {.nonce = 1, .balance = 5, .code = {}, .storage = {}};
    for (const Fork fork : {Fork::TangerineWhistle, Fork::SpuriousDragon}) {
        begin(fork);
        journal.transfer(contract, other, 0);
        journal.end_transaction();
        EXPECT_EQ(journal.account_exists(other), fork == Fork::TangerineWhistle);
        EXPECT_EQ(journal.changes().accounts.size(), fork == Fork::TangerineWhistle ? 1u : 0u);
    }
}

TEST_F(JournalTest, untouched_empty_account_stays_after_eip_161) {
    state.accounts[other] = {};
    begin(Fork::SpuriousDragon);
    EXPECT_TRUE(journal.account_exists(other));
    EXPECT_TRUE(journal.is_dead(other));
    journal.end_transaction();
    EXPECT_TRUE(journal.account_exists(other));
    EXPECT_TRUE(journal.changes().empty());
}

TEST_F(JournalTest, account_that_comes_back_to_its_old_values_is_no_change) {
    state.accounts[contract] = {.nonce = 1, .balance = 5, .code = {1}, .storage = {{1, 7}}};
    begin(Fork::Cancun);
    journal.set_storage(contract, 1, 8);
    journal.add_balance(contract, 1);
    journal.end_transaction();
    EXPECT_EQ(journal.changes().accounts.size(), 1u);
    journal.begin_transaction(core::rules_of(Fork::Cancun));
    EXPECT_EQ(journal.original_storage(contract, 1), 8u);
    journal.set_storage(contract, 1, 7);
    EXPECT_EQ(journal.original_storage(contract, 1), 8u);
    journal.sub_balance(contract, 1);
    journal.end_transaction();
    EXPECT_TRUE(journal.changes().empty());
}

TEST_F(JournalTest, code_view_outlives_the_account_in_its_transaction) {
    begin(Fork::Cancun);
    journal.create_account(contract, 1);
    const size_t snapshot = journal.snapshot();
    journal.set_code(contract, core::Bytes{1, 2, 3});
    const ByteView view = journal.code(contract);
    journal.revert(snapshot);
    EXPECT_TRUE(journal.code(contract).empty());
    journal.set_code(contract, core::Bytes(100'000, 7));
    EXPECT_EQ(view, ByteView(core::Bytes{1, 2, 3}));
    journal.end_transaction();
    const ChangeSet changes = journal.changes();
    ASSERT_EQ(changes.codes.size(), 1u) << "only the one that is there at the end";
    EXPECT_EQ(changes.codes[0].code.size(), 100'000u);
}

TEST_F(JournalTest, has_storage_counts_slots_and_not_the_root_of_the_parent_block) {
    state.accounts[contract] = {.nonce = 0, .balance = 1, .code = {}, .storage = {{1, 7}, {2, 7}}};
    begin(Fork::Cancun);
    EXPECT_TRUE(journal.has_storage(contract));
    journal.set_storage(contract, 1, 0);
    EXPECT_TRUE(journal.has_storage(contract));
    journal.set_storage(contract, 2, 0);
    EXPECT_FALSE(journal.has_storage(contract));
    journal.set_storage(contract, 3, 1);
    EXPECT_TRUE(journal.has_storage(contract));
}

TEST_F(JournalTest, warming_asks_the_reader_nothing) {
    state.accounts[contract] = {.nonce = 1, .balance = 5, .code = {1}, .storage = {{1, 7}}};
    begin(Fork::Berlin);
    EXPECT_EQ(journal.access_slot(contract, 1), evm::Access::Cold);
    EXPECT_EQ(state.slot_reads, 0u);
    EXPECT_EQ(journal.storage(contract, 1), 7u);
    EXPECT_EQ(journal.storage(contract, 1), 7u);
    EXPECT_EQ(state.slot_reads, 1u);
    journal.access_account(other);
    const core::AccessList warm = journal.access_list();
    ASSERT_EQ(warm.size(), 2u);
    EXPECT_EQ(warm[0].address, contract);
    ASSERT_EQ(warm[0].keys.size(), 1u);
    EXPECT_EQ(warm[0].keys[0][31], 1);
    EXPECT_EQ(warm[1].address, other);
    journal.end_transaction();
    EXPECT_TRUE(journal.access_list().empty());
}

TEST_F(JournalTest, many_accounts_and_slots_grow_the_tables_and_come_out_sorted) {
    const auto address_at = [](uint64_t number) {
        Address address;
        core::store_be(address.data(), number * 0x9e3779b97f4a7c15);
        return address;
    };
    constexpr uint64_t kAccounts = 3000;
    for (int block = 0; block < 2; ++block) {
        begin(Fork::Cancun);
        for (uint64_t number = 0; number < kAccounts; ++number) {
            journal.add_balance(address_at(number), number + 1);
            for (uint64_t slot = 0; slot < number % 8; ++slot)
                journal.set_storage(address_at(number), slot * 1000, number + 1);
        }
        const size_t snapshot = journal.snapshot();
        for (uint64_t number = 0; number < kAccounts; ++number)
            journal.set_storage(address_at(number), 0, 0);
        journal.revert(snapshot);
        for (uint64_t number = 0; number < kAccounts; ++number) {
            ASSERT_EQ(journal.balance(address_at(number)), number + 1);
            for (uint64_t slot = 0; slot < number % 8; ++slot)
                ASSERT_EQ(journal.storage(address_at(number), slot * 1000), number + 1);
        }
        journal.end_transaction();
        const ChangeSet changes = journal.changes();
        ASSERT_EQ(changes.accounts.size(), kAccounts);
        EXPECT_TRUE(std::ranges::is_sorted(changes.accounts, {}, &AccountChange::address));
        EXPECT_EQ(changes.slots.size(), kAccounts / 8 * 28);
    }
    begin(Fork::Cancun);
    journal.end_transaction();
    EXPECT_TRUE(journal.changes().empty()) << "nothing is left of the blocks before";
}

TEST_F(JournalTest, block_hash_is_asked_of_the_chain) {
    begin(Fork::Cancun);
    EXPECT_EQ(journal.block_hash(12), state.block_hash(12));
}

}  // namespace
}  // namespace keel::state
