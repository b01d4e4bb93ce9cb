#pragma once

// Loading tables straight into the image that their transaction is committed by: their pages are
// made in a buffer, written once, and mapped where they are read. No place in memory, no copy.
//
// An image has its tables in the order of their names, so a load takes them in that order, and
// copies what stands between them. Whether all of that is still so when the transaction commits is
// looked at then; where it is not, an image is written as from any other transaction, and the file
// of the load is what holds the pages of the loaded tables as long as the process lasts.

#include "db/mem/image.hpp"

namespace keel::db::mem {

/// Of one write transaction.
class ImageLoad {
  public:
    ImageLoad(core::FileSystem& files, const std::filesystem::path& path, PageSpace& space);
    ImageLoad(const ImageLoad&) = delete;
    ImageLoad& operator=(const ImageLoad&) = delete;
    /// Removes the file, unless it has been finished.
    ~ImageLoad();

    /// Does the table come behind all that are there?
    bool takes(std::string_view name) const noexcept;
    /// A table as it is in the space, where nothing of it may be changed in place.
    void copy(std::string_view name, const TableRow& row);
    /// Builds a table of entries in order, all of which `add` adds. The tree can be read, but none
    /// of its pages changed.
    template <class F>
    Tree build(std::string_view name, const TableRow& row, F&& add) {
        TreeBuilder builder(image_.out(), row.tree.dup);
        add(builder);
        return keep(name, row, builder.finish());
    }
    /// Writes what is missing of the content with this catalogue. False: it is not what was
    /// loaded.
    bool finish(const TreeView& catalogue, ImageHeader& header);
    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    Tree keep(std::string_view name, const TableRow& row, Tree built);

    core::FileSystem& files_;
    const std::filesystem::path path_;
    PageSpace& space_;
    ImageBuilder image_;
    std::vector<PageNo> roots_;  // in the space, of the image's tables
    bool finished_ = false;
};

}  // namespace keel::db::mem
