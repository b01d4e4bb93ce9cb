#pragma once

// What the flow tests stand on: the keel program, a data directory of either backend, and chains.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/types/block.hpp"
#include "db/testing/contract_fixture.hpp"
#include "tests/support/child_process.hpp"

namespace keel::tests {

/// What a run of keel has left.
struct Ran {
    int exit_code = 0;
    std::string out;
    std::string err;
};

struct RunOptions {
    std::string input;                     // file that is stdin; empty: none
    std::vector<std::string> environment;  // NAME=value
    std::string directory;                 // working directory
    uint64_t file_bytes_max = 0;           // of every file written; 0: no limit
};

/// The program's path.
std::string keel_program();

/// A proof-of-stake chain of empty blocks on `genesis_of_empty_chain()`, from block 1 on.
std::vector<core::Block> make_empty_chain(uint64_t count);
/// Paris from the start, an account or two.
std::string genesis_of_empty_chain();
core::Bytes to_rlp(const std::vector<core::Block>& blocks);
/// The last block refused: it claims another state root.
std::vector<core::Block> with_bad_block(std::vector<core::Block> blocks, size_t index);

/// A temporary folder with files, and keel on the data directory in it.
class FlowFolder {
  public:
    std::filesystem::path path() const { return root_.path(); }
    std::string datadir() const { return (root_.path() / "data").string(); }
    /// Writes a file and returns its path.
    std::string write(const std::string& name, core::ByteView content) const;
    std::string read(const std::string& name) const;
    std::string make_pipe(const std::string& name) const;

    /// Runs keel to its end, its outputs apart. `--datadir` is added for commands that take it.
    Ran keel(const std::vector<std::string>& arguments, const RunOptions& options = {}) const;
    /// Arguments for a ChildProcess that is keel on the data directory.
    std::vector<std::string> command(const std::vector<std::string>& arguments) const;
    /// Digest of all tables.
    std::string digest() const;

  private:
    db::testing::TempDirectory root_;
};

template <class Tag>
class Flow : public ::testing::Test {
  public:
    static constexpr db::Backend kBackend = Tag::kBackend;
    static constexpr bool kMem = Tag::kBackend == db::Backend::Mem;
    static std::string backend() { return db::to_string(kBackend); }

    /// init with a genesis; must succeed.
    void init(const std::string& genesis) const {
        const Ran ran = folder.keel({"init", "--db", backend(), genesis});
        ASSERT_EQ(ran.exit_code, 0) << ran.err;
    }

    FlowFolder folder;
};

}  // namespace keel::tests
