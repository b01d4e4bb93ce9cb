#include "db/view_guard.hpp"

#include <cstring>
#include <utility>

namespace keel::db {
namespace {

/// Copies handed out by one transaction. One thread at a time, as the transaction.
class Views {
  public:
    ~Views() { end_all(); }

    ByteView copy(ByteView view) {
        // Exactly as long as the view, so that reading behind its end is found too. Never null, not
        // even when empty.
        copies_.push_back({std::make_unique<uint8_t[]>(view.size()), view.size()});
        if (!view.empty()) std::memcpy(copies_.back().bytes.get(), view.data(), view.size());
        return {copies_.back().bytes.get(), view.size()};
    }
    std::optional<ByteView> copy(const std::optional<ByteView>& view) {
        if (!view) return std::nullopt;
        return copy(*view);
    }
    Hit copy(const Hit& hit) {
        if (!hit) return std::nullopt;
        return Entry{copy(hit->key), copy(hit->value)};
    }
    void end_all() noexcept {
        constexpr int kEnded = 0xdd;
        for (const Copy& copy : copies_) std::memset(copy.bytes.get(), kEnded, copy.size);
        copies_.clear();
    }

  private:
    struct Copy {
        std::unique_ptr<uint8_t[]> bytes;
        size_t size;
    };
    std::vector<Copy> copies_;
};

/// Ends all views behind a call that writes, whether it succeeds or not; its arguments may be such
/// views.
class EndsViews {
  public:
    explicit EndsViews(Views& views) noexcept : views_(views) {}
    ~EndsViews() { views_.end_all(); }
    EndsViews(const EndsViews&) = delete;
    EndsViews& operator=(const EndsViews&) = delete;

  private:
    Views& views_;
};

class GuardedCursor final : public detail::CursorImpl {
  public:
    GuardedCursor(std::unique_ptr<detail::CursorImpl> cursor, std::shared_ptr<Views> views)
        : cursor_(std::move(cursor)), views_(std::move(views)) {}

    Hit first() override { return views_->copy(cursor_->first()); }
    Hit last() override { return views_->copy(cursor_->last()); }
    Hit next() override { return views_->copy(cursor_->next()); }
    Hit prev() override { return views_->copy(cursor_->prev()); }
    Hit next_nodup() override { return views_->copy(cursor_->next_nodup()); }
    Hit prev_nodup() override { return views_->copy(cursor_->prev_nodup()); }
    Hit next_dup() override { return views_->copy(cursor_->next_dup()); }
    Hit prev_dup() override { return views_->copy(cursor_->prev_dup()); }
    Hit first_dup() override { return views_->copy(cursor_->first_dup()); }
    Hit last_dup() override { return views_->copy(cursor_->last_dup()); }
    Hit current() override { return views_->copy(cursor_->current()); }
    uint64_t count_dups() override { return cursor_->count_dups(); }
    Hit seek(ByteView key) override { return views_->copy(cursor_->seek(key)); }
    Hit seek_exact(ByteView key) override { return views_->copy(cursor_->seek_exact(key)); }
    Hit seek_both_exact(ByteView key, ByteView value) override {
        return views_->copy(cursor_->seek_both_exact(key, value));
    }
    Hit seek_both_range(ByteView key, ByteView value) override {
        return views_->copy(cursor_->seek_both_range(key, value));
    }
    void put(ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        cursor_->put(key, value);
    }
    bool put_no_overwrite(ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        return cursor_->put_no_overwrite(key, value);
    }
    void put_no_dup(ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        cursor_->put_no_dup(key, value);
    }
    void put_current(ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        cursor_->put_current(key, value);
    }
    void append(ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        cursor_->append(key, value);
    }
    void append_dup(ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        cursor_->append_dup(key, value);
    }
    void delete_current() override {
        const EndsViews ends(*views_);
        cursor_->delete_current();
    }
    void delete_all_dups() override {
        const EndsViews ends(*views_);
        cursor_->delete_all_dups();
    }
    bool del(ByteView key) override {
        const EndsViews ends(*views_);
        return cursor_->del(key);
    }
    bool delete_exact(ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        return cursor_->delete_exact(key, value);
    }

  private:
    std::unique_ptr<detail::CursorImpl> cursor_;
    std::shared_ptr<Views> views_;  // shared: a cursor may be destroyed after its transaction
};

/// Deletes itself where the transaction gives itself back to its backend.
class GuardedTxn final : public detail::TxnImpl {
  public:
    explicit GuardedTxn(detail::TxnImpl* txn) : txn_(txn), views_(std::make_shared<Views>()) {}

