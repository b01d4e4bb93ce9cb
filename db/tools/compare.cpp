#include "db/tools/compare.hpp"

#include <algorithm>

namespace keel::db::tools {
namespace {

struct Side {
    const Database& database;
    const ReadTxn txn;
    const std::vector<TableSpec> specs;

    explicit Side(const Database& of)
        : database(of), txn(of.begin_ro()), specs(txn.list_tables()) {}
    const TableSpec* find(const std::string& name) const {
        const auto found = std::ranges::find(specs, name, &TableSpec::name);
        return found != specs.end() ? &*found : nullptr;
    }
};

void compare_entries(const Side& first, const Side& second, Table a, Table b,
                     TableDifference& difference) {
    const bool dup = a.kind == Kind::DupSort;
    ReadCursor cursor_a = first.txn.cursor(a);
    ReadCursor cursor_b = second.txn.cursor(b);
    Hit at_a = cursor_a.first();
    Hit at_b = cursor_b.first();
    const auto note = [&](uint64_t& count, ByteView key) {
        ++count;
        if (!difference.first_key) difference.first_key = key.to_bytes();
    };
    while (at_a || at_b) {
        auto order = std::strong_ordering::equal;
        if (!at_a) {
            order = std::strong_ordering::greater;
        } else if (!at_b) {
            order = std::strong_ordering::less;
        } else {
            order = at_a->key <=> at_b->key;
            if (order == 0 && dup) order = at_a->value <=> at_b->value;
        }
        if (order < 0) {
            note(difference.only_first, at_a->key);
        } else if (order > 0) {
            note(difference.only_second, at_b->key);
        } else if (at_a->value != at_b->value) {
            note(difference.changed, at_a->key);
        }
        if (order <= 0) at_a = cursor_a.next();
        if (order >= 0) at_b = cursor_b.next();
    }
}

}  // namespace

std::vector<TableDifference> compare(const Database& first, const Database& second) {
    const Side a(first);
    const Side b(second);
    std::vector<std::string> names;
    for (const Side* const side : {&a, &b})
        for (const TableSpec& spec : side->specs) names.push_back(spec.name);
    std::ranges::sort(names);
    const auto doubles = std::ranges::unique(names);
    names.erase(doubles.begin(), doubles.end());
    std::vector<TableDifference> differences;
    for (const std::string& name : names) {
        TableDifference difference;
        difference.name = name;
        const TableSpec* const of_a = a.find(name);
        const TableSpec* const of_b = b.find(name);
        difference.in_first = of_a != nullptr;
        difference.in_second = of_b != nullptr;
        const Table table_a = first.table(name);
        const Table table_b = second.table(name);
        if (of_a == nullptr) {
            difference.only_second = b.txn.count(table_b);
        } else if (of_b == nullptr) {
            difference.only_first = a.txn.count(table_a);
        } else if (of_a->kind != of_b->kind) {
            difference.kinds_differ = true;
        } else {
            difference.sequences_differ = a.txn.sequence(table_a) != b.txn.sequence(table_b);
            compare_entries(a, b, table_a, table_b, difference);
        }
        if (!difference.same()) differences.push_back(std::move(difference));
    }
    return differences;
}

}  // namespace keel::db::tools
