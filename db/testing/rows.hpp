#pragma once

#include <utility>
#include <vector>

#include "db/database.hpp"

namespace keel::db::testing {

/// Every row of a table in its order, values of one key one after another: for comparisons in
/// tests.
using Rows = std::vector<std::pair<core::Bytes, core::Bytes>>;

inline Rows rows_of(const ReadTxn& txn, Table table) {
    Rows rows;
    ReadCursor cursor = txn.cursor(table);
    for (auto row = cursor.first(); row; row = cursor.next()) {
        rows.emplace_back(row->key.to_bytes(), row->value.to_bytes());
    }
    return rows;
}

}  // namespace keel::db::testing
