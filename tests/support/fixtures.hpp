#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace keel::tests {

/// The unpacked fixture set `name` in $KEEL_FIXTURES (default: ~/.cache/keel-fixtures). None, with
/// a line on stderr, when it is not there: the test that asks is then skipped.
inline std::optional<std::filesystem::path> fixture_set(const std::string& name) {
    const char* given = std::getenv("KEEL_FIXTURES");
    const char* home = std::getenv("HOME");
    const std::filesystem::path root =
        given != nullptr
            ? std::filesystem::path(given)
            : std::filesystem::path(home != nullptr ? home : "/") / ".cache" / "keel-fixtures";
    const std::filesystem::path set = root / name;
    if (std::filesystem::is_directory(set)) return set;
    std::fprintf(stderr, "SKIPPED: no fixtures in %s (set KEEL_FIXTURES)\n", set.c_str());
    return std::nullopt;
}

}  // namespace keel::tests
