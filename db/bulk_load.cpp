#include "db/bulk_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "core/endian.hpp"
#include "db/bulk_ahead.hpp"
#include "db/bulk_order.hpp"
#include "db/bulk_runs.hpp"

namespace keel::db {
namespace {

// Address space for one stream's entries, and for its references.
constexpr uint64_t kArenaBytes = uint64_t{1} << 40;
constexpr uint64_t kArenaBytesMin = uint64_t{1} << 30;
constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kGrowBytesMin = 64 << 10;
constexpr uint64_t kGrowBytesMax = 64 << 20;

constexpr size_t kThreadsMax = 8;
// So few entries are not worth a thread.
constexpr uint64_t kThreadEntriesMin = uint64_t{1} << 13;

// Sorting is not divided among threads below this.
constexpr uint64_t kDividedFrom = uint64_t{1} << 17;

// How far ahead entries are asked for while they are read in sorted order.
constexpr ptrdiff_t kLookAhead = 12;
constexpr size_t kLineBytes = 64;

// What an entry takes while it is sorted.
constexpr uint64_t kSortBytes = 2 * sizeof(BulkOrder::Reference);

/// Without a directory there is no bound.
BulkLoad::Runs with_memory(BulkLoad::Runs runs) {
    if (runs.directory.empty()) {
        runs.memory_bytes = UINT64_MAX;
    } else if (runs.memory_bytes == 0) {
        runs.memory_bytes = core::machine_memory_bytes() / 4;
    }
    return runs;
}

}  // namespace

BulkLoad::Stream::Stream(BulkLoad& load, Table table, Stream* records)
    : load_(load),
      table_(table),
      records_(records),
      arena_(kArenaBytes, kArenaBytesMin),
      order_(std::make_unique<BulkOrder>()) {
    if (load.txn_ != nullptr && records == nullptr) ahead_from_ = load.ahead_from_bytes_;
}

BulkLoad::Stream::~Stream() = default;

uint8_t* BulkLoad::Stream::room_for(size_t bytes) {
    const uint64_t needed = used_ + bytes + kBulkSlackBytes;
    if (needed > committed_) [[unlikely]] {
        const uint64_t step = std::clamp(committed_, kGrowBytesMin, kGrowBytesMax);
        const uint64_t end =
            (std::max(needed, committed_ + step) + kPageBytes - 1) / kPageBytes * kPageBytes;
        if (end > arena_.size() || !arena_.commit(committed_, end - committed_))
            throw std::bad_alloc();
        core::advise_huge_pages(arena_.data() + committed_, end - committed_);
        committed_ = end;
    }
    return arena_.data() + used_;
}

void BulkLoad::Stream::add(ByteView key, ByteView value) {
    if (key.size() > kKeyBytesMax)
        throw Error(ErrorCode::BadKeySize,
                    fmt::format("key of {} bytes; at most {}", key.size(), kKeyBytesMax));
    const size_t value_bytes_max =
        table_.kind == Kind::DupSort ? kDupValueBytesMax : kPlainValueBytesMax;
    if (value.size() > value_bytes_max)
        throw Error(ErrorCode::BadValueSize,
                    fmt::format("value of {} bytes; at most {}", value.size(), value_bytes_max));
    const uint64_t record = records_ == nullptr ? entries_ : records_->entries_ - 1;
    KEEL_ASSERT(record <= UINT32_MAX, "an index entry comes behind its record");
    const size_t bytes = bulk_aligned(kBulkHeadBytes + key.size() + value.size());
    uint8_t* const to = ahead_ != nullptr ? ahead_->room_for(bytes) : room_for(bytes);
    core::store_le(to + kBulkRecordAt, static_cast<uint32_t>(record));
    core::store_le(to + kBulkKeyBytesAt, static_cast<uint16_t>(key.size()));
    core::store_le(to + kBulkValueBytesAt, static_cast<uint32_t>(value.size()));
    if (!key.empty()) std::memcpy(to + kBulkHeadBytes, key.data(), key.size());
    if (!value.empty()) std::memcpy(to + kBulkHeadBytes + key.size(), value.data(), value.size());
    if (ahead_ != nullptr) {
        if (bulk_order(ahead_->last(), to, table_.kind) >= 0) [[unlikely]] {
            take_back();
            add(key, value);
            return;
        }
        ahead_->keep(bytes);
        bytes_ += key.size() + value.size();
        ++entries_;
        return;
    }
    if (entries_here_ > 0) {
        if (sorted_ && bulk_order(entry_at(last_at_), to, table_.kind) >= 0)
            sorted_ = came_in_order_ = false;
    } else if (!last_spilled_.empty() && bulk_order(last_spilled_.data(), to, table_.kind) >= 0) {
        came_in_order_ = false;
    }
    if (entries_here_ % BulkOrder::kMarkEntries == 0) marks_.push_back(used_);
    last_at_ = used_;
    used_ += bytes;
    bytes_ += key.size() + value.size();
    ++entries_;
    ++entries_here_;
    load_.memory_bytes_ += bytes + kSortBytes;
    if (load_.memory_bytes_ > load_.runs_.memory_bytes) [[unlikely]]
        load_.spill();
    if (used_ >= ahead_from_) [[unlikely]]
        begin_ahead();
}

/// What comes from here on goes into the table, if it is the one to be built first.
void BulkLoad::Stream::begin_ahead() {
    ahead_from_ = UINT64_MAX;
    WriteTxn& txn = *load_.txn_;
    if (!sorted_ || runs_ != nullptr || load_.threads_ < 2 || txn.count(table_) > 0) return;
    load_.announce(txn, UINT64_MAX);
    if (!load_.in_order_ || load_.order_.front().id != table_.id) return;
    load_.memory_bytes_ -= memory_bytes();
    ahead_ = std::make_unique<BulkAhead>(
        txn, table_,
        BulkAhead::Begun{
            .entries = {arena_.data(), used_}, .last = entry_at(last_at_), .count = entries_});
}

/// The next entry is not behind the last one: what has been built is a part of the table, and not
/// its beginning.
void BulkLoad::Stream::take_back() {
    ahead_->finish();
    ahead_.reset();
    empty_arena();
    entries_ = bytes_ = 0;
    WriteTxn& txn = *load_.txn_;
    {
        // Here a record is an entry.
        WriteCursor built = txn.cursor(table_);
        for (Hit hit = built.first(); hit; hit = built.next()) add(hit->key, hit->value);
    }
    txn.clear_table(table_);
}

/// In the arena, and of its sorting.
uint64_t BulkLoad::Stream::memory_bytes() const noexcept {
    return ahead_ != nullptr ? 0 : used_ + entries_here_ * kSortBytes;
}

void BulkLoad::Stream::empty_arena() {
    arena_.discard(0, committed_);
    used_ = entries_here_ = 0;
    marks_.clear();
    sorted_ = true;
}

/// `wholly`: everything is decided, and of equal entries one is left. Otherwise short runs of equal
/// heads are left to whoever reads.
void BulkLoad::Stream::sort(bool wholly, size_t threads) {
    if (sorted_) return;
    order_->sort({.arena = arena_.data(),
                  .bytes = used_,
                  .count = entries_here_,
                  .marks = &marks_,
                  .kind = table_.kind},
                 threads);
    if (!wholly) return;
    bool doubles = false;
    for (BulkOrder::Reference* at = order_->begin(); at != order_->end();) {
        BulkOrder::Reference* tie = at + 1;
        while (tie != order_->end() && order_->same_head(*at, *tie)) ++tie;
        if (tie - at > 1 && order_->settle(at, tie)) doubles = true;
        at = tie;
    }
    if (doubles) drop_doubles();
}

/// Of equal entries only the last that came is kept.
void BulkLoad::Stream::drop_doubles() {
    BulkOrder::Reference* kept = order_->begin();
    for (const BulkOrder::Reference* at = kept; at != order_->end(); ++at) {
        if (at + 1 != order_->end() && order_->same_head(at[0], at[1]) &&
            order_->order(at[0], at[1]) == 0) {
            drop_record(bulk_record(order_->entry(*at)));
            continue;
        }
        *kept++ = *at;
    }
    order_->cut(kept);
}

/// A later record has the same key. In an index it is a pair that comes twice, which is one.
void BulkLoad::Stream::drop_record(uint32_t record) {
    if (records_ != nullptr || table_.kind != Kind::Plain) return;
    if (replaced_.size() < entries_) replaced_.resize(entries_);
    replaced_[record] = true;
    ++replaced_count_;
}

bool BulkLoad::Stream::dropped(const uint8_t* entry) const noexcept {
    if (records_ == nullptr) return false;
    const uint32_t record = bulk_record(entry);
    return record < records_->replaced_.size() && records_->replaced_[record];
}

/// Entries by their references.
class BulkLoad::Stream::Sorted final : public SortedEntries {
  public:
    explicit Sorted(Stream& stream)
        : stream_(stream),
          order_(*stream.order_),
          next_(order_.begin()),
          last_(order_.end()),
          count_(static_cast<uint64_t>(last_ - next_)) {}
    bool next(Entry& entry) override {
        for (; next_ != last_; ++next_) {
            if (last_ - next_ > kLookAhead) {
                const uint8_t* const ahead = order_.entry(next_[kLookAhead]);
                __builtin_prefetch(ahead);
                __builtin_prefetch(ahead + kLineBytes);
            }
            if (next_ + 1 != last_ && order_.same_head(next_[0], next_[1])) {
                settle();
                // Of equal ones the last counts.
                if (order_.order(next_[0], next_[1]) == 0) continue;
            }
            const uint8_t* const found = order_.entry(*next_);
            if (stream_.dropped(found)) continue;
            entry = {bulk_key(found), bulk_value(found)};
            ++next_;
            return true;
        }
        return false;
    }
    uint64_t entries() const override { return count_; }
    uint64_t bytes() const override { return stream_.bytes_; }

