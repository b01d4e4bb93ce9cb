#include "state/state_root.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "core/base.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "state/codecs.hpp"
#include "state/trie/commitment.hpp"

namespace keel::state {

namespace {

constexpr size_t kSlotRlpBytesMax = 33;
constexpr size_t kTrieAccountBytesMax = 112;  // header 2, nonce 9, balance 33, two hashes of 33

class AccountNodes final : public NodeReader {
  public:
    explicit AccountNodes(TrieReader& tries) : tries_(tries) {}
    std::optional<core::ByteView> node(core::ByteView path) override {
        return tries_.account_node(path);
    }

  private:
    TrieReader& tries_;
};

class StorageNodes final : public NodeReader {
  public:
    StorageNodes(TrieReader& tries, const core::Address& address)
        : tries_(tries), address_(address) {}
    std::optional<core::ByteView> node(core::ByteView path) override {
        return tries_.storage_node(address_, path);
    }

  private:
    TrieReader& tries_;
    const core::Address& address_;
};

/// Updates of one trie in work; keeps its memory from trie to trie.
class Updates {
  public:
    /// For at most `count` updates whose values take `value_bytes_max` each.
    void begin(size_t count, size_t value_bytes_max) {
        updates_.clear();
        values_.clear();
        updates_.reserve(count);
        values_.reserve(count * value_bytes_max);  // so that views of it stay
    }
    void erase(const core::Hash32& key) { updates_.push_back({key, std::nullopt}); }
    /// `append_value` appends the value to the bytes that it is given.
    template <class AppendValue>
    void set(const core::Hash32& key, const AppendValue& append_value) {
        const size_t at = values_.size();
        const size_t room = values_.capacity();
        append_value(values_);
        KEEL_ASSERT(values_.capacity() == room);
        updates_.push_back({key, core::ByteView(values_).sub(at)});
    }
    std::span<const TrieUpdate> sorted() {
        std::sort(updates_.begin(), updates_.end(),
                  [](const TrieUpdate& a, const TrieUpdate& b) { return a.key < b.key; });
        return updates_;
    }

  private:
    std::vector<TrieUpdate> updates_;
    core::Bytes values_;
};

// The two forms of what changes: ChangeSet has the values before as well.

bool is_same(const SlotChange& slot) {
    return slot.before == slot.after;
}
bool is_same(const SlotValue&) {
    return false;
}
const core::U256& new_value(const SlotChange& slot) {
    return slot.after;
}
const core::U256& new_value(const SlotValue& slot) {
    return slot.value;
}
std::optional<core::Account>& new_account(AccountChange& change) {
    return change.after;
}
std::optional<core::Account>& new_account(AccountValue& value) {
    return value.account;
}
core::Hash32 old_storage_root(const AccountChange& change) {
    return change.before ? change.before->storage_root : core::kEmptyTrieRoot;
}
core::Hash32 old_storage_root(const AccountValue&) {
    return core::kEmptyTrieRoot;
}

template <class Changes>
std::vector<core::Hash32> hash_slots(const Changes& changes) {
    std::vector<std::array<uint8_t, 32>> slots(changes.slots.size());
    std::vector<core::ByteView> inputs(slots.size());
    for (size_t at = 0; at < slots.size(); ++at) {
        slots[at] = changes.slots[at].slot.to_be32();
        inputs[at] = slots[at];
    }
    std::vector<core::Hash32> hashes(slots.size());
    crypto::keccak256_batch(inputs, hashes);
    return hashes;
}

template <class Changes>
std::vector<core::Hash32> hash_addresses(const Changes& changes) {
    std::vector<core::ByteView> inputs(changes.accounts.size());
    for (size_t at = 0; at < inputs.size(); ++at) inputs[at] = changes.accounts[at].address;
    std::vector<core::Hash32> hashes(inputs.size());
    crypto::keccak256_batch(inputs, hashes);
    return hashes;
}

void append_rows(TrieRows& to, core::ByteView prefix, const Commitment& commitment,
                 std::optional<core::ByteView> NodeChange::* side) {
    for (const NodeChange& change : commitment.changes())
        to.append(prefix, change.path, change.*side);
}

/// Where the rows go; null: nowhere.
struct RowTargets {
    TrieChanges* after = nullptr;
    TrieChanges* before = nullptr;

