// KV.md A.11, many threads on one store: K40 to K43 and K59.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <latch>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <unordered_map>

#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TYPED_TEST_SUITE(KvContract, BothBackends, BackendNames);

/// How long the concurrent cases run: KV.md's figure in the plain build.
constexpr std::chrono::milliseconds lasting(std::chrono::milliseconds plain) {
    return kSlowdown > 1 ? plain / 5 : plain;
}

/// Runs `body(index)` in `count` threads; the first exception of any is thrown again here.
void in_threads(size_t count, const std::function<void(size_t)>& body) {
    std::vector<std::exception_ptr> thrown(count);
    {
        std::vector<std::jthread> threads;
        threads.reserve(count);
        for (size_t index = 0; index < count; ++index)
            threads.emplace_back([&, index] {
                try {
                    body(index);
                } catch (...) {
                    thrown[index] = std::current_exception();
                }
            });
    }
    for (const std::exception_ptr& one : thrown)
        if (one) std::rethrow_exception(one);
}

/// Runs `body` in a thread of its own and gives back what it gave.
template <class Body>
auto in_another_thread(Body&& body) {
    using Value = decltype(body());
    std::optional<Value> value;
    in_threads(1, [&](size_t) { value = body(); });
    return *value;
}

/// A cache that is coherent by R21: entries are of one (uid, view id) and are thrown away with it.
class CoherentCache {
  public:
    std::optional<Bytes> find(uint64_t view_id, ByteView key) {
        const std::shared_lock lock(mutex_);
        if (view_id != view_id_) return std::nullopt;
        const auto found = values_.find(key.to_bytes().front());
        if (found == values_.end()) return std::nullopt;
        return found->second;
    }
    void fill(uint64_t view_id, ByteView key, ByteView value) {
        const std::unique_lock lock(mutex_);
        if (view_id < view_id_) return;
        if (view_id > view_id_) values_.clear();
        view_id_ = view_id;
        values_[key[0]] = value.to_bytes();
    }

  private:
    std::shared_mutex mutex_;
    uint64_t view_id_ = 0;
    std::unordered_map<uint8_t, Bytes> values_;
};

// K40 (R20, R21).
TYPED_TEST(KvContract, K40_readers_never_see_the_id_of_one_commit_with_the_data_of_another) {
    constexpr size_t kReaders = 8;
    constexpr uint8_t kKeys = 16;
    const Table p = this->p();
    const auto key_of = [](size_t index) { return Bytes{static_cast<uint8_t>('a' + index)}; };
    const auto write_all = [&](WriteTxn& txn, uint64_t view_id) {
        txn.put(p, "id", number_key(view_id));
        for (size_t index = 0; index < kKeys; ++index)
            txn.put(p, key_of(index), number_key(view_id * kKeys + index));
    };
    this->store().update([&](WriteTxn& txn) { write_all(txn, txn.view_id()); });
    CoherentCache cache;
    std::atomic<bool> stop = false;  // relaxed: a flag, nothing is published by it
    std::atomic<uint64_t> reads = 0;
    std::atomic<uint64_t> cache_hits = 0;
    std::atomic<uint64_t> commits = 0;
    const Clock::time_point end = Clock::now() + lasting(10s);
    const Database& store = this->store();
    in_threads(kReaders + 1, [&](size_t thread) {
        if (thread == kReaders) {
            Random random(17);
            while (Clock::now() < end) {
                auto begun = store.begin_rw();
                if (!begun) throw std::logic_error("the only writer was refused");
                const uint64_t view_id = begun->view_id();
                write_all(*begun, view_id);
                if (random.one_in(4)) {
                    // An aborted txn's id is used again by the next, with other data.
                    begun->put(p, key_of(random.below(kKeys)), "aborted");
                    begun->abort();
                    continue;
                }
                EXPECT_EQ(begun->commit(), view_id);
                commits.fetch_add(1, std::memory_order_relaxed);
            }
            stop.store(true, std::memory_order_relaxed);
            return;
        }
        Random random(thread);
        uint64_t last = 0;
        while (!stop.load(std::memory_order_relaxed)) {
            const ReadTxn txn = store.begin_ro();
            const uint64_t view_id = txn.view_id();
            ASSERT_GE(view_id, last) << "order of visibility is the order of commits (R16)";
            last = view_id;
            ASSERT_EQ(number_of(*txn.get(p, "id")), view_id);
            for (int again = 0; again < 8; ++again) {
                const size_t index = random.below(kKeys);
                const Bytes key = key_of(index);
                const ByteView direct = *txn.get(p, key);
                ASSERT_EQ(number_of(direct), view_id * kKeys + index);
                if (const auto cached = cache.find(view_id, key)) {
                    ASSERT_EQ(direct, ByteView(*cached));
                    cache_hits.fetch_add(1, std::memory_order_relaxed);
                } else {
                    cache.fill(view_id, key, direct);
                }
            }
            reads.fetch_add(1, std::memory_order_relaxed);
        }
    });
    EXPECT_GT(reads.load(), 100u);
    EXPECT_GT(commits.load(), 10u);
    EXPECT_GT(cache_hits.load(), 0u);
}

