#pragma once

// The slow, obvious twin of a table and its cursors: a sorted vector, and KV.md A.5 read off row by
// row. It shares nothing with the backends but the names of the errors. Tests compare a backend's
// answers with it.

#include <compare>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "db/error.hpp"
#include "db/table.hpp"

namespace keel::db::testing {

using core::Bytes;
using core::ByteView;

/// An entry that owns its bytes.
struct Row {
    Bytes key;
    Bytes value;
    friend bool operator==(const Row&, const Row&) = default;
};

class ModelCursor;

/// One table: its rows in order (R6–R8), its sequence, and the cursors that are open on it. One
/// thread. Rows are immutable and shared between copies, so that a copy serves as a snapshot; a
/// copy has no cursors.
class ModelTable {
  public:
    explicit ModelTable(Kind kind) : kind_(kind), arena_(std::make_shared<std::deque<Row>>()) {}
    ModelTable(const ModelTable& other)
        : kind_(other.kind_),
          rows_(other.rows_),
          arena_(other.arena_),
          sequence_(other.sequence_) {}
    ModelTable& operator=(const ModelTable& other);
    ~ModelTable() = default;

    Kind kind() const noexcept { return kind_; }
    size_t size() const noexcept { return rows_.size(); }
    const Row& row(size_t index) const { return *rows_[index]; }

    // What WriteTxn does without a cursor.
    std::optional<Bytes> get(ByteView key) const;
    void put(ByteView key, ByteView value);
    bool put_no_overwrite(ByteView key, ByteView value);
    void append(ByteView key, ByteView value);
    void append_dup(ByteView key, ByteView value);
    bool del(ByteView key);
    bool del(ByteView key, ByteView value);
    uint64_t del_range(std::optional<ByteView> from, std::optional<ByteView> to);
    void clear();
    uint64_t increment(uint64_t by);
    void set_sequence(uint64_t value) { sequence_ = value; }
    uint64_t sequence() const noexcept { return sequence_; }

  private:
    friend class ModelCursor;

    /// Half open, indexes of rows.
    struct Span {
        size_t first;
        size_t last;
        bool empty() const noexcept { return first == last; }
    };
    /// Order of entries: by key, in a DupSort table then by value.
    std::strong_ordering compare(const Row& row, ByteView key, ByteView value) const;
    size_t not_before(ByteView key, ByteView value) const;  // first row >= the entry
    size_t behind(ByteView key, ByteView value) const;      // first row > the entry
    Span group(ByteView key) const;
    void insert(size_t index, ByteView key, ByteView value);
    void replace(size_t index, ByteView value);
    void erase(Span span);  // cursors on an erased row fall into its Gap

    Kind kind_;
    std::vector<const Row*> rows_;
    std::shared_ptr<std::deque<Row>> arena_;  // every row ever made: pointers in rows_ never dangle
    uint64_t sequence_ = 0;
    std::vector<ModelCursor*> cursors_;
};

/// A position of KV.md A.5. Names and errors as of WriteCursor, so that one template drives both.
class ModelCursor {
  public:
    using Hit = std::optional<Row>;

    explicit ModelCursor(ModelTable& table);
    ModelCursor(const ModelCursor&) = delete;
    ModelCursor& operator=(const ModelCursor&) = delete;
    ~ModelCursor();

    Hit first();
    Hit last();
    Hit next();
    Hit prev();
    Hit next_nodup();
    Hit prev_nodup();
    Hit next_dup();
    Hit prev_dup();
    Hit first_dup();
    Hit last_dup();
    Hit current();
    uint64_t count_dups() const;
    Hit seek(ByteView key);
    Hit seek_exact(ByteView key);
    Hit seek_both_exact(ByteView key, ByteView value);
    Hit seek_both_range(ByteView key, ByteView value);

    void put(ByteView key, ByteView value);
    bool put_no_overwrite(ByteView key, ByteView value);
    void put_no_dup(ByteView key, ByteView value);
    void put_current(ByteView key, ByteView value);
    void append(ByteView key, ByteView value);
    void append_dup(ByteView key, ByteView value);
    void delete_current();
    void delete_all_dups();
    bool del(ByteView key);
    bool delete_exact(ByteView key, ByteView value);

    /// "Fresh", "At", "Gap", "End" or "Lost", for messages.
    std::string_view state_name() const;

  private:
    friend class ModelTable;
    enum class State : uint8_t { Fresh, At, Gap, End, Lost };

    bool on_entry_or_gap() const { return state_ == State::At || state_ == State::Gap; }
    Hit go(size_t index);                               // the row becomes the position
    Hit go_if(std::optional<size_t> index);             // none: nullopt, position unchanged
    std::optional<size_t> landing() const;              // L of a Gap
    std::optional<size_t> entry() const;                // the row that current would answer
    std::optional<ModelTable::Span> dup_group() const;  // the group that first_dup and its kin mean
    void become(State state, const Row& row);
    void check_sizes(ByteView key, ByteView value) const;
    void check_dup_sort() const;

    ModelTable& table_;
    State state_ = State::Fresh;
    Row at_;  // At: the entry (of a plain table the key alone counts). Gap: the deleted entry
};

}  // namespace keel::db::testing
