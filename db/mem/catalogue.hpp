#pragma once

// The catalogue: itself a tree, table name -> row. Names of handles are process-wide figures of a
// store and never stored.

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "db/backend.hpp"
#include "db/mem/page_tree.hpp"

namespace keel::db::mem {

/// One table as the catalogue keeps it.
struct TableRow {
    Tree tree;
    bool append_only = false;
    uint64_t sequence = 0;
};

inline constexpr size_t kTableRowBytes = 56;

std::array<uint8_t, kTableRowBytes> encode_row(const TableRow& row) noexcept;
/// None: not a row.
std::optional<TableRow> decode_row(ByteView bytes) noexcept;
/// None: no such table. Throws Corrupt on a row that is none.
std::optional<TableRow> find_row(const PageSpace& space, const TreeView& catalogue,
                                 std::string_view name);
TableStat to_stat(const TableRow& row) noexcept;
/// Calls `use(name, row)` for every table, sorted by name. Throws Corrupt on a row that is none.
template <class F>
void each_row(const PageSpace& space, const TreeView& catalogue, F&& use) {
    Path path;
    if (!descend_first(space, catalogue, path)) return;
    do {
        const LeafRecord record = record_at(space, path);
        const std::optional<TableRow> row = decode_row(record.value);
        if (!row) throw Error(ErrorCode::Corrupt, "a row of the catalogue is damaged");
        use(record.key.text(), *row);
    } while (step_next(space, path));
}
bool valid_table_name(std::string_view name) noexcept;

/// Names behind table handles. Any thread; looking up a name by id takes no lock.
class TableNames {
  public:
    struct Info {
        const std::string name;
        std::atomic<Kind>
            kind;  // of the stored table; until there is one, as declared or first asked for
        const bool declared;
    };
    static constexpr size_t kHandlesMax = 4096;

    TableNames() = default;
    ~TableNames();
    TableNames(const TableNames&) = delete;
    TableNames& operator=(const TableNames&) = delete;

    void declare(const TableSpec& spec);
    Table resolve(std::string_view name, Kind kind_if_new);
    void set_kind(uint16_t id, Kind kind) noexcept { infos_[id].load()->kind = kind; }
    /// Null: no handle of this store.
    const Info* find(uint16_t id) const noexcept {
        return id < kHandlesMax ? infos_[id].load(std::memory_order_acquire) : nullptr;
    }

  private:
    uint16_t add(std::string_view name, Kind kind, bool declared);

    std::mutex mutex_;  // guards ids_
    std::map<std::string, uint16_t, std::less<>> ids_;
    std::array<std::atomic<Info*>, kHandlesMax> infos_ = {};
};

}  // namespace keel::db::mem
