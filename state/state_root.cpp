#include "state/state_root.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

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

std::vector<core::Hash32> hash_slots(const ChangeSet& changes) {
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

std::vector<core::Hash32> hash_addresses(const ChangeSet& changes) {
    std::vector<core::ByteView> inputs(changes.accounts.size());
    for (size_t at = 0; at < inputs.size(); ++at) inputs[at] = changes.accounts[at].address;
    std::vector<core::Hash32> hashes(inputs.size());
    crypto::keccak256_batch(inputs, hashes);
    return hashes;
}

void append_rows(TrieRows& to, core::ByteView prefix, const Commitment& commitment) {
    for (const NodeChange& change : commitment.changes())
        to.append(prefix, change.path, change.rlp);
}

/// Storage root after the slots of `change`, whose hashed slots are `keys`.
core::Hash32 resolve_storage(TrieReader& tries, const AccountChange& change,
                             std::span<const SlotChange> slots, const core::Hash32* keys,
                             Updates& updates, TrieChanges* rows) {
    updates.begin(slots.size(), kSlotRlpBytesMax);
    for (size_t at = 0; at < slots.size(); ++at) {
        if (slots[at].before == slots[at].after) continue;
        if (slots[at].after.is_zero()) {
            updates.erase(keys[at]);
            continue;
        }
        updates.set(keys[at], [&](core::Bytes& to) { core::rlp_append_uint(to, slots[at].after); });
    }
    StorageNodes nodes(tries, change.address);
    const Commitment commitment = Commitment::resolve(nodes, updates.sorted());
    if (rows != nullptr) append_rows(rows->storage, change.address, commitment);
    return commitment.root();
}

void check_gone(const AccountChange& change, const core::Hash32& storage_root) {
    if (storage_root == core::kEmptyTrieRoot) return;
    throw core::Fault(core::FaultKind::Damaged,
                      "account " + core::to_hex_prefixed(change.address) +
                          " is removed, but its storage trie has slots that the storage table has "
                          "not; check the database, or build it anew from genesis and blocks");
}

}  // namespace

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

core::Hash32 resolve_state_root(TrieReader& tries, ChangeSet& changes, TrieChanges* rows) {
    const std::vector<core::Hash32> slot_keys = hash_slots(changes);
    Updates updates;
    for (AccountChange& change : changes.accounts) {
        if (change.slot_count == 0) {
            if (!change.after && change.before) check_gone(change, change.before->storage_root);
            continue;
        }
        const core::Hash32 root =
            resolve_storage(tries, change, changes.slots_of(change),
                            slot_keys.data() + change.first_slot, updates, rows);
        if (change.after)
            change.after->storage_root = root;
        else
            check_gone(change, root);
    }

    const std::vector<core::Hash32> account_keys = hash_addresses(changes);
    updates.begin(changes.accounts.size(), kTrieAccountBytesMax);
    for (size_t at = 0; at < changes.accounts.size(); ++at) {
        const auto& after = changes.accounts[at].after;
        if (after)
            updates.set(account_keys[at],
                        [&](core::Bytes& to) { append_trie_account(to, *after); });
        else
            updates.erase(account_keys[at]);
    }
    AccountNodes nodes(tries);
    const Commitment commitment = Commitment::resolve(nodes, updates.sorted());
    if (rows != nullptr) append_rows(rows->account, {}, commitment);
    return commitment.root();
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
