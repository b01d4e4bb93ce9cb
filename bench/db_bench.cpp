// The store beside its peers: keel's two backends through the public interface, liblmdb itself,
// RocksDB and SQLite, in one run, column after column in each round, every result compared. Rows
// are printed as they come: medians, and their ratio to the first column (liblmdb with NOSYNC and
// WRITEMAP, the strongest that does not wait for the disk). The last table has every row that has a
// target, its ratio, and whether it is met.
//
//   keel_db_bench [--rows=N] [--big=N] [--rounds=N] [--overwrites=N] [--row=TEXT] [--columns=a,b]
//                 [--suite=bulk,micro,durable,big,churn,open,page] [--clock=wall|thread]
//                 [--pin=yes|no] [--dir=PATH] [Google Benchmark's own flags]
//
// bulk     records with two indexes into a new store, in a process of its own
// micro    one table of 1M rows, one of 10k and one with ten values a key; every store is built,
//          synced, closed and opened again before its rows; on one processor (--pin)
// durable  the same puts as the store promises more: mem in its three modes, liblmdb with its
//          default sync, and the bare calls that write as many bytes as mem's log
// big      10M rows, built in order: opening, and gets
// churn    memory under overwrites, with short readers and with a long one
// open     opening to the first read, closing, bytes a row
// page     pages of records, each a transaction of its own

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdio>
#include <iostream>
#include <string_view>

#include "bench/db_bulk.hpp"
#include "bench/db_durable.hpp"
#include "bench/db_summary.hpp"

namespace keel::bench {
namespace {

constexpr char kTwoThreads[] = "begin_ro + end, 2 threads";

struct Row {
    const char* name;
    double target;  // ratio to the reference; 0: none stated
};
// Targets: ratios to the reference in the same run.
constexpr Row kRows[] = {
    {"begin_rw + commit, empty", 0.35},
    {"begin_rw + commit, 1M rows", 0.35},
    {"begin_ro + end", 0.06},
    {"begin_ro + end, renewed", 0.4},
    {kTwoThreads, 0},
    {"put 100 + commit, empty table", 0.15},
    {"put 1000 + commit, empty table", 0.28},
    {"put 1 + commit, 1M rows", 0.08},
    {"put 100 + commit, 1M rows", 0.23},
    {"put 1000 + commit, 1M rows", 0.32},
    {"append 1M sorted, a row", 0.35},
    {"get 100, 10k rows", 0.34},
    {"get 100, 1M rows", 0.40},
    {"get 100 misses, 1M rows", 0.27},
    {"get_many of 100, 1M rows", 0.20},
    {"mixed 50 get + 50 put + commit", 0.33},
    {"scan 1M, a row", 0.38},
    {"dup seek_both_range", 0.55},
    {"dup scan next_dup, an entry", 0.38},
    {"dup scan next_nodup, a key", 0.45},
    {"dup last_dup", 0},
    {"dup delete_current, an entry", 0.40},
    {"prune 100 from the front + commit", 0.20},
};
constexpr Row kBigRows[] = {
    {"get 100, 10M rows", 0.42},
    {"get_many of 100, 10M rows", 0},
};

/// Gathers what is measured; the table is printed at the end. Quiet in between.
class TableReporter final : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.error_occurred) {
                failed_ = true;
                std::cerr << run.benchmark_name() << ": " << run.error_message << '\n';
            } else if (run.run_type == Run::RT_Iteration) {
                const std::string name = run.benchmark_name();
                const size_t cut = name.find('|');
                const std::string column = name.substr(cut + 1, name.find('/', cut) - cut - 1);
                values_[name.substr(0, cut)][column].push_back(run.GetAdjustedRealTime());
            }
        }
    }
    void add(const std::string& row, const std::string& column, double value) {
        if (!values_.contains(row)) others_.push_back(row);
        values_[row][column].push_back(value);
    }
    bool failed() const { return failed_; }
    const Measured& measured() const { return values_; }
    /// For the summary alone.
    void keep(const std::string& row, const std::string& column, double value) {
        values_[row][column].push_back(value);
    }
    /// Rows that were added, and not returned yet.
    std::vector<std::string> take_others() { return std::exchange(others_, {}); }

    void print_head(const std::vector<std::string>& columns) const {
        std::printf("%-36s", "ns; ratio to the first column");
        for (const std::string& column : columns) std::printf(" %19s", column.c_str());
        std::printf("  target\n");
    }
    void print_row(const std::string& row, double target,
                   const std::vector<std::string>& columns) const {
        const auto found = values_.find(row);
        if (found == values_.end()) return;
        std::printf("%-36s", row.c_str());
        double reference = 0;
        double best = 0;
        for (const std::string& column : columns) {
            const auto cell = found->second.find(column);
            if (cell == found->second.end()) {
                std::printf(" %19s", "-");
                continue;
            }
            const double value = median(cell->second);
            if (column == columns.front()) reference = value;
            if (column == "mem") best = value;
            if (reference > 0) {
                std::printf(" %12.1f %6.3f", value, value / reference);
            } else {
                std::printf(" %12.1f %6s", value, "");
            }
        }
        if (target > 0 && reference > 0 && best > 0) {
            std::printf("  %.2f %s", target, best <= target * reference ? "met" : "missed");
        }
        std::printf("\n");
        std::fflush(stdout);
    }

  private:
    Measured values_;
    std::vector<std::string> others_;
    bool failed_ = false;
};