  private:
    void settle() {
        if (next_ < settled_) return;
        BulkOrder::Reference* end = next_ + 1;
        while (end != last_ && order_.same_head(*next_, *end)) ++end;
        order_.settle(next_, end);
        settled_ = end;
    }

    const Stream& stream_;
    BulkOrder& order_;
    BulkOrder::Reference* next_;
    BulkOrder::Reference* const last_;
    const uint64_t count_;
    const BulkOrder::Reference* settled_ = nullptr;  // up to here
};

/// Entries as they came. Memory behind them goes back to the system: the pages that are built of
/// them take as much.
class BulkLoad::Stream::InOrder final : public SortedEntries {
  public:
    explicit InOrder(Stream& stream) : stream_(stream) {}
    bool next(Entry& entry) override {
        if (at_ >= given_back_ + kGiveBackBytes) {
            stream_.arena_.discard(given_back_, kGiveBackBytes);
            given_back_ += kGiveBackBytes;
        }
        while (at_ < stream_.used_) {
            const uint8_t* const found = stream_.entry_at(at_);
            entry = {bulk_key(found), bulk_value(found)};
            at_ += bulk_bytes(found);
            if (!stream_.dropped(found)) return true;
        }
        return false;
    }
    uint64_t entries() const override { return stream_.entries_; }
    uint64_t bytes() const override { return stream_.bytes_; }

