// A process that does what a command of keel does, and ends while its database is open.
//
//   keel_closing_child init|import|daemon|tool DIRECTORY BACKEND INPUT return|throw|exit|wait
//
// INPUT: the genesis (init), a chain file (import, daemon), a value (tool). It prints `done` when
// the work is committed. Exit code as of the program: 0, 1 of an exception, 7 of std::exit; with
// `wait` it waits for a signal.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "chain/genesis.hpp"
#include "core/files.hpp"
#include "node/daemon.hpp"
#include "node/genesis_file.hpp"
#include "node/genesis_text.hpp"
#include "node/import.hpp"
#include "node/open_database.hpp"
#include "node/registry.hpp"
#include "node/signals.hpp"
#include "state/tables.hpp"

namespace {

using namespace keel;

struct Work {
    std::string command;
    node::Options opening;
    std::string input;
    std::string ending;
};

void import_chain(const db::Database& database, const std::string& file) {
    const node::ImportReport report = node::import_files(database, {.files = {file}});
    if (!report.failures.empty()) throw std::runtime_error(report.failures.front().reason);
}

/// What the command commits. A daemon goes on to serve.
std::unique_ptr<node::Daemon> work(const Work& to_do, const db::Database& database) {
    if (to_do.command == "init") {
        core::SystemFiles files;
        std::string document = node::read_genesis_text(files, to_do.input);
        chain::write_genesis(database, node::parse_genesis_document(document, to_do.input));
    } else if (to_do.command == "import") {
        import_chain(database, to_do.input);
    } else if (to_do.command == "daemon") {
        node::DaemonOptions options;
        options.http_listener.port = 0;
        options.engine_listener.port = 0;
        options.ipc = false;
        auto daemon = std::make_unique<node::Daemon>(database, std::move(options));
        import_chain(database, to_do.input);
        return daemon;
    } else {
        database.update(
            [&](db::WriteTxn& txn) { txn.put(database.table("Chain"), "note", to_do.input); });
    }
    return nullptr;
}

int run(const Work& to_do) {
    constexpr int kExitCode = 7;
    try {
        const db::Database database = node::open_database(to_do.opening);
        const auto daemon = work(to_do, database);
        std::puts("done");
        std::fflush(stdout);
        if (to_do.ending == "throw") throw std::runtime_error("thrown on purpose");
        if (to_do.ending == "exit") std::exit(kExitCode);
        while (to_do.ending == "wait") ::pause();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

}  // namespace

int main(int argument_count, char** arguments) {
    constexpr int kUsageExit = 2;
    constexpr int kCloseExit = 5;
    if (argument_count != 6) return kUsageExit;
    Work to_do{
        .command = arguments[1], .opening = {}, .input = arguments[4], .ending = arguments[5]};
    to_do.opening.directory = arguments[2];
    to_do.opening.backend =
        std::string_view(arguments[3]) == "mem" ? db::Backend::Mem : db::Backend::Lmdb;
    to_do.opening.schema = state::schema();
    to_do.opening.create = to_do.command == "init";
    node::StopGate stop_gate;
    const node::SignalWatch signals(
        {.before_close = [&](int) { stop_gate.stop_and_wait(); }, .say = {}});
    const int code = run(to_do);
    return node::Registry::process().close_all() ? kCloseExit : code;
}
