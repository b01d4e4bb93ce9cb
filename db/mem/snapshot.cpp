#include "db/mem/snapshot.hpp"

#include "db/mem/cursor.hpp"
#include "db/mem/store.hpp"

namespace keel::db::mem {
namespace {

// Keys that descend side by side: about what a core can have under way of cache misses.
constexpr size_t kBatch = 32;

}  // namespace

TreeView Snapshot::find_tree(Table table) {
    const TableNames::Info* const info = store_.names().find(table.id);
    std::optional<TableRow> row;
    if (info != nullptr) row = find_row(store_.space(), view_.catalogue(), info->name);
    if (!row && (info == nullptr || !info->declared))
        throw store_.error(ErrorCode::NoSuchTable, info != nullptr ? info->name : "?",
                           "neither stored nor declared");
    const TreeView tree =
        row ? TreeView(row->tree) : TreeView(kNoPage, 0, info->kind.load() == Kind::DupSort);
    root_of(table) = {view_.id, tree.root, table.id, tree.depth, tree.dup};
    return tree;
}

std::optional<TableRow> Snapshot::row(Table table) const {
    const TableNames::Info* const info = store_.names().find(table.id);
    std::optional<TableRow> row;
    if (info != nullptr) row = find_row(store_.space(), view_.catalogue(), info->name);
    if (!row && (info == nullptr || !info->declared))
        throw store_.error(ErrorCode::NoSuchTable, info != nullptr ? info->name : "?",
                           "neither stored nor declared");
    return row;
}

std::optional<ByteView> Snapshot::get(Table table, ByteView key) {
    return tree_get(store_.space(), tree(table), key);
}

void Snapshot::get_many(Table table, std::span<const ByteView> keys,
                        std::span<std::optional<ByteView>> out) {
    tree_get_many(store_.space(), tree(table), keys, out);
}

std::unique_ptr<detail::CursorImpl> Snapshot::cursor(Table table) {
    return std::make_unique<Cursor>(store_.space(), tree(table), slot_.serial);
}

uint64_t Snapshot::count(Table table) {
    const auto found = row(table);
    return found ? found->tree.entries : 0;
}

uint64_t Snapshot::sequence(Table table) {
    const auto found = row(table);
    return found ? found->sequence : 0;
}

TableStat Snapshot::stat(Table table) {
    const auto found = row(table);
    if (found) return to_stat(*found);
    return {.kind = store_.names().find(table.id)->kind.load()};
}

bool Snapshot::exists(Table table) {
    const TableNames::Info* const info = store_.names().find(table.id);
    return info != nullptr && find_row(store_.space(), view_.catalogue(), info->name).has_value();
}

std::vector<TableSpec> Snapshot::list_tables() {
    return list_catalogue(store_.space(), view_.catalogue());
}

void Snapshot::end() noexcept {
    store_.end_snapshot(slot_);
}

void Snapshot::refuse_write() const {
    throw store_.error(ErrorCode::ReadOnly, "", "write in a read transaction");
}

uint64_t Snapshot::commit() {
    refuse_write();
}
void Snapshot::put(Table, ByteView, ByteView) {
    refuse_write();
}
bool Snapshot::put_no_overwrite(Table, ByteView, ByteView) {
    refuse_write();
}
void Snapshot::append(Table, ByteView, ByteView) {
    refuse_write();
}
void Snapshot::append_dup(Table, ByteView, ByteView) {
    refuse_write();
}
bool Snapshot::del(Table, ByteView) {
    refuse_write();
}
bool Snapshot::del(Table, ByteView, ByteView) {
    refuse_write();
}
uint64_t Snapshot::del_range(Table, std::optional<ByteView>, std::optional<ByteView>) {
    refuse_write();
}
uint64_t Snapshot::increment(Table, uint64_t) {
    refuse_write();
}
void Snapshot::set_sequence(Table, uint64_t) {
    refuse_write();
}
void Snapshot::create_table(const TableSpec&) {
    refuse_write();
}
void Snapshot::clear_table(Table) {
    refuse_write();
}
bool Snapshot::drop_table(Table) {
    refuse_write();
}

void tree_get_many(const PageSpace& space, const TreeView& tree, std::span<const ByteView> keys,
                   std::span<std::optional<ByteView>> out) {
    KEEL_ASSERT(keys.size() == out.size());
    if (tree.dup || tree.depth == 0) {
        for (size_t i = 0; i < keys.size(); ++i) out[i] = tree_get(space, tree, keys[i]);
        return;
    }
    std::array<const uint8_t*, kBatch> pages;
    std::array<uint16_t, kBatch> candidates;
    // As many batches as need be, of even size: the last one overlaps as well as the others.
    const size_t batches = (keys.size() + kBatch - 1) / kBatch;
    const uint8_t* const root = space.tree_page(tree.root, tree.depth - 1U);
    for (size_t batch = 0; batch < batches; ++batch) {
        const size_t first = keys.size() * batch / batches;
        const size_t count = keys.size() * (batch + 1) / batches - first;
        pages.fill(root);
        for (size_t level = tree.depth - 1U; level > 0; --level) {
            std::array<PageNo, kBatch> children;
            for (size_t i = 0; i < count; ++i) {
                children[i] =
                    links(pages[i])[branch_child(pages[i], {keys[first + i]}, false)].child;
                prefetch_leaf(space.raw(children[i]));
            }
            for (size_t i = 0; i < count; ++i) pages[i] = space.tree_page(children[i], level - 1);
        }
        for (size_t i = 0; i < count; ++i)
            candidates[i] = leaf_candidate(pages[i], keys[first + i]);
        for (size_t i = 0; i < count; ++i) {
            const uint16_t index = leaf_exact(pages[i], keys[first + i], candidates[i]);
            if (index < header(pages[i]).count) {
                out[first + i] = space.value(leaf_record(pages[i], index));
            } else {
                out[first + i] = std::nullopt;
            }
        }
    }
}

std::vector<TableSpec> list_catalogue(const PageSpace& space, const TreeView& catalogue) {
    std::vector<TableSpec> tables;
    each_row(space, catalogue, [&tables](std::string_view name, const TableRow& row) {
        tables.push_back(
            {std::string(name), row.tree.dup ? Kind::DupSort : Kind::Plain, row.append_only});
    });
    return tables;
}

}  // namespace keel::db::mem
