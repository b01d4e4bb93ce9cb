#include "db/bulk_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "core/endian.hpp"
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
constexpr uint64_t kThreadEntriesMin = 1024;

constexpr size_t kHeadBytes = 8;
// Up to here comparing beats counting digits.
constexpr uint64_t kRadixFrom = 4096;
constexpr size_t kDigitBits = 11;
constexpr size_t kDigits = size_t{1} << kDigitBits;
constexpr size_t kPasses = (64 + kDigitBits - 1) / kDigitBits;
// A run of equal heads is sorted by whole keys when it is short, or when its keys share so much.
constexpr ptrdiff_t kTieRunMin = 24;
constexpr size_t kTieSkipMax = 256;
// How far ahead entries are asked for while they are read in sorted order.
constexpr ptrdiff_t kLookAhead = 12;
constexpr size_t kLineBytes = 64;

uint64_t head_of(ByteView key, size_t skip) noexcept {
    if (key.size() >= skip + kHeadBytes) return core::load_be<uint64_t>(key.data() + skip);
    uint8_t padded[kHeadBytes] = {};
    if (key.size() > skip) std::memcpy(padded, key.data() + skip, key.size() - skip);
    return core::load_be<uint64_t>(padded);
}

size_t common_bytes(ByteView a, ByteView b) noexcept {
    const size_t size = std::min(a.size(), b.size());
    return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + size, b.begin()).first -
                               a.begin());
}

core::AddressRange make_range(uint64_t bytes) {
    core::AddressRange range(std::max(bytes, kPageBytes), std::max(bytes, kPageBytes));
    if (!range.commit(0, range.size())) throw std::bad_alloc();
    core::advise_huge_pages(range.data(), range.size());
    return range;
}

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

inline ByteView BulkLoad::Stream::key_at(uint64_t at) const noexcept {
    return bulk_key(entry_at(at));
}

BulkLoad::Stream::Stream(BulkLoad& load, Table table, Stream* records)
    : load_(load), table_(table), records_(records), arena_(kArenaBytes, kArenaBytesMin) {}

std::strong_ordering BulkLoad::Stream::order(uint64_t a, uint64_t b) const noexcept {
    return bulk_order(entry_at(a), entry_at(b), table_.kind);
}

BulkLoad::Stream::~Stream() = default;

