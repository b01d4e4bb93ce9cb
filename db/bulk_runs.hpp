#pragma once

// Input of a bulk load that is larger than memory: sorted runs in a file that has no name, merged
// when their table is built.

#include <vector>

#include "core/endian.hpp"
#include "core/write_behind.hpp"
#include "db/backend.hpp"

namespace keel::db {

// An entry as it lies in memory and in a run: record, key bytes, value bytes, key, value, and what
// is missing to a multiple of the alignment.
inline constexpr size_t kBulkRecordAt = 0;
inline constexpr size_t kBulkKeyBytesAt = 4;
inline constexpr size_t kBulkValueBytesAt = 6;
inline constexpr size_t kBulkHeadBytes = 10;
inline constexpr size_t kBulkAlignment = 8;
// Behind the last entry, which may be read.
inline constexpr size_t kBulkSlackBytes = 8;

inline size_t bulk_aligned(size_t bytes) noexcept {
    return (bytes + kBulkAlignment - 1) / kBulkAlignment * kBulkAlignment;
}

inline uint32_t bulk_record(const uint8_t* entry) noexcept {
    return core::load_le<uint32_t>(entry + kBulkRecordAt);
}
inline ByteView bulk_key(const uint8_t* entry) noexcept {
    return {entry + kBulkHeadBytes, core::load_le<uint16_t>(entry + kBulkKeyBytesAt)};
}
inline ByteView bulk_value(const uint8_t* entry) noexcept {
    return {entry + kBulkHeadBytes + core::load_le<uint16_t>(entry + kBulkKeyBytesAt),
            core::load_le<uint32_t>(entry + kBulkValueBytesAt)};
}
inline size_t bulk_bytes(const uint8_t* entry) noexcept {
    return bulk_aligned(kBulkHeadBytes + size_t{core::load_le<uint16_t>(entry + kBulkKeyBytesAt)} +
                        core::load_le<uint32_t>(entry + kBulkValueBytesAt));
}
/// By key, in a DupSort table by value where keys are equal.
inline std::strong_ordering bulk_order(const uint8_t* a, const uint8_t* b, Kind kind) noexcept {
    const auto by_key = bulk_key(a) <=> bulk_key(b);
    if (by_key != 0 || kind == Kind::Plain) return by_key;
    return bulk_value(a) <=> bulk_value(b);
}

/// Takes away files of runs that have kept their name: whoever made them was killed before it could
/// take it from them. Nobody else may have the directory for writing.
void remove_left_runs(core::FileSystem& files, const std::filesystem::path& directory) noexcept;
/// Would that remove a file of this name?
bool is_left_run(std::string_view name) noexcept;

/// Runs of one stream, one behind the other. Failures are FileFaults.
class RunFile {
  public:
    /// Made in the directory, where its name is taken away again at once.
    RunFile(core::FileSystem& files, const std::filesystem::path& directory);

    /// To the run that is being written, behind all of its entries.
    void append(ByteView entry) {
        out_.append(entry);
        end_ += entry.size();
    }
    void end_run() { ends_.push_back(end_); }
    /// Everything may be read.
    void flush() { out_.flush(); }
    size_t runs() const noexcept { return ends_.size(); }

  private:
    friend class MergedRuns;

    core::File file_;
    core::WriteBehind out_;
    uint64_t end_ = 0;
    std::vector<uint64_t> ends_;
};

/// All entries of a file's runs, in order. Of equal ones only the last is given.
class MergedRuns {
  public:
    MergedRuns(const RunFile& file, Kind kind);

    /// Null: no more. Good until the next call.
    const uint8_t* next();
    /// Records of the entries that the last next() passed over because an equal one came later.
    const std::vector<uint32_t>& passed_over() const noexcept { return passed_over_; }

  private:
    struct Run {
        std::vector<uint8_t> buffer;
        size_t at = 0;        // of its current entry in the buffer
        uint64_t offset = 0;  // in the file, of what is behind the buffer
        uint64_t end = 0;
    };
    bool load(Run& run, size_t bytes);
    bool fill(Run& run);
    const uint8_t* entry(size_t run) const noexcept {
        return runs_[run].buffer.data() + runs_[run].at;
    }
    void step(size_t run);
    bool behind(size_t a, size_t b) const noexcept;

    const RunFile& file_;
    const Kind kind_;
    std::vector<Run> runs_;
    std::vector<size_t> heap_;  // runs that have entries; the smallest entry's first
    bool begun_ = false;        // heap_[0]'s current entry has been given
    std::vector<uint32_t> passed_over_;
};

}  // namespace keel::db
