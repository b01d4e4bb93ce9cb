#include "node/block_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "core/rlp.hpp"

namespace keel::node {
namespace {

using core::Bytes;
using core::ByteView;

/// A list of `items` as items of a block: a header whose ninth item is the number, then lists with
/// `filler` bytes each.
Bytes make_block(uint64_t number, size_t items = 3, size_t filler = 1) {
    Bytes block;
    const size_t begin = core::rlp_begin_list(block);
    const size_t begin_header = core::rlp_begin_list(block);
    for (int i = 0; i < 8; ++i) core::rlp_append_uint(block, uint64_t{7});
    core::rlp_append_uint(block, number);
    core::rlp_end_list(block, begin_header);
    for (size_t i = 1; i < items; ++i) {
        const size_t begin_item = core::rlp_begin_list(block);
        core::rlp_append_string(block, Bytes(filler, static_cast<uint8_t>(0x80 + i)));
        core::rlp_end_list(block, begin_item);
    }
    core::rlp_end_list(block, begin);
    return block;
}

Bytes joined(const std::vector<Bytes>& blocks) {
    Bytes all;
    for (const Bytes& block : blocks) core::append(all, block);
    return all;
}

Bytes gzipped(ByteView content) {
    z_stream stream{};
    EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    Bytes out(::deflateBound(&stream, content.size()) + 64);
    Bytes in = content.to_bytes();
    stream.next_in = in.data();
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(out.size() - stream.avail_out);
    ::deflateEnd(&stream);
    return out;
}

Bytes zstd_packed(ByteView content) {
    Bytes out(::ZSTD_compressBound(content.size()));
    const size_t size = ::ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 3);
    EXPECT_EQ(::ZSTD_isError(size), 0U);
    out.resize(size);
    return out;
}

struct Content {
    std::vector<Bytes> blocks;
    std::vector<uint64_t> indexes;
    std::vector<uint64_t> offsets;
    std::optional<BlockFileDamage> damage;
};

Content read_all(BlockFile& file) {
    Content content;
    for (;;) {
        const auto next = file.next();
        if (!next) {
            content.damage = next.error();
            const auto behind = file.next();
            EXPECT_TRUE(behind && !*behind) << "after damage the file is at its end";
            return content;
        }
        if (!*next) return content;
        content.blocks.push_back((*next)->rlp.to_bytes());
        content.indexes.push_back((*next)->index);
        content.offsets.push_back((*next)->offset);
    }
}

class BlockFileTest : public ::testing::Test {
  protected:
    BlockFileTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "keel-blocks-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~BlockFileTest() override { std::filesystem::remove_all(folder_); }

    std::string write(ByteView content, const std::string& name = "chain.rlp") {
        const std::filesystem::path path = folder_ / name;
        core::File(files_, path, core::OpenMode::CreateEmptied).write_at(content, 0);
        return path.string();
    }
    Content read(const std::string& name) {
        BlockFile file(files_, name);
        return read_all(file);
    }

