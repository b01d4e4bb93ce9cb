#include "db/mem/log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>

#include "db/mem/image.hpp"
#include "db/mem/log_reader.hpp"
#include "db/open.hpp"
#include "db/testing/contract_fixture.hpp"
#include "db/testing/memory_files.hpp"

namespace keel::db::mem {
namespace {

using testing::digest_of_all;
using testing::error_of;
using testing::FileCall;
using testing::MemoryFiles;
using testing::Random;

constexpr char kFolder[] = "/data";
constexpr uint64_t kReserve = uint64_t{1} << 30;

/// What a store tells its owner.
class Notes final : public Observer {
  public:
    void note(std::string_view event, std::string_view details) override {
        const std::scoped_lock lock(mutex_);
        text_ += std::string(event) + ": " + std::string(details) + "\n";
    }
    std::string text() const {
        const std::scoped_lock lock(mutex_);
        return text_;
    }

  private:
    mutable std::mutex mutex_;
    std::string text_;
};

OpenOptions options_on(MemoryFiles& files, Durability durability = Durability::Group) {
    OpenOptions options;
    options.directory = kFolder;
    options.durability = durability;
    options.schema = {{"P", Kind::Plain}, {"D", Kind::DupSort}};
    options.reserve_bytes = kReserve;
    options.producer = "keel test 1";
    options.files = &files;
    return options;
}

/// The newest commit and the content of what is in `files`, as somebody else would find it.
std::string state_of(MemoryFiles& files, Notes* notes = nullptr) {
    OpenOptions options = options_on(files);
    options.schema.clear();
    options.observer = notes;
    const Database store = open(Backend::Mem, options);
    return std::to_string(store.begin_ro().view_id()) + "\n" + digest_of_all(store);
}

std::string state_of(const Database& store) {
    return std::to_string(store.begin_ro().view_id()) + "\n" + digest_of_all(store);
}

std::string error_text(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.message();
    }
    return "";
}

/// One transaction of random changes of every kind, through the transaction and through cursors.
void change_something(const Database& store, Random& random, size_t changes) {
    const Table p = store.table("P");
    const Table d = store.table("D");
    const Table x = store.table("X");
    constexpr std::string_view kLetters = "ab\0\xff";
    const auto word = [&] { return random.bytes(random.below(4), kLetters); };
    store.update([&](WriteTxn& txn) {
        for (size_t i = 0; i < changes; ++i) {
            const Bytes key = word();
            const Bytes value = word();
            const Table table = random.one_in(2) ? p : d;
            switch (random.below(16)) {
                case 0:
                    txn.put(p, key, random.bytes(random.below(6000), kLetters));
                    break;
                case 1:
                    txn.del(table, key);
                    break;
                case 2:
                    txn.del(d, key, value);
                    break;
                case 3:
                    if (random.one_in(4)) txn.del_range(table, key, value);
                    break;
                case 4:
                    if (random.one_in(20)) txn.del_range(table, key, std::nullopt);
                    break;
                case 5:
                    if (random.one_in(40)) txn.clear_table(table);
                    break;
                case 6:
                    txn.increment(table, random.below(1000));
                    break;
                case 7:
                    txn.set_sequence(table, random.bits());
                    break;
                case 8:
                    if (txn.exists(x) && random.one_in(3)) {
                        txn.drop_table(x);
                    } else {
                        txn.create_table({"X", txn.exists(x) && txn.stat(x).kind == Kind::DupSort
                                                   ? Kind::DupSort
                                                   : Kind::Plain});
                        txn.put(x, key, value);
                    }
                    break;
                case 9: {
                    WriteCursor cursor = txn.cursor(table);
                    if (const Hit hit = cursor.seek(key))
                        cursor.put_current(hit->key.to_bytes(), value);
                    break;
                }
                case 10: {
                    WriteCursor cursor = txn.cursor(table);
                    if (cursor.seek(key)) {
                        if (random.one_in(2)) {
                            cursor.delete_current();
                        } else {
                            cursor.delete_all_dups();
                        }
                    }
                    break;
                }
                case 11: {
                    WriteCursor cursor = txn.cursor(table);
                    if (const Hit last = cursor.last()) {
                        Bytes behind = last->key.to_bytes();
                        if (behind.size() < 40) behind.push_back(0xff);
                        error_of([&] { cursor.append(behind, value); });
                    }
                    break;
                }
                default:
                    txn.put(table, key, value);
            }
        }
    });
}

TEST(Log, every_commit_of_a_killed_process_is_there) {
    for (const Durability durability : {Durability::Group, Durability::Commit}) {
        MemoryFiles files;
        files.make_directory(kFolder);
        const uint64_t seed = testing::process_seed();
        SCOPED_TRACE("KEEL_SEED=" + std::to_string(seed));
        Random random(seed);
        const Database store = open(Backend::Mem, options_on(files, durability));
        for (int commit = 0; commit < 150; ++commit) {
            change_something(store, random, 1 + random.below(40));
            const std::unique_ptr<MemoryFiles> left = files.copy();
            ASSERT_EQ(state_of(*left), state_of(store)) << "commit " << commit;
        }
        EXPECT_GT(store.stats().log_bytes, 10'000u);
        const std::string last = state_of(store);
        store.close();
        EXPECT_EQ(state_of(files), last);
        EXPECT_EQ(state_of(files), last) << "closing again changes nothing";
    }
}

TEST(Log, a_closed_log_goes_on_where_it_was) {
    MemoryFiles files;
    files.make_directory(kFolder);
    Random random(testing::process_seed());
    std::string last;
    for (int round = 0; round < 20; ++round) {
        const Database store = open(Backend::Mem, options_on(files));
        if (round > 0) {
            EXPECT_EQ(state_of(store), last);
        }
        change_something(store, random, 30);
        last = state_of(store);
        store.close();
    }
    size_t logs = 0;
    for (const auto& [path, content] : files.contents())
        if (path.ends_with(".log")) ++logs;
    EXPECT_EQ(logs, 1u);
}

TEST(Log, a_log_that_outgrows_the_image_is_folded_while_commits_and_readers_go_on) {
    MemoryFiles files;
    files.make_directory(kFolder);
    Random random(testing::process_seed());
    OpenOptions options = options_on(files);
    options.fold_bytes_min = 30'000;
    const Database store = open(Backend::Mem, options);
    const ReadTxn held = store.begin_ro();
    std::string before_close;
    for (int commit = 0; commit < 400; ++commit) {
        change_something(store, random, 20);
        if (commit % 20 != 0) continue;
        std::unique_ptr<MemoryFiles> left = files.copy();
        ASSERT_EQ(state_of(*left), state_of(store)) << "commit " << commit;
    }
    EXPECT_EQ(held.count(store.table("P")), 0u);
    before_close = state_of(store);
    // By a thread of its own, which gets on as fast as the machine lets it.
    const auto is_folded = [&] { return !files.contents().contains("/data/store-1.log"); };
    for (int tries = 0; tries < 30'000 && !is_folded(); ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(is_folded());
    store.close();
    EXPECT_EQ(state_of(files), before_close);
    size_t logs = 0;
    for (const auto& [path, content] : files.contents()) {
        if (path.ends_with(".log")) ++logs;
        EXPECT_FALSE(path.ends_with(".tmp")) << path;
    }
    EXPECT_EQ(logs, 1u) << "older segments are gone";
}

TEST(Log, a_large_transaction_is_written_ahead_and_leaves_nothing_when_it_aborts) {
    MemoryFiles files;
    files.make_directory(kFolder);
    const Database store = open(Backend::Mem, options_on(files));
    const Table p = store.table("P");
    const std::string before = state_of(store);
    const auto fill = [&](WriteTxn& txn, size_t rows) {
        for (size_t row = 0; row < rows; ++row)
            txn.put(p, testing::number_key(row), std::string(1000, static_cast<char>(row)));
        txn.put(p, "large", std::string(size_t{3} << 20, 'x'));
        txn.put(p, "behind", "y");
    };
    {
        auto txn = store.begin_rw();
        fill(*txn, 5'000);
        txn->abort();
    }
    EXPECT_EQ(state_of(*files.copy()), before);
    Notes notes;
    state_of(*files.copy(), &notes);
    EXPECT_EQ(notes.text(), "") << "no torn tail";
    store.update([&](WriteTxn& txn) { fill(txn, 5'000); });
    EXPECT_EQ(state_of(*files.copy()), state_of(store));
    EXPECT_GT(store.stats().log_bytes, 8'000'000u);
    store.update([&](WriteTxn& txn) { txn.put(p, "k", "v"); });
    EXPECT_EQ(state_of(*files.copy()), state_of(store));
}

TEST(Log, a_transaction_larger_than_a_fold_becomes_an_image_at_once) {
    MemoryFiles files;
    files.make_directory(kFolder);
    OpenOptions options = options_on(files);
    options.fold_bytes_min = size_t{4} << 20;
    const Database store = open(Backend::Mem, options);
    const Table p = store.table("P");
    store.update([&](WriteTxn& txn) { txn.put(p, "before", "v"); });
    store.update([&](WriteTxn& txn) {
        for (size_t row = 0; row < 8'000; ++row)
            txn.put(p, testing::number_key(row), std::string(1000, static_cast<char>(row)));
    });
    EXPECT_EQ(store.stats().log_bytes, 0u);
    EXPECT_GT(store.stats().image_bytes, 8'000'000u);
    EXPECT_EQ(state_of(*files.copy()), state_of(store));
    store.update([&](WriteTxn& txn) { txn.put(p, "after", "v"); });
    EXPECT_EQ(state_of(*files.copy()), state_of(store));
    EXPECT_LT(store.stats().log_bytes, 1'000u);
}

TEST(Log, a_log_as_long_as_the_image_becomes_one_at_close) {
    MemoryFiles files;
    files.make_directory(kFolder);
    bool has_log = false;
    const auto grow_to = [&](size_t rows, size_t from = 0) {
        const Database store = open(Backend::Mem, options_on(files));
        const Table p = store.table("P");
        store.update([&](WriteTxn& txn) {
            for (size_t row = from; row < rows; ++row)
                txn.put(p, testing::number_key(row), std::string(1000, static_cast<char>(row)));
        });
        const std::string state = state_of(store);
        store.close();
        const std::map<std::string, core::Bytes> contents = files.contents();
        has_log = std::ranges::any_of(
            contents, [](const auto& file) { return file.first.ends_with(".log"); });
        EXPECT_EQ(state_of(*files.copy()), state);
        return contents.at("/data/store.img").size();
    };
    EXPECT_LT(grow_to(100), 100'000u) << "a short log is kept";
    EXPECT_TRUE(has_log);
    EXPECT_GT(grow_to(2'000, 100), 2'000'000u);
    EXPECT_FALSE(has_log);
    EXPECT_LT(grow_to(3'500, 2'000), 3'000'000u) << "shorter than the image";
    EXPECT_TRUE(has_log);
    EXPECT_GT(grow_to(5'000, 3'500), 5'000'000u) << "two runs together are longer";
    EXPECT_FALSE(has_log);
}

TEST(Log, an_image_that_fails_at_close_leaves_everything_in_the_log) {
    for (const FileCall::Kind kind : {FileCall::Kind::Write, FileCall::Kind::Rename}) {
        MemoryFiles files;
        files.make_directory(kFolder);
        std::atomic<bool> full = false;
        files.before = [&](const FileCall& call) {
            const bool image = call.path.find(kImageName) != std::string::npos;
            return full && image && call.kind == kind ? ENOSPC : 0;
        };
        const Database store = open(Backend::Mem, options_on(files));
        const Table p = store.table("P");
        store.update([&](WriteTxn& txn) {
            for (size_t row = 0; row < 2'000; ++row)
                txn.put(p, testing::number_key(row), std::string(1000, static_cast<char>(row)));
        });
        const std::string state = state_of(store);
        full = true;
        EXPECT_EQ(error_of([&] { store.close(); }), ErrorCode::DiskFull);
        // Also when the power goes: the log was synced instead.
        EXPECT_EQ(state_of(*files.crash([] { return false; })), state);
    }
}

TEST(Log, a_creation_that_failed_at_any_call_can_be_tried_again) {
    for (uint64_t at = 1;; ++at) {
        SCOPED_TRACE(at);
        MemoryFiles files;
        files.make_directory(kFolder);
        std::atomic<uint64_t> calls = 0;
        files.before = [&](const FileCall&) { return ++calls == at ? EIO : 0; };
        error_of([&] { open(Backend::Mem, options_on(files)).close(); });
        if (calls < at) break;
        const Database store = open(Backend::Mem, options_on(files));
        EXPECT_EQ(store.begin_ro().view_id(), 1u);
    }
}

TEST(Log, modes_change_from_one_opening_to_the_next) {
    MemoryFiles files;
    files.make_directory(kFolder);
    Random random(testing::process_seed());
    std::string last;
    for (const Durability durability :
         {Durability::Close, Durability::Group, Durability::Close, Durability::Commit,
          Durability::Group, Durability::Close, Durability::Close}) {
        const Database store = open(Backend::Mem, options_on(files, durability));
        if (!last.empty()) {
            EXPECT_EQ(state_of(store), last);
        }
        const std::string before = state_of(store);
        change_something(store, random, 30);
        const bool at_once = durability != Durability::Close;
        EXPECT_EQ(state_of(*files.copy()), at_once ? state_of(store) : before);
        last = state_of(store);
        store.close();
        EXPECT_EQ(state_of(*files.copy()), last);
    }
}

TEST(Log, a_group_is_on_disk_in_time_and_at_once_when_somebody_waits) {
    MemoryFiles files;
    files.make_directory(kFolder);
    const Database store = open(Backend::Mem, options_on(files));
    const Table p = store.table("P");
    const auto nothing = [] { return false; };
    for (int round = 0; round < 3; ++round) {
        store.update([&](WriteTxn& txn) { txn.put(p, std::to_string(round), "v"); });
        store.sync();
        EXPECT_EQ(state_of(*files.crash(nothing)), state_of(store));
    }
    store.update([&](WriteTxn& txn) { txn.put(p, "k", "v"); });
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (state_of(*files.crash(nothing)) != state_of(store) &&
           std::chrono::steady_clock::now() < give_up)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(state_of(*files.crash(nothing)), state_of(store)) << "nobody asked";

    OpenOptions durable = options_on(files, Durability::Commit);
    store.close();
    const Database again = open(Backend::Mem, durable);
    for (int round = 0; round < 20; ++round) {
        again.update([&](WriteTxn& txn) { txn.put(p, "w" + std::to_string(round), "v"); });
        EXPECT_EQ(state_of(*files.crash(nothing)), state_of(again));
    }
}

/// A small store with some commits behind its image; states[i] is the state after commit 1 + i.
struct Filled {
    explicit Filled(bool closed) {
        files.make_directory(kFolder);
        store = open(Backend::Mem, options_on(files));
        states.push_back(state_of(store));
        ends.push_back(kLogHeaderBytes);
        for (int commit = 0; commit < 6; ++commit) {
            store.update([&](WriteTxn& txn) {
                txn.put(store.table("P"), "key " + std::to_string(commit), "value");
                txn.put(store.table("D"), "group", std::to_string(commit));
                if (commit == 3) txn.del(store.table("P"), "key 1");
            });
            states.push_back(state_of(store));
            ends.push_back(kLogHeaderBytes + store.stats().log_bytes);
        }
        if (closed) store.close();
        left = files.copy();
        log = left->contents().at(path);
    }
    const std::string path = std::string(kFolder) + "/store-1.log";
    MemoryFiles files;
    Database store;
    std::unique_ptr<MemoryFiles> left;
    Bytes log;
    std::vector<std::string> states;
    std::vector<uint64_t> ends;
};

TEST(Log, a_log_cut_at_any_length_is_the_last_whole_commit_or_said_to_be_damaged) {
    for (const bool closed : {false, true}) {
        Filled filled(closed);
        // Until the keeper has come by, nothing says how far the log was on disk.
        for (size_t length = 0; length <= filled.log.size(); ++length) {
            MemoryFiles cut;
            cut.make_directory(kFolder);
            for (const auto& [path, content] : filled.left->contents()) cut.put(path, content);
            cut.put(filled.path, Bytes(filled.log.begin(),
                                       filled.log.begin() + static_cast<std::ptrdiff_t>(length)));
            std::string state;
            const std::string error = error_text([&] { state = state_of(cut); });
            if (!error.empty()) {
                EXPECT_NE(error.find(filled.path), std::string::npos) << error;
                EXPECT_NE(error.find("offset"), std::string::npos) << error;
                EXPECT_TRUE(length < kLogHeaderBytes || length < filled.ends.back()) << length;
                continue;
            }
            ASSERT_FALSE(closed && length < filled.ends.back())
                << "a log that was closed ends where it ended: " << length;
            size_t whole = 0;
            while (whole + 1 < filled.ends.size() && filled.ends[whole + 1] <= length) ++whole;
            ASSERT_EQ(state, filled.states[whole]) << "length " << length;
        }
    }
}

TEST(Log, every_flipped_byte_is_harmless_or_said) {
    for (const bool closed : {false, true}) {
        Filled filled(closed);
        size_t harmless = 0;
        size_t refused = 0;
        size_t cut_and_said = 0;
        for (size_t at = 0; at < filled.log.size(); ++at) {
            MemoryFiles flipped;
            flipped.make_directory(kFolder);
            for (const auto& [path, content] : filled.left->contents()) flipped.put(path, content);
            Bytes log = filled.log;
            log[at] ^= static_cast<uint8_t>(1U << (at % 8));
            flipped.put(filled.path, log);
            std::string state;
            Notes notes;
            const std::string error = error_text([&] { state = state_of(flipped, &notes); });
            if (!error.empty()) {
                ++refused;
                EXPECT_NE(error.find(filled.path), std::string::npos) << error;
                EXPECT_EQ(flipped.contents().at(filled.path), log) << "untouched";
            } else if (state == filled.states.back()) {
                ++harmless;
            } else {
                ++cut_and_said;
                ASSERT_FALSE(closed) << "byte " << at;
                ASSERT_NE(std::ranges::find(filled.states, state), filled.states.end()) << at;
                EXPECT_NE(notes.text().find("log_cut"), std::string::npos) << at;
            }
        }
        EXPECT_GT(refused, 0u);
        EXPECT_GT(harmless, 3'000u) << "of the header's unused part";
        if (closed) {
            EXPECT_EQ(cut_and_said, 0u);
        }
    }
}

TEST(Log, a_missing_log_or_image_is_damage) {
    Filled filled(true);
    MemoryFiles without_log;
    without_log.make_directory(kFolder);
    MemoryFiles without_image;
    without_image.make_directory(kFolder);
    for (const auto& [path, content] : filled.left->contents()) {
        if (path != filled.path) without_log.put(path, content);
        if (path == filled.path) without_image.put(path, content);
    }
    EXPECT_NE(error_text([&] { state_of(without_log); }).find("store-1.log is missing"),
              std::string::npos);
    EXPECT_NE(error_text([&] { state_of(without_image); }).find("store.img is missing"),
              std::string::npos);
}

TEST(Log, a_log_of_another_database_or_version_is_refused) {
    Filled filled(true);
    Filled other(true);
    filled.left->put(filled.path, other.log);
    EXPECT_EQ(error_of([&] { state_of(*filled.left); }), ErrorCode::Corrupt);
    Bytes newer = filled.log;
    ++newer[8];
    filled.left->put(filled.path, newer);
    EXPECT_EQ(error_of([&] { state_of(*filled.left); }), ErrorCode::VersionMismatch);
    Bytes foreign = filled.log;
    foreign[0] = 'x';
    filled.left->put(filled.path, foreign);
    EXPECT_EQ(error_of([&] { state_of(*filled.left); }), ErrorCode::Corrupt);
}

TEST(Log, a_failed_write_latches_and_what_was_acknowledged_stays) {
    for (const Durability durability : {Durability::Group, Durability::Commit}) {
        for (const int code : {EIO, ENOSPC}) {
            MemoryFiles files;
            files.make_directory(kFolder);
            const Database store = open(Backend::Mem, options_on(files, durability));
            const Table p = store.table("P");
            store.update([&](WriteTxn& txn) { txn.put(p, "k", "v"); });
            store.sync();
            const std::string before = state_of(store);
            files.before = [&](const testing::FileCall& call) {
                return call.kind == testing::FileCall::Kind::Write ? code : 0;
            };
            const auto put = [&] { store.update([&](WriteTxn& txn) { txn.put(p, "l", "w"); }); };
            const ErrorCode expected = code == EIO ? ErrorCode::Io : ErrorCode::DiskFull;
            const std::string text = error_text(put);
            EXPECT_NE(text.find("/data/store-1.log"), std::string::npos) << text;
            EXPECT_NE(text.find("offset"), std::string::npos) << text;
            files.before = nullptr;
            EXPECT_EQ(error_of(put), expected) << "it stays latched";
            EXPECT_EQ(error_of([&] { store.sync(); }), expected);
            EXPECT_EQ(state_of(store), before) << "readers go on";
            EXPECT_EQ(error_of([&] { store.close(); }), expected);
            EXPECT_EQ(state_of(files), before);
        }
    }
}

TEST(Log, a_failed_background_sync_is_said_by_the_next_commit) {
    MemoryFiles files;
    files.make_directory(kFolder);
    const Database store = open(Backend::Mem, options_on(files));
    const Table p = store.table("P");
    files.before = [&](const testing::FileCall& call) {
        return call.kind == testing::FileCall::Kind::Sync ? EIO : 0;
    };
    store.update([&](WriteTxn& txn) { txn.put(p, "k", "v"); });
    std::optional<ErrorCode> failed;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!failed && std::chrono::steady_clock::now() < give_up) {
        failed = error_of([&] { store.update([&](WriteTxn& txn) { txn.put(p, "l", "w"); }); });
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_EQ(failed, ErrorCode::Io);
    EXPECT_NE(store.stats().last_error.find("fdatasync"), std::string::npos);
}

TEST(Log, data_of_a_suspect_producer_is_announced_with_its_commits) {
    MemoryFiles files;
    files.make_directory(kFolder);
    const auto commit_as = [&](const std::string& producer, int commits) {
        OpenOptions options = options_on(files);
        options.producer = producer;
        const Database store = open(Backend::Mem, options);
        for (int commit = 0; commit < commits; ++commit)
            store.update([&](WriteTxn& txn) { txn.increment(store.table("P"), 1); });
        store.close();
    };
    commit_as("good 1", 2);     // creation and 2, 3
    commit_as("bad 7 abc", 3);  // 4 to 6
    commit_as("good 2", 1);
    Notes notes;
    OpenOptions options = options_on(files);
    options.suspect_producers = {"bad 7"};
    options.observer = &notes;
    open(Backend::Mem, options).close();
    EXPECT_NE(notes.text().find("store-1.log: commits 4 to 6 were written by bad 7 abc"),
              std::string::npos)
        << notes.text();
    EXPECT_EQ(notes.text().find("good"), std::string::npos) << notes.text();
}

TEST(Log, names_of_segments_are_numbers) {
    EXPECT_EQ(parse_log_name(log_name(0)), 0u);
    EXPECT_EQ(parse_log_name(log_name(UINT64_MAX)), UINT64_MAX);
    for (const char* name : {"store-.log", "store-1", "store-01.log", "store-1.log.tmp",
                             "store-18446744073709551616.log", "store-x.log", "1.log"})
        EXPECT_EQ(parse_log_name(name), std::nullopt) << name;
}

}  // namespace
}  // namespace keel::db::mem