/// Waits until the thread `tid` of this process sleeps in the kernel: it has arrived in the wait it
/// was sent to.
void wait_until_asleep(pid_t tid) {
    const std::string path = "/proc/self/task/" + std::to_string(tid) + "/stat";
    int seen_asleep = 0;
    while (seen_asleep < 20) {
        std::ifstream file(path);
        std::string text;
        std::getline(file, text);
        const size_t name_end = text.rfind(')');  // pid (name) state …
        const bool asleep = name_end != std::string::npos && name_end + 2 < text.size() &&
                            text[name_end + 2] == 'S';
        seen_asleep = asleep ? seen_asleep + 1 : 0;
        std::this_thread::yield();
    }
}

// K41 (R12).
TYPED_TEST(KvContract, K41_a_second_writer_waits_in_order_or_is_told_busy) {
    const Database& store = this->store();
    const Table p = this->p();
    {
        WriteTxn held = this->writer();
        // liblmdb would hang here for ever (X25).
        auto fastest = Clock::duration::max();
        for (int tries = 0; tries < 10; ++tries) {
            const Clock::time_point before = Clock::now();
            EXPECT_EQ(store.begin_rw().error(), Refused::Busy);
            fastest = std::min(fastest, Clock::now() - before);
            EXPECT_EQ(store.begin_rw_try().error(), Refused::Busy);
        }
        EXPECT_LT(fastest, 1ms);
        EXPECT_EQ(in_another_thread([&] { return store.begin_rw_try().error(); }), Refused::Busy);
        const Clock::time_point before = Clock::now();
        EXPECT_EQ(
            in_another_thread([&] { return store.begin_rw({}, Clock::now() + 30ms).error(); }),
            Refused::Busy);
        EXPECT_GE(Clock::now() - before, 30ms);
        std::stop_source already;
        already.request_stop();
        EXPECT_EQ(in_another_thread([&] { return store.begin_rw(already.get_token()).error(); }),
                  Refused::Cancelled);
        std::stop_source later;
        std::atomic<pid_t> waiting = 0;
        std::jthread stopper([&] {
            while (waiting.load() == 0) std::this_thread::yield();
            wait_until_asleep(waiting.load());
            later.request_stop();
        });
        EXPECT_EQ(in_another_thread([&] {
                      waiting.store(gettid());
                      return store.begin_rw(later.get_token()).error();
                  }),
                  Refused::Cancelled);
        held.put(p, "k", "the holder goes on");
        held.commit();
    }
    EXPECT_TRUE(in_another_thread([&] { return store.begin_rw_try().has_value(); }));
    // First come, first served: four threads queue up one after the other behind a held txn.
    std::vector<size_t> order;
    {
        std::vector<std::jthread> threads;
        WriteTxn held = this->writer();
        for (size_t index = 0; index < 4; ++index) {
            std::atomic<pid_t> waiting = 0;
            threads.emplace_back([&, index] {
                waiting.store(gettid());
                auto begun = store.begin_rw();
                ASSERT_TRUE(begun);
                order.push_back(index);  // under the write txn: one at a time
                begun->put(p, number_key(index), "v");
                begun->commit();
            });
            while (waiting.load() == 0) std::this_thread::yield();
            wait_until_asleep(waiting.load());
        }
        held.put(p, "held", "v");
        held.commit();
    }
    EXPECT_EQ(order, (std::vector<size_t>{0, 1, 2, 3}));
    EXPECT_EQ(this->reader().count(p), 6u);
}

