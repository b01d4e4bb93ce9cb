#include "cmd/commands.hpp"
#include "cmd/output.hpp"

namespace keel::cmd {

int run_completion(const Options& options) {
    Output output;
    output.write(options.completion);
    output.finish();
    return 0;
}

}  // namespace keel::cmd
