#pragma once

// A read transaction: the object of a reader slot, used again by whoever takes the slot next.

#include "db/mem/catalogue.hpp"
#include "db/mem/readers.hpp"

namespace keel::db::mem {

class Store;

/// One thread at a time.
class Snapshot final : public detail::TxnImpl {
    /// Root of a table at one commit: found once, good as long as the slot reads that commit.
    struct Root {
        uint64_t view;
        PageNo root;
        uint16_t id;
        uint8_t depth;
        bool dup;
    };

    static constexpr size_t kRoots = 256;

  public:
    /// In front of its roots, in fresh memory, which nobody fills: most are never used.
    static constexpr size_t kHeadBytes = 64;
    static constexpr size_t kBytes = kHeadBytes + kRoots * sizeof(Root);

    Snapshot(Store& store, ReaderSlot& slot) noexcept : store_(store), slot_(slot) {}

    void begin(const Newest::View& view) noexcept {
        // Field by field: a copy of both at once would wait for the two stores that made them.
        view_.id = view.id;
        view_.packed = view.packed;
    }

    uint64_t view_id() override { return view_.id; }
    std::optional<ByteView> get(Table table, ByteView key) override;
    void get_many(Table table, std::span<const ByteView> keys,
                  std::span<std::optional<ByteView>> out) override;
    std::unique_ptr<detail::CursorImpl> cursor(Table table) override;
    uint64_t count(Table table) override;
    uint64_t sequence(Table table) override;
    TableStat stat(Table table) override;
    bool exists(Table table) override;
    std::vector<TableSpec> list_tables() override;
    void end() noexcept override;

    // A public ReadTxn has none of these.
    uint64_t commit() override;
    void put(Table, ByteView, ByteView) override;
    bool put_no_overwrite(Table, ByteView, ByteView) override;
    void append(Table, ByteView, ByteView) override;
    void append_dup(Table, ByteView, ByteView) override;
    bool del(Table, ByteView) override;
    bool del(Table, ByteView, ByteView) override;
    uint64_t del_range(Table, std::optional<ByteView>, std::optional<ByteView>) override;
    uint64_t increment(Table, uint64_t) override;
    void set_sequence(Table, uint64_t) override;
    void create_table(const TableSpec&) override;
    void clear_table(Table) override;
    bool drop_table(Table) override;

  private:
    Root& root_of(Table table) noexcept {
        return reinterpret_cast<Root*>(reinterpret_cast<uint8_t*>(this) +
                                       kHeadBytes)[table.id % kRoots];
    }
    TreeView tree(Table table) {
        const Root& root = root_of(table);
        if (root.view == view_.id && root.id == table.id) return {root.root, root.depth, root.dup};
        return find_tree(table);
    }
    TreeView find_tree(Table table);
    std::optional<TableRow> row(Table table) const;
    [[noreturn]] void refuse_write() const;

    Store& store_;
    ReaderSlot& slot_;
    Newest::View view_ = {};
};
static_assert(sizeof(Snapshot) <= Snapshot::kHeadBytes);

/// Values of many keys, up to 32 descents side by side, so that their cache misses overlap.
void tree_get_many(const PageSpace& space, const TreeView& tree, std::span<const ByteView> keys,
                   std::span<std::optional<ByteView>> out);
/// Tables of a catalogue, sorted by name.
std::vector<TableSpec> list_catalogue(const PageSpace& space, const TreeView& catalogue);

}  // namespace keel::db::mem
