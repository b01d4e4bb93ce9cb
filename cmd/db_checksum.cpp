#include <fmt/format.h>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "cmd/progress.hpp"
#include "db/tools/checksum.hpp"

namespace keel::cmd {

int run_db_checksum(const Options& options) {
    StderrObserver observer(options.quiet);
    const db::Database database =
        node::open_database(to_node_options(options, db::Access::ReadOnly, &observer));
    const db::tools::StoreDigest digest = [&] {
        ProgressBar progress(options, "entries");
        return db::tools::checksum(database, progress.watcher());
    }();
    Output output;
    if (options.json) {
        JsonWriter json;
        json.begin_object();
        json.field("viewId", digest.view_id);
        json.field("digest", digest.digest.hex());
        json.objects("tables", digest.tables, [&](const db::tools::TableDigest& table) {
            json.field("name", table.name);
            json.field("kind", kind_name(table.kind));
            json.field("entries", table.entries);
            json.field("sequence", table.sequence);
            json.field("digest", table.entries_digest.hex());
        });
        json.end_object();
        output.line(json.text());
    } else {
        for (const db::tools::TableDigest& table : digest.tables)
            output.line(fmt::format("{} {} {} {} {}", table.entries_digest.hex(), table.name,
                                    kind_name(table.kind), table.entries, table.sequence));
        output.line(digest.digest.hex());
    }
    output.finish();
    return 0;
}

}  // namespace keel::cmd
