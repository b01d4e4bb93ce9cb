#pragma once

// The rows of the store's benchmark, written once for all stores.

#include <sched.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/db_stores.hpp"
#include "core/clock.hpp"

namespace keel::bench {

struct Sizes {
    uint64_t rows = 1'000'000;
    uint64_t small_rows = 10'000;
    uint64_t big_rows = 10'000'000;
    uint64_t dup_keys = 100'000;
    uint64_t overwrites = 0;  // 0: twice the rows
};

inline std::string count_text(uint64_t rows) {
    return rows >= 1'000'000 ? std::to_string(rows / 1'000'000) + "M rows"
                             : std::to_string(rows / 1000) + "k rows";
}

inline double wall_ns() {
    return static_cast<double>(core::monotonic_ns());
}
/// What rows are timed by: the wall's clock, or the thread's own, which other processes on the
/// machine disturb less.
inline bool& thread_clock() {
    static bool chosen = false;
    return chosen;
}
inline double now_ns() {
    return thread_clock() ? static_cast<double>(core::clock_ns(CLOCK_THREAD_CPUTIME_ID))
                          : wall_ns();
}

/// Keeps the thread, and the threads that it makes meanwhile, on the processor it is on.
class Pinned {
  public:
    Pinned() {
        if (::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
        const int processor = ::sched_getcpu();
        if (processor < 0) return;
        CPU_ZERO(&one_);
        CPU_SET(static_cast<size_t>(processor), &one_);
        known_ = true;
        pin();
    }
    ~Pinned() { release(); }
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

    void pin() const {
        if (known_) ::sched_setaffinity(0, sizeof one_, &one_);
    }
    void release() const {
        if (known_) ::sched_setaffinity(0, sizeof before_, &before_);
    }

  private:
    cpu_set_t before_{};
    cpu_set_t one_{};
    bool known_ = false;
};

/// What a row reads or leaves behind must be the same on every store.
class ContentCheck {
  public:
    void expect_same(const std::string& what, uint64_t digest, const std::string& store) {
        const auto [found, is_new] = seen_.try_emplace(what, digest, store);
        if (!is_new && found->second.first != digest)
            throw std::runtime_error(what + ": " + store + " and " + found->second.second +
                                     " differ");
    }

  private:
    std::map<std::string, std::pair<uint64_t, std::string>> seen_;
};

inline uint64_t digest_of(uint64_t before, ByteView bytes) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), before);
}

/// What the disk holds: files may have holes.
inline uint64_t disk_bytes(const std::filesystem::path& directory) {
    constexpr uint64_t kBlockBytes = 512;
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        struct stat info{};
        if (entry.is_regular_file() && ::stat(entry.path().c_str(), &info) == 0)
            bytes += static_cast<uint64_t>(info.st_blocks) * kBlockBytes;
    }
    return bytes;
}

/// Commits that a row of puts into a large table is measured over.
inline size_t commits_of_puts(size_t puts) {
    return puts == 1 ? 1000 : 20'000 / puts;
}

/// One store with its data sets.
class Column {
  public:
    virtual ~Column() = default;
    /// Builds the data sets, syncs and closes them, and opens them again: rows are measured in
    /// stores that come from files.
    virtual void prepare() = 0;
    virtual bool offers(const std::string& row) const = 0;
    /// Nanoseconds an operation.
    virtual double run(const std::string& row) = 0;
    virtual void finish() = 0;
    /// Of the table that was put in random order; none: the store does not say.
    virtual std::optional<double> bytes_a_row() const { return std::nullopt; }
    /// What the last run() of puts added to the store's log, a commit; 0: not known.
    virtual uint64_t log_bytes_a_commit() const { return 0; }
    /// Value of a row of memory or opening, by the row's name.
    virtual std::map<std::string, double> churn() = 0;
    /// Builds a table of `rows` rows in order. What is opened can be kept for `run`.
    virtual std::map<std::string, double> open_close(uint64_t rows, bool keep) = 0;
    std::string name;
};

