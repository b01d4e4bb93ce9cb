#include "db/mem/image_load.hpp"

namespace keel::db::mem {

ImageLoad::ImageLoad(core::FileSystem& files, const std::filesystem::path& path, PageSpace& space)
    : files_(files), path_(path), space_(space), image_(files, path, space) {}

ImageLoad::~ImageLoad() {
    if (!finished_) files_.unlink(path_);
}

bool ImageLoad::takes(std::string_view name) const noexcept {
    return image_.rows().empty() || image_.rows().back().first < name;
}

void ImageLoad::copy(std::string_view name, const TableRow& row) {
    image_.add(std::string(name), row);
    roots_.push_back(row.tree.root);
}

Tree ImageLoad::keep(std::string_view name, const TableRow& row, Tree built) {
    space_.map_loaded(files_, image_.out().flushed(), image_.out().pages());
    image_.add_built(std::string(name),
                     {.tree = built, .append_only = row.append_only, .sequence = row.sequence});
    roots_.push_back(built.root);
    built.packed = built.root != kNoPage;
    return built;
}

bool ImageLoad::finish(const TreeView& catalogue, ImageHeader& header) {
    size_t at = 0;
    bool same = true;
    each_row(space_, catalogue, [&](std::string_view name, const TableRow& row) {
        if (!same) return;
        if (at == image_.rows().size()) {
            copy(name, row);
        } else {
            // A tree that changed has another root: none of its pages was the transaction's own.
            // An empty one may have been made anew as another kind.
            const auto& [loaded, loaded_row] = image_.rows()[at];
            same = loaded == name && roots_[at] == row.tree.root &&
                   loaded_row.tree.dup == row.tree.dup;
            TableRow kept = row;
            kept.tree = loaded_row.tree;
            image_.set_row(at, kept);
        }
        ++at;
    });
    if (!same || at < image_.rows().size()) return false;
    image_.finish(header);
    finished_ = true;
    return true;
}

}  // namespace keel::db::mem