// K42 (R17, D28).
TYPED_TEST(KvContract, K42_a_read_txn_moves_between_threads_and_a_write_txn_does_not) {
    this->fill_golden();
    const Table p = this->p();
    // Begun here, read there, read and ended in a third thread.
    ReadTxn txn = this->reader();
    ReadCursor cursor = txn.cursor(p);
    EXPECT_EQ(cursor.first(), (Entry{"a", "1"}));
    EXPECT_TRUE(in_another_thread(
        [&] { return cursor.next() == Entry{"aa", "2"} && txn.get(p, "b") == ByteView("5"); }));
    EXPECT_EQ(cursor.next(), (Entry{"aab", "3"}));
    EXPECT_TRUE(in_another_thread([&] {
        ReadTxn moved = std::move(txn);
        return moved.get(p, "ab") == ByteView("4");
    }));
    EXPECT_FALSE(txn.active());
    EXPECT_EQ(this->store().stats().readers, 0u);

    WriteTxn write = this->writer();
    write.put(p, "c", "mine");
    EXPECT_EQ(in_another_thread([&] { return error_of([&] { write.commit(); }); }),
              ErrorCode::WrongThread);
    // A reader beside the own writer sees the last commit.
    const ReadTxn beside = this->reader();
    EXPECT_FALSE(beside.has(p, "c"));
    EXPECT_EQ(beside.view_id() + 1, write.view_id());
    EXPECT_EQ(write.get(p, "c"), ByteView("mine"));
    write.commit();
    EXPECT_FALSE(beside.has(p, "c"));
    EXPECT_TRUE(this->reader().has(p, "c"));
    // A writer whose commit was refused elsewhere still frees the lock at home.
    WriteTxn other = this->writer();
    EXPECT_EQ(in_another_thread([&] { return error_of([&] { other.commit(); }); }),
              ErrorCode::WrongThread);
    other.abort();
    EXPECT_TRUE(in_another_thread([&] { return this->store().begin_rw_try().has_value(); }));
}

// K43 (R11, B10).
TYPED_TEST(KvContract, K43_hundreds_of_threads_read_while_one_writes) {
    constexpr size_t kThreads = 256;
    constexpr uint64_t kRows = 100;
    const Database& store = this->store();
    const Table p = this->p();
    const auto rewrite = [&](WriteTxn& txn, uint64_t round) {
        for (uint64_t number = 0; number < kRows; ++number)
            txn.put(p, number_key(number), number_key(round));
    };
    store.update([&](WriteTxn& txn) { rewrite(txn, 0); });
    std::atomic<uint64_t> rounds_read = 0;
    const Clock::time_point end = Clock::now() + lasting(5s);
    in_threads(kThreads + 1, [&](size_t thread) {
        if (thread == kThreads) {
            for (uint64_t round = 1; Clock::now() < end; ++round)
                store.update([&](WriteTxn& txn) { rewrite(txn, round); });
            return;
        }
        while (Clock::now() < end) {
            const ReadTxn txn = store.begin_ro();
            ReadCursor cursor = txn.cursor(p);
            Hit hit = cursor.first();
            const uint64_t round = number_of(hit->value);
            uint64_t number = 0;
            for (; hit; hit = cursor.next(), ++number) {
                ASSERT_EQ(number_of(hit->key), number);
                ASSERT_EQ(number_of(hit->value), round) << "a torn read";
            }
            ASSERT_EQ(number, kRows);
            rounds_read.fetch_add(1, std::memory_order_relaxed);
        }
    });
    EXPECT_GE(rounds_read.load(), kThreads);
    EXPECT_EQ(store.stats().readers, 0u);
    // As many at once as the contract promises.
    const uint64_t last_round = number_of(*this->reader().get(p, number_key(0)));
    std::vector<ReadTxn> many;
    for (size_t count = 0; count < kReadersMax; ++count) {
        many.push_back(store.begin_ro());
        if (count % 500 == 0) store.update([&](WriteTxn& txn) { rewrite(txn, count); });
    }
    for (const ReadTxn& txn : many) ASSERT_EQ(txn.count(p), kRows);
    EXPECT_EQ(store.stats().readers, kReadersMax);
    // The limit is at least that: whoever is refused beyond it has disturbed nobody.
    const std::optional<ErrorCode> beyond = error_of([&] { store.begin_ro(); });
    if (beyond) {
        EXPECT_EQ(beyond, ErrorCode::TooManyReaders);
    }
    EXPECT_EQ(number_of(*many.front().get(p, number_key(0))), last_round);
    many.clear();
    EXPECT_EQ(store.stats().readers, 0u);
    EXPECT_GE(store.stats().readers_peak, kReadersMax);
}

