#include "cmd/version.hpp"

#include "cmd/commands.hpp"
#include "cmd/output.hpp"

namespace keel::cmd {

std::string producer() {
    return "keel " KEEL_VERSION " (" KEEL_COMMIT ")";
}

int run_version(const Options& options) {
    Output output;
    if (options.json) {
        JsonWriter json;
        json.begin_object();
        json.field("name", "keel");
        json.field("version", KEEL_VERSION);
        json.field("commit", KEEL_COMMIT);
        json.end_object();
        output.line(json.text());
    } else {
        output.line(producer());
    }
    output.finish();
    return 0;
}

}  // namespace keel::cmd
