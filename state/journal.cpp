#include "state/journal.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/base.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "core/random.hpp"
#include "crypto/keccak.hpp"
#include "state/journal_entries.hpp"

namespace keel::state {

using core::Address;
using core::ByteView;
using core::Hash32;
using core::U256;

namespace {

/// RIPEMD160. Its touch survives a revert (EIP-161; mainnet block 2675119).
constexpr Address kRipemd = [] {
    Address address;
    address[Address::kSize - 1] = 3;
    return address;
}();

U256 to_u256(const Hash32& hash) noexcept {
    return U256::load_be32(hash.data());
}

Hash32 to_hash(const U256& value) noexcept {
    return Hash32(value.to_be32());
}

}  // namespace

struct Journal::Impl {
    using Kind = Undo::Kind;

    StateReader* reader = nullptr;
    BlockHashes* hashes = nullptr;
    bool eip_158 = false;
    uint32_t tx = 1;  // stamp of the running transaction; 0: never
    int64_t refund = 0;
    std::vector<core::Log> logs;
    std::vector<Undo> undo;
    std::vector<uint32_t> touched;     // accounts, some of them untouched again by a revert
    std::vector<uint32_t> destructed;  // likewise

    KeyHash hash{core::random_bytes<32>()};
    IndexTable account_table, slot_table, transient_table;
    ChunkedArray<AccountEntry, 8> accounts;
    ChunkedArray<SlotEntry, 9> slots;
    ChunkedArray<TransientEntry, 6> transients;
    AccountEntry* last_account = nullptr;  // the one used last
    SlotEntry* last_slot = nullptr;
    std::unordered_map<Hash32, core::Bytes> new_codes;  // set in the block; views of them live on
    bool remembers_dirty = false;
    std::vector<uint32_t> dirty_accounts, dirty_slots;          // some of them more than once
    std::unordered_map<uint32_t, uint32_t> taken_incarnations;  // of accounts, at take_dirty_values

    // Entries.

    AccountEntry& account(const Address& address) {
        if (last_account != nullptr && same_address(last_account->address, address))
            return *last_account;
        const uint64_t hashed = hash(address);
        const uint32_t found = account_table.find(
            hashed, [&](uint32_t index) { return same_address(accounts[index].address, address); });
        last_account = found != kNoEntry ? &accounts[found] : &add_account(address, hashed);
        return *last_account;
    }

    AccountEntry& add_account(const Address& address, uint64_t hashed) {
        AccountEntry& entry = accounts.add();
        entry.address = address;
        entry.index = account_table.insert(hashed);
        return entry;
    }

    AccountEntry& loaded_account(const Address& address) {
        AccountEntry& entry = account(address);
        if (!entry.loaded) load(entry);
        return entry;
    }

    void load(AccountEntry& entry) {
        const auto stored = reader->account(entry.address);
        entry.was_present = entry.present = stored.has_value();
        if (stored) entry.now = entry.before = *stored;
        entry.loaded = true;
    }

    SlotEntry& slot_entry(AccountEntry& owner, const U256& slot) {
        if (last_slot != nullptr && last_slot->account == owner.index && last_slot->slot == slot)
            return *last_slot;
        const uint64_t hashed = hash(owner.index, slot);
        uint32_t index = slot_table.find(hashed, [&](uint32_t at) {
            return slots[at].account == owner.index && slots[at].slot == slot;
        });
        if (index == kNoEntry) {
            index = slot_table.insert(hashed);
            SlotEntry& entry = slots.add();
            entry.slot = slot;
            entry.account = owner.index;
            entry.next = owner.first_slot;
            owner.first_slot = index;
        }
        last_slot = &slots[index];
        last_slot_index = index;
        return *last_slot;
    }
    uint32_t last_slot_index = 0;

    /// Of a loaded account.
    SlotEntry& loaded_slot(AccountEntry& owner, const U256& slot) {
        SlotEntry& entry = slot_entry(owner, slot);
        if (!entry.loaded) {
            if (owner.had_storage()) entry.before = reader->storage(owner.address, slot);
            entry.current = entry.before;
            entry.loaded = true;
        }
        return entry;
    }

    /// kNoEntry: never written in this transaction.
    uint32_t find_transient(const AccountEntry& owner, const U256& slot, uint64_t hashed) const {
        return transient_table.find(hashed, [&](uint32_t at) {
            return transients[at].account == owner.index && transients[at].slot == slot;
        });
    }

    // Changes, each with its undo entry.