// K59 (R19).
TYPED_TEST(KvContract, K59_close_saves_without_waiting_for_readers) {
    this->fill_golden();
    const Table p = this->p();
    Database store = this->store();
    ReadTxn reader = store.begin_ro();
    ReadCursor cursor = reader.cursor(p);
    EXPECT_EQ(cursor.first(), (Entry{"a", "1"}));
    const ByteView view = *reader.get(p, "aab");
    store.close();
    store.close();
    EXPECT_EQ(error_of([&] { store.begin_ro(); }), ErrorCode::Closed);
    EXPECT_EQ(error_of([&] { return store.begin_rw().has_value(); }), ErrorCode::Closed);
    EXPECT_EQ(error_of([&] { return store.begin_rw_try().has_value(); }), ErrorCode::Closed);
    EXPECT_EQ(view, ByteView("3"));
    EXPECT_EQ(cursor.next(), (Entry{"aa", "2"}));
    EXPECT_EQ(reader.get(p, "b"), ByteView("5"));
    EXPECT_EQ(in_another_thread([&] { return reader.count(p); }), 5u);
    reader.end();
    store = Database();
    this->reopen();
    EXPECT_EQ(this->content_of(this->reader(), this->p()), "a=1 aa=2 aab=3 ab=4 b=5");
}

// K59 (R19): the writer is waited for; after the grace its next call says so and it counts as
// aborted.
TYPED_TEST(KvContract, K59_close_waits_for_the_writer_for_its_grace) {
    this->fill_golden();
    const Table p = this->p();
    {
        const Database store = this->store();
        std::latch begun(1);
        std::atomic<bool> closing = false;
        std::jthread writer([&] {
            auto txn = store.begin_rw();
            ASSERT_TRUE(txn);
            txn->put(p, "c", "in time");
            begun.count_down();
            while (!closing.load()) std::this_thread::yield();
            txn->commit();
        });
        begun.wait();
        closing.store(true);
        store.close();
    }
    OpenOptions impatient = this->options();
    impatient.close_grace_ms = 50;
    this->reopen(impatient);
    EXPECT_TRUE(this->reader().has(p, "c"));
    {
        const Database store = this->store();
        std::latch begun(1);
        std::latch closed(1);
        std::jthread writer([&] {
            auto txn = store.begin_rw();
            ASSERT_TRUE(txn);
            txn->put(p, "d", "too late");
            begun.count_down();
            closed.wait();
            EXPECT_EQ(error_of([&] { txn->put(p, "e", "after the end"); }), ErrorCode::Closed);
            EXPECT_EQ(error_of([&] { txn->commit(); }), ErrorCode::Closed);
        });
        begun.wait();
        const Clock::time_point before = Clock::now();
        store.close();
        EXPECT_GE(Clock::now() - before, 50ms);
        closed.count_down();
    }
    this->reopen();
    EXPECT_TRUE(this->reader().has(p, "c"));
    EXPECT_FALSE(this->reader().has(p, "d"));
}

// K59 (R48). liblmdb lets a forked child commit.
TYPED_TEST(KvContract, K59_a_forked_child_is_refused) {
    this->fill_golden();
    const Table p = this->p();
    const Database& store = this->store();
    ReadTxn reader = this->reader();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        // No GoogleTest in here: the exit code says which step was wrong.
        int wrong = 0;
        if (error_of([&] { store.begin_ro().has(p, "a"); }) != ErrorCode::Forked) wrong |= 1;
        if (error_of([&] { return store.begin_rw().has_value(); }) != ErrorCode::Forked) wrong |= 2;
        if (error_of([&] { return store.begin_rw_try().has_value(); }) != ErrorCode::Forked)
            wrong |= 4;
        if (error_of([&] { store.sync(); }) != ErrorCode::Forked) wrong |= 8;
        _exit(wrong);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << "1 begin_ro, 2 begin_rw, 4 begin_rw_try, 8 sync";
    EXPECT_EQ(reader.get(p, "a"), ByteView("1"));
    store.update([&](WriteTxn& txn) { txn.put(p, "parent", "goes on"); });
}

}  // namespace

}  // namespace keel::db::testing
