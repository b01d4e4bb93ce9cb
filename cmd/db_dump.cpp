#include <unistd.h>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "cmd/progress.hpp"
#include "core/fault.hpp"
#include "db/tools/dump.hpp"

namespace keel::cmd {

int run_db_dump(const Options& options) {
    if (options.json)
        throw core::Fault(core::FaultKind::Usage,
                          "db dump has one format, that of mdb_dump: leave --json away");
    StderrObserver observer(options.quiet);
    const db::Database database =
        node::open_database(to_node_options(options, db::Access::ReadOnly, &observer));
    Output output;
    const db::tools::DumpOptions dump = {.format = options.print_format
                                                       ? db::tools::TextFormat::Print
                                                       : db::tools::TextFormat::ByteValue,
                                         .tables = options.tables};
    // A bar would stand among the text on a terminal.
    Options showing = options;
    showing.quiet |= ::isatty(STDOUT_FILENO) == 1;
    ProgressBar progress(showing, "entries");
    db::tools::dump(
        database, dump, [&](std::string_view text) { output.write(text); }, progress.watcher());
    output.finish();
    return 0;
}

}  // namespace keel::cmd