    void append(TrieRows TrieChanges::* table, core::ByteView prefix,
                const Commitment& commitment) const {
        if (after != nullptr) append_rows(after->*table, prefix, commitment, &NodeChange::rlp);
        if (before != nullptr) append_rows(before->*table, prefix, commitment, &NodeChange::before);
    }
};

template <class Changes>
void mark_accounts(Changes& changes, Updates& updates) {
    const std::vector<core::Hash32> account_keys = hash_addresses(changes);
    updates.begin(changes.accounts.size(), kTrieAccountBytesMax);
    for (size_t at = 0; at < changes.accounts.size(); ++at) {
        const auto& account = new_account(changes.accounts[at]);
        if (account)
            updates.set(account_keys[at],
                        [&](core::Bytes& to) { append_trie_account(to, *account); });
        else
            updates.erase(account_keys[at]);
    }
}

/// Storage root of an account after `slots`, whose hashed slots are `keys`.
template <class Slot>
core::Hash32 resolve_storage(TrieReader& tries, const core::Address& address, std::span<Slot> slots,
                             const core::Hash32* keys, Updates& updates, const RowTargets& rows) {
    updates.begin(slots.size(), kSlotRlpBytesMax);
    for (size_t at = 0; at < slots.size(); ++at) {
        if (is_same(slots[at])) continue;
        const core::U256& value = new_value(slots[at]);
        if (value.is_zero()) {
            updates.erase(keys[at]);
            continue;
        }
        updates.set(keys[at], [&](core::Bytes& to) { core::rlp_append_uint(to, value); });
    }
    StorageNodes nodes(tries, address);
    const Commitment commitment = Commitment::resolve(nodes, updates.sorted());
    rows.append(&TrieChanges::storage, address, commitment);
    return commitment.root();
}

template <class Changes>
void resolve_storages(TrieReader& tries, Changes& changes, const RowTargets& rows) {
    const std::vector<core::Hash32> slot_keys = hash_slots(changes);
    Updates updates;
    for (auto& change : changes.accounts) {
        auto& account = new_account(change);
        if (change.slot_count == 0) {
            if (!account) check_storage_gone(change.address, old_storage_root(change));
            continue;
        }
        const core::Hash32 root =
            resolve_storage(tries, change.address, std::as_const(changes).slots_of(change),
                            slot_keys.data() + change.first_slot, updates, rows);
        if (account)
            account->storage_root = root;
        else
            check_storage_gone(change.address, root);
    }
}

template <class Changes>
core::Hash32 resolve(TrieReader& tries, Changes& changes, const RowTargets& rows) {
    resolve_storages(tries, changes, rows);
    Updates updates;
    mark_accounts(changes, updates);
    AccountNodes nodes(tries);
    const Commitment commitment = Commitment::resolve(nodes, updates.sorted());
    rows.append(&TrieChanges::account, {}, commitment);
    return commitment.root();
}

/// Tries of which nothing is stored.
class NoTries final : public TrieReader {
  public:
    std::optional<core::ByteView> account_node(core::ByteView) override { return std::nullopt; }
    std::optional<core::ByteView> storage_node(const core::Address&, core::ByteView) override {
        return std::nullopt;
    }
};

}  // namespace

void check_storage_gone(const core::Address& address, const core::Hash32& storage_root) {
    if (storage_root == core::kEmptyTrieRoot) return;
    throw core::Fault(core::FaultKind::Damaged,
                      "account " + core::to_hex_prefixed(address) +
                          " is removed, but its storage trie has slots that the storage table has "
                          "not; check the database, or build it anew from genesis and blocks");
}

std::optional<core::ByteView> NewestTries::account_node(core::ByteView path) {
    return txn_.get(tables_.trie_account, path);
}

std::optional<core::ByteView> NewestTries::storage_node(const core::Address& address,
                                                        core::ByteView path) {
    std::array<uint8_t, core::Address::kSize + kKeyNibbles> key;
    KEEL_ASSERT(path.size() <= kKeyNibbles);
    std::memcpy(key.data(), address.data(), core::Address::kSize);
    std::copy(path.begin(), path.end(), key.begin() + core::Address::kSize);
    return txn_.get(tables_.trie_storage, {key.data(), core::Address::kSize + path.size()});
}

TrieRows::Row TrieRows::operator[](size_t index) const noexcept {
    const Place& place = rows_[index];
    const core::ByteView arena(arena_);
    Row row{arena.sub(place.at, place.key_bytes), std::nullopt};
    if (place.rlp_bytes != kGone) row.rlp = arena.sub(place.at + place.key_bytes, place.rlp_bytes);
    return row;
}

std::optional<TrieRows::Row> TrieRows::find(core::ByteView key) const noexcept {
    const core::ByteView arena(arena_);
    const auto found = std::lower_bound(rows_.begin(), rows_.end(), key,
                                        [&](const Place& place, core::ByteView wanted) {
                                            return arena.sub(place.at, place.key_bytes) < wanted;
                                        });
    if (found == rows_.end() || arena.sub(found->at, found->key_bytes) != key) return std::nullopt;
    return (*this)[static_cast<size_t>(found - rows_.begin())];
}

void TrieRows::append(core::ByteView prefix, core::ByteView path,
                      std::optional<core::ByteView> rlp) {
    const Place place{arena_.size(), static_cast<uint32_t>(prefix.size() + path.size()),
                      rlp ? static_cast<uint32_t>(rlp->size()) : kGone};
    core::append(arena_, prefix);
    core::append(arena_, path);
    if (rlp) core::append(arena_, *rlp);
    rows_.push_back(place);
    const size_t count = rows_.size();
    KEEL_ASSERT(count == 1 || (*this)[count - 2].key < (*this)[count - 1].key);
}

core::Hash32 resolve_state_root(TrieReader& tries, ChangeSet& changes, TrieChanges* rows,
                                TrieChanges* before) {
    return resolve(tries, changes, {rows, before});
}

core::Hash32 resolve_state_root(TrieReader& tries, Values& values, TrieChanges* rows) {
    return resolve(tries, values, {.after = rows});
}

core::Hash32 resolve_new_state_root(ChangeSet& changes, TrieChanges* rows) {
    NoTries tries;
    return resolve(tries, changes, {.after = rows});
}

void write_flat_state(db::WriteTxn& txn, const Tables& tables, const ChangeSet& changes) {
    core::Bytes row;
    for (const AccountChange& change : changes.accounts) {
        if (!change.after) {
            txn.del(tables.account, change.address);
            continue;
        }
        row.clear();
        append_slim_account(row, *change.after);
        txn.put(tables.account, change.address, row);
    }
    for (const AccountChange& change : changes.accounts) {
        for (const SlotChange& slot : changes.slots_of(change)) {
            if (slot.before == slot.after) continue;
            const auto key = slot_key(change.address, slot.slot);
            const auto value = slot.after.to_be32();
            if (slot.after.is_zero())
                txn.del(tables.storage, key);
            else
                txn.put(tables.storage, key, trim_slot(value));
        }
    }
    for (const NewCode& code : changes.codes)
        txn.put_no_overwrite(tables.code, code.hash, code.code);
}

void write_trie_rows(db::WriteTxn& txn, const Tables& tables, const TrieChanges& rows) {
    const auto write = [&txn](db::Table table, const TrieRows& changed) {
        for (size_t at = 0; at < changed.size(); ++at) {
            const TrieRows::Row row = changed[at];
            if (row.rlp)
                txn.put(table, row.key, *row.rlp);
            else
                txn.del(table, row.key);
        }
    };
    write(tables.trie_account, rows.account);
    write(tables.trie_storage, rows.storage);
}

}  // namespace keel::state
