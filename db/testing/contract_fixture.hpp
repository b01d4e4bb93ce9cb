#pragma once

// What every contract test stands on: a store of either backend in a temporary directory of its
// own.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "db/database.hpp"
#include "db/open.hpp"
#include "db/testing/golden_rows.hpp"
#include "db/testing/model_store.hpp"
#include "db/testing/script.hpp"

#if defined(__SANITIZE_THREAD__)
#define KEEL_TEST_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define KEEL_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KEEL_TEST_TSAN 1
#elif __has_feature(address_sanitizer)
#define KEEL_TEST_ASAN 1
#endif
#endif

namespace keel::db {

// GoogleTest finds these by argument-dependent lookup.
inline void PrintTo(ErrorCode code, std::ostream* out) {
    *out << to_string(code);
}
inline void PrintTo(Refused refused, std::ostream* out) {
    *out << to_string(refused);
}

namespace testing {

#ifdef KEEL_TEST_ASAN
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#ifdef KEEL_TEST_TSAN
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#ifdef KEEL_SLOW_ASSERT
inline constexpr bool kSlowAssert = true;
#else
inline constexpr bool kSlowAssert = false;
#endif
#ifdef KEEL_VIEW_GUARD
inline constexpr bool kViewGuard = true;
#else
inline constexpr bool kViewGuard = false;
#endif

/// Loops of the plain build are divided by this where each step is checked by the compiler's or our
/// own machinery.
inline constexpr size_t kSlowdown =
    kAddressSanitizer || kThreadSanitizer || kSlowAssert || kViewGuard ? 4 : 1;
/// `plain` rounds in the plain build, fewer in checked builds but never less than `least`.
constexpr size_t scaled(size_t plain, size_t least = 1) {
    return plain / kSlowdown > least ? plain / kSlowdown : least;
}

inline constexpr uint64_t kReserveBytes = uint64_t{16}
                                          << 30;  // KV.md X29: many stores in one process
inline constexpr size_t kPageBytes = 4096;

/// A fresh directory that goes away with the object.
class TempDirectory {
  public:
    TempDirectory();
    ~TempDirectory();
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

/// Sum of the sizes of the regular files below `directory`.
uint64_t file_bytes(const std::filesystem::path& directory);

/// KEEL_SEED, or a number drawn once in the process.
uint64_t process_seed();

/// Random choices of one test; the same seed gives the same choices.
class Random {
  public:
    explicit Random(uint64_t seed) : engine_(seed) {}
    uint64_t bits() { return engine_(); }
    /// Uniform enough in [0, end).
    size_t below(size_t end) { return static_cast<size_t>(engine_() % end); }
    bool one_in(size_t n) { return below(n) == 0; }
    /// `size` bytes out of `alphabet`.
    Bytes bytes(size_t size, ByteView alphabet);
    template <class T>
    const T& pick(std::span<const T> choices) {
        return choices[below(choices.size())];
    }
    template <class T>
    void shuffle(std::vector<T>& items) {
        for (size_t left = items.size(); left > 1; --left)
            std::swap(items[left - 1], items[below(left)]);
    }

