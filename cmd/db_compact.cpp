#include <fmt/format.h>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "cmd/progress.hpp"
#include "node/compact.hpp"

namespace keel::cmd {

int run_db_compact(const Options& options) {
    StderrObserver observer(options.quiet);
    ProgressBar progress(options, "pages");
    const db::tools::CompactReport report = node::compact_directory(
        to_node_options(options, db::Access::ReadWrite, &observer), progress.watcher());
    Output output;
    if (options.json) {
        JsonWriter json;
        json.begin_object();
        json.field("viewId", report.view_id);
        json.field("bytesBefore", report.bytes_before);
        json.field("bytesAfter", report.bytes_after);
        json.end_object();
        output.line(json.text());
    } else {
        output.line(fmt::format("compacted view id {} bytes {} before {}", report.view_id,
                                report.bytes_after, report.bytes_before));
    }
    output.finish();
    return 0;
}

}  // namespace keel::cmd
