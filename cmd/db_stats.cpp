#include <fmt/format.h>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "core/files.hpp"
#include "db/tools/picture.hpp"

namespace keel::cmd {
namespace {

void write_json(Output& output, const db::tools::StoreReport& report) {
    const db::Stats& store = report.store;
    JsonWriter json;
    json.begin_object();
    json.field("backend", store.backend);
    json.field("uid", store.uid);
    json.field("path", store.path);
    json.field("mode", store.mode);
    json.field("viewId", store.view_id);
    json.field("oldestViewId", store.oldest_view_id);
    json.field("imageBytes", store.image_bytes);
    json.field("logBytes", store.log_bytes);
    json.field("anonymousBytes", store.anonymous_bytes);
    json.field("freeBytes", store.free_bytes);
    json.field("pinnedBytes", store.pinned_bytes);
    json.objects("tables", report.tables, [&](const auto& table) {
        table_fields(json, table.name, table.stat);
        json.field("bytes", table.stat.bytes);
    });
    json.end_object();
    output.line(json.text());
}

void write_text(Output& output, const db::tools::StoreReport& report) {
    const db::Stats& store = report.store;
    output.line(fmt::format("backend {}\nuid {}\npath {}\nmode {}\nview id {}", store.backend,
                            store.uid, store.path, store.mode, store.view_id));
    output.line(fmt::format("bytes: image {} log {} anonymous {} free {} pinned {}",
                            store.image_bytes, store.log_bytes, store.anonymous_bytes,
                            store.free_bytes, store.pinned_bytes));
    for (const auto& [name, stat] : report.tables)
        output.line(fmt::format("{} bytes {}", table_text(name, stat), stat.bytes));
}

}  // namespace

int run_db_stats(const Options& options) {
    StderrObserver observer(options.quiet);
    const db::Database database =
        node::open_database(to_node_options(options, db::Access::ReadOnly, &observer));
    const db::tools::StoreReport report = db::tools::collect_stats(database);
    if (!options.html_file.empty()) {
        core::SystemFiles files;
        core::write_file_atomically(files, options.html_file, db::tools::to_html(report));
    }
    Output output;
    options.json ? write_json(output, report) : write_text(output, report);
    output.finish();
    return 0;
}

}  // namespace keel::cmd
