// The keel program: the command line in, one command's code out. Faults end here; however a command
// ends, every database it opened is saved and closed first (node/registry.hpp).

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <exception>

#include "cmd/options.hpp"
#include "cmd/output.hpp"
#include "core/fault.hpp"
#include "core/files.hpp"
#include "node/logging.hpp"
#include "node/registry.hpp"
#include "node/signals.hpp"

namespace {

using namespace keel;

constexpr int kMappedBytesMin = 32 << 20;  // of malloc; glibc takes no more
constexpr int kKeptBytesMax = 64 << 20;    // freed memory that is not given back at once

int run(const cmd::Parsed& parsed) {
    try {
        return parsed.command(parsed.options);
    } catch (const cmd::OutputClosed&) {
        return 128 + SIGPIPE;
    } catch (const core::Fault& fault) {
        cmd::say(fault.message());
        return fault.exit_code();
    } catch (const std::exception& error) {
        cmd::say(error.what());
        return static_cast<int>(core::FaultKind::Failed);
    }
}

}  // namespace

int main(int argc, char** argv) {
    cmd::Parsed parsed = cmd::parse(argc, argv);
    if (parsed.command == nullptr) return parsed.exit_code;
    core::prepare_memory_barrier();
    // Blocks of a few megabytes, as logs and receipts are, come from memory that was used before.
    ::mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
    ::mallopt(M_TRIM_THRESHOLD, kKeptBytesMax);
    node::StopGate stop_gate;
    const node::SignalWatch signals(
        {.before_close = [&](int) { stop_gate.stop_and_wait(); }, .say = cmd::say});
    parsed.options.stop_gate = &stop_gate;
    parsed.options.console = node::start_logging(parsed.options.log);
    for (const std::string& flag : parsed.options.ignored_flags)
        spdlog::debug("flag_ignored name={}", flag);
    const int code = run(parsed);
    if (const auto fault = node::Registry::process().close_all()) {
        cmd::say(fault->message());
        return code != 0 ? code : fault->exit_code();
    }
    return code;
}
