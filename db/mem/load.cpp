#include "db/mem/load.hpp"

#include "db/mem/tree_builder.hpp"

namespace keel::db::mem {
namespace {

// Fewer new entries than one of so many old ones are put one by one: a whole tree would be copied
// for them.
constexpr uint64_t kRebuildShare = 16;
constexpr uint64_t kEntriesMin = 256;

/// Into fresh pages of the transaction, one behind the other.
class SpaceSink final : public PageSink {
  public:
    explicit SpaceSink(OwnedPages& pages) : pages_(pages) {}
    PageNo append_page(uint8_t* page) override {
        const PageNo number = pages_.allocate_behind(1);
        std::memcpy(pages_.writable(number), page, kPageBytes);
        return number;
    }
    PageNo append_run(ByteView value) override {
        const PageNo first = pages_.allocate_behind(run_pages(value.size()));
        run_encode(pages_.writable(first), value);
        return first;
    }

  private:
    OwnedPages& pages_;
};

/// Entries of a tree, in order.
class TreeEntries {
  public:
    TreeEntries(const PageSpace& space, const Tree& tree) : space_(space) {
        there_ = descend_first(space, tree, path_);
        read();
    }
    bool there() const noexcept { return there_; }
    const Entry& entry() const noexcept { return entry_; }
    void next() {
        there_ = step_next(space_, path_);
        read();
    }

  private:
    void read() {
        if (!there_) return;
        const LeafRecord record = record_at(space_, path_);
        entry_ = {record.key, space_.value(record)};
    }
    const PageSpace& space_;
    Path path_;
    bool there_;
    Entry entry_;
};

}  // namespace

bool builds_whole(const Tree& tree, uint64_t coming) noexcept {
    return coming >= kEntriesMin && coming >= tree.entries / kRebuildShare;
}

uint64_t load_whole(OwnedPages& pages, TreeEditor& editor, Tree& tree, SortedEntries& entries) {
    SpaceSink sink(pages);
    TreeBuilder builder(sink, tree.dup);
    TreeEntries kept(pages.space(), tree);
    const auto order = [&](const Entry& a, const Entry& b) {
        const auto by_key = a.key <=> b.key;
        return by_key != 0 || !tree.dup ? by_key : a.value <=> b.value;
    };
    uint64_t loaded = 0;
    for (Entry entry; entries.next(entry); ++loaded) {
        for (; kept.there() && order(kept.entry(), entry) < 0; kept.next())
            builder.add(kept.entry().key, kept.entry().value);
        // The new value takes the old one's place.
        if (kept.there() && order(kept.entry(), entry) == 0) kept.next();
        builder.add(entry.key, entry.value);
    }
    for (; kept.there(); kept.next()) builder.add(kept.entry().key, kept.entry().value);
    Tree built = builder.finish();
    built.packed = built.root != kNoPage;
    editor.clear(tree);
    tree = built;
    return loaded;
}

}  // namespace keel::db::mem