  private:
    static constexpr uint64_t kGiveBackBytes = 4 * core::kHugePageBytes;

    Stream& stream_;
    uint64_t at_ = 0;
    uint64_t given_back_ = 0;
};

/// Entries of runs.
class BulkLoad::Stream::Merged final : public SortedEntries {
  public:
    explicit Merged(const Stream& stream)
        : stream_(stream), runs_(*stream.runs_, stream.table_.kind) {}
    bool next(Entry& entry) override {
        while (const uint8_t* const found = runs_.next()) {
            if (stream_.dropped(found)) continue;
            entry = {bulk_key(found), bulk_value(found)};
            return true;
        }
        return false;
    }
    uint64_t entries() const override { return stream_.entries_; }
    uint64_t bytes() const override { return stream_.bytes_; }

  private:
    const Stream& stream_;
    MergedRuns runs_;
};

/// What is in the arena becomes a run.
void BulkLoad::Stream::spill() {
    if (entries_here_ == 0) return;
    if (runs_ == nullptr)
        runs_ = std::make_unique<RunFile>(
            load_.runs_.files != nullptr ? *load_.runs_.files : load_.system_files_,
            load_.runs_.directory);
    if (sorted_) {
        for (uint64_t at = 0; at < used_;) {
            const size_t bytes = bulk_bytes(entry_at(at));
            runs_->append({entry_at(at), bytes});
            at += bytes;
        }
    } else {
        sort(true, load_.threads_);
        for (const BulkOrder::Reference reference : *order_) {
            const uint8_t* const found = order_->entry(reference);
            runs_->append({found, bulk_bytes(found)});
        }
        order_->release();
    }
    runs_->end_run();
    last_spilled_.assign(entry_at(last_at_), entry_at(last_at_) + bulk_bytes(entry_at(last_at_)));
    load_.memory_bytes_ -= memory_bytes();
    empty_arena();
}

/// Records of one run whose key comes again in a later one.
void BulkLoad::Stream::find_replaced_in_runs() {
    if (records_ != nullptr || came_in_order_ || table_.kind != Kind::Plain) return;
    MergedRuns merged(*runs_, table_.kind);
    while (merged.next() != nullptr)
        for (const uint32_t record : merged.passed_over()) drop_record(record);
}

void BulkLoad::Stream::load(WriteTxn& txn) {
    if (ahead_ != nullptr) {
        ahead_->finish();
        ahead_.reset();
    } else if (runs_ != nullptr) {
        Merged entries(*this);
        txn.load(table_, entries);
    } else if (sorted_) {
        InOrder entries(*this);
        txn.load(table_, entries);
    } else {
        Sorted entries(*this);
        txn.load(table_, entries);
    }
    arena_.release();
    order_->release();
    runs_.reset();
}

BulkLoad::BulkLoad(const Options& options)
    : threads_(options.threads != 0
                   ? options.threads
                   : std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kThreadsMax)),
      runs_(with_memory(options.runs)),
      ahead_from_bytes_(options.ahead_from_bytes) {}

