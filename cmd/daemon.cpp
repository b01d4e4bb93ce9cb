#include "node/daemon.hpp"

#include <spdlog/spdlog.h>

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "cmd/version.hpp"
#include "core/files.hpp"
#include "node/signals.hpp"
#include "node/solo.hpp"
#include "state/tables.hpp"

namespace keel::cmd {
namespace {

void wait_for(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, stop, [] { return false; });
}

}  // namespace

int run_daemon(const Options& options) {
    // Held until all is stopped and the store is closed, so that a signal ends the program behind.
    const node::StopGate::Work work(*options.stop_gate);
    StderrObserver observer(options.quiet);
    node::Options opening = to_node_options(options, db::Access::ReadWrite, &observer);
    opening.schema = state::schema();
    const node::DaemonOptions& wanted = options.daemon.serving;
    if (wanted.solo) node::init_solo(opening);
    opening.create = false;
    const db::Database database = node::open_database(opening);

    node::DaemonOptions serving = options.daemon.serving;
    serving.client_version = client_version();
    serving.producer = producer();
    serving.version = version();
    serving.commit = commit_digits();
    {
        node::Daemon daemon(database, std::move(serving));
        const std::string json = node::ready_json(daemon.ready());
        Output output;
        output.line(options.json ? json : node::ready_line(daemon.ready()));
        output.finish();
        if (!options.daemon.ready_file.empty()) {
            core::SystemFiles files;
            core::write_file_atomically(files, options.daemon.ready_file, json + "\n");
        }
        wait_for(work.token());
        spdlog::info("stopping");
        daemon.stop();
    }
    database.close();
    return 0;
}

}  // namespace keel::cmd