    void note(Kind kind, uint32_t index, const U256& value, uint32_t first = 0,
              uint32_t second = 0) {
        undo.push_back({kind, index, first, second, value});
    }

    void mark(Kind kind, uint32_t index, uint32_t& stamp) {
        note(kind, index, {}, stamp);
        stamp = tx;
    }

    void make_present(AccountEntry& entry) {
        if (entry.present) return;
        note(Kind::Absence, entry.index, {});
        entry.present = true;
    }

    void set_balance(AccountEntry& entry, const U256& wei) {
        make_present(entry);
        note(Kind::Balance, entry.index, entry.now.balance);
        entry.now.balance = wei;
    }

    void set_nonce(AccountEntry& entry, uint64_t nonce) {
        make_present(entry);
        note(Kind::Nonce, entry.index, entry.now.nonce);
        entry.now.nonce = nonce;
    }

    void set_code(AccountEntry& entry, const Hash32& code_hash, ByteView code) {
        make_present(entry);
        note(Kind::Code, entry.index, to_u256(entry.now.code_hash));
        entry.now.code_hash = code_hash;
        entry.code = code;
        entry.code_loaded = true;
    }

    void touch(AccountEntry& entry) {
        if (!eip_158) {
            make_present(entry);
            return;
        }
        if (entry.touched == tx) return;
        mark(Kind::Touched, entry.index, entry.touched);
        touched.push_back(entry.index);
    }

    void wipe_storage(AccountEntry& entry) {
        note(Kind::Incarnation, entry.index, to_u256(entry.now.storage_root), entry.incarnation);
        entry.now.storage_root = core::kEmptyTrieRoot;
        entry.incarnation = ++entry.incarnations;
    }

    void take_back(const Undo& entry) {
        switch (entry.kind) {
            case Kind::Balance:
                accounts[entry.index].now.balance = entry.value;
                break;
            case Kind::Nonce:
                accounts[entry.index].now.nonce = entry.value.low64();
                break;
            case Kind::Code:
                accounts[entry.index].now.code_hash = to_hash(entry.value);
                accounts[entry.index].code_loaded = false;
                break;
            case Kind::Absence:
                accounts[entry.index].present = false;
                break;
            case Kind::Incarnation:
                accounts[entry.index].now.storage_root = to_hash(entry.value);
                accounts[entry.index].incarnation = entry.first;
                break;
            case Kind::Created:
                accounts[entry.index].created = entry.first;
                break;
            case Kind::Touched:
                if (!same_address(accounts[entry.index].address, kRipemd))
                    accounts[entry.index].touched = entry.first;
                break;
            case Kind::Destructed:
                accounts[entry.index].destructed = entry.first;
                break;
            case Kind::WarmAccount:
                accounts[entry.index].warm = entry.first;
                break;
            case Kind::WarmSlot:
                slots[entry.index].warm = entry.first;
                break;
            case Kind::Slot:
                slots[entry.index].current = entry.value;
                slots[entry.index].incarnation = entry.first;
                slots[entry.index].original = entry.second;
                break;
            case Kind::Transient:
                transients[entry.index].value = entry.value;
                break;
            case Kind::Refund:
                refund = static_cast<int64_t>(entry.value.low64());
                break;
            case Kind::Log:
                KEEL_ASSERT(!logs.empty());
                logs.pop_back();
                break;
        }
    }

    // Beyond single changes.

    void forget_transaction() {
        if (remembers_dirty) remember_dirty();
        undo.clear();
        touched.clear();
        destructed.clear();
        transient_table.clear();
        transients.clear();
        ++tx;
    }

    /// Every change has an undo entry, but for the removals at the end.
    void remember_dirty() {
        dirty_accounts.insert(dirty_accounts.end(), touched.begin(), touched.end());
        dirty_accounts.insert(dirty_accounts.end(), destructed.begin(), destructed.end());
        for (const Undo& entry : undo) {
            switch (entry.kind) {
                case Kind::Balance:
                case Kind::Nonce:
                case Kind::Code:
                case Kind::Absence:
                case Kind::Incarnation:
                    dirty_accounts.push_back(entry.index);
                    break;
                case Kind::Slot:
                    dirty_accounts.push_back(slots[entry.index].account);
                    dirty_slots.push_back(entry.index);
                    break;
                default:
                    break;
            }
        }
    }

