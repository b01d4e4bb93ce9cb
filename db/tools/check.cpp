#include "db/tools/check.hpp"

#include <xxhash.h>

#include <string>

#include "db/tools/steps.hpp"

namespace keel::db::tools {
namespace {

/// What a walk saw. `mix` does not depend on the direction.
struct Walk {
    uint64_t entries = 0;
    uint64_t keys = 0;
    uint64_t bytes = 0;
    uint64_t mix = 0;
    friend bool operator==(const Walk&, const Walk&) = default;
};

class TableCheck {
  public:
    TableCheck(const Database& database, const ReadTxn& txn, const TableSpec& spec,
               CheckReport& report, Steps& steps)
        : txn_(txn),
          spec_(spec),
          table_(database.table(spec.name)),
          report_(report),
          steps_(steps) {}

    void run() {
        const Walk forth = walk(Order::Asc);
        const Walk back = walk(Order::Desc);
        report_.entries += forth.entries;
        report_.bytes += forth.bytes;
        if (!(forth == back))
            issue("walking back finds other entries than walking forth: " +
                  std::to_string(back.entries) + " and " + std::to_string(forth.entries));
        expect("entries", txn_.count(table_), forth.entries);
        const TableStat stat = txn_.stat(table_);
        expect("entries in its statistics", stat.entries, forth.entries);
        expect("keys", stat.keys, forth.keys);
        if (stat.kind != spec_.kind) issue("its statistics name the other kind");
    }

  private:
    void issue(std::string what) { report_.issues.push_back({spec_.name, std::move(what)}); }

    void expect(const char* what, uint64_t said, uint64_t counted) {
        if (said != counted)
            issue("the table says " + std::to_string(said) + " " + what + ", counted are " +
                  std::to_string(counted));
    }

    Walk walk(Order order) {
        Walk walk;
        ReadCursor cursor = txn_.cursor(table_);
        Entry last;
        bool ordered = true;
        const bool forward = order == Order::Asc;
        for (Hit hit = forward ? cursor.first() : cursor.last(); hit;
             hit = forward ? cursor.next() : cursor.prev()) {
            if (walk.entries == 0 || !(hit->key == last.key)) ++walk.keys;
            if (walk.entries != 0) {
                const bool follows = forward ? is_before(last, *hit) : is_before(*hit, last);
                if (!follows && ordered)
                    issue("entry " + std::to_string(walk.entries) + " in " +
                          (forward ? "ascending" : "descending") + " order is out of order");
                ordered = ordered && follows;
            }
            check_sizes(*hit, walk.entries);
            const uint64_t key_hash = XXH3_64bits(hit->key.data(), hit->key.size());
            walk.mix += XXH3_64bits_withSeed(hit->value.data(), hit->value.size(), key_hash);
            walk.bytes += hit->key.size() + hit->value.size();
            ++walk.entries;
            steps_.step();
            last = *hit;
        }
        return walk;
    }

    bool is_before(const Entry& a, const Entry& b) const {
        const auto order = a.key <=> b.key;
        if (order != 0 || spec_.kind == Kind::Plain) return order < 0;
        return a.value < b.value;
    }

    void check_sizes(const Entry& entry, uint64_t number) {
        const size_t value_bytes_max =
            spec_.kind == Kind::DupSort ? kDupValueBytesMax : kPlainValueBytesMax;
        if (entry.key.size() <= kKeyBytesMax && entry.value.size() <= value_bytes_max) return;
        issue("entry " + std::to_string(number) + " has a key of " +
              std::to_string(entry.key.size()) + " and a value of " +
              std::to_string(entry.value.size()) + " bytes");
    }

    const ReadTxn& txn_;
    const TableSpec& spec_;
    Table table_;
    CheckReport& report_;
    Steps& steps_;
};

}  // namespace

CheckReport check(const Database& database, const Progress& progress) {
    CheckReport report;
    const ReadTxn txn = database.begin_ro();
    report.view_id = txn.view_id();
    uint64_t all = 0;
    const std::vector<TableSpec> specs = txn.list_tables();
    for (const TableSpec& spec : specs) all += 2 * txn.count(database.table(spec.name));
    Steps steps(progress, all);
    std::string last_name;
    for (const TableSpec& spec : specs) {
        ++report.tables;
        if (spec.name <= last_name) report.issues.push_back({"", "table names are out of order"});
        last_name = spec.name;
        try {
            TableCheck(database, txn, spec, report, steps).run();
        } catch (const Error& error) {
            if (error.code() != ErrorCode::Corrupt) throw;
            report.issues.push_back({spec.name, error.message()});
        }
    }
    return report;
}

}  // namespace keel::db::tools
