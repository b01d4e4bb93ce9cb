// Makes the commits of a fixed history in a data directory and says after each that it returned;
// the tests of durability kill it and make its calls fail.
//
//   keel_torture_child DIRECTORY BACKEND DURABILITY COMMITS FOLD_BYTES [die | bulk | large | ahead
//   | runs]
//
// Goes on behind the newest commit that is there, up to number COMMITS, and closes. `die`: SIGKILL
// behind the first commit. `bulk`: makes one more, a bulk load; `large`: a large one; `ahead`:
// one that is built while it comes; `runs`: one that sorts on disk. Exit code: the fault's.

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>

#include "node/open_database.hpp"
#include "tests/torture/history.hpp"

namespace {

void say(const std::string& line) {
    const std::string text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) ::_exit(2);
}

void run(const keel::node::Options& options, uint64_t commits, std::string_view then) {
    const keel::db::Database store = keel::node::open_database(options);
    uint64_t view = store.begin_ro().view_id();
    say(fmt::format("opened {}", view));
    while (view < commits) {
        keel::tests::make_commit(store, ++view);
        say(fmt::format("committed {}", view));
        if (then == "die") ::kill(::getpid(), SIGKILL);
    }
    if (then == "bulk" || then == "large" || then == "runs") {
        keel::db::BulkLoad::Options how{.threads = 1};
        if (then == "runs") how.runs = {.directory = options.directory, .memory_bytes = 200'000};
        keel::tests::make_bulk_commit(
            store, ++view, then == "bulk" ? keel::tests::kSmallLoad : keel::tests::kLargeLoad, how);
        say(fmt::format("committed {}", view));
    }
    if (then == "ahead") {
        keel::tests::make_ahead_commit(store, ++view);
        say(fmt::format("committed {}", view));
    }
    store.close();
    say("closed");
}

}  // namespace

int main(int argument_count, char** arguments) {
    using keel::db::Durability;
    if (argument_count < 6) return 2;
    const std::string_view durability = arguments[3];
    keel::node::Options options;
    options.directory = arguments[1];
    options.backend =
        std::string_view(arguments[2]) == "mem" ? keel::db::Backend::Mem : keel::db::Backend::Lmdb;
    options.durability = durability == "close"   ? Durability::Close
                         : durability == "group" ? Durability::Group
                                                 : Durability::Commit;
    options.schema = keel::tests::history_schema();
    options.fold_bytes_min = std::stoull(arguments[5]);
    options.producer = "keel torture child";
    try {
        run(options, std::stoull(arguments[4]), argument_count > 6 ? arguments[6] : "");
    } catch (const keel::core::Fault& fault) {
        say("fault: " + fault.message());
        return fault.exit_code();
    }
    return 0;
}
