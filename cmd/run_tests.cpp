#include "cmd/run_tests.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <iostream>
#include <map>
#include <regex>
#include <thread>

#include "cmd/output.hpp"
#include "core/clock.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"

namespace keel::cmd {
namespace {

using node::runners::CaseResult;
using node::runners::FileReport;
using node::runners::Outcome;

struct Counts {
    uint64_t passed = 0;
    uint64_t failed = 0;
    uint64_t unsupported = 0;
    uint64_t warnings = 0;

    uint64_t all() const noexcept { return passed + failed + unsupported; }
    void add(const CaseResult& result) noexcept {
        switch (result.outcome) {
            case Outcome::Passed:
                ++passed;
                break;
            case Outcome::Failed:
                ++failed;
                break;
            case Outcome::UnsupportedNetwork:
                ++unsupported;
                break;
        }
        if (!result.warning.empty()) ++warnings;
    }
};

const char* word(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::Passed:
            return "PASS";
        case Outcome::Failed:
            return "FAIL";
        case Outcome::UnsupportedNetwork:
            return "UNSUPPORTED";
    }
    return "";
}

std::string title(const CaseResult& result) {
    if (result.entry.empty()) return fmt::format("{} [{}]", result.name, result.network);
    return fmt::format("{} [{} {}]", result.name, result.network, result.entry);
}

/// Takes the reports in their order and says what was asked for.
class Teller {
  public:
    explicit Teller(const Options& options) : options_(options) {
        if (options_.json) json_.begin_array();
    }

    void tell(const FileReport& report) {
        ++files_;
        other_members_ += report.other_members;
        for (const CaseResult& result : report.cases) {
            total_.add(result);
            by_network_[result.network].add(result);
            if (options_.json) {
                tell_json(result);
            } else {
                tell_line(report, result);
            }
        }
    }

    /// Returns the number of tests that failed.
    uint64_t finish(uint64_t elapsed_ns) {
        if (options_.json) {
            json_.end_array();
            output_.line(json_.text());
        } else {
            for (const std::string& line : table(elapsed_ns)) output_.line(line);
            output_.line(
                fmt::format("{} tests passed, {} tests failed.", total_.passed, total_.failed));
        }
        output_.finish();
        if (options_.json && !options_.quiet && total_.unsupported > 0) {
            say(fmt::format("{} tests on networks that this build does not know: not in the list",
                            total_.unsupported));
        }
        return total_.failed;
    }

    uint64_t tests() const noexcept { return total_.all(); }

  private:
    void tell_json(const CaseResult& result) {
        // Neither passed nor failed: a reader of the list must not take it for one of them.
        if (result.outcome != Outcome::Passed && result.outcome != Outcome::Failed) return;
        json_.begin_object();
        json_.field("name", result.name);
        json_.field("pass", result.outcome == Outcome::Passed);
        if (!result.network.empty()) json_.field("fork", result.network);
        if (result.state_root) {
            json_.field("stateRoot", core::to_hex_prefixed(*result.state_root));
        }
        if (!result.error.empty()) json_.field("error", result.error);
        json_.end_object();
    }

    void tell_line(const FileReport& report, const CaseResult& result) {
        if (options_.tests.human || result.outcome == Outcome::Failed) {
            output_.write(fmt::format("{} {}", word(result.outcome), title(result)));
            output_.line(result.error.empty() ? "" : ": " + result.error);
            if (result.outcome == Outcome::Failed) {
                output_.line(fmt::format("     in {}", report.file.string()));
            }
        }
        if (options_.tests.human && !result.warning.empty()) {
            output_.line(fmt::format("WARNING {}: {}", title(result), result.warning));
        }
    }

    std::vector<std::string> table(uint64_t elapsed_ns) const {
        constexpr std::string_view kRow = "{:<32} {:>8} {:>8} {:>8} {:>12}";
        std::vector<std::string> lines;
        lines.push_back(
            fmt::format(fmt::runtime(kRow), "network", "tests", "passed", "failed", "unsupported"));
        const auto row = [&lines, kRow](std::string_view name, const Counts& counts) {
            lines.push_back(fmt::format(fmt::runtime(kRow), name, counts.all(), counts.passed,
                                        counts.failed, counts.unsupported));
        };
        for (const auto& [network, counts] : by_network_) row(network, counts);
        row("all", total_);
        const double seconds = static_cast<double>(elapsed_ns) / 1e9;
        lines.push_back(fmt::format("{} files in {:.2f} s, {:.0f} tests/s", files_, seconds,
                                    static_cast<double>(total_.all()) / seconds));
        if (total_.warnings > 0) {
            lines.push_back(fmt::format(
                "{} tests had a refusal for another reason than the one expected (--human lists "
                "them, --strict fails them)",
                total_.warnings));
        }
        if (other_members_ > 0) {
            lines.push_back(
                fmt::format("{} members of another format passed over", other_members_));
        }
        return lines;
    }

