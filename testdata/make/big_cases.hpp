#pragma once

#include <filesystem>

namespace keel::testdata {

/// Writes chains that are too large for the repository: blocks at the limits, and blocks full of
/// one thing each. genesis.json, NAME.rlp, and manifest.json with the head that each file leads to.
/// Returns an exit code.
int make_big_cases(const std::filesystem::path& directory);

}  // namespace keel::testdata