template <class S>
class ColumnOf final : public Column {
  public:
    /// `build`: as the data sets are built, if that is not as they are measured.
    ColumnOf(std::string column, std::filesystem::path directory, S run, S build,
             const Sizes& sizes, ContentCheck& check)
        : directory_(std::move(directory)),
          run_as_(std::move(run)),
          build_as_(std::move(build)),
          sizes_(sizes),
          check_(check) {
        name = std::move(column);
    }

    void prepare() override {
        std::filesystem::remove_all(directory_);
        build_sets();
        small_.sync();
        main_.sync();
        small_.close();
        main_.close();
        small_ = run_as_;
        small_.open(directory_ / "small");
        main_ = run_as_;
        main_.open(directory_ / "main");
    }
    void finish() override {
        if (big_rows_ == 0) {
            check_table(kMain, "content of main after all rows");
            if constexpr (S::kHasDups) check_table(kDup, "content of dup after all rows");
            small_.close();
        }
        main_.close();
        std::filesystem::remove_all(directory_);
    }

    std::optional<double> bytes_a_row() const override { return bytes_a_row_; }
    uint64_t log_bytes_a_commit() const override { return log_bytes_; }

    bool offers(const std::string& row) const override {
        if (row.starts_with("dup ") || row.starts_with("prune ")) return S::kHasDups;
        if (row == "begin_ro + end, renewed")
            return std::is_same_v<S, Lmdb> || std::is_same_v<S, Keel>;
        if (row == "begin_ro + end, 2 threads") return !std::is_same_v<S, Sqlite>;
        return true;
    }

    double run(const std::string& row) override {
        round_ = rounds_[row]++;
        row_ = row;
        if (row == "begin_rw + commit, empty") return begin_rw(small_);
        if (row == "begin_rw + commit, 1M rows") return begin_rw(main_);
        if (row == "begin_ro + end") return begin_ro(1);
        if (row == "begin_ro + end, renewed") return begin_ro_renewed();
        if (row == "begin_ro + end, 2 threads") return begin_ro(2);
        if (row == "put 100 + commit, empty table") return put_empty(100);
        if (row == "put 1000 + commit, empty table") return put_empty(1000);
        if (row.starts_with("put 1 + commit")) return put_main(1);
        if (row.starts_with("put 100 + commit")) return put_main(100);
        if (row.starts_with("put 1000 + commit")) return put_main(1000);
        if (row == "append 1M sorted, a row") return append_sorted();
        if (row == "mixed 50 get + 50 put + commit") return mixed();
        if (row == "get 100, 10k rows")
            return get_100(small_, sizes_.small_rows, Space::Stored, false);
        if (row == "get 100, 1M rows") return get_100(main_, sizes_.rows, Space::Stored, false);
        if (row == "get 100 misses, 1M rows")
            return get_100(main_, sizes_.rows, Space::Absent, false);
        if (row == "get_many of 100, 1M rows")
            return get_100(main_, sizes_.rows, Space::Stored, true);
        if (row == "get 100, 10M rows") return get_100(main_, big_rows_, Space::Stored, false);
        if (row == "get_many of 100, 10M rows")
            return get_100(main_, big_rows_, Space::Stored, true);
        if (row == "scan 1M, a row") return scan();
        if constexpr (S::kHasDups) {
            if (row == "dup seek_both_range") return dup_seek();
            if (row == "dup scan next_dup, an entry") return dup_scan();
            if (row == "dup scan next_nodup, a key") return dup_keys_scan();
            if (row == "dup last_dup") return dup_last();
            if (row == "dup delete_current, an entry") return dup_delete();
            if (row == "prune 100 from the front + commit") return dup_prune();
        }
        throw std::logic_error("no row " + row);
    }

