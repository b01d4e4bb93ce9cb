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
#include <memory>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "db/mem/page_tree.hpp"

namespace keel::db::mem {

inline constexpr char kImageName[] = "store.img";
inline constexpr char kImageTemporaryName[] = "store.img.tmp";
inline constexpr uint32_t kImageVersion = 1;
inline constexpr PageNo kImageHeaderPages = 2;

struct ImageHeader {
    uint64_t page_count = 0;
    uint64_t commit_id = 0;
    uint64_t time_s = 0;  // since 1970
    std::array<uint8_t, 16> uid = {};
    Tree catalogue;
    uint64_t digest = 0;  // XXH3-64 of the checksums of all pages in order
    std::string producer;
};

/// Reads and checks the header of an open image, and the file's size against it. Corrupt,
/// VersionMismatch.
ImageHeader read_image_header(const core::File& file);
/// Checks every row of the catalogue of a mapped image, so that a damaged one is found at open.
void check_image_catalogue(const PageSpace& space, const ImageHeader& header,
                           const std::filesystem::path& path);

/// Writes pages one behind the other. One thread.
class ImageWriter {
  public:
    ImageWriter(core::FileSystem& files, const std::filesystem::path& path);
    ~ImageWriter();

    /// Gives the page its number and checksum and writes it.
    PageNo append_page(uint8_t* page);
    PageNo append_run(ByteView value);
    /// Header copies, sync. The file is whole then, but not yet at its place.
    void finish(ImageHeader& header);
    PageNo pages() const noexcept { return next_; }

  private:
    void append_bytes(ByteView bytes);
    void flush();
    void digest(uint64_t checksum);

    core::File file_;
    std::vector<uint8_t> buffer_;
    uint64_t written_bytes_ = 0;
    PageNo next_ = kImageHeaderPages;
    struct Digest;
    std::unique_ptr<Digest> digest_;
};

/// Builds a tree from entries in order, page by page, each as full as it goes. One thread.
class TreeBuilder {
  public:
    TreeBuilder(ImageWriter& out, bool dup);

    /// Behind all entries so far.
    void add(ByteView key, ByteView value);
    /// Root and figures. The last call.
    Tree finish();

  private:
    struct OwnedSeparator {
        Bytes key;
        Bytes value;
        Separator view() const noexcept { return {key, value}; }
    };
    struct Level {
        std::vector<OwnedSeparator> separators;
        std::vector<BranchItem> items;
        size_t bytes_at_most = 0;  // what the items take if nothing is shared
        bool emitted = false;
    };

    void emit_leaf();
    void add_link(size_t level, const OwnedSeparator& separator, PageNo child, uint64_t count);
    void emit_branch(size_t level);

    ImageWriter& out_;
    Tree tree_;
    alignas(8) uint8_t leaf_[kPageBytes];
    OwnedSeparator leaf_separator_;
    std::vector<Level> levels_;  // [0] takes the leaves' links
};

/// Writes the snapshot with this catalogue as a whole image. `header` has commit, time, uid and
/// producer set.
void write_image(core::FileSystem& files, const std::filesystem::path& path, const PageSpace& space,
                 const TreeView& catalogue, ImageHeader& header);

}  // namespace keel::db::mem
