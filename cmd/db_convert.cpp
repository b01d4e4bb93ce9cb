#include <fmt/format.h>

#include <filesystem>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "cmd/progress.hpp"
#include "core/hex.hpp"
#include "db/tools/compare.hpp"
#include "db/tools/transfer.hpp"
#include "node/new_directory.hpp"

namespace keel::cmd {
namespace {

int copy_to(const Options& options, std::optional<db::Backend> backend) {
    const std::filesystem::path to_directory = options.file;
    core::SystemFiles files;
    node::NewDirectory fresh(files, to_directory);
    StderrObserver observer(options.quiet);
    const db::Database from =
        node::open_database(to_node_options(options, db::Access::ReadOnly, &observer));
    node::Options to_options = to_node_options(options, db::Access::ReadWrite, &observer);
    to_options.directory = fresh.path();
    to_options.backend =
        backend ? *backend
                : (from.stats().backend == "lmdb" ? db::Backend::Lmdb : db::Backend::Mem);
    ProgressBar progress(options, "entries");
    const db::Database to = node::open_database(to_options);
    const db::tools::TransferReport report = db::tools::transfer(from, to, progress.watcher());
    // The answer is shown when the copy is on disk.
    to.close();
    fresh.keep();

    Output output;
    if (options.json) {
        JsonWriter json;
        json.begin_object();
        json.field("directory", to_directory.string());
        json.field("backend", db::to_string(*to_options.backend));
        json.field("viewId", report.view_id);
        json.field("tables", report.tables);
        json.field("entries", report.entries);
        json.field("digest", report.digest.hex());
        json.end_object();
        output.line(json.text());
    } else {
        output.line(fmt::format("{} {} tables {} entries {} digest {}",
                                db::to_string(*to_options.backend), to_directory.string(),
                                report.tables, report.entries, report.digest.hex()));
    }
    output.finish();
    return 0;
}

}  // namespace

int run_db_copy(const Options& options) {
    return copy_to(options, std::nullopt);
}

int run_db_convert(const Options& options) {
    if (options.to_backend != "mem" && options.to_backend != "lmdb")
        throw core::Fault(core::FaultKind::Usage, "--to is mem or lmdb");
    return copy_to(options, options.to_backend == "mem" ? db::Backend::Mem : db::Backend::Lmdb);
}

int run_db_diff(const Options& options) {
    StderrObserver observer(options.quiet);
    const db::Database first =
        node::open_database(to_node_options(options, db::Access::ReadOnly, &observer));
    Options other = options;
    other.datadir = options.file;
    other.backend.reset();
    const db::Database second =
        node::open_database(to_node_options(other, db::Access::ReadOnly, &observer));
    const std::vector<db::tools::TableDifference> differences = db::tools::compare(first, second);
    Output output;
    JsonWriter json;
    json.begin_object();
    json.field("same", differences.empty());
    json.begin_array("tables");
    for (const db::tools::TableDifference& table : differences) {
        const std::string key =
            table.first_key ? core::to_hex_prefixed(core::ByteView(*table.first_key)) : "";
        if (options.json) {
            json.begin_object();
            json.field("name", table.name);
            json.field("inFirst", table.in_first);
            json.field("inSecond", table.in_second);
            json.field("kindsDiffer", table.kinds_differ);
            json.field("sequencesDiffer", table.sequences_differ);
            json.field("onlyFirst", table.only_first);
            json.field("onlySecond", table.only_second);
            json.field("changed", table.changed);
            json.field("firstKey", key);
            json.end_object();
        } else {
            output.line(fmt::format(
                "{} only here {} only there {} changed {}{}{}{}{}", table.name, table.only_first,
                table.only_second, table.changed, table.in_first ? "" : ", not here",
                table.in_second ? "" : ", not there", table.kinds_differ ? ", of another kind" : "",
                table.sequences_differ ? ", another sequence" : ""));
            if (!key.empty()) output.line(fmt::format("  first at {}", key));
        }
    }
    json.end_array();
    json.end_object();
    if (options.json) output.line(json.text());
    output.finish();
    return differences.empty() ? 0 : static_cast<int>(core::FaultKind::Failed);
}

}  // namespace keel::cmd
