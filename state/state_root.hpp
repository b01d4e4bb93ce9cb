#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "db/database.hpp"
#include "state/change_set.hpp"
#include "state/tables.hpp"
#include "state/values.hpp"

namespace keel::state {

/// Stored nodes of the account trie and of the storage tries, each under its own path, one nibble a
/// byte. Views live until the commitment that asked is gone.
class TrieReader {
  public:
    virtual ~TrieReader() = default;
    virtual std::optional<core::ByteView> account_node(core::ByteView path) = 0;
    virtual std::optional<core::ByteView> storage_node(const core::Address& address,
                                                       core::ByteView path) = 0;
};

/// The tries of the newest state: tables TrieAccount and TrieStorage.
class NewestTries final : public TrieReader {
  public:
    NewestTries(const db::ReadTxn& txn, const Tables& tables) : txn_(txn), tables_(tables) {}
    std::optional<core::ByteView> account_node(core::ByteView path) override;
    std::optional<core::ByteView> storage_node(const core::Address& address,
                                               core::ByteView path) override;

  private:
    const db::ReadTxn& txn_;
    const Tables& tables_;
};

/// Rows of one trie table that are different now, ascending by key, in one arena.
class TrieRows {
  public:
    struct Row {
        core::ByteView key;
        std::optional<core::ByteView> rlp;  // none: the row is gone
    };
    size_t size() const noexcept { return rows_.size(); }
    bool empty() const noexcept { return rows_.empty(); }
    /// lifetime: until the next append.
    Row operator[](size_t index) const noexcept;
    /// Binary search; none: `key` has not changed.
    std::optional<Row> find(core::ByteView key) const noexcept;
    /// Keys must ascend. The key is `prefix` ‖ `path`.
    void append(core::ByteView prefix, core::ByteView path, std::optional<core::ByteView> rlp);
    size_t bytes() const noexcept { return arena_.size(); }

  private:
    struct Place {
        uint64_t at;  // in the arena: key, then RLP
        uint32_t key_bytes;
        uint32_t rlp_bytes;  // kGone: no row
    };
    static constexpr uint32_t kGone = UINT32_MAX;
    core::Bytes arena_;
    std::vector<Place> rows_;
};

/// What a change set does to the tries.
struct TrieChanges {
    TrieRows account;  // key: path
    TrieRows storage;  // key: address ‖ path
};

/// State root after `changes`: every storage trie first, then the account trie, each changed key
/// marked once and each touched node hashed once. Puts the storage roots into `changes`. `rows`
/// may be null when only the root is asked for; `before` gets the same rows as they were, for the
/// way back.
core::Hash32 resolve_state_root(TrieReader& tries, ChangeSet& changes, TrieChanges* rows,
                                TrieChanges* before = nullptr);
/// The same of the values that keys have now, some of them perhaps as they were.
core::Hash32 resolve_state_root(TrieReader& tries, Values& values, TrieChanges* rows);

/// The same of changes of nothing. Many at once: state/new_state.hpp.
core::Hash32 resolve_new_state_root(ChangeSet& changes, TrieChanges* rows);

/// Throws Fault::Damaged when the storage of a removed account has a root but the empty one: its
/// trie has slots that the storage table has not.
void check_storage_gone(const core::Address& address, const core::Hash32& storage_root);

/// Puts a change set into the newest state: Account, Storage, Code.
void write_flat_state(db::WriteTxn& txn, const Tables& tables, const ChangeSet& changes);
/// Puts trie rows into TrieAccount and TrieStorage.
void write_trie_rows(db::WriteTxn& txn, const Tables& tables, const TrieChanges& rows);

}  // namespace keel::state
