#pragma once

// Many records at once, in any order, with any number of indexes: gathered in flat memory, sorted,
// and built into whole tables in one transaction.
//
//   BulkLoad load;
//   BulkLoad::Stream& accounts = load.table(account);
//   BulkLoad::Stream& by_owner = load.index(owner_index, accounts);
//   load.begin(txn);  // may be left out
//   for (...) { accounts.add(key, value); by_owner.add(owner, key); }
//   load.into(txn);
//
// L1  What the tables hold afterwards is what putting the entries one by one would leave, in the
// order of their coming.
// L2  Where records share a key, the last one counts, and the index entries of the others are not
// made (a record's index entries are those added behind it).
// L3  No memory is allocated for an entry. Entries that come in order are not sorted.
// L4  What is more than the memory it may have goes to disk in sorted runs, which are merged.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "core/files.hpp"
#include "db/database.hpp"

namespace keel::db {

class BulkAhead;
class BulkOrder;
class RunFile;

/// One thread adds, into() uses more.
class BulkLoad {
  public:
    class Stream;
    struct Figures {
        uint64_t entries = 0;
        uint64_t bytes = 0;             // of keys and values
        uint64_t replaced_records = 0;  // that shared their key with a later one
        uint64_t streams_sorted = 0;    // that did not come in order
        uint64_t runs = 0;              // that went to disk
        uint64_t built_ahead = 0;       // entries of a table that was built while they came
    };

    struct Runs {
        std::filesystem::path
            directory;              // of their files, which have no name; empty: none are made
        uint64_t memory_bytes = 0;  // before they are; 0: a quarter of the machine's
        core::FileSystem* files = nullptr;  // lifetime: outlives the load; null: the system's
    };
    struct Options {
        size_t threads = 0;  // 0: as many as there are processors, at most 8
        Runs runs = {};
        // So much of a table must have come in order before it is built while the rest comes
        // (begin()): where the rest turns out not to, it is read back.
        uint64_t ahead_from_bytes = uint64_t{4} << 20;
    };

    BulkLoad() : BulkLoad(Options()) {}
    explicit BulkLoad(const Options& options);
    ~BulkLoad();
    BulkLoad(const BulkLoad&) = delete;
    BulkLoad& operator=(const BulkLoad&) = delete;

    /// Entries of a table; one stream a table. Lives as long as this object.
    Stream& table(Table table);
    /// Entries that belong to records of `records`.
    Stream& index(Table table, Stream& records);
    /// What comes in order may go into the transaction as it comes, out of little memory, where the
    /// backend gains by that. The transaction is the load's from here until into(), which takes the
    /// same one; it outlives the load and does not move. A load that ends without into() leaves its
    /// tables without entries of its own.
    void begin(WriteTxn& txn);
    /// Puts everything into the transaction, which the caller commits. Once.
    Figures into(WriteTxn& txn);

  private:
    void spill();
    void finish_runs(Figures& figures);
    void announce(WriteTxn& txn, uint64_t bytes);
    void sort_and_load(WriteTxn& txn, Figures& figures);

    const size_t threads_;
    const Runs runs_;
    const uint64_t ahead_from_bytes_;
    core::SystemFiles system_files_;
    uint64_t memory_bytes_ = 0;  // of all streams, and of their sorting
    bool failed_ = false;        // to write a run: what came is not whole
    WriteTxn* txn_ = nullptr;    // once begun
    bool announced_ = false;     // to the transaction
    bool in_order_ = false;      // is how the transaction wants to load
    std::vector<Table> order_;   // of loading, of the tables that were announced
    std::vector<std::unique_ptr<Stream>> streams_;
};

class BulkLoad::Stream {
  public:
    Stream(BulkLoad& load, Table table, Stream* records);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// BadKeySize, BadValueSize: the stream stays as it was. DiskFull, Io: the load is lost.
    void add(ByteView key, ByteView value);
    uint64_t entries() const noexcept { return entries_; }

  private:
    friend class BulkLoad;
    class Sorted;
    class InOrder;
    class Merged;

    const uint8_t* entry_at(uint64_t at) const noexcept { return arena_.data() + at; }
    uint8_t* room_for(size_t bytes);
    void sort(bool wholly, size_t threads);
    void drop_doubles();
    bool dropped(const uint8_t* entry) const noexcept;
    void drop_record(uint32_t record);
    uint64_t memory_bytes() const noexcept;
    void empty_arena();
    void spill();
    void find_replaced_in_runs();
    void begin_ahead();
    void take_back();
    void load(WriteTxn& txn);

    BulkLoad& load_;
    const Table table_;
    Stream* const records_;  // null: it has records of its own
    core::AddressRange arena_;
    uint64_t committed_ = 0;
    uint64_t used_ = 0;
    uint64_t entries_ = 0;
    uint64_t entries_here_ = 0;  // of these, in the arena
    uint64_t bytes_ = 0;
    uint64_t last_at_ = 0;
    uint64_t ahead_from_ = UINT64_MAX;  // bytes in the arena from which building ahead is worth it
    std::unique_ptr<BulkAhead> ahead_;  // takes what comes, instead of the arena
    std::vector<uint64_t> marks_;       // in the arena: BulkOrder::Entries
    bool sorted_ = true;                // what is in the arena
    bool came_in_order_ = true;         // everything
    std::unique_ptr<RunFile> runs_;     // what did not fit the memory
    Bytes last_spilled_;                // entry before the first of the arena
    const std::unique_ptr<BulkOrder> order_;
    std::vector<bool> replaced_;  // by record; empty: none is
    uint64_t replaced_count_ = 0;
};

}  // namespace keel::db
