#pragma once

// The tries of a store against those that are made at once of all its accounts and slots.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "core/rlp.hpp"
#include "crypto/keccak.hpp"
#include "db/database.hpp"
#include "db/testing/rows.hpp"
#include "state/codecs.hpp"
#include "state/tables.hpp"
#include "state/trie/eager_trie.hpp"

namespace keel::tests {

/// What blocks, back and forth, have left of the tries; `state_root` is the head's.
inline void expect_eager_tries(const db::Database& database, const state::Tables& tables,
                               const core::Hash32& state_root, std::string_view where) {
    using core::Bytes, core::ByteView;
    const auto append_nodes = [](db::testing::Rows& rows, ByteView prefix,
                                 const state::EagerTrie& trie) {
        for (const auto& [path, rlp] : trie.nodes()) {
            Bytes key = prefix.to_bytes();
            core::append(key, path);
            rows.emplace_back(std::move(key), rlp);
        }
    };
    const db::ReadTxn txn = database.begin_ro();
    std::map<core::Address, state::EagerTrie> storages;
    for (const auto& [key, value] : db::testing::rows_of(txn, tables.storage)) {
        const ByteView row(key);
        Bytes rlp;
        core::rlp_append_string(rlp, value);
        storages[core::Address(row.sub(0, core::Address::kSize))].insert(
            crypto::keccak256(row.sub(core::Address::kSize)), rlp);
    }
    db::testing::Rows account_nodes, storage_nodes;
    for (const auto& [address, trie] : storages) append_nodes(storage_nodes, address, trie);
    state::EagerTrie accounts;
    for (const auto& [key, value] : db::testing::rows_of(txn, tables.account)) {
        core::Account account = state::decode_slim_account(value);
        const core::Address address{ByteView(key)};
        const auto storage = storages.find(address);
        account.storage_root =
            storage == storages.end() ? core::kEmptyTrieRoot : storage->second.root();
        Bytes row;
        state::append_trie_account(row, account);
        accounts.insert(crypto::keccak256(address), row);
    }
    append_nodes(account_nodes, {}, accounts);
    EXPECT_EQ(accounts.root(), state_root) << where;
    EXPECT_TRUE(account_nodes == db::testing::rows_of(txn, tables.trie_account)) << where;
    EXPECT_TRUE(storage_nodes == db::testing::rows_of(txn, tables.trie_storage)) << where;
}

}  // namespace keel::tests