    uint64_t view_id() override { return txn_->view_id(); }
    std::optional<ByteView> get(Table table, ByteView key) override {
        return views_->copy(txn_->get(table, key));
    }
    void get_many(Table table, std::span<const ByteView> keys,
                  std::span<std::optional<ByteView>> out) override {
        txn_->get_many(table, keys, out);
        for (std::optional<ByteView>& value : out) value = views_->copy(value);
    }
    std::unique_ptr<detail::CursorImpl> cursor(Table table) override {
        return std::make_unique<GuardedCursor>(txn_->cursor(table), views_);
    }
    uint64_t count(Table table) override { return txn_->count(table); }
    uint64_t sequence(Table table) override { return txn_->sequence(table); }
    TableStat stat(Table table) override { return txn_->stat(table); }
    bool exists(Table table) override { return txn_->exists(table); }
    std::vector<TableSpec> list_tables() override { return txn_->list_tables(); }
    void end() noexcept override {
        views_->end_all();
        txn_->end();
        delete this;
    }
    uint64_t commit() override {
        // A commit that throws leaves the transaction to end().
        const uint64_t view_id = txn_->commit();
        views_->end_all();
        delete this;
        return view_id;
    }
    bool order_loads(std::span<Table> tables, uint64_t bytes) override {
        return txn_->order_loads(tables, bytes);
    }
    void load(Table table, SortedEntries& entries) override {
        const EndsViews ends(*views_);
        txn_->load(table, entries);
    }
    void put(Table table, ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        txn_->put(table, key, value);
    }
    bool put_no_overwrite(Table table, ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        return txn_->put_no_overwrite(table, key, value);
    }
    void append(Table table, ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        txn_->append(table, key, value);
    }
    void append_dup(Table table, ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        txn_->append_dup(table, key, value);
    }
    bool del(Table table, ByteView key) override {
        const EndsViews ends(*views_);
        return txn_->del(table, key);
    }
    bool del(Table table, ByteView key, ByteView value) override {
        const EndsViews ends(*views_);
        return txn_->del(table, key, value);
    }
    uint64_t del_range(Table table, std::optional<ByteView> from,
                       std::optional<ByteView> to) override {
        const EndsViews ends(*views_);
        return txn_->del_range(table, from, to);
    }
    uint64_t increment(Table table, uint64_t by) override {
        const EndsViews ends(*views_);
        return txn_->increment(table, by);
    }
    void set_sequence(Table table, uint64_t value) override {
        const EndsViews ends(*views_);
        txn_->set_sequence(table, value);
    }
    void create_table(const TableSpec& spec) override {
        const EndsViews ends(*views_);
        txn_->create_table(spec);
    }
    void clear_table(Table table) override {
        const EndsViews ends(*views_);
        txn_->clear_table(table);
    }
    bool drop_table(Table table) override {
        const EndsViews ends(*views_);
        return txn_->drop_table(table);
    }

  private:
    detail::TxnImpl* const txn_;
    std::shared_ptr<Views> views_;
};

class GuardedStore final : public detail::StoreImpl {
  public:
    explicit GuardedStore(std::shared_ptr<detail::StoreImpl> store) : store_(std::move(store)) {}

    detail::TxnImpl* begin_ro() override { return new GuardedTxn(store_->begin_ro()); }
    core::Result<detail::TxnImpl*, Refused> begin_rw(std::stop_token stop,
                                                     Deadline deadline) override {
        return guard(store_->begin_rw(std::move(stop), deadline));
    }
    core::Result<detail::TxnImpl*, Refused> begin_rw_try() override {
        return guard(store_->begin_rw_try());
    }
    Table table(std::string_view name) override { return store_->table(name); }
    std::string table_name(Table table) override { return store_->table_name(table); }
    void sync() override { store_->sync(); }
    void close() override { store_->close(); }
    Stats stats() override { return store_->stats(); }
    std::string uid() override { return store_->uid(); }
    std::string path() override { return store_->path(); }
    bool read_only() override { return store_->read_only(); }

  private:
    static core::Result<detail::TxnImpl*, Refused> guard(
        core::Result<detail::TxnImpl*, Refused> begun) {
        if (!begun) return begun;
        return new GuardedTxn(*begun);
    }

    std::shared_ptr<detail::StoreImpl> store_;
};

}  // namespace

std::shared_ptr<detail::StoreImpl> guard_views(std::shared_ptr<detail::StoreImpl> store) {
    return std::make_shared<GuardedStore>(std::move(store));
}

}  // namespace keel::db