    ByteView code_of_hash(const Hash32& code_hash) {
        if (code_hash == core::kEmptyCodeHash) return {};
        if (const auto found = new_codes.find(code_hash); found != new_codes.end())
            return found->second;
        const auto code = reader->code(code_hash);
        if (!code) {
            throw core::Fault(core::FaultKind::Damaged,
                              "code " + core::to_hex_prefixed(code_hash) +
                                  " of an account is missing; check the database, or build it "
                                  "anew from genesis and blocks");
        }
        return *code;
    }

    /// At the end of a transaction; no undo.
    static void remove(AccountEntry& entry) {
        entry.present = false;
        entry.now = {};
        entry.code = {};
        entry.code_loaded = true;
        entry.incarnation = ++entry.incarnations;
    }

    template <class OnEntry>
    void each_known_slot(const AccountEntry& owner, const OnEntry& on_entry) const {
        for (uint32_t at = owner.first_slot; at != kNoEntry; at = slots[at].next) {
            if (slots[at].loaded) on_entry(slots[at]);
        }
    }

    bool has_storage(const AccountEntry& owner) const;
    void append_slots(const AccountEntry& owner, std::vector<SlotChange>& to) const;
    void append_change(const AccountEntry& entry, ChangeSet& to) const;
    ChangeSet changes_without_codes() const;
    std::vector<Hash32> new_codes_of(const ChangeSet& changes) const;
    void append_values_of_all_slots(const AccountEntry& owner, std::vector<SlotValue>& to) const;
};

bool Journal::Impl::has_storage(const AccountEntry& owner) const {
    if (!owner.present) return false;
    bool any = false;
    each_known_slot(owner,
                    [&](const SlotEntry& slot) { any = any || !slot.value(owner).is_zero(); });
    if (any || owner.incarnation != 0 || !owner.had_storage()) return any;
    // All that the block has met is zero now; what it has not met decides.
    std::vector<U256> cleared;
    each_known_slot(owner, [&](const SlotEntry& slot) { cleared.push_back(slot.slot); });
    if (cleared.empty()) return true;
    std::sort(cleared.begin(), cleared.end());
    reader->each_slot(owner.address, [&](const U256& slot, const U256&) {
        any = any || !std::binary_search(cleared.begin(), cleared.end(), slot);
    });
    return any;
}

void Journal::Impl::append_slots(const AccountEntry& owner, std::vector<SlotChange>& to) const {
    const bool wiped = owner.incarnation != 0 && owner.had_storage();
    const auto first = static_cast<ptrdiff_t>(to.size());
    each_known_slot(owner, [&](const SlotEntry& slot) {
        const U256 after = slot.value(owner);
        if (slot.before != after || (wiped && !slot.before.is_zero()))
            to.push_back({slot.slot, slot.before, after});
    });
    const auto by_slot = [](const SlotChange& a, const SlotChange& b) { return a.slot < b.slot; };
    std::sort(to.begin() + first, to.end(), by_slot);
    if (!wiped) return;
    const auto known = static_cast<ptrdiff_t>(to.size());
    auto next = first;
    reader->each_slot(owner.address, [&](const U256& slot, const U256& before) {
        while (next < known && to[static_cast<size_t>(next)].slot < slot) ++next;
        if (next < known && to[static_cast<size_t>(next)].slot == slot) return;
        to.push_back({slot, before, {}});
    });
    std::sort(to.begin() + first, to.end(), by_slot);
}

void Journal::Impl::append_change(const AccountEntry& entry, ChangeSet& to) const {
    AccountChange change{.address = entry.address, .before = {}, .after = {}};
    if (entry.was_present) change.before = entry.before;
    if (entry.present) change.after = entry.now;
    change.first_slot = static_cast<uint32_t>(to.slots.size());
    append_slots(entry, to.slots);
    change.slot_count = static_cast<uint32_t>(to.slots.size()) - change.first_slot;
    if (change.slot_count == 0 && change.before == change.after) return;
    to.accounts.push_back(change);
}

/// Its storage is another one than before: what is stored of it goes.
void Journal::Impl::append_values_of_all_slots(const AccountEntry& owner,
                                               std::vector<SlotValue>& to) const {
    std::map<U256, U256> values;
    each_known_slot(owner, [&](const SlotEntry& slot) { values[slot.slot] = slot.value(owner); });
    if (owner.had_storage()) {
        reader->each_slot(owner.address,
                          [&](const U256& slot, const U256&) { values.try_emplace(slot); });
    }
    for (const auto& [slot, value] : values) to.push_back({slot, value});
}

ChangeSet Journal::Impl::changes_without_codes() const {
    std::vector<const AccountEntry*> entries;
    for (uint32_t index = 0; index < accounts.size(); ++index) {
        const AccountEntry& entry = accounts[index];
        if (entry.loaded && (entry.was_present || entry.present)) entries.push_back(&entry);
    }
    std::sort(entries.begin(), entries.end(),
              [](const AccountEntry* a, const AccountEntry* b) { return a->address < b->address; });
    ChangeSet changes;
    for (const AccountEntry* entry : entries) append_change(*entry, changes);
    return changes;
}

std::vector<Hash32> Journal::Impl::new_codes_of(const ChangeSet& changes) const {
    std::vector<Hash32> found;
    for (const AccountChange& change : changes.accounts) {
        if (!change.after || (change.before && change.before->code_hash == change.after->code_hash))
            continue;
        if (new_codes.contains(change.after->code_hash)) found.push_back(change.after->code_hash);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

Journal::Journal() : impl_(std::make_unique<Impl>()) {}
Journal::~Journal() = default;

void Journal::begin_block(StateReader& reader, BlockHashes& hashes) {
    Impl& j = *impl_;
    j.reader = &reader;
    j.hashes = &hashes;
    j.remembers_dirty = false;
    j.dirty_accounts.clear();
    j.dirty_slots.clear();
    j.taken_incarnations.clear();
    j.forget_transaction();
    j.logs.clear();
    j.refund = 0;
    j.tx = 1;
    j.account_table.clear();
    j.accounts.clear();
    j.slot_table.clear();
    j.slots.clear();
    j.last_account = nullptr;
    j.last_slot = nullptr;
    j.new_codes.clear();
}

void Journal::begin_transaction(const core::ForkRules& rules) {
    Impl& j = *impl_;
    j.forget_transaction();
    j.logs.clear();
    j.refund = 0;
    j.eip_158 = rules.eip_158;
}

void Journal::end_transaction() {
    Impl& j = *impl_;
    for (const uint32_t index : j.destructed) {
        if (j.accounts[index].destructed == j.tx) Impl::remove(j.accounts[index]);
    }
    for (const uint32_t index : j.touched) {
        AccountEntry& entry = j.accounts[index];
        if (entry.touched == j.tx && entry.present && entry.now.is_empty()) Impl::remove(entry);
    }
    j.forget_transaction();
}

void Journal::add_balance(const Address& address, const U256& wei) {
    AccountEntry& entry = impl_->loaded_account(address);
    impl_->touch(entry);
    if (!wei.is_zero()) impl_->set_balance(entry, entry.now.balance + wei);
}

void Journal::sub_balance(const Address& address, const U256& wei) {
    if (wei.is_zero()) return;
    AccountEntry& entry = impl_->loaded_account(address);
    KEEL_ASSERT(entry.now.balance >= wei);
    impl_->set_balance(entry, entry.now.balance - wei);
}

void Journal::set_balance(const Address& address, const U256& wei) {
    impl_->set_balance(impl_->loaded_account(address), wei);
}

void Journal::set_nonce(const Address& address, uint64_t nonce) {
    impl_->set_nonce(impl_->loaded_account(address), nonce);
}

int64_t Journal::refund() const noexcept {
    return impl_->refund;
}

const std::vector<core::Log>& Journal::logs() const noexcept {
    return impl_->logs;
}

std::vector<core::Log> Journal::take_logs() {
    return std::exchange(impl_->logs, {});
}

core::AccessList Journal::access_list() const {
    const Impl& j = *impl_;
    core::AccessList list;
    for (uint32_t index = 0; index < j.accounts.size(); ++index) {
        const AccountEntry& account = j.accounts[index];
        core::AccessListEntry entry{account.address, {}};
        for (uint32_t at = account.first_slot; at != kNoEntry; at = j.slots[at].next) {
            if (j.slots[at].warm == j.tx) entry.keys.push_back(to_hash(j.slots[at].slot));
        }
        std::sort(entry.keys.begin(), entry.keys.end());
        if (account.warm == j.tx || !entry.keys.empty()) list.push_back(std::move(entry));
    }
    std::sort(list.begin(), list.end(),
              [](const auto& a, const auto& b) { return a.address < b.address; });
    return list;
}

ChangeSet Journal::changes() {
    const Impl& j = *impl_;
    ChangeSet changes = j.changes_without_codes();
    for (const Hash32& hash : j.new_codes_of(changes))
        changes.codes.push_back({hash, j.new_codes.at(hash)});
    return changes;
}

ChangeSet Journal::take_changes() {
    Impl& j = *impl_;
    ChangeSet changes = j.changes_without_codes();
    for (const Hash32& hash : j.new_codes_of(changes))
        changes.codes.push_back({hash, std::move(j.new_codes.at(hash))});
    j.new_codes.clear();
    return changes;
}

void Journal::remember_dirty_keys() {
    impl_->remembers_dirty = true;
}

Values Journal::take_dirty_values() {
    Impl& j = *impl_;
    const auto in_order = [](std::vector<uint32_t>& indices, const auto& before) {
        std::sort(indices.begin(), indices.end(), before);
        indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    };
    in_order(j.dirty_accounts, [&j](uint32_t a, uint32_t b) {
        return j.accounts[a].address < j.accounts[b].address;
    });
    in_order(j.dirty_slots, [&j](uint32_t a, uint32_t b) {
        const SlotEntry& left = j.slots[a];
        const SlotEntry& right = j.slots[b];
        if (left.account != right.account)
            return j.accounts[left.account].address < j.accounts[right.account].address;
        return left.slot < right.slot;
    });
    Values values;
    auto slot = j.dirty_slots.begin();
    for (const uint32_t index : j.dirty_accounts) {
        const AccountEntry& entry = j.accounts[index];
        AccountValue value;
        value.address = entry.address;
        if (entry.present) value.account = entry.now;
        value.first_slot = static_cast<uint32_t>(values.slots.size());
        uint32_t& incarnation = j.taken_incarnations[index];
        const bool other_storage = incarnation != entry.incarnation;
        incarnation = entry.incarnation;
        if (other_storage) j.append_values_of_all_slots(entry, values.slots);
        for (; slot != j.dirty_slots.end() && j.slots[*slot].account == index; ++slot) {
            if (!other_storage)
                values.slots.push_back({j.slots[*slot].slot, j.slots[*slot].value(entry)});
        }
        value.slot_count = static_cast<uint32_t>(values.slots.size()) - value.first_slot;
        values.accounts.push_back(value);
    }
    KEEL_ASSERT(slot == j.dirty_slots.end());
    j.dirty_accounts.clear();
    j.dirty_slots.clear();
    return values;
}

bool Journal::account_exists(const Address& address) {
    return impl_->loaded_account(address).present;
}

bool Journal::is_dead(const Address& address) {
    const AccountEntry& entry = impl_->loaded_account(address);
    return !entry.present || entry.now.is_empty();
}

U256 Journal::balance(const Address& address) {
    return impl_->loaded_account(address).now.balance;
}

uint64_t Journal::nonce(const Address& address) {
    return impl_->loaded_account(address).now.nonce;
}

ByteView Journal::code(const Address& address) {
    AccountEntry& entry = impl_->loaded_account(address);
    if (!entry.code_loaded) {
        entry.code = impl_->code_of_hash(entry.now.code_hash);
        entry.code_loaded = true;
    }
    return entry.code;
}

Hash32 Journal::code_hash(const Address& address) {
    return impl_->loaded_account(address).now.code_hash;
}

bool Journal::has_storage(const Address& address) {
    return impl_->has_storage(impl_->loaded_account(address));
}

U256 Journal::storage(const Address& address, const U256& slot) {
    AccountEntry& owner = impl_->loaded_account(address);
    return impl_->loaded_slot(owner, slot).value(owner);
}

U256 Journal::original_storage(const Address& address, const U256& slot) {
    AccountEntry& owner = impl_->loaded_account(address);
    if (owner.created == impl_->tx) return {};
    const SlotEntry& entry = impl_->loaded_slot(owner, slot);
    return entry.original == impl_->tx ? entry.original_value : entry.value(owner);
}

void Journal::set_storage(const Address& address, const U256& slot, const U256& value) {
    Impl& j = *impl_;
    AccountEntry& owner = j.loaded_account(address);
    SlotEntry& entry = j.loaded_slot(owner, slot);
    const U256 current = entry.value(owner);
    if (current == value) return;
    j.make_present(owner);
    j.note(Undo::Kind::Slot, j.last_slot_index, entry.current, entry.incarnation, entry.original);
    if (entry.original != j.tx) {
        entry.original_value = current;
        entry.original = j.tx;
    }
    entry.incarnation = owner.incarnation;
    entry.current = value;
}

U256 Journal::transient_storage(const Address& address, const U256& slot) {
    Impl& j = *impl_;
    const AccountEntry& owner = j.account(address);
    const uint32_t found = j.find_transient(owner, slot, j.hash(owner.index, slot));
    return found == kNoEntry ? U256{} : j.transients[found].value;
}

void Journal::set_transient_storage(const Address& address, const U256& slot, const U256& value) {
    Impl& j = *impl_;
    const AccountEntry& owner = j.account(address);
    const uint64_t hashed = j.hash(owner.index, slot);
    uint32_t index = j.find_transient(owner, slot, hashed);
    if (index == kNoEntry) {
        index = j.transient_table.insert(hashed);
        j.transients.add() = {slot, {}, owner.index};
    }
    j.note(Undo::Kind::Transient, index, j.transients[index].value);
    j.transients[index].value = value;
}

evm::Access Journal::access_account(const Address& address) {
    AccountEntry& entry = impl_->account(address);
    if (entry.warm == impl_->tx) return evm::Access::Warm;
    impl_->mark(Undo::Kind::WarmAccount, entry.index, entry.warm);
    return evm::Access::Cold;
}

evm::Access Journal::access_slot(const Address& address, const U256& slot) {
    SlotEntry& entry = impl_->slot_entry(impl_->account(address), slot);
    if (entry.warm == impl_->tx) return evm::Access::Warm;
    impl_->mark(Undo::Kind::WarmSlot, impl_->last_slot_index, entry.warm);
    return evm::Access::Cold;
}

size_t Journal::snapshot() {
    return impl_->undo.size();
}

void Journal::revert(size_t snapshot) {
    auto& undo = impl_->undo;
    KEEL_ASSERT(snapshot <= undo.size());
    while (undo.size() > snapshot) {
        impl_->take_back(undo.back());
        undo.pop_back();
    }
}

void Journal::touch(const Address& address) {
    impl_->touch(impl_->loaded_account(address));
}

void Journal::transfer(const Address& from, const Address& to, const U256& value) {
    impl_->touch(impl_->loaded_account(to));
    if (value.is_zero() || from == to) return;
    sub_balance(from, value);
    AccountEntry& receiver = impl_->loaded_account(to);
    impl_->set_balance(receiver, receiver.now.balance + value);
}

void Journal::burn_balance(const Address& address) {
    AccountEntry& entry = impl_->loaded_account(address);
    if (!entry.now.balance.is_zero()) impl_->set_balance(entry, {});
}

void Journal::create_account(const Address& address, uint64_t nonce) {
    Impl& j = *impl_;
    AccountEntry& entry = j.loaded_account(address);
    j.set_nonce(entry, nonce);
    j.set_code(entry, core::kEmptyCodeHash, {});
    j.wipe_storage(entry);
    j.mark(Undo::Kind::Created, entry.index, entry.created);
    j.touch(entry);
}

bool Journal::created_in_transaction(const Address& address) {
    return impl_->account(address).created == impl_->tx;
}

void Journal::set_code(const Address& address, ByteView code) {
    Impl& j = *impl_;
    AccountEntry& entry = j.loaded_account(address);
    if (code.empty()) {
        j.set_code(entry, core::kEmptyCodeHash, {});
        return;
    }
    const Hash32 hash = crypto::keccak256(code);
    auto& kept = j.new_codes[hash];
    if (kept.empty()) kept = code.to_bytes();
    j.set_code(entry, hash, kept);
}

void Journal::increment_nonce(const Address& address) {
    AccountEntry& entry = impl_->loaded_account(address);
    impl_->set_nonce(entry, entry.now.nonce + 1);
}

bool Journal::mark_destructed(const Address& address) {
    AccountEntry& entry = impl_->loaded_account(address);
    if (entry.destructed == impl_->tx) return false;
    impl_->mark(Undo::Kind::Destructed, entry.index, entry.destructed);
    impl_->destructed.push_back(entry.index);
    return true;
}

void Journal::add_log(const Address& address, std::span<const Hash32> topics, ByteView data) {
    impl_->note(Undo::Kind::Log, 0, {});
    impl_->logs.push_back({address, {topics.begin(), topics.end()}, data.to_bytes()});
}

void Journal::add_refund(int64_t gas) {
    impl_->note(Undo::Kind::Refund, 0, static_cast<uint64_t>(impl_->refund));
    impl_->refund += gas;
}

Hash32 Journal::block_hash(uint64_t number) {
    return impl_->hashes->block_hash(number);
}

}  // namespace keel::state
