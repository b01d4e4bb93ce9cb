#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "cmd/progress.hpp"
#include "core/files.hpp"
#include "db/tools/load.hpp"

namespace keel::cmd {
namespace {

core::File open_source(core::FileSystem& files, const std::string& name) {
    try {
        return core::File(files, name, core::OpenMode::Read);
    } catch (const core::FileFault& fault) {
        throw core::Fault(core::FaultKind::Usage, fault.message());
    }
}

}  // namespace

int run_db_load(const Options& options) {
    core::SystemFiles files;
    // Not open: stdin, which may be a pipe and has no offsets.
    const core::File file = options.file == "-" ? core::File() : open_source(files, options.file);
    const uint64_t bytes = file.is_open() ? file.info().size_bytes : 0;
    uint64_t offset = 0;
    std::optional<ProgressBar> progress(std::in_place, options, "bytes");
    const db::tools::TextSource source = [&](std::span<char> to) -> size_t {
        const size_t got = file.is_open() ? file.read_at(to.data(), to.size(), offset)
                                          : std::fread(to.data(), 1, to.size(), stdin);
        offset += got;
        progress->show(offset, bytes);
        return got;
    };
    StderrObserver observer(options.quiet);
    const db::Database database =
        node::open_database(to_node_options(options, db::Access::ReadWrite, &observer));
    const db::tools::LoadReport report =
        db::tools::load(database, source, {.unnamed_table = options.table});
    progress.reset();
    // The answer is shown when the entries are on disk.
    database.close();

    Output output;
    JsonWriter json;
    json.begin_object();
    json.field("viewId", report.view_id);
    json.begin_array("tables");
    for (const db::tools::LoadedTable& table : report.tables) {
        if (options.json) {
            json.begin_object();
            json.field("name", table.name);
            json.field("entries", table.entries);
            json.end_object();
        } else {
            output.line(fmt::format("{} {}", table.name, table.entries));
        }
    }
    json.end_array();
    json.begin_array("skipped");
    for (const std::string& name : report.skipped) {
        json.element(name);
        if (!options.json && !options.quiet) say(fmt::format("skipped table {}", name));
    }
    json.end_array();
    json.end_object();
    if (options.json) output.line(json.text());
    output.finish();
    return 0;
}

}  // namespace keel::cmd
