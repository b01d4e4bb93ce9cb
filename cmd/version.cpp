#include "cmd/version.hpp"

#include <string>
#include <string_view>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"

namespace keel::cmd {
namespace {

constexpr size_t kCommitDigits = 8;

}  // namespace

std::string producer() {
    return "keel " KEEL_VERSION " (" KEEL_COMMIT ")";
}

std::string version() {
    return "v" KEEL_VERSION;
}

std::string commit_digits() {
    const std::string_view commit = KEEL_COMMIT;
    return commit == "unknown" ? std::string() : std::string(commit.substr(0, kCommitDigits));
}

std::string client_version() {
#ifdef __clang__
    const std::string compiler = "clang" + std::to_string(__clang_major__);
#else
    const std::string compiler = "gcc" + std::to_string(__GNUC__);
#endif
    return "keel/v" KEEL_VERSION "-" + std::string(KEEL_COMMIT).substr(0, kCommitDigits) +
           "/linux-amd64/" + compiler;
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