uint8_t* BulkLoad::Stream::room_for(size_t bytes) {
    if (used_ + bytes > committed_) [[unlikely]] {
        const uint64_t step = std::clamp(committed_, kGrowBytesMin, kGrowBytesMax);
        const uint64_t end =
            (std::max(used_ + bytes, committed_ + step) + kPageBytes - 1) / kPageBytes * kPageBytes;
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
    const size_t bytes = kBulkHeadBytes + key.size() + value.size();
    uint8_t* const to = room_for(bytes);
    core::store_le(to + kBulkRecordAt, static_cast<uint32_t>(record));
    core::store_le(to + kBulkKeyBytesAt, static_cast<uint16_t>(key.size()));
    core::store_le(to + kBulkValueBytesAt, static_cast<uint32_t>(value.size()));
    if (!key.empty()) std::memcpy(to + kBulkHeadBytes, key.data(), key.size());
    if (!value.empty()) std::memcpy(to + kBulkHeadBytes + key.size(), value.data(), value.size());
    if (entries_here_ > 0) {
        if (sorted_ && order(last_at_, used_) >= 0) {
            sorted_ = came_in_order_ = false;
            prefix_bytes_ = common_bytes(key_at(0), key_at(last_at_));
        }
        if (!sorted_) prefix_bytes_ = common_bytes(key_at(0).sub(0, prefix_bytes_), key);
    } else if (!last_spilled_.empty() && bulk_order(last_spilled_.data(), to, table_.kind) >= 0) {
        came_in_order_ = false;
    }
    last_at_ = used_;
    used_ += bytes;
    bytes_ += key.size() + value.size();
    ++entries_;
    ++entries_here_;
    load_.memory_bytes_ += bytes + 2 * sizeof(Reference);
    if (load_.memory_bytes_ > load_.runs_.memory_bytes) [[unlikely]]
        load_.spill();
}

void BulkLoad::Stream::sort() {
    if (sorted_) return;
    references_ = make_range(entries_here_ * sizeof(Reference));
    references_count_ = entries_here_;
    auto* const first = reinterpret_cast<Reference*>(references_.data());
    uint64_t at = 0;
    for (Reference* to = first; to != first + entries_here_; ++to) {
        to->at = at;
        at += bulk_bytes(entry_at(at));
    }
    if (entries_here_ >= kRadixFrom) spare_ = make_range(entries_here_ * sizeof(Reference));
    sort_run(first, first + entries_here_, prefix_bytes_);
    spare_ = core::AddressRange();
    if (has_doubles_) drop_doubles();
}

/// Entries whose keys agree in the first `skip` bytes, as far as heads show. Equal ones stay in the
/// order in which they came.
void BulkLoad::Stream::sort_run(Reference* first, Reference* last, size_t skip) {
    if (last - first < 2 || in_order(first, last)) return;
    if (last - first <= kTieRunMin || skip > prefix_bytes_ + kTieSkipMax) {
        std::sort(first, last, [this](const Reference& a, const Reference& b) {
            const auto by_content = order(a.at, b.at);
            return by_content != 0 ? by_content < 0 : a.at < b.at;
        });
        in_order(first, last);
        return;
    }
    // What all of them share decides nothing.
    const ByteView some = key_at(first->at);
    size_t common = some.size();
    for (const Reference* at = first; at != last && common > skip; ++at)
        common = skip + common_bytes(some.sub(skip, common - skip), key_at(at->at).sub(skip));
    common = std::max(common, skip);
    for (Reference* at = first; at != last; ++at) at->head = head_of(key_at(at->at), common);
    if (static_cast<uint64_t>(last - first) < kRadixFrom) {
        std::sort(first, last, [](const Reference& a, const Reference& b) {
            return a.head != b.head ? a.head < b.head : a.at < b.at;
        });
    } else {
        sort_by_digits(first, last);
    }
    while (first != last) {
        Reference* tie = first + 1;
        while (tie != last && tie->head == first->head) ++tie;
        sort_run(first, tie, common + kHeadBytes);
        first = tie;
    }
}

/// By heads, the lowest digit first; stable.
void BulkLoad::Stream::sort_by_digits(Reference* first, Reference* last) {
    const auto count = static_cast<uint64_t>(last - first);
    auto* const spare = reinterpret_cast<Reference*>(spare_.data()) +
                        (first - reinterpret_cast<Reference*>(references_.data()));
    const auto digit = [](uint64_t head, size_t pass) {
        return (head >> (pass * kDigitBits)) & (kDigits - 1);
    };
    std::vector<std::array<uint32_t, kDigits>> places(kPasses);
    for (const Reference* at = first; at != last; ++at)
        for (size_t pass = 0; pass < kPasses; ++pass) ++places[pass][digit(at->head, pass)];
    Reference* from = first;
    Reference* to = spare;
    for (size_t pass = 0; pass < kPasses; ++pass) {
        std::array<uint32_t, kDigits>& place = places[pass];
        if (place[digit(from[0].head, pass)] == count) continue;  // all have the same digit
        uint32_t next = 0;
        for (uint32_t& of_digit : place) next += std::exchange(of_digit, next);
        for (uint64_t i = 0; i < count; ++i) to[place[digit(from[i].head, pass)]++] = from[i];
        std::swap(from, to);
    }
    if (from != first) std::memcpy(first, from, count * sizeof(Reference));
}

/// Are they in order already? Notices equal ones.
bool BulkLoad::Stream::in_order(const Reference* first, const Reference* last) noexcept {
    for (; first + 1 < last; ++first) {
        if (last - first > kLookAhead) __builtin_prefetch(arena_.data() + first[kLookAhead].at);
        const auto by_content = order(first[0].at, first[1].at);
        if (by_content > 0) return false;
        if (by_content == 0) has_doubles_ = true;
    }
    return true;
}

/// Of equal entries only the last that came is kept.
void BulkLoad::Stream::drop_doubles() {
    auto* const first = reinterpret_cast<Reference*>(references_.data());
    auto* const last = first + references_count_;
    Reference* kept = first;
    for (const Reference* at = first; at != last; ++at) {
        if (last - at > kLookAhead) __builtin_prefetch(entry_at(at[kLookAhead].at));
        if (at + 1 != last && order(at[0].at, at[1].at) == 0) {
            drop_record(bulk_record(entry_at(at->at)));
            continue;
        }
        *kept++ = *at;
    }
    references_count_ = static_cast<uint64_t>(kept - first);
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
    explicit Sorted(const Stream& stream)
        : stream_(stream),
          next_(reinterpret_cast<const Reference*>(stream.references_.data())),
          last_(next_ + stream.references_count_) {}
    bool next(Entry& entry) override {
        for (; next_ != last_; ++next_) {
            if (last_ - next_ > kLookAhead) {
                const uint8_t* const ahead = stream_.arena_.data() + next_[kLookAhead].at;
                __builtin_prefetch(ahead);
                __builtin_prefetch(ahead + kLineBytes);
            }
            const uint8_t* const found = stream_.entry_at(next_->at);
            if (stream_.dropped(found)) continue;
            entry = {bulk_key(found), bulk_value(found)};
            ++next_;
            return true;
        }
        return false;
    }
    uint64_t entries() const override { return stream_.references_count_; }
    uint64_t bytes() const override { return stream_.bytes_; }

  private:
    const Stream& stream_;
    const Reference* next_;
    const Reference* last_;
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
            at_ += kBulkHeadBytes + entry.key.size() + entry.value.size();
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
    const auto append = [this](uint64_t at) {
        runs_->append({entry_at(at), bulk_bytes(entry_at(at))});
    };
    if (sorted_) {
        for (uint64_t at = 0; at < used_; at += bulk_bytes(entry_at(at))) append(at);
    } else {
        sort();
        const auto* const first = reinterpret_cast<const Reference*>(references_.data());
        for (uint64_t i = 0; i < references_count_; ++i) append(first[i].at);
        references_ = core::AddressRange();
    }
    runs_->end_run();
    last_spilled_.assign(entry_at(last_at_), entry_at(last_at_) + bulk_bytes(entry_at(last_at_)));
    load_.memory_bytes_ -= used_ + entries_here_ * 2 * sizeof(Reference);
    arena_.discard(0, committed_);
    used_ = entries_here_ = 0;
    sorted_ = true;
    has_doubles_ = false;
}

/// Records of one run whose key comes again in a later one.
void BulkLoad::Stream::find_replaced_in_runs() {
    if (records_ != nullptr || came_in_order_ || table_.kind != Kind::Plain) return;
    MergedRuns merged(*runs_, table_.kind);
    while (merged.next() != nullptr)
        for (const uint32_t record : merged.passed_over()) drop_record(record);
}

void BulkLoad::Stream::load(WriteTxn& txn) {
    if (runs_ != nullptr) {
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
    references_.release();
    runs_.reset();
}

BulkLoad::BulkLoad(const Options& options)
    : threads_(options.threads != 0
                   ? options.threads
                   : std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kThreadsMax)),
      runs_(with_memory(options.runs)) {}

/// The streams that have most of the memory go to disk.
void BulkLoad::spill() {
    const uint64_t enough = memory_bytes_ / (2 * streams_.size());
    try {
        for (const auto& stream : streams_)
            if (stream->used_ + stream->entries_here_ * 2 * sizeof(Stream::Reference) >= enough)
                stream->spill();
    } catch (const core::FileFault& fault) {
        failed_ = true;
        throw Error(fault.disk_full() ? ErrorCode::DiskFull : ErrorCode::Io, fault.message());
    }
}

BulkLoad::~BulkLoad() = default;

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
    if (failed_) throw Error(ErrorCode::Io, "a bulk load whose runs could not be written");
    Figures figures;
    std::vector<Stream*> unsorted;
    for (const auto& stream : streams_) {
        figures.entries += stream->entries_;
        figures.bytes += stream->bytes_;
        if (!stream->came_in_order_) ++figures.streams_sorted;
    }
    try {
        finish_runs(figures);
    } catch (const core::FileFault& fault) {
        throw Error(fault.disk_full() ? ErrorCode::DiskFull : ErrorCode::Io, fault.message());
    }
    // Streams that came in order are built while other threads sort the rest. An index waits for
    // the records it belongs to, so those are taken first.
    for (const bool index : {false, true})
        for (const auto& stream : streams_)
            if (!stream->sorted_ && (stream->records_ != nullptr) == index)
                unsorted.push_back(stream.get());

    std::vector<std::atomic<bool>> done(unsorted.size());
    std::vector<std::exception_ptr> failed(unsorted.size());
    std::atomic<size_t> next = 0;
    const auto sort_next = [&] {
        const size_t i = next.fetch_add(1, std::memory_order_relaxed);
        if (i >= unsorted.size()) return false;
        try {
            unsorted[i]->sort();
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
    const auto is_ready = [&](const Stream* stream) {
        const auto found = std::ranges::find(unsorted, stream);
        return found == unsorted.end() ||
               done[static_cast<size_t>(found - unsorted.begin())].load(std::memory_order_acquire);
    };
    const auto wait_for = [&](const Stream* stream) {
        const auto found = std::ranges::find(unsorted, stream);
        if (found == unsorted.end()) return;
        const auto i = static_cast<size_t>(found - unsorted.begin());
        // What no worker has begun is done here.
        while (!done[i].load(std::memory_order_acquire) && sort_next()) {
        }
        done[i].wait(false, std::memory_order_acquire);
        if (failed[i]) std::rethrow_exception(failed[i]);
    };
    std::vector<Table> tables;
    for (const auto& stream : streams_) tables.push_back(stream->table_);
    const bool in_order = txn.order_loads(tables, figures.bytes);
    std::vector<Stream*> left;
    for (const Table table : tables)
        left.push_back(std::ranges::find(streams_, table.id, [](const auto& stream) {
                           return stream->table_.id;
                       })->get());
    const auto loadable = [&](const Stream* stream) {
        return is_ready(stream) && (stream->records_ == nullptr || is_ready(stream->records_));
    };
    while (!left.empty()) {
        auto at = in_order ? left.begin() : std::ranges::find_if(left, loadable);
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
    return figures;
}

}  // namespace keel::db
