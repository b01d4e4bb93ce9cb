#pragma once

// Runs the tests of many files on several threads and tells the results in the order of the files,
// whatever the number of threads.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "core/types/hash.hpp"
#include "node/runners/fixture_json.hpp"
#include "node/runners/trace.hpp"

namespace keel::node::runners {

enum class Outcome : uint8_t {
    Passed,
    Failed,
    UnsupportedNetwork,  // rules that this build does not have
};

/// One test: a member of a block test file, one entry of a state test.
struct CaseResult {
    std::string name;     // as in the file
    std::string network;  // as in the file
    std::string entry;    // which one of a state test: "d0 g1 v0"
    Outcome outcome = Outcome::Passed;
    std::string error;    // the first difference
    std::string warning;  // refused as it should be, but for another reason than the file names
    std::optional<core::Hash32> state_root;  // state tests
};

/// One thread's own: keeps the memory of interpreter and journal from test to test.
class Runner {
  public:
    virtual ~Runner() = default;
    /// Runs piece `index` of a member (see Suite::pieces) and appends a result for each test in it.
    virtual void run(const FixtureFile::Member& member, size_t index,
                     std::vector<CaseResult>& results) = 0;
};

/// Which tests run, and what passes.
struct SuiteOptions {
    std::function<bool(std::string_view name)> select;  // null: all
    std::string network;                                // empty: all
    bool strict = false;         // a refusal for another reason than the named one fails
    JsonTrace::Sink trace = {};  // null: no traces; with them, run_suite with one worker
    TraceFields trace_fields = {};
};

struct Suite {
    /// Into how many pieces a member is cut, so that threads can share it; 0: not selected; none:
    /// not of this format.
    std::function<std::optional<size_t>(const FixtureFile::Member&)> pieces;
    std::function<std::unique_ptr<Runner>()> make_runner;
};

struct FileReport {
    std::filesystem::path file;
    std::vector<CaseResult> cases;  // in the order of the file
    size_t other_members = 0;       // not of this format
};

/// `.json` files below the paths, sorted; a path that is a file is taken whatever its name. Throws
/// core::Fault{Usage} for a path that is not there.
std::vector<std::filesystem::path> find_fixtures(core::FileSystem& files,
                                                 const std::vector<std::filesystem::path>& paths);

/// One of several runs that together are the whole: each test is in exactly one, whatever the
/// number of threads.
struct Shard {
    unsigned index = 0;  // below count
    unsigned count = 1;
};

struct RunOptions {
    unsigned workers = 1;  // at least 1
    Shard shard = {};
    /// A test that takes longer fails; 0: none does. It is not stopped: what it runs ends, because
    /// gas does.
    uint64_t time_limit_ms = 0;
    /// Told, while it still runs, of a test that is late; a thread of its own. May be null.
    std::function<void(std::string_view name)> on_late = {};
};

/// `on_file` is called once a file, in the order of `paths`, on any of the threads, one at a time.
/// A file that cannot be read is one failed case.
void run_suite(core::FileSystem& files, const std::vector<std::filesystem::path>& paths,
               const Suite& suite, const RunOptions& options,
               const std::function<void(FileReport&)>& on_file);

}  // namespace keel::node::runners
