#include "db/tools/dump.hpp"

#include <algorithm>

#include "db/tools/steps.hpp"

namespace keel::db::tools {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;
// For whoever loads it into LMDB: its map never fills, its readers do not run out.
constexpr uint64_t kMapBytes = uint64_t{1} << 40;
constexpr size_t kPageBytes = 4096;

std::string header(const TableSpec& spec, uint64_t sequence, TextFormat format) {
    const bool dup_sort = spec.kind == Kind::DupSort;
    std::string text = "VERSION=3\nformat=";
    text += format == TextFormat::ByteValue ? "bytevalue" : "print";
    text += "\ndatabase=" + spec.name + "\ntype=btree\nmapsize=" + std::to_string(kMapBytes) +
            "\nmaxreaders=" + std::to_string(kReadersMax) + "\n";
    if (dup_sort) text += "duplicates=1\ndupsort=1\n";
    text += "db_pagesize=" + std::to_string(kPageBytes) + "\n";
    text += "keel_sequence=" + std::to_string(sequence) + "\n";
    text += std::string("keel_kind=") + (dup_sort ? "dupsort" : "plain") + "\n";
    return text + "HEADER=END\n";
}

void dump_table(const Database& database, const ReadTxn& txn, const TableSpec& spec,
                TextFormat format, const TextSink& sink, Steps& steps) {
    const Table table = database.table(spec.name);
    std::string text = header(spec, txn.sequence(table), format);
    ReadCursor cursor = txn.cursor(table);
    for (Hit hit = cursor.first(); hit; hit = cursor.next()) {
        text += ' ';
        append_encoded(text, hit->key, format);
        text += "\n ";
        append_encoded(text, hit->value, format);
        text += '\n';
        steps.step();
        if (text.size() < kPieceBytes) continue;
        sink(text);
        text.clear();
    }
    text += "DATA=END\n";
    sink(text);
}

}  // namespace

void dump(const Database& database, const DumpOptions& options, const TextSink& sink,
          const Progress& progress) {
    const ReadTxn txn = database.begin_ro();
    const std::vector<TableSpec> stored = txn.list_tables();
    std::vector<TableSpec> wanted;
    for (const std::string& name : options.tables) {
        const auto found = std::ranges::find(stored, name, &TableSpec::name);
        if (found == stored.end())
            throw Error(ErrorCode::NoSuchTable,
                        database.path() + ", table " + name + ": there is no such table to dump");
        wanted.push_back(*found);
    }
    if (options.tables.empty()) wanted = stored;
    uint64_t all = 0;
    for (const TableSpec& spec : wanted) all += txn.count(database.table(spec.name));
    Steps steps(progress, all);
    for (const TableSpec& spec : wanted)
        dump_table(database, txn, spec, options.format, sink, steps);
}

}  // namespace keel::db::tools