  private:
    std::mt19937_64 engine_;
};

/// The code of the error that `action` throws, or none.
template <class Action>
std::optional<ErrorCode> error_of(Action&& action) {
    try {
        std::forward<Action>(action)();
    } catch (const Error& error) {
        return error.code();
    }
    return std::nullopt;
}

/// Big-endian, so that numbers sort as keys.
Bytes number_key(uint64_t number);
/// The number that a view of 8 bytes holds, most significant byte first.
uint64_t number_of(ByteView view);

/// Hash over the entries of a table in order, lengths included.
uint64_t digest(const ReadTxn& txn, Table table);
/// Hash over the entries of a model table, equal to that of a table with the same rows.
uint64_t digest(const ModelTable& table);
/// Names, kinds, sequences and entries of all stored tables.
std::string digest_of_all(const Database& database);

std::vector<Row> rows(const ReadTxn& txn, Table table);
/// The rows of a range or prefix walk.
std::vector<Row> rows(Range range);

/// Heap allocations of the calling thread since it began; the test program's operator new counts.
/// Always 0 under a sanitizer.
uint64_t allocations_of_this_thread() noexcept;

/// Collects events of a store. Any thread.
class RecordingObserver : public Observer {
  public:
    void long_reader(const LongReader& reader) override;
    std::vector<LongReader> long_readers() const;
    /// Waits until at least `count` long readers were reported; false after `limit`.
    bool wait_for_long_readers(size_t count, std::chrono::milliseconds limit);

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<LongReader> long_readers_;
};

struct Mem {
    static constexpr Backend kBackend = Backend::Mem;
    static constexpr Backend kOther = Backend::Lmdb;
    static constexpr const char* kName = "mem";
};
struct Lmdb {
    static constexpr Backend kBackend = Backend::Lmdb;
    static constexpr Backend kOther = Backend::Mem;
    static constexpr const char* kName = "lmdb";
};
using BothBackends = ::testing::Types<Mem, Lmdb>;
struct BackendNames {
    template <class Tag>
    static std::string GetName(int) {
        return Tag::kName;
    }
};

/// One store with the tables P (plain) and D (DupSort), in mode `close` unless a test asks for
/// another.
template <class Tag>
class KvContract : public ::testing::Test {
  public:
    static constexpr Backend kBackend = Tag::kBackend;
    static constexpr bool kMem = Tag::kBackend == Backend::Mem;

    OpenOptions options() const {
        OpenOptions options;
        options.directory = directory_.path();
        options.durability = Durability::Close;
        options.schema = {{"P", Kind::Plain}, {"D", Kind::DupSort}};
        options.reserve_bytes = kReserveBytes;
        options.producer = "keel contract tests";
        return options;
    }
    const std::filesystem::path& directory() const { return directory_.path(); }

    /// The store of the test, opened at the first call.
    const Database& store() {
        if (!store_) open(options());
        return store_;
    }
    const Database& open(const OpenOptions& options) {
        store_ = db::open(kBackend, options);
        p_ = store_.table("P");
        d_ = store_.table("D");
        return store_;
    }
    void close() {
        if (!store_) return;
        store_.close();
        store_ = Database();
    }
    const Database& reopen() { return reopen(options()); }
    const Database& reopen(const OpenOptions& options) {
        close();
        return open(options);
    }

    Table p() {
        store();
        return p_;
    }
    Table d() {
        store();
        return d_;
    }
    Table table(Kind kind) { return kind == Kind::Plain ? p() : d(); }
    Table table(GoldenTable which) { return table(kind_of(which)); }

    ReadTxn reader() { return store().begin_ro(); }
    WriteTxn writer() {
        auto txn = store().begin_rw();
        if (!txn) throw std::runtime_error("begin_rw was refused");
        return std::move(*txn);
    }
    /// Puts P5 into P and D9 into D, in one commit.
    void fill_golden() {
        store().update([&](WriteTxn& txn) {
            for (const GoldenTable which : {GoldenTable::P5, GoldenTable::D9})
                for (const Row& row : rows_of(which)) txn.put(table(which), row.key, row.value);
        });
    }
    /// A model table with the rows of P5 or D9.
    static ModelTable golden_model(GoldenTable which) {
        ModelTable model(kind_of(which));
        for (const Row& row : rows_of(which)) model.put(row.key, row.value);
        return model;
    }
    /// Runs a script in a write txn on `table`; the message names the lines that gave something
    /// else.
    std::string play(WriteTxn& txn, Table which, std::string_view script) {
        auto open_cursor = [&txn, which] {
            return std::make_unique<WriteCursor>(txn.cursor(which));
        };
        ScriptRunner<WriteCursor, decltype(open_cursor)> runner(which.kind, open_cursor);
        return runner.run(parse_script(script));
    }
    std::string content_of(const ReadTxn& txn, Table which) {
        ReadCursor cursor = txn.cursor(which);
        return content(cursor, which.kind);
    }

    /// Random numbers of this test; KEEL_SEED replays a run.
    Random random() {
        seed_used_ = true;
        return Random(process_seed());
    }

  protected:
    void TearDown() override {
        if (this->HasFailure() && seed_used_)
            std::cerr << "replay with KEEL_SEED=" << process_seed() << "\n";
        close();
    }

  private:
    TempDirectory directory_;
    Database store_;
    Table p_;
    Table d_;
    bool seed_used_ = false;
};

}  // namespace testing
}  // namespace keel::db
