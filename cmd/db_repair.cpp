#include <fmt/format.h>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "core/fault.hpp"
#include "node/repair.hpp"

namespace keel::cmd {

int run_db_repair(const Options& options) {
    StderrObserver observer(options.quiet);
    const db::tools::RepairReport report = node::repair_directory(
        to_node_options(options, db::Access::ReadWrite, &observer), !options.dry_run);
    const bool repaired = !report.found.empty() && !options.dry_run;
    Output output;
    if (options.json) {
        JsonWriter json;
        json.begin_object();
        json.field("repaired", repaired);
        json.field("viewId", report.commit_id);
        const auto list = [&](std::string_view name, const std::vector<std::string>& lines) {
            json.begin_array(name);
            for (const std::string& line : lines) json.element(line);
            json.end_array();
        };
        list("found", report.found);
        list("kept", report.kept);
        json.end_object();
        output.line(json.text());
    } else {
        for (const std::string& line : report.found) output.line(line);
        for (const std::string& file : report.kept) output.line(fmt::format("kept as {}", file));
        output.line(fmt::format("{} view id {}",
                                report.found.empty() ? "nothing to repair"
                                : repaired           ? "repaired"
                                                     : "to be repaired",
                                report.commit_id));
    }
    output.finish();
    return report.found.empty() || repaired ? 0 : static_cast<int>(core::FaultKind::Damaged);
}

}  // namespace keel::cmd