/// The streams that have most of the memory go to disk.
void BulkLoad::spill() {
    const uint64_t enough = memory_bytes_ / (2 * streams_.size());
    try {
        for (const auto& stream : streams_)
            if (stream->memory_bytes() >= enough) stream->spill();
    } catch (const core::FileFault& fault) {
        failed_ = true;
        throw Error(fault.disk_full() ? ErrorCode::DiskFull : ErrorCode::Io, fault.message());
    }
}

BulkLoad::~BulkLoad() {
    for (const auto& stream : streams_) {
        if (stream->ahead_ == nullptr) continue;
        stream->ahead_.reset();
        try {
            txn_->clear_table(stream->table_);
        } catch (const core::Fault&) {
            // The transaction has failed, and will say so.
        }
    }
}

void BulkLoad::begin(WriteTxn& txn) {
    txn_ = &txn;
    for (const auto& stream : streams_)
        if (stream->records_ == nullptr) stream->ahead_from_ = ahead_from_bytes_;
}

/// Once: what has begun to be loaded stays as it is.
void BulkLoad::announce(WriteTxn& txn, uint64_t bytes) {
    if (std::exchange(announced_, true)) return;
    for (const auto& stream : streams_) order_.push_back(stream->table_);
    in_order_ = txn.order_loads(order_, bytes);
}

BulkLoad::Stream& BulkLoad::table(Table table) {
    return *streams_.emplace_back(std::make_unique<Stream>(*this, table, nullptr));
}

BulkLoad::Stream& BulkLoad::index(Table table, Stream& records) {
    return *streams_.emplace_back(std::make_unique<Stream>(*this, table, &records));
}

/// Streams of which a part is on disk go there whole.
void BulkLoad::finish_runs(Figures& figures) {
    for (const auto& stream : streams_) {
        if (stream->runs_ == nullptr) continue;
        stream->spill();
        stream->runs_->flush();
        figures.runs += stream->runs_->runs();
        stream->find_replaced_in_runs();
    }
}