struct Settings {
    Sizes sizes;
    int rounds = 5;
    std::string suite = "bulk,micro,durable,big,churn,open,page";
    bool pinned = true;
    std::string row;
    std::string columns;
    std::filesystem::path directory;
};

bool named(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        const size_t cut = std::min(list.find(','), list.size());
        if (list.substr(0, cut) == name) return true;
        list.remove_prefix(std::min(cut + 1, list.size()));
    }
    return false;
}

Settings parse(int& argc, char** argv) {
    Settings settings;
    int kept = 1;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const size_t cut = argument.find('=');
        const std::string_view name = argument.substr(0, cut);
        const std::string value(cut == std::string_view::npos ? "" : argument.substr(cut + 1));
        if (name == "--rows") {
            settings.sizes.rows = std::stoull(value);
        } else if (name == "--big") {
            settings.sizes.big_rows = std::stoull(value);
        } else if (name == "--pin") {
            settings.pinned = value != "no";
        } else if (name == "--overwrites") {
            settings.sizes.overwrites = std::stoull(value);
        } else if (name == "--rounds") {
            settings.rounds = std::stoi(value);
        } else if (name == "--suite") {
            settings.suite = value;
        } else if (name == "--row") {
            settings.row = value;
        } else if (name == "--columns") {
            settings.columns = value;
        } else if (name == "--clock") {
            thread_clock() = value == "thread";
        } else if (name == "--dir") {
            settings.directory = value;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argc = kept;
    if (settings.directory.empty()) {
        std::string pattern = std::filesystem::temp_directory_path() / "keel-db-bench-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no directory");
        settings.directory = pattern;
    }
    return settings;
}

using Columns = std::vector<std::unique_ptr<Column>>;

std::vector<std::string> names_of(const Columns& columns) {
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column->name);
    return names;
}

/// Adds to the columns what was asked for.
class Adding {
  public:
    Adding(const Settings& settings, ContentCheck& check, Columns& columns)
        : settings_(settings), check_(check), columns_(columns) {}

    template <class S>
    void operator()(const std::string& name, S store) const {
        (*this)(name, store, store);
    }
    /// `build`: as the data sets are built.
    template <class S>
    void operator()(const std::string& name, S store, S build) const {
        if (!wanted(name)) return;
        columns_.push_back(std::make_unique<ColumnOf<S>>(name, settings_.directory / name, store,
                                                         build, settings_.sizes, check_));
    }
    bool wanted(const std::string& name) const {
        return settings_.columns.empty() || named(settings_.columns, name);
    }

