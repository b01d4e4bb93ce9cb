#include "node/import.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <iostream>
#include <string>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "cmd/version.hpp"
#include "core/files.hpp"
#include "core/hex.hpp"
#include "node/signals.hpp"
#include "state/tables.hpp"

namespace keel::cmd {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;

/// Names of files, one a line; empty lines are left out.
std::vector<std::string> names_from(const std::string& source) {
    core::SystemFiles files;
    std::string text;
    if (source == "-") {
        const core::WakeUp never;
        char piece[4096];
        while (const size_t got =
                   core::read_stream(core::kStandardInput, "stdin", piece, sizeof piece, never)
                       .value_or(0))
            text.append(piece, got);
    } else {
        try {
            text = core::ByteView(core::read_file(files, source)).text();
        } catch (const core::FileFault& fault) {
            throw core::Fault(core::FaultKind::Usage, fault.message());
        }
    }
    std::vector<std::string> names;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        if (end > at) names.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return names;
}

std::string to_json(const node::ImportReport& report) {
    JsonWriter json;
    json.begin_object();
    json.field("imported", report.imported);
    json.field("known", report.known);
    json.field("failed", uint64_t{report.failures.size()});
    json.field("transactions", report.tx_count);
    json.field("gasUsed", report.gas_used);
    json.begin_object("head");
    json.field("number", report.head.number);
    json.field("hash", core::to_hex_prefixed(report.head.hash));
    json.end_object();
    json.begin_array("errors");
    for (const node::FailedFile& failure : report.failures) {
        json.begin_object();
        json.field("file", failure.file);
        json.field("reason", failure.reason);
        if (failure.block) {
            json.field("number", failure.block->number);
            json.field("hash", core::to_hex_prefixed(failure.block->hash));
        }
        json.end_object();
    }
    json.end_array();
    json.field("stopped", report.stopped);
    json.field("elapsedMs", report.elapsed_ns / kNsPerMs);
    json.end_object();
    return json.text();
}

}  // namespace

int run_import(const Options& options) {
    node::ImportOptions import;
    import.files = options.import.files;
    if (!options.import.files_from.empty())
        for (std::string& name : names_from(options.import.files_from))
            import.files.push_back(std::move(name));
    // Held until the result is shown, so that a signal ends the program behind it.
    const node::StopGate::Work work(*options.stop_gate);
    import.producer = producer();
    import.verify_seal = options.import.verify_seal;
    import.stop = work.token();
    if (!options.quiet) import.progress = options.console;

    StderrObserver observer(options.quiet);
    node::Options opening = to_node_options(options, db::Access::ReadWrite, &observer);
    core::SystemFiles files;
    opening.fold_bytes_min = node::import_fold_bytes(files, opening.directory);
    opening.schema = state::schema();
    opening.create = false;
    const db::Database database = node::open_database(opening);
    const node::ImportReport report = node::import_files(database, import);
    // The answer is shown when all of it is on the disk.
    database.close();

    Output output;
    output.line(options.json
                    ? to_json(report)
                    : fmt::format("imported={} known={} failed={} number={} hash={}",
                                  report.imported, report.known, report.failures.size(),
                                  report.head.number, core::to_hex_prefixed(report.head.hash)));
    output.finish();
    return node::exit_code_of(report);
}

}  // namespace keel::cmd
