#include <fmt/format.h>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "db/tools/inspect.hpp"

namespace keel::cmd {

int run_db_list(const Options& options) {
    StderrObserver observer(options.quiet);
    const db::Database database =
        node::open_database(to_node_options(options, db::Access::ReadOnly, &observer));
    Output output;
    JsonWriter json;
    json.begin_array();
    for (const db::tools::TableCount& table : db::tools::list_tables(database)) {
        if (options.json) {
            json.begin_object();
            json.field("name", table.name);
            json.field("kind", kind_name(table.kind));
            json.field("entries", table.entries);
            json.end_object();
        } else {
            output.line(fmt::format("{} {} {}", table.name, kind_name(table.kind), table.entries));
        }
    }
    json.end_array();
    if (options.json) output.line(json.text());
    output.finish();
    return 0;
}

}  // namespace keel::cmd