  private:
    const Settings& settings_;
    ContentCheck& check_;
    Columns& columns_;
};

const Lmdb kLmdbReference{.flags = MDB_NOSYNC | MDB_WRITEMAP};

Columns make_columns(const Settings& settings, ContentCheck& check) {
    Columns columns;
    const Adding add(settings, check, columns);
    add("lmdb-wm", kLmdbReference);
    add("lmdb-ns", Lmdb{.flags = MDB_NOSYNC});
    add("mem", Keel{.backend = db::Backend::Mem});
    add("keel-lmdb", Keel{.backend = db::Backend::Lmdb});
    add("rocksdb", Rocks{});
    add("sqlite", Sqlite{});
    return columns;
}

void measure_row(const Settings& settings, const Columns& columns, const std::string& row,
                 TableReporter& reporter) {
    benchmark::ClearRegisteredBenchmarks();
    for (const auto& column : columns) {
        if (!column->offers(row)) continue;
        const auto body = [&row, of = column.get()](benchmark::State& state) {
            for (auto _ : state) {
                try {
                    state.SetIterationTime(of->run(row) * 1e-9);
                } catch (const std::exception& error) {
                    state.SkipWithError(error.what());
                }
            }
        };
        benchmark::RegisterBenchmark((row + ("|" + column->name)).c_str(), body)
            ->UseManualTime()
            ->Iterations(1)
            ->Repetitions(settings.rounds);
    }
    benchmark::RunSpecifiedBenchmarks(&reporter, ".");
}

void run_micro(const Settings& settings, TableReporter& reporter) {
    const std::optional<Pinned> pinned =
        settings.pinned ? std::optional<Pinned>(std::in_place) : std::nullopt;
    ContentCheck check;
    const Columns columns = make_columns(settings, check);
    const std::vector<std::string> names = names_of(columns);
    for (const auto& column : columns) {
        std::cerr << "preparing " << column->name << '\n';
        column->prepare();
        if (const auto bytes = column->bytes_a_row())
            reporter.keep("random build, bytes a row", column->name, *bytes);
    }
    reporter.print_head(names);
    for (const Row& row : kRows) {
        if (!std::string_view(row.name).contains(settings.row)) continue;
        const bool alone = !pinned || row.name == kTwoThreads;
        if (pinned && alone) pinned->release();
        measure_row(settings, columns, row.name, reporter);
        if (pinned && alone) pinned->pin();
        reporter.print_row(row.name, row.target, names);
    }
    for (const auto& column : columns) column->finish();
}

void run_durable(const Settings& settings, TableReporter& reporter) {
    ContentCheck check;
    Columns columns;
    const Adding add(settings, check, columns);
    const Keel close{.backend = db::Backend::Mem};
    const Keel group{.backend = db::Backend::Mem, .durability = db::Durability::Group};
    const Keel commit{.backend = db::Backend::Mem, .durability = db::Durability::Commit};
    add("lmdb-wm", kLmdbReference);
    add("lmdb-sync", Lmdb{.flags = 0}, kLmdbReference);
    add("mem", close);
    add("mem-group", group, close);
    add("mem-commit", commit, close);
    std::map<std::string, uint64_t> log_bytes;
    for (const auto& column : columns) {
        std::cerr << "preparing " << column->name << '\n';
        column->prepare();
    }
    if (add.wanted("mem-group")) {
        for (const BareWrites::How how :
             {BareWrites::How::Write, BareWrites::How::Sync, BareWrites::How::SyncWritten})
            columns.push_back(
                std::make_unique<BareWrites>(settings.directory / "bare", how, log_bytes));
    }
    const std::vector<std::string> names = names_of(columns);
    reporter.print_head(names);
    for (const size_t count : kDurablePuts) {
        const std::string row = durable_row(count);
        if (!row.contains(settings.row)) continue;
        // The first round, which is not counted, says how long the log's records are.
        for (const auto& column : columns) {
            column->run(row);
            if (const uint64_t bytes = column->log_bytes_a_commit(); bytes != 0)
                log_bytes[row] = bytes;
        }
        measure_row(settings, columns, row, reporter);
        reporter.print_row(row, 0, names);
        std::printf("%-36s %lu bytes a record of the log\n", "", log_bytes[row]);
    }
    for (const auto& column : columns) column->finish();
}