    core::SystemFiles files_;
    std::filesystem::path folder_;
};

const std::vector<Bytes> kBlocks = {make_block(1), make_block(2, 4, 70), make_block(300, 3, 9'000),
                                    make_block(4)};

TEST_F(BlockFileTest, plain_and_compressed_files_give_the_same_blocks) {
    const Bytes all = joined(kBlocks);
    Bytes two_members = gzipped(joined({kBlocks[0], kBlocks[1]}));
    core::append(two_members, gzipped(joined({kBlocks[2], kBlocks[3]})));
    Bytes two_frames = zstd_packed(joined({kBlocks[0]}));
    core::append(two_frames, zstd_packed(joined({kBlocks[1], kBlocks[2], kBlocks[3]})));
    const std::vector<uint64_t> offsets = {
        0, kBlocks[0].size(), kBlocks[0].size() + kBlocks[1].size(),
        kBlocks[0].size() + kBlocks[1].size() + kBlocks[2].size()};
    for (const Bytes& form : {all, gzipped(all), zstd_packed(all), two_members, two_frames}) {
        const Content content = read(write(form));
        EXPECT_FALSE(content.damage);
        EXPECT_EQ(content.blocks, kBlocks);
        EXPECT_EQ(content.offsets, offsets);
        EXPECT_EQ(content.indexes, (std::vector<uint64_t>{0, 1, 2, 3}));
    }
}

TEST_F(BlockFileTest, a_block_larger_than_every_buffer_is_whole) {
    const std::vector<Bytes> blocks = {make_block(1), make_block(2, 3, 3'000'000), make_block(3)};
    for (const Bytes& form : {joined(blocks), gzipped(joined(blocks)), zstd_packed(joined(blocks))})
        EXPECT_EQ(read(write(form)).blocks, blocks);
}

TEST_F(BlockFileTest, an_empty_file_has_no_blocks) {
    const Content content = read(write(ByteView()));
    EXPECT_TRUE(content.blocks.empty());
    EXPECT_FALSE(content.damage);
    EXPECT_TRUE(read(write(gzipped({}))).blocks.empty());
}

TEST_F(BlockFileTest, a_file_cut_at_any_byte_gives_its_whole_blocks_and_the_place_of_the_cut) {
    const std::vector<Bytes> blocks = {make_block(1), make_block(2, 4, 70), make_block(3)};
    const Bytes all = joined(blocks);
    for (size_t size = 0; size < all.size(); ++size) {
        SCOPED_TRACE(size);
        const Content content = read(write(ByteView(all).sub(0, size)));
        size_t whole = 0;
        size_t end = 0;
        while (end + blocks[whole].size() <= size) end += blocks[whole++].size();
        ASSERT_EQ(content.blocks.size(), whole);
        if (end == size) {
            EXPECT_FALSE(content.damage);
            continue;
        }
        ASSERT_TRUE(content.damage);
        EXPECT_EQ(content.damage->offset, end);
        EXPECT_EQ(content.damage->index, whole);
        EXPECT_NE(content.damage->text.find("cut off"), std::string::npos);
    }
}

TEST_F(BlockFileTest, compressed_data_cut_at_any_byte_are_damage) {
    const Bytes all = joined({make_block(1), make_block(2)});
    for (const Bytes& form : {gzipped(all), zstd_packed(all)}) {
        for (size_t size = kMagicBytes; size < form.size(); ++size) {
            SCOPED_TRACE(size);
            const Content content = read(write(ByteView(form).sub(0, size)));
            ASSERT_TRUE(content.damage);
            EXPECT_EQ(content.damage->offset, size);
            EXPECT_NE(content.damage->text.find("end too early"), std::string::npos);
        }
    }
}

TEST_F(BlockFileTest, damaged_compressed_data_end_the_file_behind_what_could_be_read) {
    Bytes form = gzipped(joined({make_block(1)}));
    core::append(form, "no gzip at all");
    const Content content = read(write(form));
    EXPECT_EQ(content.blocks.size(), 1U);
    ASSERT_TRUE(content.damage);
    EXPECT_NE(content.damage->text.find("damaged gzip data"), std::string::npos);
}

TEST_F(BlockFileTest, garbage_is_named_with_its_place) {
    struct Case {
        Bytes garbage;
        const char* text;
    };
    const Case cases[] = {
        {{0x7b}, "at block 1: byte 17: not a block: it begins with 0x7b, no RLP list does"},
        {{0xf8, 0x10}, "at block 1: byte 17: not a block: the length of its list"},
        {{0xf9, 0x00, 0x80}, "at block 1: byte 17: not a block: the length of its list"},
        {{0xff, 1, 2, 3, 4, 5, 6, 7, 8}, "not a block: it claims 72623859790382856 bytes"},
        {{0xf9, 0x01}, "at block 1: byte 17: cut off: the file ends 2 bytes into the block"},
        {{0xc3, 0x01},
         "at block 1: byte 17: cut off: the block has 4 bytes, the file ends after 2"},
    };
    ASSERT_EQ(make_block(1).size(), 17U);
    for (const Case& c : cases) {
        const Content content = read(write(joined({make_block(1), c.garbage})));
        EXPECT_EQ(content.blocks.size(), 1U);
        ASSERT_TRUE(content.damage);
        EXPECT_NE(content.damage->text.find(c.text), std::string::npos) << content.damage->text;
    }
}

TEST_F(BlockFileTest, block_0_is_skipped_and_counted) {
    const Content content = read(write(joined({make_block(0), make_block(1), make_block(0)})));
    EXPECT_EQ(content.blocks, std::vector<Bytes>{make_block(1)});
    EXPECT_EQ(content.indexes, std::vector<uint64_t>{1});
}

TEST_F(BlockFileTest, a_fifth_item_is_left_out) {
    const Content content =
        read(write(joined({make_block(1, 5), make_block(2, 4), make_block(3, 6)})));
    EXPECT_EQ(content.blocks,
              (std::vector<Bytes>{make_block(1, 4), make_block(2, 4), make_block(3, 6)}));
}

TEST_F(BlockFileTest, what_is_an_RLP_list_but_no_block_is_given_as_it_is) {
    const std::vector<Bytes> lists = {{0xc0}, {0xc1, 0xc0}, {0xc2, 0xc1, 0x80}};
    EXPECT_EQ(read(write(joined(lists))).blocks, lists);
}

TEST_F(BlockFileTest, missing_files_and_folders_are_faults) {
    EXPECT_THROW(BlockFile(files_, (folder_ / "none").string()), core::FileFault);
    EXPECT_THROW(BlockFile(files_, folder_.string()), core::FileFault);
}

// Seen elsewhere: SIGBUS.
TEST_F(BlockFileTest, a_file_that_becomes_shorter_is_a_fault) {
    std::vector<Bytes> blocks(4, make_block(1, 3, 2 << 20));
    const std::string name = write(joined(blocks));
    BlockFile file(files_, name);
    ASSERT_TRUE(file.next().has_value());
    std::filesystem::resize_file(name, blocks[0].size() + 10);
    try {
        while (file.next().value()) {
        }
        FAIL() << "not noticed";
    } catch (const core::Fault& fault) {
        EXPECT_EQ(fault.kind(), core::FaultKind::Io);
        EXPECT_NE(fault.message().find("changed while being read"), std::string::npos);
    }
}

TEST_F(BlockFileTest, a_pipe_gives_blocks_as_they_come) {
    const std::string name = (folder_ / "pipe").string();
    ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
    for (const bool compressed : {false, true}) {
        std::thread writer([&] {
            core::SystemFiles files;
            const int pipe = ::open(name.c_str(), O_WRONLY | O_CLOEXEC);
            const Bytes all = compressed ? gzipped(joined(kBlocks)) : joined(kBlocks);
            for (size_t at = 0; at < all.size(); at += 1'000) {
                const ByteView piece = ByteView(all).sub(at, 1'000);
                EXPECT_EQ(::write(pipe, piece.data(), piece.size()),
                          static_cast<ssize_t>(piece.size()));
            }
            ::close(pipe);
        });
        BlockFile file(files_, name);
        EXPECT_TRUE(file.may_wait());
        EXPECT_EQ(read_all(file).blocks, kBlocks);
        writer.join();
    }
}

TEST_F(BlockFileTest, waiting_ends_when_a_stop_is_requested) {
    const std::string name = (folder_ / "pipe").string();
    ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
    const int pipe = ::open(name.c_str(), O_RDWR | O_CLOEXEC);
    const Bytes block = make_block(1);
    ASSERT_EQ(::write(pipe, block.data(), block.size()), static_cast<ssize_t>(block.size()));
    std::stop_source stop;
    BlockFile file(files_, name, stop.get_token());
    ASSERT_TRUE(file.next().value());
    EXPECT_FALSE(file.has_whole_block());
    std::thread stopper([&] { stop.request_stop(); });
    EXPECT_FALSE(file.next().value());
    stopper.join();
    ::close(pipe);
}

}  // namespace
}  // namespace keel::node
