// A process that opens a data directory and ends in the way its arguments say; the contract's
// process tests start it.
//
//   keel_store_child DIRECTORY BACKEND COMMAND [ROWS]
//
// BACKEND is mem, lmdb or any. It opens in mode `close`, writes ROWS rows into table T, one commit
// each, prints "ready" and the command decides the rest. Exit code: that of the fault, or of the
// way out.

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "db/testing/contract_fixture.hpp"
#include "node/open_database.hpp"
#include "node/signals.hpp"

namespace {

using keel::core::Fault;
using keel::db::Access;
using keel::db::Backend;
using keel::db::Database;
using keel::db::WriteTxn;

constexpr int kExitOfAnotherThread = 7;
constexpr uid_t kNobody = 65534;
constexpr rlim_t kTinyFileBytes = 4096;

void say(std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

void put_row(const Database& store, uint64_t number) {
    store.update([&](WriteTxn& txn) {
        txn.put(store.table("T"), fmt::format("row {:08}", number), std::to_string(number));
    });
}

/// Saving waits for the second signal, so that it surely comes in the middle of it.
class SecondSignal {
  public:
    void arrived() {
        const std::scoped_lock lock(mutex_);
        arrived_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return arrived_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool arrived_ = false;
};

[[noreturn]] void wait_for_the_end() {
    for (;;) pause();
}

int run(const keel::node::Options& options, std::string_view command, uint64_t rows) {
    if (command == "read") {
        keel::node::Options reading = options;
        reading.access = Access::ReadOnly;
        reading.durability.reset();
        const Database store = keel::node::open_database(reading);
        const auto txn = store.begin_ro();
        say(fmt::format("rows {} view {}", txn.count(store.table("T")), txn.view_id()));
        return 0;
    }
    if (command == "read-again-and-again") {
        // Newest commit and content, `rows` times, each with an empty line behind it.
        keel::node::Options reading = options;
        reading.access = Access::ReadOnly;
        reading.durability.reset();
        reading.schema.clear();
        for (uint64_t round = 0; round < rows; ++round) {
            const Database store = keel::node::open_database(reading);
            uint64_t view = 0;
            std::string digest;
            do {  // lmdb follows its writer
                view = store.begin_ro().view_id();
                digest = keel::db::testing::digest_of_all(store);
            } while (store.begin_ro().view_id() != view);
            say(fmt::format("{}\n{}", view, digest));
            store.close();
        }
        return 0;
    }
    const Database store = keel::node::open_database(options);
    if (command == "make-and-drop-table") {
        store.update([&](WriteTxn& txn) {
            txn.create_table({.name = "Made"});
            txn.put(store.table("Made"), "k", "v");
            txn.drop_table(store.table("T"));
        });
        return 0;
    }
    for (uint64_t number = 0; number < rows; ++number) put_row(store, number);
    if (command == "hold-after-save") {
        // What a reader beside this process must see of mode `close`: the rows of the last save.
        store.close();
        const Database again = keel::node::open_database(options);
        put_row(again, rows);
        say("ready");
        wait_for_the_end();
    }
    say("ready");
    if (command == "return-0") return 0;
    if (command == "return-1") return 1;
    if (command == "throw") throw Fault(keel::core::FaultKind::Failed, "thrown on purpose");
    if (command == "exit-in-thread") {
        std::thread([] { std::exit(kExitOfAnotherThread); }).join();
    }
    if (command == "wait") wait_for_the_end();
    throw Fault(keel::core::FaultKind::Usage, fmt::format("unknown command {}", command));
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count < 4) return 2;
    const std::string_view backend = arguments[2];
    std::string_view command = arguments[3];
    const uint64_t rows = argument_count > 4 ? std::stoull(arguments[4]) : 0;
    keel::node::Options options;
    options.directory = arguments[1];
    if (backend != "any") options.backend = backend == "mem" ? Backend::Mem : Backend::Lmdb;
    options.durability = keel::db::Durability::Close;
    options.schema = {{"T", keel::db::Kind::Plain}};
    options.producer = "keel store child";

    if (command == "open-on-a-full-disk") {
        // Every file ends after its first page; the signal of it is ignored, so that writes fail.
        const rlimit tiny{kTinyFileBytes, kTinyFileBytes};
        setrlimit(RLIMIT_FSIZE, &tiny);
        std::signal(SIGXFSZ, SIG_IGN);
        command = "return-0";
    } else if (command == "open-as-nobody") {
        if (geteuid() == 0 && setuid(kNobody) != 0) return 2;
        command = "return-0";
    }

    SecondSignal second;
    const bool waits_for_second = command == "wait-for-two-signals";
    if (waits_for_second) command = "wait";
    const keel::node::SignalWatch watch({
        .before_close =
            [&](int) {
                if (!waits_for_second) return;
                say("saving");
                second.wait();
            },
        .say =
            [&](std::string_view line) {
                say(line);
                second.arrived();
            },
    });
    try {
        return run(options, command, rows);
    } catch (const Fault& fault) {
        fmt::print(stderr, "keel: {}\n", fault.message());
        return fault.exit_code();
    }
}
