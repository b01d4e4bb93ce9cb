#include "db/tools/transfer.hpp"

#include <fmt/format.h>

#include "db/tools/steps.hpp"

namespace keel::db::tools {
namespace {

/// A whole table, as a cursor walks it.
class TableEntries final : public SortedEntries {
  public:
    TableEntries(const ReadTxn& txn, Table table, Steps& steps)
        : cursor_(txn.cursor(table)), stat_(txn.stat(table)), steps_(steps) {}
    bool next(Entry& entry) override {
        const Hit hit = begun_ ? cursor_.next() : cursor_.first();
        begun_ = true;
        if (!hit) return false;
        entry = *hit;
        steps_.step();
        return true;
    }
    uint64_t entries() const override { return stat_.entries; }
    uint64_t bytes() const override { return stat_.bytes; }

  private:
    ReadCursor cursor_;
    const TableStat stat_;
    Steps& steps_;
    bool begun_ = false;
};

}  // namespace

TransferReport transfer(const Database& from, const Database& to, const Progress& progress) {
    const ReadTxn source = from.begin_ro();
    TransferReport report{.view_id = source.view_id(), .tables = 0, .entries = 0, .digest = {}};
    uint64_t all = 0;
    uint64_t bytes = 0;
    const std::vector<TableSpec> specs = source.list_tables();
    for (const TableSpec& spec : specs) {
        const TableStat stat = source.stat(from.table(spec.name));
        all += stat.entries;
        bytes += stat.bytes;
    }
    Steps steps(progress, all);
    to.update([&](WriteTxn& txn) {
        for (const TableSpec& spec : txn.list_tables())
            if (txn.count(to.table(spec.name)) > 0)
                throw Error(ErrorCode::KeyExists,
                            fmt::format("{}: table {} has entries already", to.path(), spec.name));
        std::vector<Table> tables;
        for (const TableSpec& spec : specs) {
            txn.create_table(spec);
            tables.push_back(to.table(spec.name));
        }
        txn.order_loads(tables, bytes);
        for (const Table table : tables) {
            const Table copied = from.table(to.table_name(table));
            TableEntries entries(source, copied, steps);
            txn.load(table, entries);
            txn.set_sequence(table, source.sequence(copied));
            ++report.tables;
        }
    });
    report.entries = steps.done();
    if (progress) progress(report.entries, all);
    const StoreDigest wanted = checksum(from, source);
    const StoreDigest got = checksum(to);
    if (wanted.digest != got.digest)
        throw Error(ErrorCode::Corrupt,
                    fmt::format("{}: digest {} instead of {} of {}", to.path(), got.digest.hex(),
                                wanted.digest.hex(), from.path()));
    report.digest = wanted.digest;
    return report;
}

}  // namespace keel::db::tools
