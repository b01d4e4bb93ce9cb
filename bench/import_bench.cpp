// keel_import_bench: one import of a file into a data directory, as `keel import` does it, and what
// it took: wall time and processor time, of the process and of the executing thread alone. One line
// of JSON.
//
//   keel_import_bench DATADIR mem|lmdb FILE [--without-roots]
//
// Asked by bench/import.py; a directory imported into without roots is of no further use.

#include <fmt/core.h>

#include <ctime>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/hex.hpp"
#include "node/import.hpp"
#include "node/open_database.hpp"
#include "state/tables.hpp"

namespace {

using namespace keel;

double seconds_of(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

int run(const std::vector<std::string_view>& arguments) {
    const bool without_roots = arguments.size() == 4 && arguments[3] == "--without-roots";
    if (arguments.size() != 3 && !without_roots) {
        fmt::print(stderr, "usage: keel_import_bench DATADIR mem|lmdb FILE [--without-roots]\n");
        return 2;
    }
    const uint64_t began_ns = core::monotonic_ns();
    node::Options opening;
    opening.directory = arguments[0];
    opening.backend = arguments[1] == "lmdb" ? db::Backend::Lmdb : db::Backend::Mem;
    opening.schema = state::schema();
    opening.create = false;
    core::SystemFiles files;
    opening.fold_bytes_min = node::import_fold_bytes(files, opening.directory);
    const db::Database database = node::open_database(opening);
    node::ImportOptions import;
    import.files = {std::string(arguments[2])};
    import.state_roots = !without_roots;
    const node::ImportReport report = node::import_files(database, import);
    const double executing = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    database.close();
    const double wall = static_cast<double>(core::monotonic_ns() - began_ns) * 1e-9;
    fmt::print(
        "{{\"blocks\":{},\"failed\":{},\"gas\":{},\"transactions\":{},\"head\":\"{}\",\"wall\":{:."
        "6f},"
        "\"cpu\":{:.6f},\"executing\":{:.6f},\"importing\":{:.6f}}}\n",
        report.imported, report.failures.size(), report.gas_used, report.tx_count,
        core::to_hex_prefixed(report.head.hash), wall, seconds_of(CLOCK_PROCESS_CPUTIME_ID),
        executing, static_cast<double>(report.elapsed_ns) * 1e-9);
    return node::exit_code_of(report);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        fmt::print(stderr, "keel_import_bench: {}\n", error.what());
        return 1;
    }
}
