#include "state/tables.hpp"

#include <gtest/gtest.h>

#include <set>

#include "db/open.hpp"

namespace keel::state {
namespace {

TEST(Tables, every_handle_names_a_table_of_its_own_and_its_kind) {
    const db::Database database = db::open_ephemeral(schema());
    const Tables tables(database);
    const db::Table handles[] = {
        tables.account,
        tables.storage,
        tables.code,
        tables.trie_account,
        tables.trie_storage,
        tables.account_change_set,
        tables.storage_change_set,
        tables.forward_change_set,
        tables.account_history,
        tables.storage_history,
        tables.log_index,
        tables.header,
        tables.header_number,
        tables.header_td,
        tables.canonical_header,
        tables.block_body,
        tables.tx_sender,
        tables.receipt,
        tables.tx_lookup,
        tables.bad_block,
        tables.chain,
        tables.pool,
    };
    std::set<std::string> names;
    for (const db::Table handle : handles) names.insert(database.table_name(handle));
    std::set<std::string> declared;
    for (const auto& spec : schema()) declared.insert(spec.name);
    EXPECT_EQ(names, declared);
    EXPECT_EQ(names.size(), std::size(handles));
    EXPECT_EQ(database.table_name(tables.storage_change_set), "StorageChangeSet");
    EXPECT_EQ(tables.account_change_set.kind, db::Kind::DupSort);
    EXPECT_EQ(tables.storage_change_set.kind, db::Kind::DupSort);
    EXPECT_EQ(tables.storage.kind, db::Kind::Plain);
    EXPECT_EQ(tables.forward_change_set.kind, db::Kind::Plain);
}

}  // namespace
}  // namespace keel::state