/// Rows that are not timed by repeating them.
void print_others(const std::vector<std::string>& names, TableReporter& reporter) {
    const std::vector<std::string> rows = reporter.take_others();
    if (rows.empty()) return;
    reporter.print_head(names);
    for (const std::string& row : rows) {
        double target = row.starts_with("open to first read") ? 0.8 : 0;
        for (const auto& [page, of_page] : kPageTargets)
            if (row == page) target = of_page;
        reporter.print_row(row, target, names);
    }
}

void run_big(const Settings& settings, TableReporter& reporter) {
    ContentCheck check;
    Columns columns;
    const Adding add(settings, check, columns);
    add("lmdb-wm", kLmdbReference);
    add("mem", Keel{.backend = db::Backend::Mem});
    add("keel-lmdb", Keel{.backend = db::Backend::Lmdb});
    add("rocksdb", Rocks{});
    const std::vector<std::string> names = names_of(columns);
    for (const auto& column : columns) {
        std::cerr << "preparing the large " << column->name << '\n';
        for (const auto& [row, value] : column->open_close(settings.sizes.big_rows, true))
            reporter.add(row, column->name, value);
    }
    print_others(names, reporter);
    const std::optional<Pinned> pinned =
        settings.pinned ? std::optional<Pinned>(std::in_place) : std::nullopt;
    reporter.print_head(names);
    for (const Row& row : kBigRows) {
        if (!std::string_view(row.name).contains(settings.row)) continue;
        measure_row(settings, columns, row.name, reporter);
        reporter.print_row(row.name, row.target, names);
    }
    for (const auto& column : columns) column->finish();
}

void read_in_pages(const Settings& settings, TableReporter& reporter) {
    constexpr uint64_t kRecords = 100'000;
    const std::filesystem::path at = settings.directory / "pages";
    ContentCheck check;
    const auto measure = [&](auto store, const std::string& column) {
        if (!settings.columns.empty() && !named(settings.columns, column)) return;
        store.open(at);
        for (const uint64_t page : {uint64_t{100}, uint64_t{1000}})
            for (const bool by_index : {false, true}) {
                const std::string row = "page " + std::to_string(page) +
                                        (by_index ? " by index" : " primary") + ", a record";
                for (int round = 0; round < settings.rounds; ++round) {
                    uint64_t digest = 0;
                    reporter.add(row, column, read_pages(store, page, by_index, digest));
                    check.expect_same(row, digest, column);
                }
            }
        store.close();
        std::filesystem::remove_all(at);
    };
    bulk_lmdb(at, kRecords, true);
    measure(Lmdb{.flags = MDB_NOSYNC | MDB_WRITEMAP}, "lmdb-wm");
    bulk_keel(at, kRecords, db::Backend::Mem, db::Durability::Close);
    measure(Keel{.backend = db::Backend::Mem}, "mem");
    bulk_keel(at, kRecords, db::Backend::Lmdb, db::Durability::Close);
    measure(Keel{.backend = db::Backend::Lmdb}, "keel-lmdb");
    bulk_rocks(at, kRecords, true);
    measure(Rocks{}, "rocksdb");
}

void run_others(const Settings& settings, TableReporter& reporter) {
    ContentCheck check;
    const Columns columns = make_columns(settings, check);
    const std::vector<std::string> names = names_of(columns);
    const auto print = [&](const std::map<std::string, double>& values, const Column& column) {
        for (const auto& [row, value] : values) reporter.add(row, column.name, value);
    };
    if (named(settings.suite, "open")) {
        for (const uint64_t rows : {uint64_t{1000}, settings.sizes.rows})
            for (const auto& column : columns) print(column->open_close(rows, false), *column);
    }
    if (named(settings.suite, "churn")) {
        for (const auto& column : columns) print(column->churn(), *column);
    }
    if (named(settings.suite, "page")) read_in_pages(settings, reporter);
    print_others(names, reporter);
}