    /// Random overwrites, 1000 a commit, with a short reader after each; then a quarter of them
    /// under one long reader; then as many after it.
    /// In a store that has just been built: in one that is opened again the pages first move from
    /// the image into memory, and that would hide whether memory grows.
    std::map<std::string, double> churn() override {
        std::filesystem::remove_all(directory_);
        build_sets();
        std::map<std::string, double> values;
        const auto mebibytes = [&] { return static_cast<double>(memory_bytes()) / (1 << 20); };
        const uint64_t overwrites = sizes_.overwrites != 0 ? sizes_.overwrites : 2 * sizes_.rows;
        values["churn: built, MiB"] = mebibytes();
        Random random{99};
        const auto overwrite = [&](uint64_t count) {
            const double begin = now_ns();
            for (uint64_t done = 0; done < count; done += 1000) {
                auto txn = main_.begin_write();
                for (size_t i = 0; i < 1000; ++i) {
                    const Key key = key_of(random.below(sizes_.rows));
                    main_.put(txn, kMain, key.view(), value_of(random()));
                }
                main_.commit(txn);
                auto reader = main_.begin_read();
                ByteView value;
                main_.get(reader, kMain, key_of(random.below(sizes_.rows)).view(), value);
                main_.end(reader);
            }
            return (now_ns() - begin) / static_cast<double>(count);
        };
        const uint64_t first = sizes_.rows / 10;
        overwrite(first);
        values["churn: after the first 100k, MiB"] = mebibytes();
        values["churn: put, short readers"] = overwrite(overwrites - first);
        values["churn: after all overwrites, MiB"] = mebibytes();
        if constexpr (!std::is_same_v<S, Sqlite>) {  // one connection cannot read and write at once
            auto reader = main_.begin_read();
            values["churn: put, one long reader"] = overwrite(overwrites / 4);
            values["churn: a quarter more, long reader, MiB"] = mebibytes();
            main_.end(reader);
        }
        values["churn: put, after it"] = overwrite(overwrites / 4);
        if constexpr (!std::is_same_v<S, Sqlite>) check_table(kMain, "content after churn");
        small_.close();
        main_.close();
        std::filesystem::remove_all(directory_);
        return values;
    }

    std::map<std::string, double> open_close(uint64_t rows, bool keep) override {
        std::filesystem::remove_all(directory_);
        const std::filesystem::path place = directory_ / "opened";
        {
            S store = build_as_;
            store.open(place);
            append_all(store, kMain, rows);
            store.sync();
            store.close();
        }
        std::vector<double> opens;
        std::vector<double> closes;
        for (size_t i = 0; i < 7; ++i) {
            S store = run_as_;
            const double begin = now_ns();
            store.open(place);
            auto txn = store.begin_read();
            ByteView value;
            if (!store.get(txn, kMain, key_of(rows / 2).view(), value) ||
                value != value_of(rows / 2))
                throw std::runtime_error(name + ": a row is not there after opening");
            store.end(txn);
            const double opened = now_ns();
            store.close();
            opens.push_back(opened - begin);
            closes.push_back(now_ns() - opened);
        }
        std::ranges::sort(opens);
        std::ranges::sort(closes);
        const std::string of = count_text(rows);
        const std::map<std::string, double> values = {
            {"open to first read, " + of, opens[opens.size() / 2]},
            {"close, nothing written, " + of, closes[closes.size() / 2]},
            {"bytes a row on disk, " + of,
             static_cast<double>(disk_bytes(place)) / static_cast<double>(rows)}};
        if (keep) {
            big_rows_ = rows;
            main_ = run_as_;
            main_.open(place);
        } else {
            std::filesystem::remove_all(directory_);
        }
        return values;
    }