BulkLoad::Figures BulkLoad::into(WriteTxn& txn) {
    KEEL_ASSERT(txn_ == nullptr || txn_ == &txn, "a load goes into the transaction it began in");
    if (failed_) throw Error(ErrorCode::Io, "a bulk load whose runs could not be written");
    Figures figures;
    for (const auto& stream : streams_) {
        stream->ahead_from_ = UINT64_MAX;
        figures.entries += stream->entries_;
        figures.bytes += stream->bytes_;
        if (!stream->came_in_order_) ++figures.streams_sorted;
        if (stream->ahead_ != nullptr) figures.built_ahead += stream->entries_;
    }
    try {
        finish_runs(figures);
    } catch (const core::FileFault& fault) {
        throw Error(fault.disk_full() ? ErrorCode::DiskFull : ErrorCode::Io, fault.message());
    }
    // While a table is built, nobody else may use the transaction.
    if (!announced_) announce(txn, figures.bytes);
    sort_and_load(txn, figures);
    return figures;
}

void BulkLoad::sort_and_load(WriteTxn& txn, Figures& figures) {
    // Streams that came in order are built while other threads sort the rest. An index waits for
    // the records it belongs to, so those are taken first.
    std::vector<Stream*> unsorted;
    for (const bool index : {false, true})
        for (const auto& stream : streams_)
            if (!stream->sorted_ && (stream->records_ != nullptr) == index)
                unsorted.push_back(stream.get());

    std::vector<std::atomic<bool>> done(unsorted.size());
    std::vector<std::exception_ptr> failed(unsorted.size());
    std::atomic<size_t> next = 0;
    const size_t each = std::max<size_t>(1, threads_ / std::max<size_t>(1, unsorted.size()));
    const auto sort_next = [&] {
        const size_t i = next.fetch_add(1, std::memory_order_relaxed);
        if (i >= unsorted.size()) return false;
        try {
            Stream& stream = *unsorted[i];
            // Which records are replaced has to be known before their index is built.
            stream.sort(stream.records_ == nullptr,
                        stream.entries_here_ >= kDividedFrom ? each : 1);
        } catch (...) {
            failed[i] = std::current_exception();
        }
        // release: pairs with the acquire of whoever loads the stream
        done[i].store(true, std::memory_order_release);
        done[i].notify_all();
        return true;
    };
    std::vector<std::jthread> workers;
    if (figures.entries >= kThreadEntriesMin) {
        const size_t wanted = std::min(threads_ - std::min<size_t>(threads_, 1), unsorted.size());
        for (size_t i = 0; i < wanted; ++i)
            workers.emplace_back([&sort_next] {
                while (sort_next()) {
                }
            });
    }
    const auto number_of = [&](const Stream* stream) -> std::optional<size_t> {
        const auto found = std::ranges::find(unsorted, stream);
        if (found == unsorted.end()) return std::nullopt;
        return static_cast<size_t>(found - unsorted.begin());
    };
    const auto is_ready = [&](const Stream* stream) {
        const std::optional<size_t> i = number_of(stream);
        return !i || done[*i].load(std::memory_order_acquire);
    };
    const auto wait_for = [&](const Stream* stream) {
        const std::optional<size_t> i = number_of(stream);
        if (!i) return;
        // What no worker has begun is done here.
        while (!done[*i].load(std::memory_order_acquire) && sort_next()) {
        }
        done[*i].wait(false, std::memory_order_acquire);
        if (failed[*i]) std::rethrow_exception(failed[*i]);
    };
    std::vector<Stream*> left;
    for (const Table table : order_)
        left.push_back(std::ranges::find(streams_, table.id, [](const auto& stream) {
                           return stream->table_.id;
                       })->get());
    for (const auto& stream : streams_)
        if (std::ranges::find(left, stream.get()) == left.end()) left.push_back(stream.get());
    const auto loadable = [&](const Stream* stream) {
        return is_ready(stream) && (stream->records_ == nullptr || is_ready(stream->records_));
    };
    while (!left.empty()) {
        auto at = in_order_ ? left.begin() : std::ranges::find_if(left, loadable);
        if (at == left.end()) at = left.begin();
        Stream* const stream = *at;
        left.erase(at);
        if (stream->records_ != nullptr) wait_for(stream->records_);
        wait_for(stream);
        try {
            stream->load(txn);
        } catch (const core::FileFault& fault) {
            // Of the runs: a backend names its own.
            throw Error(ErrorCode::Io, fault.message());
        }
        figures.replaced_records += stream->replaced_count_;
    }
}

}  // namespace keel::db
