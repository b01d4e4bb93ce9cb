#pragma once

#include "db/database.hpp"
#include "db/table.hpp"

namespace keel::state {

// Every table of the store. Numbers in keys are 8 bytes big-endian; ‖ joins. `last` is the last
// block of a chunk, `before` the slim account before the block (none: it was absent). A *step* is
// that a block becomes or ceases to be canonical. Source of the list: docs/store-format.md.

namespace table {

// The newest state.
inline constexpr const char* kAccount = "Account";          // address -> slim account
inline constexpr const char* kStorage = "Storage";          // address ‖ slot -> value, not zero
inline constexpr const char* kCode = "Code";                // code hash -> code
inline constexpr const char* kTrieAccount = "TrieAccount";  // nibble path -> node RLP
inline constexpr const char* kTrieStorage = "TrieStorage";  // address ‖ nibble path -> node RLP

// Changes of each block, and the indexes over them.
inline constexpr const char* kAccountChangeSet = "AccountChangeSet";  // number -> address ‖ before
inline constexpr const char* kStorageChangeSet =
    "StorageChangeSet";  // number ‖ address -> slot ‖ value before
inline constexpr const char* kForwardChangeSet =
    "ForwardChangeSet";  // number ‖ hash -> accounts and slots after
inline constexpr const char* kAccountHistory = "AccountHistory";  // address ‖ last -> chunk
inline constexpr const char* kStorageHistory = "StorageHistory";  // address ‖ slot ‖ last -> chunk
inline constexpr const char* kLogIndex =
    "LogIndex";  // 00 ‖ address or 01…04 ‖ topic; ‖ last -> chunk

// Blocks.
inline constexpr const char* kHeader = "Header";                    // number ‖ hash -> RLP
inline constexpr const char* kHeaderNumber = "HeaderNumber";        // hash -> number
inline constexpr const char* kHeaderTD = "HeaderTD";                // number ‖ hash -> difficulty
inline constexpr const char* kCanonicalHeader = "CanonicalHeader";  // number -> hash
inline constexpr const char* kBlockBody = "BlockBody";              // number ‖ hash -> body
inline constexpr const char* kTxSender = "TxSender";  // number ‖ hash -> 20 bytes each
inline constexpr const char* kReceipt = "Receipt";    // number ‖ hash -> receipts
inline constexpr const char* kTxLookup = "TxLookup";  // tx hash -> number ‖ index
inline constexpr const char* kBadBlock = "BadBlock";  // hash -> verdict and block

inline constexpr const char* kChain = "Chain";  // name of a setting or position -> value
inline constexpr const char* kPool = "Pool";    // tx hash -> arrival ‖ network form

}  // namespace table

/// What a store is opened with.
db::Schema schema();

/// Handles of all tables of one database, resolved once. lifetime: the database.
struct Tables {
    db::Table account, storage, code, trie_account, trie_storage;
    db::Table account_change_set, storage_change_set, forward_change_set;
    db::Table account_history, storage_history, log_index;
    db::Table header, header_number, header_td, canonical_header, block_body, tx_sender, receipt,
        tx_lookup, bad_block;
    db::Table chain, pool;

    Tables() = default;
    explicit Tables(const db::Database& database);
};

}  // namespace keel::state
