// Random operations on a store of either backend and on the plain model, every answer compared:
// all moves and writes of several cursors at once, calls of the transaction, loads, commits,
// aborts, snapshots that are walked while the writer goes on, and threads that read whole commits.
//
// KEEL_MODEL_OPERATIONS: how many a backend (default: a short run). KEEL_SEED replays.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <thread>

#include "db/bulk_load.hpp"
#include "db/testing/contract_fixture.hpp"

namespace keel::db::testing {
namespace {

constexpr uint64_t kOperationsShort = 120'000;
// A world is one store; a new one begins when so many operations were made in it.
constexpr uint64_t kOperationsOfWorld = 60'000;
constexpr size_t kReaderThreads = 2;
constexpr size_t kTables = 4;

uint64_t operations_wanted() {
    const char* const text = std::getenv("KEEL_MODEL_OPERATIONS");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : scaled(kOperationsShort);
}

/// What a commit left, for the threads that read it.
class Published {
  public:
    void add(uint64_t view_id, uint64_t digest) {
        const std::lock_guard guard(mutex_);
        digests_[view_id] = digest;
    }
    /// None: not added yet, since the writer does so behind the commit.
    std::optional<uint64_t> find(uint64_t view_id) const {
        const std::lock_guard guard(mutex_);
        const auto found = digests_.find(view_id);
        return found != digests_.end() ? std::optional(found->second) : std::nullopt;
    }