void run_bulk(const Settings& settings, TableReporter& reporter) {
    std::printf(
        "\nms: in a new process; warm: once more in it, in a new directory; x raw: of the same "
        "form\n"
        "%-10s %-22s %10s %8s %10s %8s %10s %12s %10s\n",
        "records", "bulk write", "ms", "x raw", "warm ms", "x raw", "cpu ms", "peak MiB",
        "disk MiB");
    for (const uint64_t count :
         {uint64_t{1000}, uint64_t{10'000}, uint64_t{100'000}, settings.sizes.rows}) {
        std::map<std::string, std::vector<BulkFigures>> figures;
        const int rounds =
            count < settings.sizes.rows ? settings.rounds : std::min(settings.rounds, 3);
        for (int round = 0; round < rounds; ++round)
            for (const auto& [name, write] : bulk_writes())
                if (settings.columns.empty() || named(settings.columns, name))
                    figures[name].push_back(
                        bulk_in_child(write, settings.directory / "bulk", count));
        double raw = 0;
        double raw_warm = 0;
        for (const auto& [name, write] : bulk_writes()) {
            if (!figures.contains(name)) continue;
            const auto of = [&](double BulkFigures::* figure) {
                std::vector<double> values;
                for (const BulkFigures& each : figures[name]) values.push_back(each.*figure);
                return median(values);
            };
            const double took = of(&BulkFigures::wall_ns);
            const std::string row = "bulk " + std::to_string(count);
            reporter.keep(row + ", ns", name, took);
            reporter.keep(row + ", peak MiB", name, of(&BulkFigures::peak_mebibytes));
            reporter.keep(row + ", disk MiB", name, of(&BulkFigures::disk_mebibytes));
            const double warm = of(&BulkFigures::warm_ns);
            reporter.keep(row + ", warm, ns", name, warm);
            if (raw == 0) {
                raw = took;
                raw_warm = warm;
            }
            std::printf("%-10lu %-22s %10.1f %8.2f %10.1f %8.2f %10.1f %12.0f %10.1f\n", count,
                        name.c_str(), took / 1e6, took / raw, warm / 1e6, warm / raw_warm,
                        of(&BulkFigures::cpu_ns) / 1e6, of(&BulkFigures::peak_mebibytes),
                        of(&BulkFigures::disk_mebibytes));
        }
        std::fflush(stdout);
    }
    std::filesystem::remove_all(settings.directory / "bulk");
}

int run(int argc, char** argv) {
    const Settings settings = parse(argc, argv);
    std::vector<char*> arguments(argv, argv + argc);
    std::string interleave = "--benchmark_enable_random_interleaving=true";
    arguments.push_back(interleave.data());
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
    TableReporter reporter;
    // First, while this process has neither memory nor RocksDB's threads that its children would
    // inherit, the memory in their figures, and the threads not at all.
    if (named(settings.suite, "bulk")) run_bulk(settings, reporter);
    if (named(settings.suite, "micro")) run_micro(settings, reporter);
    if (named(settings.suite, "durable")) run_durable(settings, reporter);
    if (named(settings.suite, "big")) run_big(settings, reporter);
    run_others(settings, reporter);
    std::vector<std::pair<std::string, double>> micro;
    for (const Row& row : kRows) micro.emplace_back(row.name, row.target);
    for (const Row& row : kBigRows) micro.emplace_back(row.name, row.target);
    print_summary(reporter.measured(), settings.sizes, micro);
    std::filesystem::remove_all(settings.directory);
    return reporter.failed() ? 1 : 0;
}

}  // namespace
}  // namespace keel::bench

int main(int argc, char** argv) {
    try {
        return keel::bench::run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "keel_db_bench: " << error.what() << '\n';
        return 1;
    }
}
