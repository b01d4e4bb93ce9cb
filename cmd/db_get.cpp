#include <fmt/format.h>

#include "cmd/commands.hpp"
#include "cmd/key_bytes.hpp"
#include "cmd/output.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "db/tools/inspect.hpp"

namespace keel::cmd {

core::Bytes key_bytes(const std::string& text) {
    if (!text.starts_with("0x")) return {text.begin(), text.end()};
    std::optional<core::Bytes> bytes = core::from_hex(text);
    if (!bytes)
        throw core::Fault(core::FaultKind::Usage,
                          fmt::format("{} is not an even number of hex digits", text));
    return std::move(*bytes);
}

int run_db_get(const Options& options) {
    const core::Bytes key = key_bytes(options.key);
    StderrObserver observer(options.quiet);
    const db::Database database =
        node::open_database(to_node_options(options, db::Access::ReadOnly, &observer));
    const std::vector<core::Bytes> values =
        db::tools::get_values(database, options.table, core::ByteView(key));
    Output output;
    JsonWriter json;
    json.begin_object();
    json.field("table", options.table);
    json.field("key", core::to_hex_prefixed(core::ByteView(key)));
    json.begin_array("values");
    for (const core::Bytes& value : values) {
        const std::string hex = core::to_hex_prefixed(core::ByteView(value));
        options.json ? json.element(hex) : output.line(hex);
    }
    json.end_array();
    json.end_object();
    if (options.json) output.line(json.text());
    output.finish();
    if (!values.empty()) return 0;
    if (!options.quiet) say(fmt::format("table {}: no such key", options.table));
    return static_cast<int>(core::FaultKind::Failed);
}

}  // namespace keel::cmd
