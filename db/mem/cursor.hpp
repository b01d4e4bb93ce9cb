#pragma once

// A cursor of either transaction. In a snapshot a path never changes under it. In a write
// transaction the path is good for one number of the table's changes; before each change the writer
// has every cursor save the entry it stands on, and afterwards the cursor finds its place again by
// that entry, never by a page.
//
//   Fresh  just opened            At   on an entry                Gap  its entry was deleted
//   End    sought past the end    Lost an exact search failed, or the table was cleared
//
// KV.md A.5 has the table of moves. seek*, first, last and every entry returned make At; a failed
// exact search Lost; the deletion of its entry, by whomever, Gap; clear_table Lost.

#include "db/hit.hpp"
#include "db/mem/writer.hpp"

namespace keel::db::mem {

class Cursor final : public detail::CursorImpl {
  public:
    /// In a snapshot whose slot's serial is `serial` as long as it lives.
    Cursor(const PageSpace& space, const TreeView& tree,
           const std::atomic<uint64_t>& serial) noexcept
        : space_(space),
          snapshot_serial_(&serial),
          serial_(serial.load(std::memory_order_relaxed)),
          snapshot_tree_(tree) {}
    Cursor(Writer& writer, OpenTable& table);
    ~Cursor() override;
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    Hit first() override;
    Hit last() override;
    Hit next() override;
    Hit prev() override;
    Hit next_nodup() override;
    Hit prev_nodup() override;
    Hit next_dup() override;
    Hit prev_dup() override;
    Hit first_dup() override;
    Hit last_dup() override;
    Hit current() override;
    uint64_t count_dups() override;
    Hit seek(ByteView key) override;
    Hit seek_exact(ByteView key) override;
    Hit seek_both_exact(ByteView key, ByteView value) override;
    Hit seek_both_range(ByteView key, ByteView value) override;
    void put(ByteView key, ByteView value) override;
    bool put_no_overwrite(ByteView key, ByteView value) override;
    void put_no_dup(ByteView key, ByteView value) override;
    void put_current(ByteView key, ByteView value) override;
    void append(ByteView key, ByteView value) override;
    void append_dup(ByteView key, ByteView value) override;
    void delete_current() override;
    void delete_all_dups() override;
    bool del(ByteView key) override;
    bool delete_exact(ByteView key, ByteView value) override;

    // For the writer.
    Writer::Stable saved_entry() const noexcept;
    OpenTable* table() const noexcept { return table_; }
    /// Before a change: keeps the entry under the cursor, or the one that it deleted.
    void save();
    /// After the deletion of one entry, and of [from, to) of the keys; the cursor has saved.
    void on_erase_one(const Writer::Stable& victim) noexcept;
    void on_erase_range(std::optional<ByteView> from, std::optional<ByteView> to) noexcept;
    void on_clear() noexcept { state_ = State::Lost; }
    void on_drop() noexcept { dropped_ = true; }
    void on_end() noexcept { writer_ = nullptr; }

    Cursor* next_open = nullptr;
    Cursor* prev_open = nullptr;

  private:
    enum class State : uint8_t { Fresh, At, Gap, End, Lost };

