// The store beside its peers: keel's two backends through the public interface, liblmdb itself,
// RocksDB and SQLite, in one run, column after column in each round, every result compared. Rows
// are printed as they come: medians, and their ratio to the first column (liblmdb with NOSYNC and
// WRITEMAP, the strongest that does not wait for the disk). The last table has every row that has a
// target, its ratio, and whether it is met.
//
//   keel_db_bench [--rows=N] [--rounds=N] [--overwrites=N] [--suite=micro,churn,open,page,bulk]
//                 [--row=TEXT] [--columns=a,b] [--clock=wall|thread] [--dir=PATH] [Google
//                 Benchmark's own flags]

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdio>
#include <iostream>
#include <string_view>

#include "bench/db_bulk.hpp"
#include "bench/db_summary.hpp"

namespace keel::bench {
namespace {

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
    {"begin_ro + end, 2 threads", 0},
    {"get 100, 10k rows", 0.34},
    {"get 100, 1M rows", 0.40},
    {"get 100 misses, 1M rows", 0.27},
    {"get_many of 100, 1M rows", 0.20},
    {"scan 1M, a row", 0.38},
    {"dup seek_both_range", 0.55},
    {"dup scan next_dup, an entry", 0.38},
    {"dup scan next_nodup, a key", 0.45},
    {"dup last_dup", 0},
    {"dup delete_current, an entry", 0.40},
    {"put 100 + commit, empty table", 0.15},
    {"put 1000 + commit, empty table", 0.28},
    {"append 1M sorted, a row", 0.35},
    {"put 1 + commit, 1M rows", 0.08},
    {"put 100 + commit, 1M rows", 0.23},
    {"put 1000 + commit, 1M rows", 0.32},
    {"mixed 50 get + 50 put + commit", 0.33},
    {"prune 100 from the front + commit", 0.20},
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
    const std::vector<std::string>& others() const { return others_; }

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
    std::string suite = "micro,churn,open,page,bulk";
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

std::vector<std::unique_ptr<Column>> make_columns(const Settings& settings, ContentCheck& check) {
    std::vector<std::unique_ptr<Column>> columns;
    const auto add = [&]<class S>(const std::string& name, S store) {
        if (!settings.columns.empty() && !named(settings.columns, name)) return;
        columns.push_back(std::make_unique<ColumnOf<S>>(
            name, settings.directory / name, [store] { return store; }, settings.sizes, check));
    };
    add("lmdb-wm", Lmdb{.flags = MDB_NOSYNC | MDB_WRITEMAP});
    add("lmdb-ns", Lmdb{.flags = MDB_NOSYNC});
    add("mem", Keel{.backend = db::Backend::Mem});
    add("mem-group", Keel{.backend = db::Backend::Mem, .durability = db::Durability::Group});
    add("keel-lmdb", Keel{.backend = db::Backend::Lmdb});
    add("rocksdb", Rocks{});
    add("sqlite", Sqlite{});
    return columns;
}

void run_micro(const Settings& settings, std::vector<std::unique_ptr<Column>>& columns,
               const std::vector<std::string>& names, TableReporter& reporter) {
    for (const auto& column : columns) {
        std::cerr << "preparing " << column->name << '\n';
        column->prepare();
        if (const auto bytes = column->bytes_a_row())
            reporter.keep("random build, bytes a row", column->name, *bytes);
    }
    reporter.print_head(names);
    for (const Row& row : kRows) {
        if (!settings.row.empty() && !std::string_view(row.name).contains(settings.row)) continue;
        benchmark::ClearRegisteredBenchmarks();
        for (const auto& column : columns) {
            // What it returns is the time; none: the store does not offer it, and leaves the table.
            const auto body = [&row, of = column.get()](benchmark::State& state) {
                for (auto _ : state) {
                    try {
                        const std::optional<double> took_ns = of->run(row.name);
                        state.SetIterationTime(took_ns.value_or(0) * 1e-9);
                    } catch (const std::exception& error) {
                        state.SkipWithError(error.what());
                    }
                }
            };
            if (!column->run(row.name)) continue;  // warms up, too
            benchmark::RegisterBenchmark((row.name + ("|" + column->name)).c_str(), body)
                ->UseManualTime()
                ->Iterations(1)
                ->Repetitions(settings.rounds);
        }
        benchmark::RunSpecifiedBenchmarks(&reporter, ".");
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

void run_others(const Settings& settings, std::vector<std::unique_ptr<Column>>& columns,
                const std::vector<std::string>& names, TableReporter& reporter) {
    const auto print = [&](const std::map<std::string, double>& values, const Column& column) {
        for (const auto& [row, value] : values) reporter.add(row, column.name, value);
    };
    if (named(settings.suite, "open")) {
        for (const uint64_t rows : {uint64_t{1000}, settings.sizes.rows})
            for (const auto& column : columns) print(column->open_close(rows), *column);
    }
    if (named(settings.suite, "churn")) {
        for (const auto& column : columns) print(column->churn(), *column);
    }
    if (named(settings.suite, "page")) read_in_pages(settings, reporter);
    if (reporter.others().empty()) return;
    reporter.print_head(names);
    for (const std::string& row : reporter.others()) {
        const double target = row.starts_with("open to first read") ? 0.8
                              : row.starts_with("page")             ? 0.4
                                                                    : 0;
        reporter.print_row(row, target, names);
    }
}

void run_bulk(const Settings& settings, TableReporter& reporter) {
    std::printf("%-10s %-22s %10s %8s %10s %12s %10s\n", "records", "bulk write", "ms", "x raw",
                "cpu ms", "peak MiB", "disk MiB");
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
            if (raw == 0) raw = took;
            std::printf("%-10lu %-22s %10.1f %8.2f %10.1f %12.0f %10.1f\n", count, name.c_str(),
                        took / 1e6, took / raw, of(&BulkFigures::cpu_ns) / 1e6,
                        of(&BulkFigures::peak_mebibytes), of(&BulkFigures::disk_mebibytes));
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
    ContentCheck check;
    std::vector<std::unique_ptr<Column>> columns = make_columns(settings, check);
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column->name);
    TableReporter reporter;
    if (named(settings.suite, "micro")) run_micro(settings, columns, names, reporter);
    run_others(settings, columns, names, reporter);
    if (named(settings.suite, "bulk")) run_bulk(settings, reporter);
    std::vector<std::pair<std::string, double>> micro;
    for (const Row& row : kRows) micro.emplace_back(row.name, row.target);
    print_summary(reporter.measured(), settings.sizes.rows, micro);
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
