#include <fmt/format.h>

#include "cmd/commands.hpp"
#include "cmd/key_bytes.hpp"
#include "cmd/output.hpp"

namespace keel::cmd {
namespace {

db::Table stored_table(const db::Database& database, const db::WriteTxn& txn,
                       const std::string& name) {
    const db::Table table = database.table(name);
    if (!txn.exists(table))
        throw db::Error(db::ErrorCode::NoSuchTable,
                        fmt::format("{}, table {}: there is no such table", database.path(), name));
    return table;
}

/// One change in a commit of its own, on disk before anything is shown.
template <class Change>
int change(const Options& options, const char* what, Change&& make) {
    StderrObserver observer(options.quiet);
    node::Options to = to_node_options(options, db::Access::ReadWrite, &observer);
    to.create = false;
    const db::Database database = node::open_database(to);
    bool changed = false;
    uint64_t view_id = 0;
    {
        auto txn = database.begin_rw();
        if (!txn) throw core::Fault(core::FaultKind::Failed, "the database is being written");
        changed = make(*txn, stored_table(database, *txn, options.table));
        view_id = txn->commit();
    }
    database.close();
    Output output;
    if (options.json) {
        JsonWriter json;
        json.begin_object();
        json.field("viewId", view_id);
        json.field(what, changed);
        json.end_object();
        output.line(json.text());
    }
    output.finish();
    if (changed) return 0;
    if (!options.quiet) say(fmt::format("table {}: no such entry", options.table));
    return static_cast<int>(core::FaultKind::Failed);
}

}  // namespace

int run_db_put(const Options& options) {
    const core::Bytes key = key_bytes(options.key);
    const core::Bytes value = key_bytes(options.value.value_or(""));
    return change(options, "put", [&](db::WriteTxn& txn, db::Table table) {
        txn.put(table, key, value);
        return true;
    });
}

int run_db_del(const Options& options) {
    const core::Bytes key = key_bytes(options.key);
    return change(options, "deleted", [&](db::WriteTxn& txn, db::Table table) {
        return options.value ? txn.del(table, key, key_bytes(*options.value)) : txn.del(table, key);
    });
}

}  // namespace keel::cmd
