#pragma once

// The table at the end of the store's benchmark: every row that has a target, the in-memory store
// beside what the target speaks of, and whether it is met.

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "bench/db_durable.hpp"
#include "bench/db_rows.hpp"

namespace keel::bench {

inline double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

/// What was measured: row, then column, then one value a round.
using Measured = std::map<std::string, std::map<std::string, std::vector<double>>>;

class Summary {
  public:
    explicit Summary(const Measured& measured) : measured_(measured) {}

    /// `row` of `column` against the same row of `reference`.
    void ratio(const std::string& row, double target, const std::string& reference = "lmdb-wm",
               const std::string& column = "mem") {
        add(row + (column == "mem" ? "" : ", " + column) +
                (reference == "lmdb-wm" ? "" : " / " + reference),
            row, column, row, reference, target);
    }
    /// One row of mem against another row of mem.
    void ratio_of_rows(const std::string& row, const std::string& to_row, double target) {
        add(row + " / " + to_row, row, "mem", to_row, "mem", target);
    }
    /// `row` of `column` against that row of mem and some of what it costs to write the bytes.
    void against_sum(const std::string& row, const std::string& column, double of_writing) {
        const double value = of(row, column);
        const double base = of(row, "mem");
        const double writing = of(row, "write");
        if (value == 0 || base == 0 || writing == 0) return;
        const double limit = base + of_writing * writing;
        print(row + ", " + column + " / close + 1.3 write()", value, limit, value / limit, 1, "");
    }
    /// A row of mem against a figure.
    void at_most(const std::string& row, double limit, const std::string& unit) {
        const double value = of(row, "mem");
        if (value == 0) return;
        print(row, value, 0, value, limit, unit);
    }
    void head() const {
        std::printf("\n%-62s %14s %14s %9s %9s\n", "row", "reference", "mem", "ratio", "target");
    }
    void foot() const { std::printf("%d met, %d missed\n", met_, missed_); }

  private:
    double of(const std::string& row, const std::string& column) const {
        const auto found = measured_.find(row);
        if (found == measured_.end()) return 0;
        const auto cell = found->second.find(column);
        return cell == found->second.end() ? 0 : median(cell->second);
    }
    void add(const std::string& name, const std::string& row, const std::string& column,
             const std::string& to_row, const std::string& to_column, double target) {
        const double value = of(row, column);
        const double reference = of(to_row, to_column);
        if (value == 0 || reference == 0) return;
        print(name, value, reference, value / reference, target, "");
    }
    void print(const std::string& name, double value, double reference, double judged,
               double target, const std::string& unit) {
        const bool met = judged <= target;
        ++(met ? met_ : missed_);
        const auto cell = [](double figure) {
            char text[32];
            std::snprintf(text, sizeof text, "%.1f", figure);
            return std::string(text);
        };
        char ratio[32] = "-";
        if (reference != 0) std::snprintf(ratio, sizeof ratio, "%.3f", judged);
        std::printf("%-62s %14s %14s %9s %9.2f %s%s\n", name.c_str(),
                    reference != 0 ? cell(reference).c_str() : "-", cell(value).c_str(), ratio,
                    target, unit.empty() ? "" : (unit + ", ").c_str(), met ? "met" : "missed");
    }

    const Measured& measured_;
    int met_ = 0;
    int missed_ = 0;
};

/// To LMDB's time, a record.
constexpr std::pair<const char*, double> kPageTargets[] = {{"page 100 primary, a record", 0.45},
                                                           {"page 1000 primary, a record", 0.40},
                                                           {"page 100 by index, a record", 0.40},
                                                           {"page 1000 by index, a record", 0.30}};

/// All rows that have a target; what was not measured is left out.
inline void print_summary(const Measured& measured, const Sizes& sizes,
                          const std::vector<std::pair<std::string, double>>& micro) {
    Summary summary(measured);
    const uint64_t rows = sizes.rows;
    const std::string rows_text = count_text(rows);
    summary.head();
    for (const auto& [row, target] : micro)
        if (target > 0) summary.ratio(row, target);
    summary.ratio_of_rows("begin_ro + end, 2 threads", "begin_ro + end", 1.1);
    summary.ratio_of_rows("begin_rw + commit, 1M rows", "begin_rw + commit, empty", 1.1);
    for (const char* const row :
         {"get 100, 1M rows", "scan 1M, a row", "dup scan next_dup, an entry", "dup last_dup"})
        summary.ratio(row, 1.05, "lmdb-wm", "keel-lmdb");
    summary.ratio("append 1M sorted, a row", 1.05, "lmdb-ns", "keel-lmdb");
    summary.at_most("random build, bytes a row", 150, "bytes");
    for (const size_t puts : kDurablePuts) {
        const std::string row = durable_row(puts);
        summary.against_sum(row, "mem-group", 1.3);
        summary.ratio(row, 1.15, "fdatasync", "mem-commit");
        summary.ratio(row, 1.15, "fdatasync-written", "mem-commit");
        if (puts == 1) summary.ratio(row, 0.6, "lmdb-sync", "mem-commit");
        if (puts == 100) summary.ratio(row, 0.1, "lmdb-sync", "mem-commit");
    }
    for (const std::string& of : {std::string("1k rows"), rows_text, count_text(sizes.big_rows)}) {
        summary.ratio("open to first read, " + of, 0.8);
        summary.at_most("close, nothing written, " + of, 60'000, "ns");
    }
    for (const std::string& of : {rows_text, count_text(sizes.big_rows)})
        summary.at_most("bytes a row on disk, " + of, 108, "bytes");
    summary.ratio_of_rows("churn: after all overwrites, MiB", "churn: after the first 100k, MiB",
                          1.02);
    summary.ratio_of_rows("churn: a quarter more, long reader, MiB", "churn: built, MiB", 2.0);
    summary.ratio_of_rows("churn: put, one long reader", "churn: put, short readers", 2.0);
    for (const auto& [page, target] : kPageTargets) summary.ratio(page, target);
    summary.at_most("bulk 1000, ns", 2e6, "ns");
    summary.ratio("bulk 100000, ns", 2.0, "raw write + fsync");
    const std::string bulk = "bulk " + std::to_string(rows);
    summary.ratio(bulk + ", ns", 0.18, "lmdb put");
    summary.ratio(bulk + ", ns", 0.18, "lmdb sorted append");
    summary.ratio(bulk + ", ns", 1.0 / 14, "sqlite indexes kept");
    summary.ratio(bulk + ", ns", 2.0, "raw write + fsync");
    summary.ratio_of_rows(bulk + ", peak MiB", bulk + ", disk MiB", 1.2);
    summary.ratio(bulk + ", disk MiB", 1.0, "raw write + fsync");
    summary.foot();
}

}  // namespace keel::bench