    const Options& options_;
    Output output_;
    JsonWriter json_;
    Counts total_;
    std::map<std::string, Counts, std::less<>> by_network_;
    uint64_t files_ = 0;
    uint64_t other_members_ = 0;
};

/// "I/N" with 1 <= I <= N; empty: the whole. Throws core::Fault{Usage}.
node::runners::Shard read_shard(const std::string& text) {
    if (text.empty()) return {};
    const size_t slash = text.find('/');
    node::runners::Shard shard;
    const auto read = [&text](size_t from, size_t to, unsigned& number) {
        const char* const end = text.data() + to;
        const auto [at, error] = std::from_chars(text.data() + from, end, number);
        return error == std::errc() && at == end;
    };
    if (slash == std::string::npos || !read(0, slash, shard.index) ||
        !read(slash + 1, text.size(), shard.count) || shard.index == 0 ||
        shard.index > shard.count) {
        throw core::Fault(core::FaultKind::Usage,
                          fmt::format("--shard {}: want I/N, I from 1 to N", text));
    }
    --shard.index;
    return shard;
}

std::vector<std::filesystem::path> given_paths(const Options& options) {
    std::vector<std::filesystem::path> paths(options.tests.paths.begin(),
                                             options.tests.paths.end());
    if (!paths.empty()) return paths;
    std::string line;
    while (std::getline(std::cin, line)) {
        if (!line.empty()) paths.emplace_back(line);
    }
    return paths;
}

}  // namespace

ScratchDirectory::ScratchDirectory()
    : path_(std::filesystem::temp_directory_path() / fmt::format("keel-tests-{}", ::getpid())) {
    std::filesystem::create_directories(path_);
}

ScratchDirectory::~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

node::runners::SuiteOptions suite_options(const Options& options) {
    node::runners::SuiteOptions suite;
    suite.network = options.tests.network;
    suite.strict = options.tests.strict;
    if (options.tests.trace) {
        suite.trace = [](std::string_view lines) { std::cerr << lines; };
        suite.trace_fields = {.memory = options.tests.trace_memory,
                              .stack = !options.tests.trace_no_stack,
                              .return_data = options.tests.trace_return_data};
    }
    if (!options.tests.name_pattern.empty()) {
        try {
            suite.select = [pattern = std::regex(options.tests.name_pattern, std::regex::nosubs)](
                               std::string_view name) {
                return std::regex_search(name.begin(), name.end(), pattern);
            };
        } catch (const std::regex_error& error) {
            throw core::Fault(
                core::FaultKind::Usage,
                fmt::format("--run {}: {}", options.tests.name_pattern, error.what()));
        }
    }
    return suite;
}

int run_fixtures(const Options& options, const node::runners::Suite& suite) {
    core::SystemFiles files;
    const auto paths = node::runners::find_fixtures(files, given_paths(options));
    unsigned workers = options.tests.workers != 0
                           ? options.tests.workers
                           : std::max(1u, std::thread::hardware_concurrency());
    if (options.tests.trace) workers = 1;  // lines of several tests do not mix
    Teller teller(options);
    const uint64_t begin_ns = core::monotonic_ns();
    const node::runners::RunOptions run{
        .workers = workers,
        .shard = read_shard(options.tests.shard),
        .time_limit_ms = static_cast<uint64_t>(options.tests.time_limit_seconds * 1000),
        .on_late = [](std::string_view name) { say(fmt::format("{} is late", name)); }};
    node::runners::run_suite(files, paths, suite, run,
                             [&teller](const FileReport& report) { teller.tell(report); });
    const uint64_t failed = teller.finish(core::monotonic_ns() - begin_ns);
    if (teller.tests() == 0 && !options.quiet) say("no test was selected");
    return failed == 0 || options.tests.exit_zero ? 0 : static_cast<int>(core::FaultKind::Failed);
}

}  // namespace keel::cmd