  private:
    mutable std::mutex mutex_;
    std::map<uint64_t, uint64_t> digests_;
};

/// What keys and values a world has.
struct Shape {
    size_t long_keys_one_in;
    size_t long_values_one_in;
    size_t rows_wanted;  // beyond: deletes are likelier than puts
    bool few_keys;
};
constexpr Shape kShapes[] = {
    {.long_keys_one_in = 50, .long_values_one_in = 30, .rows_wanted = 60, .few_keys = true},
    {.long_keys_one_in = 4, .long_values_one_in = 60, .rows_wanted = 900, .few_keys = false},
    {.long_keys_one_in = 200, .long_values_one_in = 200, .rows_wanted = 2500, .few_keys = false},
};

/// One store and its model. One thread writes and compares, others read.
class World {
  public:
    World(Backend backend, const Shape& shape, uint64_t seed) : shape_(shape), random_(seed) {
        OpenOptions options;
        options.directory = directory_.path();
        options.durability = random_.one_in(2) ? Durability::Close : Durability::Group;
        if (backend == Backend::Lmdb) options.durability = Durability::Close;
        options.schema = {{"P", Kind::Plain},
                          {"D", Kind::DupSort},
                          {"Q", Kind::Plain, true},
                          {"E", Kind::DupSort}};
        options.reserve_bytes = kReserveBytes;
        store_ = open(backend, options);
        for (const TableSpec& spec : options.schema) {
            tables_.push_back(store_.table(spec.name));
            models_.emplace_back(spec.kind);
        }
        committed_ = models_;
        publish(store_.begin_ro().view_id());
    }
    ~World() {
        stop_readers();
        snapshots_.clear();
        end_txn(false);
        store_.close();
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// False: an answer differed; what is said in `failure`.
    bool run(uint64_t operations, std::string& failure) {
        std::atomic<bool> wrong = false;
        for (size_t i = 0; i < kReaderThreads; ++i)
            readers_.emplace_back(
                [this, &wrong](const std::stop_token& stop) { read_commits(stop, wrong); });
        for (uint64_t i = 0; i < operations; ++i) {
            operation();
            if (!failure_.empty() || wrong) break;
        }
        end_txn(true);
        stop_readers();
        if (wrong && failure_.empty()) failure_ = "a reading thread saw what no commit left";
        if (failure_.empty()) compare_all();
        failure = failure_;
        return failure_.empty();
    }

  private:
    struct OpenCursor {
        size_t table;
        std::unique_ptr<WriteCursor> cursor;
        std::unique_ptr<ModelCursor> model;
    };
    struct Snapshot {
        ReadTxn txn;
        std::vector<ModelTable> models;
        size_t table;
        std::unique_ptr<ReadCursor> cursor;
        std::unique_ptr<ModelCursor> model;
    };

    Bytes key() {
        static constexpr uint8_t kAlphabet[] = {0x00, 0x61, 0x62, 0xff};
        const ByteView letters(kAlphabet, sizeof kAlphabet);
        if (random_.one_in(shape_.long_keys_one_in)) {
            // Long ones share prefixes of all lengths.
            Bytes made(random_.below(kKeyBytesMax), 0x61);
            const Bytes tail = random_.bytes(random_.below(3), letters);
            made.insert(made.end(), tail.begin(), tail.end());
            if (random_.one_in(8)) made.resize(kKeyBytesMax);
            made.resize(std::min(made.size(), kKeyBytesMax));
            return made;
        }
        if (shape_.few_keys) return random_.bytes(random_.below(4), letters);
        if (random_.one_in(3)) return random_.bytes(random_.below(6), letters);
        return number_key(random_.below(shape_.rows_wanted * 2));
    }
    Bytes value(Kind kind) {
        static constexpr uint8_t kAlphabet[] = {0x00, 0x76, 0xff};
        const ByteView letters(kAlphabet, sizeof kAlphabet);
        if (random_.one_in(shape_.long_values_one_in)) {
            if (kind == Kind::DupSort) return random_.bytes(random_.below(511), letters);
            const size_t most = random_.one_in(10) ? 60'000 : 3'000;
            return Bytes(random_.below(most), static_cast<uint8_t>(random_.below(256)));
        }
        return random_.bytes(random_.below(kind == Kind::DupSort ? 4 : 40), letters);
    }

    template <class... Parts>
    void fail(const Parts&... parts) {
        if (!failure_.empty()) return;
        std::ostringstream text;
        (text << ... << parts);
        failure_ = text.str();
    }
    void compare(const Step& step, size_t table, const Outcome& got, const Outcome& wanted) {
        if (got != wanted)
            fail("table ", table, ", ", step, ": ", to_text(got, models_[table].kind()),
                 " instead of ", to_text(wanted, models_[table].kind()));
    }

    void begin_txn() {
        if (txn_.active()) return;
        txn_ = std::move(*store_.begin_rw());
    }
    void end_txn(bool commit) {
        cursors_.clear();
        if (!txn_.active()) return;
        if (!commit) {
            txn_.abort();
            models_ = committed_;
            return;
        }
        const uint64_t before = txn_.view_id() - 1;
        const uint64_t id = txn_.commit();
        if (id != before && id != before + 1) fail("commit gave ", id, " behind ", before);
        committed_ = models_;
        publish(id);
    }
    void publish(uint64_t view_id) {
        uint64_t all = 0;
        for (const ModelTable& model : committed_) all = all * 31 + digest(model);
        published_.add(view_id, all);
    }
    uint64_t digest_of(const ReadTxn& txn) const {
        uint64_t all = 0;
        for (const Table table : tables_) all = all * 31 + digest(txn, table);
        return all;
    }
    void read_commits(const std::stop_token& stop, std::atomic<bool>& wrong) {
        while (!stop.stop_requested()) {
            const ReadTxn txn = store_.begin_ro();
            const uint64_t got = digest_of(txn);
            std::optional<uint64_t> wanted;
            while (!(wanted = published_.find(txn.view_id())) && !stop.stop_requested())
                std::this_thread::yield();
            if (wanted && *wanted != got) wrong = true;
        }
    }
    void stop_readers() {
        for (std::jthread& reader : readers_) reader.request_stop();
        readers_.clear();
    }

    void operation() {
        switch (random_.below(64)) {
            case 0:
                return end_txn(!random_.one_in(4));
            case 1:
                return open_snapshot();
            case 2:
            case 3:
            case 4:
            case 5:
            case 6:
            case 7:
                return walk_snapshot();
            case 8:
                return open_cursor();
            case 9:
                if (!cursors_.empty())
                    cursors_.erase(cursors_.begin() +
                                   static_cast<ptrdiff_t>(random_.below(cursors_.size())));
                return;
            case 10:
            case 11:
            case 12:
            case 13:
            case 14:
            case 15:
                return call_of_txn();
            case 16:
                if (random_.one_in(20)) load_many();
                return;
            default:
                return step_cursor();
        }
    }

    void open_cursor() {
        begin_txn();
        if (cursors_.size() >= 6) return;
        const size_t table = random_.below(kTables);
        cursors_.push_back({table, std::make_unique<WriteCursor>(txn_.cursor(tables_[table])),
                            std::make_unique<ModelCursor>(models_[table])});
    }
    Step random_step(size_t table) {
        const Kind kind = models_[table].kind();
        Step step{static_cast<Op>(random_.below(kOpCount)), {}, {}};
        const bool full = models_[table].size() > shape_.rows_wanted;
        // Neither an empty table for ever, nor one that grows and grows.
        if (!full && random_.one_in(4)) step.op = Op::Put;
        if (full && random_.one_in(6)) step.op = Op::DeleteCurrent;
        if (argument_count(step.op) > 0) step.key = key();
        if (argument_count(step.op) > 1) step.value = value(kind);
        return step;
    }
    void step_cursor() {
        if (cursors_.empty()) return open_cursor();
        OpenCursor& at = cursors_[random_.below(cursors_.size())];
        Step step = random_step(at.table);
        if (step.op == Op::PutCurrent && !random_.one_in(3)) {
            // Mostly with the key that is there.
            const Outcome current = db::testing::run(*at.model, {Op::Current, {}, {}});
            compare({Op::Current, {}, {}}, at.table,
                    db::testing::run(*at.cursor, {Op::Current, {}, {}}), current);
            if (current.what == Outcome::What::Entry) step.key = current.row.key;
        }
        compare(step, at.table, db::testing::run(*at.cursor, step),
                db::testing::run(*at.model, step));
    }

    void open_snapshot() {
        if (snapshots_.size() >= 3)
            snapshots_.erase(snapshots_.begin() +
                             static_cast<ptrdiff_t>(random_.below(snapshots_.size())));
        auto snapshot = std::make_unique<Snapshot>();
        snapshot->txn = store_.begin_ro();
        snapshot->models = committed_;
        snapshots_.push_back(std::move(snapshot));
    }
    void walk_snapshot() {
        if (snapshots_.empty()) return open_snapshot();
        Snapshot& at = *snapshots_[random_.below(snapshots_.size())];
        if (at.cursor == nullptr || random_.one_in(10)) {
            at.table = random_.below(kTables);
            at.cursor = std::make_unique<ReadCursor>(at.txn.cursor(tables_[at.table]));
            at.model = std::make_unique<ModelCursor>(at.models[at.table]);
        }
        Step step{static_cast<Op>(random_.below(static_cast<size_t>(kFirstWriteOp))), {}, {}};
        if (argument_count(step.op) > 0) step.key = key();
        if (argument_count(step.op) > 1) step.value = value(at.models[at.table].kind());
        compare(step, at.table, db::testing::run(*at.cursor, step),
                db::testing::run(*at.model, step));
        if (random_.one_in(200)) get_many(at.txn, at.models);
    }
    template <class Txn>
    void get_many(const Txn& txn, std::vector<ModelTable>& models) {
        const size_t table = random_.below(kTables);
        std::vector<Bytes> wanted(random_.below(70));
        for (Bytes& each : wanted) each = key();
        const std::vector<ByteView> keys(wanted.begin(), wanted.end());
        std::vector<std::optional<ByteView>> found(keys.size());
        txn.get_many(tables_[table], keys, found);
        for (size_t i = 0; i < keys.size(); ++i) {
            const std::optional<Bytes> model = models[table].get(keys[i]);
            if (found[i].has_value() != model.has_value() ||
                (model && *found[i] != ByteView(*model)))
                fail("table ", table, ": get_many of another value");
        }
    }

    /// The same call on both; what it answers, or the error.
    template <class Call, class ModelCall>
    void same(const char* what, size_t table, Call&& call, ModelCall&& model_call) {
        uint64_t got = 0;
        uint64_t wanted = 0;
        const std::optional<ErrorCode> error = error_of([&] { got = call(); });
        const std::optional<ErrorCode> model_error = error_of([&] { wanted = model_call(); });
        if (error != model_error || got != wanted)
            fail("table ", table, ", ", what, ": ", got, " instead of ", wanted);
    }
    void call_of_txn() {
        begin_txn();
        const size_t at = random_.below(kTables);
        const Table table = tables_[at];
        ModelTable& model = models_[at];
        const Bytes k = key();
        const Bytes v = value(model.kind());
        const auto nothing = [](auto&& call) {
            return [call] {
                call();
                return uint64_t{0};
            };
        };
        switch (random_.below(16)) {
            case 0:
                return same(
                    "del", at, [&] { return txn_.del(table, k) ? 1U : 0U; },
                    [&] { return model.del(k) ? 1U : 0U; });
            case 1:
                return same(
                    "del of a pair", at, [&] { return txn_.del(table, k, v) ? 1U : 0U; },
                    [&] { return model.del(k, v) ? 1U : 0U; });
            case 2: {
                if (model.size() < shape_.rows_wanted && !random_.one_in(10)) return;
                const Bytes to = key();
                const bool open_end = random_.one_in(20);
                const auto bound = [&] {
                    return open_end ? std::nullopt : std::optional<ByteView>(to);
                };
                return same(
                    "del_range", at, [&] { return txn_.del_range(table, k, bound()); },
                    [&] { return model.del_range(k, bound()); });
            }
            case 3:
                return same(
                    "increment", at, [&] { return txn_.increment(table, k.size()); },
                    [&] { return model.increment(k.size()); });
            case 4:
                if (random_.one_in(40)) {
                    txn_.clear_table(table);
                    model.clear();
                }
                return;
            case 5:
                return same(
                    "put_no_overwrite", at,
                    [&] { return txn_.put_no_overwrite(table, k, v) ? 1U : 0U; },
                    [&] { return model.put_no_overwrite(k, v) ? 1U : 0U; });
            case 6:
                return same("append", at, nothing([&] { txn_.append(table, k, v); }),
                            nothing([&] { model.append(k, v); }));
            case 7:
                return same("append_dup", at, nothing([&] { txn_.append_dup(table, k, v); }),
                            nothing([&] { model.append_dup(k, v); }));
            case 8:
                return get_many(txn_, models_);
            case 9:
                return same(
                    "count", at, [&] { return txn_.count(table); },
                    [&] { return uint64_t{model.size()}; });
            case 10: {
                const std::optional<ByteView> got = txn_.get(table, k);
                const std::optional<Bytes> wanted = model.get(k);
                if (got.has_value() != wanted.has_value() || (got && *got != ByteView(*wanted)))
                    fail("table ", at, ": get of another value");
                return;
            }
            default:
                return same("put", at, nothing([&] { txn_.put(table, k, v); }),
                            nothing([&] { model.put(k, v); }));
        }
    }
    void load_many() {
        begin_txn();
        BulkLoad load;
        std::vector<BulkLoad::Stream*> streams;
        for (const Table table : tables_) streams.push_back(&load.table(table));
        const bool ascending = random_.one_in(3);
        for (size_t i = random_.below(shape_.rows_wanted); i > 0; --i) {
            const size_t at = random_.below(kTables);
            const Bytes k = ascending ? number_key((uint64_t{1} << 40) - i) : key();
            const Bytes v = value(models_[at].kind());
            streams[at]->add(k, v);
            models_[at].put(k, v);
        }
        load.into(txn_);
    }
    void compare_all() {
        const ReadTxn txn = store_.begin_ro();
        for (size_t i = 0; i < kTables; ++i) {
            if (digest(txn, tables_[i]) != digest(committed_[i])) fail("content of table ", i);
            if (txn.sequence(tables_[i]) != committed_[i].sequence()) fail("sequence of table ", i);
            if (txn.count(tables_[i]) != committed_[i].size()) fail("count of table ", i);
        }
    }

    const Shape& shape_;
    Random random_;
    TempDirectory directory_;
    Database store_;
    std::vector<Table> tables_;
    std::vector<ModelTable> models_;
    std::vector<ModelTable> committed_;
    Published published_;
    WriteTxn txn_;
    std::vector<OpenCursor> cursors_;  // end before txn_ and models_
    std::vector<std::unique_ptr<Snapshot>> snapshots_;
    std::vector<std::jthread> readers_;
    std::string failure_;
};

class Model : public ::testing::TestWithParam<Backend> {};

TEST_P(Model, random_operations_answer_as_the_model) {
    const uint64_t seed = process_seed();
    uint64_t done = 0;
    for (uint64_t world = 0; done < operations_wanted(); ++world) {
        const Shape& shape = kShapes[world % std::size(kShapes)];
        std::string failure;
        World made(GetParam(), shape, seed + world);
        const uint64_t operations = std::min(kOperationsOfWorld, operations_wanted() - done);
        ASSERT_TRUE(made.run(operations, failure))
            << failure << "\nworld " << world << "; replay with KEEL_SEED=" << seed;
        done += operations;
    }
    std::cout << done << " operations, KEEL_SEED=" << seed << '\n';
}

INSTANTIATE_TEST_SUITE_P(Backends, Model, ::testing::Values(Backend::Mem, Backend::Lmdb),
                         [](const auto& backend) { return std::string(to_string(backend.param)); });

}  // namespace
}  // namespace keel::db::testing
