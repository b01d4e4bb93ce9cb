#include "state/tables.hpp"

namespace keel::state {

db::Schema schema() {
    db::Schema tables;
    for (const char* name : {table::kAccount,
                             table::kStorage,
                             table::kCode,
                             table::kTrieAccount,
                             table::kTrieStorage,
                             table::kForwardChangeSet,
                             table::kAccountHistory,
                             table::kStorageHistory,
                             table::kLogIndex,
                             table::kHeader,
                             table::kHeaderNumber,
                             table::kHeaderTD,
                             table::kCanonicalHeader,
                             table::kBlockBody,
                             table::kTxSender,
                             table::kReceipt,
                             table::kTxLookup,
                             table::kBadBlock,
                             table::kChain,
                             table::kPool}) {
        tables.push_back({.name = name});
    }
    for (const char* name : {table::kAccountChangeSet, table::kStorageChangeSet}) {
        tables.push_back({.name = name, .kind = db::Kind::DupSort});
    }
    return tables;
}

Tables::Tables(const db::Database& database)
    : account(database.table(table::kAccount)),
      storage(database.table(table::kStorage)),
      code(database.table(table::kCode)),
      trie_account(database.table(table::kTrieAccount)),
      trie_storage(database.table(table::kTrieStorage)),
      account_change_set(database.table(table::kAccountChangeSet)),
      storage_change_set(database.table(table::kStorageChangeSet)),
      forward_change_set(database.table(table::kForwardChangeSet)),
      account_history(database.table(table::kAccountHistory)),
      storage_history(database.table(table::kStorageHistory)),
      log_index(database.table(table::kLogIndex)),
      header(database.table(table::kHeader)),
      header_number(database.table(table::kHeaderNumber)),
      header_td(database.table(table::kHeaderTD)),
      canonical_header(database.table(table::kCanonicalHeader)),
      block_body(database.table(table::kBlockBody)),
      tx_sender(database.table(table::kTxSender)),
      receipt(database.table(table::kReceipt)),
      tx_lookup(database.table(table::kTxLookup)),
      bad_block(database.table(table::kBadBlock)),
      chain(database.table(table::kChain)),
      pool(database.table(table::kPool)) {}

}  // namespace keel::state