  private:
    template <class F>
    static double timed(uint64_t count, F&& call) {
        const double begin = now_ns();
        for (uint64_t i = 0; i < count; ++i) call(i);
        return (now_ns() - begin) / static_cast<double>(count);
    }
    void check(uint64_t digest) {
        check_.expect_same(row_ + ", round " + std::to_string(round_), digest, name);
    }
    uint64_t memory_bytes() {
        if constexpr (std::is_same_v<S, Keel>) {
            if (main_.backend == db::Backend::Mem) return main_.store.stats().anonymous_bytes;
        }
        return disk_bytes(directory_ / "main");
    }
    /// Leaves them open.
    void build_sets() {
        small_ = build_as_;
        small_.open(directory_ / "small");
        build(small_, sizes_.small_rows);
        main_ = build_as_;
        main_.open(directory_ / "main");
        build(main_, sizes_.rows);
        if constexpr (S::kHasDups) build_dups();
        if constexpr (std::is_same_v<S, Keel>) {
            const db::ReadTxn txn = main_.begin_read();
            const db::TableStat stat = txn.stat(main_.tables[kMain]);
            constexpr uint64_t kPageBytes = 4096;
            bytes_a_row_ = static_cast<double>((stat.leaf_pages + stat.branch_pages) * kPageBytes) /
                           static_cast<double>(stat.entries);
        }
    }
    uint64_t log_bytes() {
        if constexpr (std::is_same_v<S, Keel>) return main_.store.stats().log_bytes;
        return 0;
    }
    void build(S& store, uint64_t rows) {
        constexpr uint64_t kCommitRows = 10'000;
        for (uint64_t done = 0; done < rows;) {
            auto txn = store.begin_write();
            for (const uint64_t end = std::min(rows, done + kCommitRows); done < end; ++done)
                store.put(txn, kMain, key_of(done).view(), value_of(done));
            store.commit(txn);
        }
    }
    void build_dups() {
        for (uint64_t done = 0; done < sizes_.dup_keys;) {
            auto txn = main_.begin_write();
            for (const uint64_t end = std::min(sizes_.dup_keys, done + 1000); done < end; ++done)
                for (uint64_t dup = 0; dup < kDupsOfKey; ++dup) {
                    const Pair pair = pair_of(done, dup);
                    main_.put(txn, kDup, pair.key, pair.value);
                }
            main_.commit(txn);
        }
    }
    void append_all(S& store, size_t table, uint64_t rows) {
        const std::vector<uint32_t>& order = sorted_keys(rows);
        for (uint64_t done = 0; done < rows;) {
            auto txn = store.begin_write();
            for (const uint64_t end = std::min(rows, done + 100'000); done < end; ++done)
                store.append(txn, table, key_of(order[done]).view(), value_of(order[done]));
            store.commit(txn);
        }
    }
    static const std::vector<uint32_t>& sorted_keys(uint64_t rows) {
        static std::map<uint64_t, std::vector<uint32_t>> orders;
        std::vector<uint32_t>& order = orders[rows];
        if (order.empty()) order = sorted_order(rows);
        return order;
    }
    void check_table(size_t table, const std::string& what) {
        auto txn = main_.begin_read();
        uint64_t digest = 0;
        {
            auto cursor = main_.cursor(txn, table);
            for (bool found = cursor.first(); found; found = cursor.next())
                digest = digest_of(digest_of(digest, cursor.key()), cursor.value());
        }
        main_.end(txn);
        check_.expect_same(what, digest, name);
    }
    void empty_scratch() {
        auto txn = main_.begin_write();
        main_.clear(txn, kScratch);
        main_.commit(txn);
    }

    double begin_rw(S& store) {
        return timed(20'000, [&](uint64_t) {
            auto txn = store.begin_write();
            store.commit(txn);
        });
    }
    double begin_ro(size_t threads) {
        std::vector<double> took(threads);
        const auto body = [&](size_t thread) {
            took[thread] = timed(100'000, [&](uint64_t) {
                auto txn = main_.begin_read();
                main_.end(txn);
            });
        };
        {
            std::vector<std::jthread> others;
            for (size_t i = 1; i < threads; ++i) others.emplace_back(body, i);
            body(0);
        }
        return *std::ranges::max_element(took);
    }
    double begin_ro_renewed() {
        if constexpr (std::is_same_v<S, Lmdb>) {
            MDB_txn* const txn = main_.begin_read();
            mdb_txn_reset(txn);
            const double took = timed(100'000, [&](uint64_t) {
                Lmdb::check(mdb_txn_renew(txn));
                mdb_txn_reset(txn);
            });
            mdb_txn_abort(txn);
            return took;
        }
        return begin_ro(1);
    }
    double put_empty(size_t count) {
        const size_t repeats = 30;
        double total = 0;
        Random random{count};
        for (size_t repeat = 0; repeat < repeats; ++repeat) {
            empty_scratch();
            std::vector<Key> keys(count);
            for (Key& key : keys) key = key_of(random.below(uint64_t{1} << 40), Space::Scratch);
            const double begin = now_ns();
            auto txn = main_.begin_write();
            for (size_t i = 0; i < count; ++i)
                main_.put(txn, kScratch, keys[i].view(), value_of(i + repeat));
            main_.commit(txn);
            total += now_ns() - begin;
        }
        check_table(kScratch, row_);
        return total / repeats;
    }
    /// Every second key exists, the others, the only one too, are new: what a block does to the
    /// state.
    double put_main(size_t count) {
        const size_t repeats = commits_of_puts(count);
        const uint64_t log_before = log_bytes();
        double total = 0;
        Random random{count * 31 + round_};
        std::vector<Key> keys(count);
        for (size_t repeat = 0; repeat < repeats; ++repeat) {
            for (size_t i = 0; i < count; ++i)
                keys[i] = (i & 1) != 0 ? key_of(random.below(sizes_.rows))
                                       : key_of(fresh_++, Space::Fresh);
            const double begin = now_ns();
            auto txn = main_.begin_write();
            for (const Key& key : keys) main_.put(txn, kMain, key.view(), value_of(random()));
            main_.commit(txn);
            total += now_ns() - begin;
        }
        log_bytes_ = (std::max(log_bytes(), log_before) - log_before) / repeats;
        return total / static_cast<double>(repeats);
    }
    double append_sorted() {
        empty_scratch();
        const std::vector<uint32_t>& order = sorted_keys(sizes_.rows);
        std::vector<Key> keys(sizes_.rows);
        for (uint64_t i = 0; i < sizes_.rows; ++i) keys[i] = key_of(order[i]);
        const double begin = now_ns();
        auto txn = main_.begin_write();
        for (uint64_t i = 0; i < sizes_.rows; ++i)
            main_.append(txn, kScratch, keys[i].view(), value_of(i));
        main_.commit(txn);
        const double took = (now_ns() - begin) / static_cast<double>(sizes_.rows);
        if (round_ == 0) check_table(kScratch, row_);
        empty_scratch();
        return took;
    }
    double mixed() {
        constexpr size_t kTxns = 300;
        Random random{round_ * 77 + 1};
        std::vector<Key> keys(kTxns * 100);
        for (Key& key : keys) key = key_of(random.below(sizes_.rows));
        uint64_t digest = 0;
        const double took = timed(kTxns, [&](uint64_t number) {
            auto txn = main_.begin_write();
            const Key* const of_txn = &keys[number * 100];
            for (size_t i = 0; i < 100; i += 2) {
                ByteView value;
                if (main_.get(txn, kMain, of_txn[i].view(), value)) digest += value.size();
                main_.put(txn, kMain, of_txn[i + 1].view(), value_of(number * i + round_));
            }
            main_.commit(txn);
        });
        if (S::kReadsOwnWrites) check(digest);
        return took;
    }
    double get_100(S& store, uint64_t rows, Space space, bool many) {
        constexpr size_t kTxns = 1000;
        std::vector<Key> keys(kTxns * 100);
        Random random{round_ * 977 + 5};
        for (Key& key : keys) key = key_of(random.below(rows), space);
        uint64_t digest = 0;
        std::vector<ByteView> wanted(100);
        std::vector<std::optional<ByteView>> found(100);
        const double took = timed(kTxns, [&](uint64_t number) {
            const Key* const of_txn = &keys[number * 100];
            auto txn = store.begin_read();
            if constexpr (S::kHasMany) {
                if (many) {
                    for (size_t i = 0; i < 100; ++i) wanted[i] = of_txn[i].view();
                    txn.get_many(store.tables[kMain], wanted, found);
                    for (const auto& value : found)
                        if (value) digest += value->size() + (*value)[0];
                    store.end(txn);
                    return;
                }
            }
            for (size_t i = 0; i < 100; ++i) {
                ByteView value;
                if (store.get(txn, kMain, of_txn[i].view(), value))
                    digest += value.size() + value[0];
            }
            store.end(txn);
        });
        check(digest);
        return took;
    }
    /// Nanoseconds a step of a walk over a table. `walk(cursor, sum)` returns the steps and adds up
    /// something of each.
    template <class Walk>
    double walked(size_t table, Walk&& walk) {
        auto txn = main_.begin_read();
        uint64_t sum = 0;
        double took = 0;
        {
            auto cursor = main_.cursor(txn, table);
            const double begin = now_ns();
            const uint64_t steps = walk(cursor, sum);
            took = (now_ns() - begin) / static_cast<double>(steps);
        }
        main_.end(txn);
        check(sum);
        return took;
    }
    double scan() {
        return walked(kMain, [](auto& cursor, uint64_t& sum) {
            uint64_t count = 0;
            for (bool found = cursor.first(); found; found = cursor.next(), ++count)
                sum += uint64_t{cursor.key()[0]} + cursor.value()[0] + cursor.value().size();
            return count;
        });
    }

    double dup_seek() {
        constexpr size_t kSeeks = 100'000;
        std::vector<Pair> wanted(kSeeks);
        Random random{round_ + 3};
        // The first quarter of the keys is what pruning takes away.
        for (Pair& pair : wanted)
            pair = pair_of(sizes_.dup_keys / 4 + random.below(sizes_.dup_keys * 3 / 4),
                           random.below(kDupsOfKey));
        auto txn = main_.begin_read();
        uint64_t sum = 0;
        double took = 0;
        {
            auto cursor = main_.cursor(txn, kDup);
            took = timed(kSeeks, [&](uint64_t i) {
                if (cursor.both_range(wanted[i].key, ByteView(wanted[i].value.data(), 8)))
                    sum += cursor.value()[39];
            });
        }
        main_.end(txn);
        check(sum);
        return took;
    }
    double dup_scan() {
        return walked(kDup, [](auto& cursor, uint64_t& sum) {
            uint64_t count = 0;
            for (bool key = cursor.first(); key; key = cursor.next_nodup())
                for (bool dup = true; dup; dup = cursor.next_dup(), ++count)
                    sum += cursor.value()[0];
            return count;
        });
    }
    double dup_keys_scan() {
        return walked(kDup, [](auto& cursor, uint64_t& sum) {
            uint64_t count = 0;
            for (bool key = cursor.first(); key; key = cursor.next_nodup(), ++count)
                sum += cursor.key()[0];
            return count;
        });
    }
    double dup_last() {
        return walked(kDup, [](auto& cursor, uint64_t& sum) {
            uint64_t count = 0;
            for (bool key = cursor.first(); key && cursor.last_dup();
                 key = cursor.next_nodup(), ++count)
                sum += cursor.value()[0];
            return count;
        });
    }
    /// Every second of the first 100,000 entries, then abort: the same data in every round.
    double dup_delete() {
        constexpr uint64_t kDeletes = 50'000;
        auto txn = main_.begin_write();
        uint64_t count = 0;
        double took = 0;
        {
            auto cursor = main_.cursor(txn, kDup);
            const double begin = now_ns();
            for (bool found = cursor.first(); found && count < kDeletes; ++count) {
                cursor.delete_current();
                found = cursor.next();
            }
            took = (now_ns() - begin) / static_cast<double>(count);
        }
        main_.abort(txn);
        return took;
    }
    /// Ten keys with all their values, a commit each.
    double dup_prune() {
        return timed(100, [&](uint64_t) {
            auto txn = main_.begin_write();
            {
                auto cursor = main_.cursor(txn, kDup);
                bool found = cursor.first();
                for (uint64_t i = 0; found && i < 10 * kDupsOfKey; ++i) {
                    cursor.delete_current();
                    found = cursor.first();
                }
            }
            main_.commit(txn);
        });
    }

    const std::filesystem::path directory_;
    const S run_as_;
    const S build_as_;
    const Sizes& sizes_;
    ContentCheck& check_;
    S small_;
    S main_;
    std::map<std::string, uint64_t> rounds_;
    uint64_t fresh_ = 0;     // keys put beyond those that were built
    uint64_t big_rows_ = 0;  // of main_, if it is the large table alone
    std::optional<double> bytes_a_row_;
    uint64_t log_bytes_ = 0;
    std::string row_;
    uint64_t round_ = 0;
};

}  // namespace keel::bench
