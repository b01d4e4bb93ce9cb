#include "db/tools/inspect.hpp"

namespace keel::db::tools {

StoreReport collect_stats(const Database& database) {
    StoreReport report{.store = database.stats(), .tables = {}};
    const ReadTxn txn = database.begin_ro();
    for (const TableSpec& spec : txn.list_tables())
        report.tables.push_back({spec.name, txn.stat(database.table(spec.name))});
    return report;
}

std::vector<TableCount> list_tables(const Database& database) {
    std::vector<TableCount> tables;
    const ReadTxn txn = database.begin_ro();
    for (const TableSpec& spec : txn.list_tables())
        tables.push_back({spec.name, spec.kind, txn.count(database.table(spec.name))});
    return tables;
}

std::vector<Bytes> get_values(const Database& database, std::string_view name, ByteView key) {
    const ReadTxn txn = database.begin_ro();
    const Table table = database.table(name);
    if (!txn.exists(table))
        throw Error(ErrorCode::NoSuchTable,
                    database.path() + ", table " + std::string(name) + ": there is no such table");
    std::vector<Bytes> values;
    ReadCursor cursor = txn.cursor(table);
    for (Hit hit = cursor.seek_exact(key); hit; hit = cursor.next_dup())
        values.push_back(hit->value.to_bytes());
    return values;
}

}  // namespace keel::db::tools
