#pragma once

// The file store.img: two copies of the header, then pages, each with its checksum and its own
// number. It is written bottom-up in one go and never changed: a new image replaces the file by
// rename. docs/store-format.md has the byte tables.
//
// The bytes behind the header depend on the content alone, however it came about. What differs
// between two writes of the same content (producer, time, uid, commit number) stands in the header,
// outside the digest.

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "core/write_behind.hpp"
#include "db/mem/catalogue.hpp"
#include "db/mem/tree_builder.hpp"
#include "db/tools/progress.hpp"

namespace keel::db::mem {

inline constexpr char kImageName[] = "store.img";
inline constexpr char kImageTemporaryName[] = "store.img.tmp";
// A fold may write the other while a transaction loads.
inline constexpr std::string_view kImageLoadName = "store.img.load";
inline constexpr uint32_t kImageVersion = 1;
inline constexpr PageNo kImageHeaderPages = 2;

struct ImageHeader {
    uint64_t page_count = 0;
    uint64_t commit_id = 0;
    uint64_t time_s = 0;  // since 1970
    std::array<uint8_t, 16> uid = {};
    Tree catalogue;
    bool has_log = false;  // store-<commit_id>.log goes on where the image ends, and must be there
    uint64_t digest = 0;   // XXH3-64 of the checksums of all pages in order
    std::string producer;
};

/// Reads and checks the header of an open image, and the file's size (`file_bytes`) against it.
/// Corrupt, VersionMismatch.
ImageHeader read_image_header(const core::File& file, uint64_t file_bytes);
inline ImageHeader read_image_header(const core::File& file) {
    return read_image_header(file, file.info().size_bytes);
}
/// Checks every row of the catalogue of a mapped image, so that a damaged one is found at open.
void check_image_catalogue(const PageSpace& space, const ImageHeader& header,
                           const std::filesystem::path& path);

/// Writes pages one behind the other. One thread.
class ImageWriter final : public PageSink {
  public:
    ImageWriter(core::FileSystem& files, const std::filesystem::path& path);
    ~ImageWriter() override;

    /// Gives the page its number and checksum and writes it.
    PageNo append_page(uint8_t* page) override;
    PageNo append_run(ByteView value) override;
    /// Header copies, sync. The file is whole then, but not yet at its place.
    void finish(ImageHeader& header);
    PageNo pages() const noexcept { return next_; }
    /// Everything appended so far is in the file, which may be mapped.
    const core::File& flushed();
    /// Called now and then while pages are written, with their number so far.
    void watch(std::function<void(PageNo)> written) { written_ = std::move(written); }

  private:
    void append_bytes(ByteView bytes);
    void flush();
    void digest(uint64_t checksum);

    core::File file_;
    core::WriteBehind out_;
    PageNo next_ = kImageHeaderPages;
    struct Digest;
    std::unique_ptr<Digest> digest_;
    std::function<void(PageNo)> written_;
};

/// An image, table by table in the order of their names.
class ImageBuilder {
  public:
    ImageBuilder(core::FileSystem& files, const std::filesystem::path& path, const PageSpace& space)
        : out_(files, path), space_(space) {}

    ImageWriter& out() noexcept { return out_; }
    /// The table as it is in the space. Corrupt: it does not hold what its row says.
    void add(std::string name, TableRow row);
    /// A table whose pages the caller has appended.
    void add_built(std::string name, TableRow row) {
        rows_.emplace_back(std::move(name), std::move(row));
    }
    const std::vector<std::pair<std::string, TableRow>>& rows() const noexcept { return rows_; }
    void set_row(size_t at, const TableRow& row) { rows_[at].second = row; }
    /// The catalogue, then the header, which has commit, time, uid and producer set.
    void finish(ImageHeader& header);

  private:
    ImageWriter out_;
    const PageSpace& space_;
    std::vector<std::pair<std::string, TableRow>> rows_;
};

/// Writes the snapshot with this catalogue as a whole image. `header` has commit, time, uid and
/// producer set. `progress` counts pages of the snapshot, which the image has at most.
void write_image(core::FileSystem& files, const std::filesystem::path& path, const PageSpace& space,
                 const TreeView& catalogue, ImageHeader& header,
                 const tools::Progress& progress = {});

}  // namespace keel::db::mem
