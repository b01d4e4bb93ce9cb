// Random programs on the interpreter and on the reference machine, until they differ.
//   random_programs [--count N] [--seconds S] [--seed X] [--first I]
// A difference is told with the seed and the number of its scenario: `--seed X --first I --count 1`
// repeats it alone. Exit 1: they differ.

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/differential/compare.hpp"
#include "tests/differential/random.hpp"

namespace {

using namespace keel::differential;

struct Arguments {
    uint64_t count = UINT64_MAX;
    uint64_t seconds = 0;  // 0: no limit
    uint64_t seed = 1;
    uint64_t first = 0;
};

bool parse(int argc, char** argv, Arguments& arguments) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        const uint64_t value = std::strtoull(argv[i + 1], nullptr, 0);
        if (name == "--count") {
            arguments.count = value;
        } else if (name == "--seconds") {
            arguments.seconds = value;
        } else if (name == "--seed") {
            arguments.seed = value;
        } else if (name == "--first") {
            arguments.first = value;
        } else {
            return false;
        }
    }
    return argc % 2 == 1 && (arguments.count != UINT64_MAX || arguments.seconds != 0);
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    if (!parse(argc, argv, arguments)) {
        fmt::print(stderr,
                   "usage: random_programs [--count N] [--seconds S] [--seed X] [--first I]\n");
        return 2;
    }
    fmt::print("seed {}, from scenario {}\n", arguments.seed, arguments.first);
    std::fflush(stdout);
    const auto begin = std::chrono::steady_clock::now();
    Comparison comparison;
    uint64_t done = 0;
    for (; done < arguments.count; ++done) {
        if (done % 256 == 0 && arguments.seconds != 0 &&
            seconds_since(begin) >= static_cast<double>(arguments.seconds)) {
            break;
        }
        const uint64_t index = arguments.first + done;
        const Scenario scenario =
            random_scenario(Random(arguments.seed * 0x9e3779b97f4a7c15 + index).next());
        if (const auto difference = comparison.first_difference(scenario)) {
            fmt::print("scenario {} of seed {} differs: {}{}", index, arguments.seed, *difference,
                       to_text(scenario));
            return 1;
        }
    }
    const Comparison::Counts& counts = comparison.counts();
    const double elapsed = seconds_since(begin);
    fmt::print(
        "{} programs without a difference in {:.1f} s ({:.0f} a second): {} steps, {} frames; "
        "transactions: {} succeeded, {} reverted, {} halted\n",
        done, elapsed, static_cast<double>(done) / elapsed, counts.steps, counts.frames,
        counts.successes, counts.reverts, counts.halts);
    return 0;
}