    /// At the start of every call: is the transaction still there?
    void enter() const {
        if (snapshot_serial_ != nullptr) {
            if (snapshot_serial_->load(std::memory_order_relaxed) == serial_) [[likely]]
                return;
        } else if (writer_ != nullptr && writer_->usable() && !dropped_) {
            return;
        }
        enter_slowly();
    }
    void enter_slowly() const;
    OpenTable& enter_write() const {
        enter();
        KEEL_ASSERT(table_ != nullptr, "a read transaction's cursor has no writes");
        if (!table_->exists) [[unlikely]]
            refuse(ErrorCode::NoSuchTable, "not stored");
        return *table_;
    }
    TreeView tree() const noexcept {
        return table_ != nullptr ? TreeView(table_->row.tree) : snapshot_tree_;
    }
    bool dup() const noexcept { return tree().dup; }
    bool path_current() const noexcept {
        return path_valid_ && (table_ == nullptr || writes_ == table_->writes);
    }
    void path_is_current() noexcept {
        path_valid_ = true;
        if (table_ != nullptr) writes_ = table_->writes;
    }
    Hit arrive() {
        state_ = State::At;
        saved_ = false;
        path_is_current();
        return hit_at(path_);
    }
    Hit arrive_at(const Path& path);
    /// The same by a walk from group to group.
    Hit arrive_at_group(const Path& path);
    Hit fail(State state) noexcept;
    Hit hit_at(const Path& path) const {
        const LeafRecord record = record_at(space_, path);
        return detail::hit_of(record.key, space_.value(record));
    }
    Hit next_from_elsewhere();
    /// Index behind the group of the leaf's entry at `index`; 0: the group may go on in the next
    /// leaf.
    static uint16_t group_end(const uint8_t* page, uint16_t index) noexcept;
    /// The cursor walks from group to group and stands on the first entry of one.
    void ask_for_next_group(const uint8_t* page, uint16_t index) noexcept;
    /// The cursor has walked into a leaf: the one behind it will be wanted.
    void begin_ahead() noexcept;
    /// Asks for as much of that leaf as `entries` of this one are worth.
    void look_ahead(size_t entries) noexcept {
        const uint32_t end =
            static_cast<uint32_t>(std::min(ahead_at_ + entries * ahead_step_, kPageBytes));
        for (; ahead_at_ < end; ahead_at_ += kLineBytes) __builtin_prefetch(ahead_ + ahead_at_);
    }
    Target saved() const noexcept;
    void save_entry(ByteView key, ByteView value);
    /// Before the deleted entry of Gap is asked for.
    void keep_deleted();
    /// Does the path name the table's first place?
    bool at_first_place() const noexcept;
    /// At: makes path_ good again.
    void restore() {
        if (!path_current()) [[unlikely]]
            find_again();
    }
    void find_again();
    bool successor(Path& path);
    bool predecessor(Path& path);
    bool landing(Path& path);
    /// Key of the group that dup moves speak of; none: no group.
    std::optional<ByteView> group_key();
    /// Paths to the first and the last entry of a key's group. False: there is none.
    bool find_first(ByteView key, Path& path) const;
    bool find_last(ByteView key, Path& path) const;
    /// Entry that put_current and delete_current act on; false: none.
    bool victim(Path& path);
    bool step_group(Path& path, bool forward, ByteView key);
    /// After a change: At the entry, by its path where that is still good.
    void stand_on(const Writer::Stable& entry, const Path& path, bool path_valid);
    void stand_in_gap(const Path& path, bool path_valid) noexcept;
    [[noreturn]] void refuse(ErrorCode code, const std::string& what) const;

    const PageSpace& space_;
    const std::atomic<uint64_t>* snapshot_serial_ = nullptr;
    uint64_t serial_ = 0;
    TreeView snapshot_tree_;
    Writer* writer_ = nullptr;
    OpenTable* table_ = nullptr;
    State state_ = State::Fresh;
    bool dropped_ = false;
    bool path_valid_ = false;
    bool saved_ = false;  // the entry of At, or the deleted one of Gap, stands in the buffers
    const uint8_t* deleted_ = nullptr;  // Gap, not saved: where the record still lies
    uint64_t writes_ = 0;
    const uint8_t* ahead_ = nullptr;
    uint32_t ahead_at_ = kPageBytes;  // nothing to ask for
    uint32_t ahead_step_ = 0;
    Path path_;  // At: the entry; Gap: the place of the successor
    uint16_t key_bytes_ = 0;
    uint16_t value_bytes_ = 0;
    uint8_t key_[kKeyBytesMax];
    uint8_t value_[kDupValueBytesMax];
};

}  // namespace keel::db::mem
