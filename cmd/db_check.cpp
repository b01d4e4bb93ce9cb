#include <fmt/format.h>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "cmd/progress.hpp"
#include "core/fault.hpp"
#include "db/tools/check.hpp"

namespace keel::cmd {

int run_db_check(const Options& options) {
    StderrObserver observer(options.quiet);
    const db::Database database =
        node::open_database(to_node_options(options, db::Access::ReadOnly, &observer));
    const db::tools::CheckReport report = [&] {
        ProgressBar progress(options, "entries forth and back");
        return db::tools::check(database, progress.watcher());
    }();
    Output output;
    if (options.json) {
        JsonWriter json;
        json.begin_object();
        json.field("sound", report.sound());
        json.field("viewId", report.view_id);
        json.field("tables", report.tables);
        json.field("entries", report.entries);
        json.field("bytes", report.bytes);
        json.objects("issues", report.issues, [&](const db::tools::CheckIssue& issue) {
            json.field("table", issue.table);
            json.field("what", issue.what);
        });
        json.end_object();
        output.line(json.text());
    } else {
        for (const db::tools::CheckIssue& issue : report.issues)
            output.line(
                fmt::format("{}: {}", issue.table.empty() ? "store" : issue.table, issue.what));
        output.line(fmt::format("{} view id {} tables {} entries {} bytes {}",
                                report.sound() ? "sound" : "damaged", report.view_id, report.tables,
                                report.entries, report.bytes));
    }
    output.finish();
    return report.sound() ? 0 : static_cast<int>(core::FaultKind::Damaged);
}

}  // namespace keel::cmd
